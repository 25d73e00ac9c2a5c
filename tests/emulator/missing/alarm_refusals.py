"""What CloudWatch refuses of an alarm besides: statistics, queries, names, actions, rules of composite alarms."""

import math
import re
from collections.abc import Iterator
from typing import Any

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.wire import Call

ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
#: The services whose ARNs are actions; those of a composite alarm besides.
OF_METRIC = {"aiops", "automate", "autoscaling", "lambda", "sns", "ssm", "ssm-incidents", "swf"}
OF_COMPOSITE = {"aiops", "lambda", "sns", "ssm", "ssm-incidents"}
STATISTICS = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"}
PERCENT = re.compile(r"(?:p|tm|tc|ts|wm)(\d{1,3}(?:\.\d+)?)")
RANGE = re.compile(r"(?:TC|TM|TS|WM)\((\d+(?:\.\d+)?)%:(\d+(?:\.\d+)?)%\)")
OTHERS = re.compile(r"IQM|PR\(-?\d+(\.\d+)?:-?\d+(\.\d+)?\)")
#: Comparisons with a band, and so with an anomaly detection model.
OF_A_BAND = {"LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"}
#: What does not go with a PromQL query.
NOT_WITH_CRITERIA = (
    "Namespace",
    "MetricName",
    "Dimensions",
    "Period",
    "Unit",
    "Statistic",
    "ExtendedStatistic",
    "Metrics",
    "Threshold",
    "ComparisonOperator",
    "ThresholdMetricId",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "EvaluationWindow",
)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
TOKEN = re.compile(
    r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*("[^"]+"|[^\s()"]+)\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))'
)


def is_extended_statistic(text: str) -> bool:
    if found := PERCENT.fullmatch(text):
        return float(found[1]) <= 100
    if found := RANGE.fullmatch(text):
        return 10 <= float(found[1]) < float(found[2]) <= 90
    return bool(OTHERS.fullmatch(text))


@refuses("cloudwatch", "PutMetricAlarm")
def metric_alarm(call: Call) -> None:
    for code, message in _of_metric_alarm(call.params, call.region):
        raise AwsError(code, message)


@refuses("cloudwatch", "PutCompositeAlarm")
def composite_alarm(call: Call) -> None:
    for code, message in _of_composite_alarm(call.params, call.region):
        raise AwsError(code, message)


def _of_metric_alarm(given: dict[str, Any], region: str) -> Iterator[tuple[str, str]]:
    yield from _of_any(given, region, OF_METRIC)
    statistic = given.get("ExtendedStatistic")
    if statistic is not None and not is_extended_statistic(statistic):
        yield "InvalidParameterValue", f"The value {statistic} for parameter ExtendedStatistic is not supported."
    if not math.isfinite(given.get("Threshold", 0)):
        yield "ValidationError", "The value for the parameter Threshold must be a finite number."
    if given.get("ComparisonOperator") in OF_A_BAND and "ThresholdMetricId" not in given:
        yield "ValidationError", f"{given['ComparisonOperator']} needs ThresholdMetricId."
    if "ThresholdMetricId" in given and "Threshold" in given:
        yield "ValidationError", "Threshold should not be set if ThresholdMetricId is set."
    queries = given.get("Metrics", [])
    if "ThresholdMetricId" in given and given["ThresholdMetricId"] not in [query["Id"] for query in queries]:
        yield "ValidationError", "ThresholdMetricId is not the id of an element of Metrics."
    yield from _of_queries(queries)
    yield from _of_dimensions(given.get("Dimensions", []))
    interval = given.get("EvaluationInterval")
    if "EvaluationCriteria" in given:
        for name in NOT_WITH_CRITERIA:
            if name in given:
                yield "ValidationError", f"{name} should not be set if EvaluationCriteria is set."
        if interval is None:
            yield "ValidationError", "The parameter EvaluationInterval is required with EvaluationCriteria."
        elif interval not in (10, 20, 30) and interval % 60:
            yield "ValidationError", "EvaluationInterval must be 10, 20, 30 or a multiple of 60"
    elif interval is not None:
        yield "ValidationError", "EvaluationInterval should not be set without EvaluationCriteria."


