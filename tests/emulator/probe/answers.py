"""Whether an answer is one of its API model: what that does not name, lacks, or does not allow, of any emulator."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from botocore.parsers import create_parser

from emulator.shapes import slow_violations

# Where AWS answers otherwise than its models say: states of attached gateways and of endpoints in small letters, ids of
# policies with eight characters, no description of a web ACL, and who asks for a scan by a word.
REAL = re.compile(
    r"'\w+\.(InternetGateways\[\d+\]\.Attachments\[\d+\]|VpcEndpoints?(\[\d+\])?)\.State'"
    r"|'arn:aws:organizations::\d{12}:policy/o-\w+/\w+/p-\w{8}'"
    r"|'CreateWebACLResponse\.Summary\.Description'"
    r"|'SELF' at 'ListCisScanConfigurationsResponse\."
)
# AWS itself answers with less than its models' minimal lengths and numbers.
TOO_SHORT = ("min length", "min value", "at least")


def watch(client: Any, tell: Callable[[str, list[str]], None]) -> None:
    """Tells of each successful answer to the client what is wrong with it, by the operation's name."""

    def look(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
        if response_dict["status_code"] < 300 and not operation_model.has_streaming_output:
            tell(operation_model.name, problems(response_dict, operation_model))

    client.meta.events.register("before-parse", look)


def problems(response: dict[str, Any], model: Any) -> list[str]:
    shape = model.output_shape
    if shape is None:
        return []
    parsed = create_parser(model.service_model.resolved_protocol).parse(response, shape)
    parsed.pop("ResponseMetadata", None)
    found = [one for one in slow_violations(parsed, shape, True) if not REAL.search(one)]
    found = [one for one in found if not any(words in one for words in TOO_SHORT)]
    if "json" in model.service_model.resolved_protocol and "payload" not in shape.serialization:
        found += _strange(json.loads(response["body"] or b"{}"), shape, shape.name)
    return found


def _strange(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Nulls, and members that nobody knows, which parsers pass over."""
    if value is None:
        yield f"null at {path}"
    elif shape.type_name == "structure" and isinstance(value, dict) and not shape.is_document_type:
        names = {one.serialization.get("name", name): one for name, one in shape.members.items()}
        for name, item in value.items():
            if name in names:
                yield from _strange(item, names[name], f"{path}.{name}")
            elif name != "__type":
                yield f"unknown {path}.{name}"
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from _strange(item, shape.member, f"{path}[]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for item in value.values():
            yield from _strange(item, shape.value, f"{path}{{}}")
