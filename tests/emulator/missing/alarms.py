"""CloudWatch alarms: what they may say; a new one has no data yet, one that is put again keeps its state and tags."""

import time
from collections.abc import Iterator
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles, refuses
from emulator.shelf.pages import page
from emulator.wire import Call

STATE = ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "transitioned")
DAY, WEEK = 86400, 604800
MISSING = ("breaching", "notBreaching", "ignore", "missing")
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
# What belongs to the metric, and so does not go with a list of metrics.
OF_A_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
# What moto forgets.
KEPT = ("EvaluationWindow", "WarmUpConfiguration", "ActionConfiguration")
PAGE = 50


def _backend(call: Call) -> Any:
    from moto.cloudwatch.models import cloudwatch_backends

    return cloudwatch_backends[call.account][call.region]


def _composites(backend: Any) -> dict[str, dict[str, Any]]:
    """The composite alarms of a Region by their names, as they are described."""
    return backend.__dict__.setdefault("composites", {})


@refuses("cloudwatch", "PutMetricAlarm")
def what_an_alarm_says(call: Call) -> None:
    for code, message in _problems(call.params, call.region):
        raise AwsError(code, message)


def _problems(given: dict[str, Any], region: str) -> Iterator[tuple[str, str]]:
    if "Metrics" in given:
        for name in OF_A_METRIC:
            if name in given:
                yield "ValidationError", f"{name} should not be set if list of Metrics is set."
        # A band is looked at together with the metric that it is made of.
        if sum(metric.get("ReturnData", True) for metric in given["Metrics"]) != 1 + ("ThresholdMetricId" in given):
            yield "ValidationError", "Exactly one element of the metrics list should return data."
    elif "EvaluationCriteria" not in given:
        for name in ("MetricName", "Namespace", "Period"):
            if name not in given:
                yield "ValidationError", f"The parameter {name} is required."
        if "Statistic" in given and "ExtendedStatistic" in given:
            yield "InvalidParameterCombination", "Statistic and ExtendedStatistic cannot be used together."
        if "Statistic" not in given and "ExtendedStatistic" not in given:
            yield "ValidationError", "The parameter Statistic or ExtendedStatistic is required."
    for name in ("ComparisonOperator", "EvaluationPeriods"):
        if name not in given and "EvaluationCriteria" not in given:
            yield "ValidationError", f"The parameter {name} is required."
    if "Threshold" not in given and "ThresholdMetricId" not in given and "EvaluationCriteria" not in given:
        yield "ValidationError", "The parameter Threshold is required."
    period, number = given.get("Period", 60), given.get("EvaluationPeriods", 1)
    if period not in (10, 20, 30) and period % 60:
        yield "ValidationError", "Period must be 10, 20, 30 or a multiple of 60"
    if period * number > (DAY if period < 3600 else WEEK):
        yield "ValidationError", "Metrics cannot be checked across more than a day, or a week for periods of an hour."
    if given.get("DatapointsToAlarm", 1) > number:
        yield "ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods."
    if given.get("TreatMissingData", "missing") not in MISSING:
        yield "ValidationError", f"{given['TreatMissingData']} is not supported for TreatMissingData parameter."
    for arn in [arn for name in ACTIONS for arn in given.get(name) or []]:
        parts = arn.split(":")
        if len(parts) < 6 or parts[0] != "arn":
            yield "ValidationError", f"Invalid arn syntax: {arn}"
        elif parts[2] == "sns" and parts[3] != region:
            yield "ValidationError", f"Invalid region {parts[3]} specified. Only {region} is supported."


@handles("cloudwatch", "PutMetricAlarm")
def put_alarm(call: Call, forward: Forward) -> Any:
    backend = _backend(call)
    before = backend.alarms.get(call.params["AlarmName"])
    state = {name: getattr(before, name) for name in STATE if hasattr(before, name)} if before else {}
    tags = backend.tagger.get_tag_dict_for_resource(before.alarm_arn) if before else {}
    answer = forward()
    if answer.status >= 300:
        return answer
    after = backend.alarms[call.params["AlarmName"]]
    after.kept = {name: call.params[name] for name in KEPT if name in call.params}
    if before is None:
        after.state_value, after.state_reason_data = "INSUFFICIENT_DATA", None
        after.transitioned = after.state_updated_timestamp
    else:
        for name, value in state.items():
            setattr(after, name, value)
        backend.tagger.delete_all_tags_for_resource(after.alarm_arn)
        backend.tagger.tag_resource(after.alarm_arn, [{"Key": key, "Value": value} for key, value in tags.items()])
    return answer


@refuses("cloudwatch", "PutMetricAlarm", "PutCompositeAlarm")
def one_set_of_names(call: Call) -> None:
    """"This name must be unique within the Region": an alarm of one sort does not become one of another."""
    backend, name = _backend(call), call.params["AlarmName"]
    others = _composites(backend) if call.operation == "PutMetricAlarm" else backend.alarms
    if name in others:
        raise AwsError("ValidationError", f"An alarm of another type with the name {name} already exists.")


