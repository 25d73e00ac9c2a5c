"""CloudWatch Logs: metric filters, which have one name in a group, are replaced by it, and go with the group."""

import re
import time
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.missing.logs import filters_of, group_of
from emulator.shelf.pages import page
from emulator.wire import Call

MOST_FILTERS, MOST_DIMENSIONS, PAGE = 100, 3, 50
CLOSING = {"(": ")", "{": "}", "[": "]"}
VALUE = re.compile(r"-?\d+(\.\d+)?|\$.+")
# Of a pattern in braces: what joins comparisons, and a comparison of a member with a word, a text or an expression.
WORDS = re.compile(
    r"""[()]|&&|\|\|
    |(?P<comparison>\$(\.[\w*-]+|\.?\[(\d+|\*|"[^"]*"|'[^']*')\])+\s*
      ((!=|<=|>=|<|>|=)\s*("([^"\\]|\\.)*"|%[^%]*%|[^\s()"&|=<>!]+)
      |\bIS\s+(NOT\s+)?(TRUE|FALSE|NULL)|\bNOT\s+EXISTS|\bEXISTS))""",
    re.VERBOSE | re.IGNORECASE,
)


def _at(call: Call, filters: list[dict[str, Any]]) -> int | None:
    names = ("filterName", "logGroupName")
    wanted = [call.params[name] for name in names]
    return next((at for at, one in enumerate(filters) if [one[name] for name in names] == wanted), None)


@handles("logs", "PutMetricFilter")
def put_metric_filter(call: Call, _: Forward) -> dict[str, Any]:
    group = group_of(call)
    if getattr(group, "log_group_class", "STANDARD") != "STANDARD":
        raise AwsError("InvalidOperationException", "Metric filters are for log groups of the class STANDARD.")
    pattern = call.params["filterPattern"].strip()
    if not (is_about_members(pattern) if pattern.startswith("{") else balanced(pattern)):
        raise AwsError("InvalidParameterException", "Invalid filter pattern")
    for transformation in call.params["metricTransformations"]:
        dimensions = transformation.get("dimensions") or {}
        if not VALUE.fullmatch(transformation["metricValue"]):
            raise AwsError("InvalidParameterException", "The value of a metric is a number or a field.")
        if dimensions and "defaultValue" in transformation:
            raise AwsError("InvalidParameterException", "A metric filter has a default value or dimensions, not both.")
        if len(dimensions) > MOST_DIMENSIONS:
            raise AwsError("InvalidParameterException", f"A metric filter has {MOST_DIMENSIONS} dimensions at most.")
    filters = filters_of(call)
    at = _at(call, filters)
    there = sum(one["logGroupName"] == call.params["logGroupName"] for one in filters)
    if at is None and there >= MOST_FILTERS:
        raise AwsError("LimitExceededException", "Resource limit exceeded.")
    made = dict(call.params) | {"creationTime": int(time.time() * 1000)}
    if at is None:
        filters.append(made)
    else:
        filters[at] = made
    return {}


def is_about_members(pattern: str) -> bool:
    """Whether a pattern in braces compares members of JSON ("Filter pattern syntax")."""
    text, words, place = pattern[1:-1], [], 0
    for found in WORDS.finditer(text):
        if text[place : found.start()].strip():
            return False
        words.append(found)
        place = found.end()
    return pattern.endswith("}") and not text[place:].strip() and _any_of(words) and not words


def _any_of(words: list[re.Match[str]]) -> bool:
    """Takes comparisons with && and || between them off the words."""
    while True:
        if words and words[0][0] == "(":
            words.pop(0)
            if not _any_of(words) or not words or words.pop(0)[0] != ")":
                return False
        elif not words or not words.pop(0)["comparison"]:
            return False
        if not words or words[0][0] not in ("&&", "||"):
            return True
        words.pop(0)


def balanced(pattern: str) -> bool:
    """Whether the brackets and quotes of a pattern of words close."""
    waiting: list[str] = []
    for sign in pattern:
        if waiting and waiting[-1] == '"':
            if sign == '"':
                waiting.pop()
        elif sign == '"':
            waiting.append(sign)
        elif sign in CLOSING:
            waiting.append(CLOSING[sign])
        elif sign in CLOSING.values() and (not waiting or waiting.pop() != sign):
            return False
    return not waiting


@handles("logs", "DescribeMetricFilters")
def describe_metric_filters(call: Call, _: Forward) -> dict[str, Any]:
    asked = call.params
    if ("metricName" in asked) != ("metricNamespace" in asked):
        raise AwsError("InvalidParameterException", "metricName and metricNamespace go together.")
    if "logGroupName" in asked:
        group_of(call)
    found = []
    for one in sorted(filters_of(call), key=lambda one: one["filterName"]):
        metrics = [(metric["metricName"], metric["metricNamespace"]) for metric in one["metricTransformations"]]
        prefix = asked.get("filterNamePrefix", "") if "logGroupName" in asked else ""
        if (
            one["filterName"].startswith(prefix)
            and asked.get("logGroupName") in (None, one["logGroupName"])
            and ("metricName" not in asked or (asked["metricName"], asked["metricNamespace"]) in metrics)
        ):
            found.append(one)
    shown, token = page(call, found, PAGE)
    return {"metricFilters": shown} | token


@handles("logs", "DeleteMetricFilter")
def delete_metric_filter(call: Call, _: Forward) -> dict[str, Any]:
    group_of(call)
    filters = filters_of(call)
    at = _at(call, filters)
    if at is None:
        raise AwsError("ResourceNotFoundException", "The specified metric filter does not exist.")
    del filters[at]
    return {}
