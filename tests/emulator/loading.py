"""botocore's API models and moto's own data, read once and quickly.

botocore reads a model into ordered dictionaries, anew for each session and for moto, and looks through the folders of
all services each time: most of the first call of a service, and a second of EC2's.
"""

import functools
import gzip
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import botocore.loaders
import moto.core.utils
import moto.utilities.utils
import orjson

#: Which instance types are offered in each Region: fifty MiB that are wanted when somebody starts an instance.
OFFERINGS = "ec2/resources/instance_type_offerings"


#: What each service has, or is not asked for where it has none.
EVERYWHERE = ("service-2", "paginators-1")


def apply() -> None:
    """From now on all loads go through here; called before any service is loaded."""
    botocore.loaders.JSONFileLoader._load_file = lambda _, path, open_method: _read(path, open_method)
    botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
    listed = botocore.loaders.Loader.list_available_services
    botocore.loaders.Loader.list_available_services = lambda loader, type_name: (
        _services(*loader._potential_locations()) if type_name in EVERYWHERE else listed(loader, type_name)
    )
    moto.core.utils.create_loader = functools.cache(moto.core.utils.create_loader)
    moto.utilities.utils.json = orjson
    load = moto.utilities.utils.load_resource
    moto.utilities.utils.load_resource = lambda name: [] if OFFERINGS in name else load(name)


@functools.cache
def _services(*places: str) -> list[str]:
    """All services, by their folders; botocore looks through all versions of each, for each kind of file anew."""
    return sorted({entry.name for place in places for entry in os.scandir(place) if entry.is_dir()})


@functools.cache
def _read(path: str, open_method: Callable[..., Any]) -> Any:
    """What the file says; the same object each time, to which moto's loader adds what moto wants more."""
    if not os.path.isfile(path):
        return None
    with open_method(path, "rb") as file:
        return orjson.loads(file.read())


class Offerings(Mapping[str, Any]):
    """Instance types by Region, each read when somebody asks for it; `kind` is moto's name of a kind of place."""

    def __init__(self, kind: str) -> None:
        self._folder = os.path.join(os.path.dirname(moto.__file__), OFFERINGS, kind)
        self._regions = {name.partition(".")[0]: name for name in os.listdir(self._folder)}
        self._kind = kind
        self._known: dict[str, list[dict[str, str]]] = {}

    def __getitem__(self, region: str) -> list[dict[str, str]]:
        if region not in self._known:
            self._known[region] = self._load(self._regions[region])
        return self._known[region]

    def _load(self, name: str) -> list[dict[str, str]]:
        path = os.path.join(self._folder, name)
        found = _read(path, gzip.open if path.endswith(".gz") else open)
        return [one | {"LocationType": self._kind} for one in found]

    def __iter__(self) -> Iterator[str]:
        return iter(self._regions)

    def __len__(self) -> int:
        return len(self._regions)


def offer_instance_types() -> None:
    """Puts the lists where moto looks for them, once it has loaded its own, empty ones."""
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

    for kind in INSTANCE_TYPE_OFFERINGS:
        INSTANCE_TYPE_OFFERINGS[kind] = Offerings(kind)