@handles("cloudwatch", "PutCompositeAlarm")
def put_composite(call: Call, _: Forward) -> dict[str, Any]:
    """Kept and described; its rule is neither read nor evaluated."""
    given, now = call.params, time.time()
    there = _composites(_backend(call)).get(given["AlarmName"])
    state = ("StateValue", "StateReason", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
    new = ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", now, now)
    made = {name: value for name, value in given.items() if name != "Tags"}
    made |= {name: there[name] for name in state} if there else dict(zip(state, new, strict=True))
    made = {"ActionsEnabled": True} | dict.fromkeys(ACTIONS, []) | made
    arn = f"arn:{call.partition}:cloudwatch:{call.region}:{call.account}:alarm:{given['AlarmName']}"
    _composites(_backend(call))[given["AlarmName"]] = made | {"AlarmArn": arn, "AlarmConfigurationUpdatedTimestamp": now}
    if there is None and given.get("Tags"):
        _backend(call).tagger.tag_resource(arn, given["Tags"])
    return {}


@handles("cloudwatch", "SetAlarmState")
def set_state(call: Call, forward: Forward) -> dict[str, Any]:
    """moto forgets when the state last changed to another one."""
    alarm = _backend(call).alarms.get(call.params["AlarmName"])
    before = alarm.state_value if alarm else None
    from_moto(call, forward)
    if alarm.state_value != before:
        alarm.transitioned = alarm.state_updated_timestamp
    return {}


@handles("cloudwatch", "DescribeAlarms")
def describe_alarms(call: Call, forward: Forward) -> dict[str, Any]:
    """By all that is asked for, in pages; metric alarms alone unless other types are named."""
    asked = call.params
    if "AlarmNames" in asked and "AlarmNamePrefix" in asked:
        raise AwsError("ValidationError", "AlarmNames and AlarmNamePrefix cannot be used together.")
    if {"ChildrenOfAlarmName", "ParentsOfAlarmName"} & set(asked):
        raise NotImplementedError("composite alarms")
    types = asked.get("AlarmTypes", ["MetricAlarm"])
    backend = _backend(call)
    metric = from_moto(call, forward).get("MetricAlarms", []) if "MetricAlarm" in types else []
    composite = list(_composites(backend).values()) if "CompositeAlarm" in types else []
    found = []
    for one in metric + composite:
        name = one["AlarmName"]
        alarm = backend.alarms.get(name)
        if name not in asked.get("AlarmNames", [name]) or not name.startswith(asked.get("AlarmNamePrefix", "")):
            continue
        if one["StateValue"] != asked.get("StateValue", one["StateValue"]):
            continue
        actions = [arn for name in ACTIONS for arn in one.get(name, [])]
        if "ActionPrefix" in asked and not any(arn.startswith(asked["ActionPrefix"]) for arn in actions):
            continue
        if alarm is None:
            found.append(one)
            continue
        if not one.get("Metrics"):
            one.pop("Metrics", None)
        if alarm.state_reason_data in (None, "{}"):
            one.pop("StateReasonData", None)
        found.append(one | {"StateTransitionedTimestamp": alarm.transitioned} | alarm.kept)
    shown, token = page(call, found, PAGE)
    metric, composite = [[one for one in shown if ("AlarmRule" in one) == is_one] for is_one in (False, True)]
    return {"MetricAlarms": metric, "CompositeAlarms": composite} | token


@handles("cloudwatch", "DeleteAlarms")
def delete_alarms(call: Call, _: Forward) -> dict[str, Any]:
    """Names of nothing are passed over; with an alarm go its tags."""
    backend = _backend(call)
    for name in call.params["AlarmNames"]:
        alarm, composite = backend.alarms.pop(name, None), _composites(backend).pop(name, None)
        arn = alarm.alarm_arn if alarm else composite and composite["AlarmArn"]
        if arn:
            backend.tagger.delete_all_tags_for_resource(arn)
    return {}


@refuses("cloudwatch", "TagResource", "UntagResource", "ListTagsForResource")
def an_alarm_that_is_there(call: Call) -> None:
    arn = call.params["ResourceARN"]
    backend = _backend(call)
    arns = [alarm.alarm_arn for alarm in backend.alarms.values()]
    arns += [alarm["AlarmArn"] for alarm in _composites(backend).values()]
    if ":alarm:" in arn and arn not in arns:
        raise AwsError("ResourceNotFoundException", f"{arn} does not exist.")


@refuses("cloudwatch", "PutMetricAlarm", "TagResource")
def tags_of_aws(call: Call) -> None:
    if any(tag["Key"].lower().startswith("aws:") for tag in call.params.get("Tags") or []):
        raise AwsError("InvalidParameterValue", "Tag keys that begin with aws: are reserved.")
