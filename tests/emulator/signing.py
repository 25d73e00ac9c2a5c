"""Which services sign with a name: 90 have another one than botocore's, and some names are shared.

Read from the beginnings of botocore's models, all of them in half a second, when a request is for no operation of the
service that one would think of first.
"""

import functools
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import botocore
from botocore.loaders import create_loader

# The metadata stand within so many bytes of a model.
BEGINNING = 100_000


@dataclass(frozen=True)
class Signer:
    """A service, and what the requests that it takes have: the beginning of X-Amz-Target, or a version."""

    service: str
    target: str | None
    version: str


@functools.cache
def _signers() -> dict[str, list[Signer]]:
    loader, found = create_loader(), {}
    for service in loader.list_available_services("service-2"):
        said = _metadata(service, loader.determine_latest_version(service, "service-2"))
        name = said.get("signingName") or said["endpointPrefix"]
        found.setdefault(name, []).append(Signer(service, said.get("targetPrefix"), said["apiVersion"]))
    return found


def _metadata(service: str, version: str) -> dict[str, str]:
    with gzip.open(Path(botocore.__file__).parent / "data" / service / version / "service-2.json.gz", "rt") as file:
        text = file.read(BEGINNING)
    _, _, behind = text.partition('"metadata":')
    try:
        return json.JSONDecoder().raw_decode(behind.lstrip())[0]
    except ValueError:
        return create_loader().load_service_model(service, "service-2", version)["metadata"]


def services_of(name: str) -> list[Signer]:
    """The services that sign with the name."""
    return _signers().get(name, [])
