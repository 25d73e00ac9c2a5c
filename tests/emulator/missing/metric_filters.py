"""CloudWatch Logs: metric filters, which have one name in a group and are replaced by it."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.missing.logs import group_of
from emulator.wire import Call

MOST_FILTERS = 100


def _filters(call: Call) -> list[dict[str, Any]]:
    from moto.logs.models import logs_backends

    return logs_backends[call.account][call.region].filters.metric_filters


def _at(call: Call, filters: list[dict[str, Any]]) -> int | None:
    names = ("filterName", "logGroupName")
    wanted = [call.params[name] for name in names]
    return next((at for at, one in enumerate(filters) if [one[name] for name in names] == wanted), None)


@handles("logs", "PutMetricFilter")
def put_metric_filter(call: Call, _: Forward) -> None:
    """moto adds a second filter of the same name; here the old one makes room for it."""
    group = group_of(call)
    if getattr(group, "log_group_class", "STANDARD") != "STANDARD":
        raise AwsError("InvalidOperationException", "Metric filters are for log groups of the class STANDARD.")
    for transformation in call.params["metricTransformations"]:
        if transformation.get("dimensions") and "defaultValue" in transformation:
            raise AwsError("InvalidParameterException", "A metric filter has a default value or dimensions, not both.")
    filters = _filters(call)
    at = _at(call, filters)
    if at is not None:
        del filters[at]
    elif sum(one["logGroupName"] == call.params["logGroupName"] for one in filters) >= MOST_FILTERS:
        raise AwsError("LimitExceededException", "Resource limit exceeded.")


@handles("logs", "DeleteMetricFilter")
def delete_metric_filter(call: Call, _: Forward) -> dict[str, Any]:
    group_of(call)
    filters = _filters(call)
    at = _at(call, filters)
    if at is None:
        raise AwsError("ResourceNotFoundException", "The specified metric filter does not exist.")
    del filters[at]
    return {}
