"""What CloudWatch refuses of alarms: statistics, queries, names, actions, dimensions, the rules of composite ones."""

import unittest
from typing import Any

from emulator.missing.alarm_refusals import rule_problem
from emulator.test_strict_services import ALARM
from emulator.testing import AccountTest

STAT = {"Metric": {"MetricName": "m", "Namespace": "n"}, "Period": 60, "Stat": "Sum"}


class Alarms(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.watch = self.client("cloudwatch")

    def put(self, code: str | None, **changes: Any) -> None:
        """Puts the alarm with these changes, None for a member that is left out; it is refused when there is a code."""
        alarm = {name: value for name, value in (ALARM | changes).items() if value is not None}
        with self.subTest(changes=changes):
            if code:
                self.fails(code, self.watch.put_metric_alarm, **alarm)
            else:
                self.watch.put_metric_alarm(**alarm)

    def test_extended_statistics(self) -> None:
        for good in ("p0", "p99.9", "p100", "tm90", "wm5", "IQM", "PR(1:200)", "TM(10%:90%)"):
            self.put(None, Statistic=None, ExtendedStatistic=good)
            [alarm] = self.watch.describe_alarms()["MetricAlarms"]
            self.assertEqual(alarm["ExtendedStatistic"], good)
        for bad in ("p101", "p", "x90", "TM(90%:10%)", "TM(5%:90%)", "Sum", "PR()"):
            self.put("InvalidParameterValue", Statistic=None, ExtendedStatistic=bad)

    def test_thresholds_and_bands(self) -> None:
        self.put("ValidationError", Threshold=float("nan"))
        self.put("ValidationError", Threshold=float("inf"))
        self.put("ValidationError", ComparisonOperator="GreaterThanUpperThreshold")
        self.put("ValidationError", ThresholdMetricId="m1")
        self.put("ValidationError", ThresholdMetricId="m1", Threshold=None)
        none = dict.fromkeys(("MetricName", "Namespace", "Statistic", "Period", "Threshold"))
        band = [{"Id": "m1", "MetricStat": STAT}, {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1)"}]
        above = {"ComparisonOperator": "GreaterThanUpperThreshold"}
        self.put("ValidationError", **none, **above, Metrics=band, ThresholdMetricId="ad2")
        self.put(None, **none, **above, Metrics=band, ThresholdMetricId="ad1")

    def test_queries(self) -> None:
        none = dict.fromkeys(("MetricName", "Namespace", "Statistic", "Period"))
        for queries in (
            [{"Id": "A", "MetricStat": STAT}],
            [{"Id": "a"}],
            [{"Id": "a", "MetricStat": STAT, "Expression": "b"}],
            [{"Id": "a", "MetricStat": STAT, "ReturnData": False}, {"Id": "a", "Expression": "a*2"}],
            [{"Id": "a", "MetricStat": STAT | {"Period": 61}}],
            [{"Id": "a", "MetricStat": STAT | {"Stat": "Most"}}],
        ):
            self.put("ValidationError", **none, Metrics=queries)
        self.put(None, **none, Metrics=[{"Id": "a", "MetricStat": STAT | {"Stat": "p90"}}])

    def test_promql(self) -> None:
        none: dict[str, Any] = dict.fromkeys(name for name in ALARM if name != "AlarmName")
        criteria = {"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}}
        self.put("ValidationError", **criteria, EvaluationInterval=60)
        self.put("ValidationError", **none, **criteria)
        self.put("ValidationError", **none, **criteria, EvaluationInterval=61)
        self.put("ValidationError", EvaluationInterval=60)
        self.put(None, **none, **criteria, EvaluationInterval=60)

    def test_names_dimensions_actions_and_tags(self) -> None:
        self.put("ValidationError", AlarmName="a\x01b")
        for dimension in ({"Name": ":a", "Value": "b"}, {"Name": "a", "Value": "ä"}, {"Name": "a", "Value": " "}):
            self.put("ValidationError", Dimensions=[dimension])
        self.put("ValidationError", AlarmActions=["arn:aws:s3:::bucket"])
        self.put("ValidationError", OKActions=[f"arn:aws:lambda:eu-west-1:{self.account}:function:f"])
        self.put(None, AlarmActions=["arn:aws:automate:us-east-1:ec2:stop"])
        many = [{"Key": str(number), "Value": ""} for number in range(51)]
        self.put("InvalidParameterValue", AlarmName="other", Tags=many)
        self.put("InvalidParameterValue", AlarmName="other", Tags=[{"Key": "a", "Value": "b"}] * 2)
        arn = f"arn:aws:cloudwatch:us-east-1:{self.account}:alarm:alarm"
        self.watch.tag_resource(ResourceARN=arn, Tags=many[:50])
        self.fails("InvalidParameterValueException", self.watch.tag_resource, ResourceARN=arn, Tags=many[50:])

    def test_relatives_are_asked_for_alone(self) -> None:
        self.fails("ValidationError", self.watch.describe_alarms, ChildrenOfAlarmName="a", StateValue="OK")
        both = {"ChildrenOfAlarmName": "a", "ParentsOfAlarmName": "a"}
        self.fails("ValidationError", self.watch.describe_alarms, **both)

    def test_composite_alarms(self) -> None:
        for more in (
            {"AlarmRule": "()"},
            {"AlarmRule": "TRUE", "AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]},
            {"AlarmRule": "TRUE", "ActionsSuppressor": "alarm"},
            {"AlarmRule": "TRUE", "ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1},
        ):
            with self.subTest(more=more):
                self.fails("ValidationError", self.watch.put_composite_alarm, AlarmName="both", **more)


class Rules(unittest.TestCase):
    def test_the_language_of_rules(self) -> None:
        hundred = " OR ".join(f"ALARM(a{number})" for number in range(100))
        for good in (
            "TRUE",
            'ALARM("a b") AND NOT (OK(c) OR INSUFFICIENT_DATA("arn:aws:cloudwatch:us-east-1:1:alarm:d"))',
            "NOT NOT FALSE",
            hundred,
        ):
            self.assertIsNone(rule_problem(good), good)
        for bad in ("", "(", "()", "TRUE)", "TRUE FALSE", "AND TRUE", "TRUE OR", "BAD(a)", "ALARM()", "ALARM(a", "NOT"):
            self.assertIsNotNone(rule_problem(bad), bad)
        self.assertEqual(rule_problem(hundred + " OR OK(b)"), "more than 100 alarms")
        self.assertEqual(rule_problem("()"), "Unsupported token ')' at char 1")


if __name__ == "__main__":
    unittest.main()
