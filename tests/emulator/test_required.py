"""The lists that AWS's API model requires of the answers to our reads, against the table of those that are looked for.

The SDK cannot tell such a list that is missing from one that is empty; `src/aws/required.rs` says why that matters.
"""

import re
import unittest
from pathlib import Path

from moto.core.utils import get_service_model

SOURCES = Path(__file__).parents[2] / "src"
TABLE = SOURCES / "aws" / "required.rs"
READS = ("BatchGet", "Describe", "Get", "List")
# Our names of services whose models have others.
MODELS = {"tag": "resourcegroupstaggingapi"}


def calls() -> set[tuple[str, str]]:
    """Every read that stands anywhere in the sources, made-up ones of examples left out."""
    found = set()
    for file in SOURCES.rglob("*.rs"):
        for service, operation in re.findall(r'Call::new\(\s*"([a-z0-9]+)",\s*"([A-Za-z0-9]+)"', file.read_text()):
            model = get_service_model(MODELS.get(service, service))
            if operation.startswith(READS) and operation in model.operation_names:
                found.add((service, operation))
    return found


def required_lists(shape, path: str, above: frozenset[str], is_json: bool = False):
    """The lists below a shape that must be there, by their paths; with the element that stands for each in XML.

    In JSON, a path has the names of the wire, which may differ from those of the model.
    """
    if shape.name in above:
        return
    above |= {shape.name}
    if shape.type_name == "list":
        yield from required_lists(shape.member, f"{path}[]", above, is_json)
    if shape.type_name != "structure":
        return
    for name, member in shape.members.items():
        shown = member.serialization.get("name", name) if is_json else name
        below = f"{path}.{shown}" if path else shown
        if name in shape.required_members and member.type_name in ("list", "map"):
            yield below, member.serialization.get("name", name)
        yield from required_lists(member, below, above, is_json)


class Required(unittest.TestCase):
    def test_the_table_has_each_list_that_the_model_requires(self) -> None:
        wanted = set()
        for service, operation in calls():
            model = get_service_model(MODELS.get(service, service))
            output = model.operation_model(operation).output_shape
            is_json = model.metadata["protocol"] in ("json", "rest-json", "smithy-rpc-v2-cbor")
            for path, element in required_lists(output, "", frozenset(), is_json) if output else ():
                wanted.add((service, operation, path, None if is_json else element))
        text = TABLE.read_text()
        entry = r'\b(?:json|xml)\(\s*"(\w+)",\s*"(\w+)",\s*"([^"]+)",?\s*(?:"(\w+)",?\s*)?\)'
        table = {(service, call, path, element or None) for service, call, path, element in re.findall(entry, text)}
        self.assertEqual(table, wanted)
        self.assertGreater(len(calls()), 50)


if __name__ == "__main__":
    unittest.main()
