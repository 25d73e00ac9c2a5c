"""What the API models do not allow is neither taken nor answered."""

import unittest
from types import SimpleNamespace
from typing import Any

from moto.core.utils import get_service_model

from emulator import shapes


class Answers(unittest.TestCase):
    def call(self, service: str, operation: str) -> Any:
        model = get_service_model(service).operation_model(operation)
        return SimpleNamespace(service=service, operation=operation, model=model, protocol="json")

    def test_an_answer_that_the_model_does_not_allow_is_a_bug_of_ours(self) -> None:
        call = self.call("config", "DescribeRetentionConfigurations")
        good = {"Name": "default", "RetentionPeriodInDays": 30}
        self.assertEqual(shapes.serialise(call, {"RetentionConfigurations": [good]}).status, 200)
        for wrong in (
            {"RetentionConfigurations": [{"Name": "default"}]},
            {"RetentionConfigurations": [good | {"RetentionPeriodInDays": "30"}]},
            {"RetentionConfigurations": [good | {"RetentionPeriodInDays": 4000}]},
            {"RetentionConfigurations": good},
            {"Other": []},
        ):
            with self.assertRaises(shapes.WrongShape):
                shapes.serialise(call, wrong)
        with self.assertRaises(shapes.WrongShape):
            shapes.serialise(self.call("config", "PutConfigurationRecorder"), {"Name": "default"})