def _of_any(given: dict[str, Any], region: str, services: set[str]) -> Iterator[tuple[str, str]]:
    if CONTROL.search(given["AlarmName"]):
        yield "ValidationError", "AlarmName must not contain ASCII control characters."
    for arn in [arn for name in ACTIONS for arn in given.get(name) or []]:
        parts = arn.split(":")
        if len(parts) < 6 or parts[0] != "arn" or parts[2] not in services:
            yield "ValidationError", f"Invalid arn syntax: {arn}"
        elif parts[3] and parts[3] != region:
            yield "ValidationError", f"Invalid region {parts[3]} specified. Only {region} is supported."
    tags = [tag["Key"] for tag in given.get("Tags") or []]
    if len(tags) > 50 or len(set(tags)) < len(tags):
        yield "InvalidParameterValue", "An alarm has at most 50 tags, each with a key of its own."


def _of_queries(queries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        yield "ValidationError", "The ids of the elements of Metrics must differ."
    for query in queries:
        if not re.fullmatch("[a-z][A-Za-z0-9_]*", query["Id"]):
            yield "ValidationError", f"{query['Id']} is no id: letters, digits and _, the first one a small letter."
        if ("MetricStat" in query) == ("Expression" in query):
            yield "ValidationError", f"The element {query['Id']} of Metrics needs either MetricStat or Expression."
        stat = query.get("MetricStat", {})
        period = stat.get("Period", query.get("Period", 60))
        if period not in (1, 5, 10, 20, 30) and period % 60:
            yield "ValidationError", "Period must be 1, 5, 10, 20, 30 or a multiple of 60"
        if stat and stat["Stat"] not in STATISTICS and not is_extended_statistic(stat["Stat"]):
            yield "ValidationError", f"The value {stat['Stat']} for parameter Stat is not supported."
        yield from _of_dimensions(stat.get("Metric", {}).get("Dimensions", []))


def _of_dimensions(dimensions: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    for one in dimensions:
        for text in (one["Name"], one["Value"]):
            if not text.isascii() or not text.strip() or CONTROL.search(text):
                yield "ValidationError", "Dimensions are in ASCII, not blank and without control characters."
        if one["Name"].startswith(":"):
            yield "ValidationError", "Names of dimensions cannot begin with a colon."


def _of_composite_alarm(given: dict[str, Any], region: str) -> Iterator[tuple[str, str]]:
    yield from _of_any(given, region, OF_COMPOSITE)
    problem = rule_problem(given["AlarmRule"])
    if problem:
        yield "ValidationError", f"Error in AlarmRule [{problem}]"
    periods = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
    for name in periods:
        if (name in given) != ("ActionsSuppressor" in given):
            yield "ValidationError", "ActionsSuppressor, its wait period and its extension period go together."


def rule_problem(rule: str) -> str | None:
    """What is wrong with the rule of a composite alarm: states of alarms, TRUE, FALSE, NOT, AND, OR and parentheses."""
    place, depth, alarms, operand = 0, 0, set(), True
    while rule[place:].strip():
        found = TOKEN.match(rule, place)
        if not found:
            start = place + len(rule[place:]) - len(rule[place:].lstrip())
            return f"Unsupported token '{rule[start:].split()[0]}' at char {start}"
        state, alarm, word, bracket = found.groups()
        joins = bracket == ")" or word in ("AND", "OR")
        depth += (bracket == "(") - (bracket == ")")
        if joins == operand or depth < 0:
            return f"Unsupported token '{found[0].strip()}' at char {found.end() - len(found[0].lstrip())}"
        if state:
            alarms.add(alarm.strip('"'))
        operand = word in ("AND", "OR", "NOT") or bracket == "("
        place = found.end()
    if operand or depth:
        return f"Unexpected end at char {len(rule)}"
    return "more than 100 alarms" if len(alarms) > 100 else None


@refuses("cloudwatch", "DescribeAlarms")
def relatives_alone(call: Call) -> None:
    relatives = {"ChildrenOfAlarmName", "ParentsOfAlarmName"} & set(call.params)
    if relatives and set(call.params) - {"MaxRecords", "NextToken"} != {next(iter(relatives))}:
        raise AwsError("ValidationError", "Only MaxRecords and NextToken go with the relatives of an alarm.")


@refuses("cloudwatch", "TagResource")
def fifty_tags(call: Call) -> None:
    from moto.cloudwatch.models import cloudwatch_backends

    tagger = cloudwatch_backends[call.account][call.region].tagger
    there = tagger.get_tag_dict_for_resource(call.params["ResourceARN"])
    sent = [tag["Key"] for tag in call.params["Tags"]]
    if len({*there, *sent}) > 50 or len(set(sent)) < len(sent):
        raise AwsError("InvalidParameterValueException", "A resource has at most 50 tags, each with a key of its own.")
