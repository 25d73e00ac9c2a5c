"""What is worked out once gives the same as what it replaces."""

import random
import string
import unittest
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from moto.core.serialize import XFormedAttributePicker, get_serializer_class
from moto.core.utils import get_service_model

from emulator import shapes
from emulator.quick import checks, members, xml


class Colour(Enum):
    RED = "red"


class Xml(unittest.TestCase):
    def test_documents_are_those_of_xmltodict(self) -> None:
        leaves = [None, "", "a & b < c > d", '"quoted"\n', True, False, 0, 1.5, Colour.RED, [], {}, b"bytes", ("t",)]
        draw = random.Random(7)

        def value(depth: int) -> Any:
            kind = draw.randrange(4 if depth else 1)
            if kind < 2:
                return draw.choice(leaves)
            if kind == 2:
                return [value(depth - 1) for _ in range(draw.randrange(4))]
            names = draw.sample(["#text", "@xmlns", "@xsi:type", "Name", "member", "item", "#comment", "b a"], 3)
            return {name: value(0 if name[0] in "#@" else depth - 1) for name in names}

        unusual = 0
        for _ in range(3000):
            document, short, full = {"Root": value(4)}, draw.random() < 0.5, draw.random() < 0.5
            results = []
            for write in (xml._unparse, xml.unparse):
                try:
                    results.append(write(document, full_document=full, short_empty_elements=short))
                except Exception as error:
                    results.append(repr(error))
            self.assertEqual(*results, document)
            unusual += results[0].startswith("ValueError")
        self.assertLess(unusual, 2000)


class Instance:
    """What moto keeps of an instance, under names of each sort that it looks for."""

    class Meta:
        serialization_aliases = {"State": "_state"}

    id = "i-1"
    image_id = "ami-1"
    _state = {"Code": 16, "Name": "running"}
    tags: list[dict[str, str]] = []
    architecture = None


class Members(unittest.TestCase):
    def test_members_are_found_where_moto_finds_them(self) -> None:
        objects = [
            Instance(),
            {"InstanceId": "i-2", "image_id": "x"},
            {"instanceId": "i-3", "State": None, "Tags": []},
            "text",
            None,
        ]
        for service, operation, path in (
            ("ec2", "DescribeInstances", ("Reservations", "Instances")),
            ("rds", "DescribeDBInstances", ("DBInstances",)),
            ("iam", "ListRoles", ("Roles",)),
        ):
            model = get_service_model(service).operation_model(operation)
            shape = model.output_shape
            for name in path:
                shape.members[name].parent = shape
                shape = shape.members[name].member
            transformers = {"Instance.Tags": lambda value: value or None, "ags": str, "Other.Tags": len}
            serializer = get_serializer_class(service, model.service_model.metadata["protocol"])(
                operation_model=model, value_picker=XFormedAttributePicker(response_transformers=transformers)
            )
            serializer.path = [operation, "Result", shape.name]
            for _ in range(2):
                for one in objects:
                    for key, member in shape.members.items():
                        member.parent = shape
                        found = members.member(serializer, one, key, member)
                        self.assertEqual(found, members._get_value(serializer, one, key, member), (key, one))


class Checks(unittest.TestCase):
    def test_what_is_surely_valid_has_no_violation(self) -> None:
        draw = random.Random(11)
        sure = 0
        for service in ("cloudwatch", "dynamodb", "ec2", "guardduty", "iam", "kms", "lambda", "s3", "sns", "wafv2"):
            model = get_service_model(service)
            for operation in draw.sample(list(model.operation_names), 30):
                shape = model.operation_model(operation).input_shape
                for _ in range(6 if shape else 0):
                    value = _value(shape, draw, 4)
                    for patterns in (False, True):
                        of = shapes.pattern_of if patterns else None
                        if checks.is_surely_valid(value, shape, of):
                            sure += 1
                            self.assertEqual(shapes.slow_violations(value, shape, patterns), [], value)
        self.assertGreater(sure, 500)


def _value(shape: Any, draw: random.Random, depth: int) -> Any:
    """Something that the shape mostly allows."""
    if draw.random() < 0.01:
        return draw.choice([None, "", "x" * 3000, -1, 10**9, 1.5, True, [], {}, {"No": 1}, ["", None]])
    kind = shape.type_name
    if kind == "structure":
        wanted = shape.metadata.get("required", [])
        more = [name for name in shape.members if depth and draw.random() < 0.3]
        return {name: _value(shape.members[name], draw, depth - 1) for name in sorted({*wanted, *more})} if depth > -3 else {}
    if kind == "list":
        return [_value(shape.member, draw, depth - 1) for _ in range(draw.randrange(3))]
    if kind == "map":
        key = _value(shape.key, draw, 0)
        return {key if isinstance(key, str) and key else "k": _value(shape.value, draw, depth - 1)}
    if kind == "string":
        if getattr(shape, "enum", None):
            return draw.choice([*shape.enum])
        low = shape.metadata.get("min", 1)
        return "".join(draw.choices(string.ascii_letters + "-/:", k=max(low, draw.randrange(1, 40))))
    simple = {"boolean": True, "blob": b"b", "timestamp": datetime.now(UTC), "float": 0.5, "double": 2.0}
    return simple.get(kind, draw.choice([0, 1, 60, 100, 4000]))
