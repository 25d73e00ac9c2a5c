"""CloudWatch: a new alarm has no data yet; one that is put again keeps its state and its tags and nothing else."""

from typing import Any

from emulator.missing import Forward, handles
from emulator.wire import Call

STATE = ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp")


@handles("cloudwatch", "PutMetricAlarm")
def put_alarm(call: Call, forward: Forward) -> Any:
    from moto.cloudwatch.models import cloudwatch_backends

    backend = cloudwatch_backends[call.account][call.region]
    before = backend.alarms.get(call.params["AlarmName"])
    state = {name: getattr(before, name) for name in STATE if hasattr(before, name)} if before else {}
    tags = backend.tagger.get_tag_dict_for_resource(before.alarm_arn) if before else {}
    answer = forward()
    if answer.status >= 300:
        return answer
    after = backend.alarms[call.params["AlarmName"]]
    if before is None:
        after.state_value = "INSUFFICIENT_DATA"
    else:
        for name, value in state.items():
            setattr(after, name, value)
        backend.tagger.delete_all_tags_for_resource(after.alarm_arn)
        backend.tagger.tag_resource(after.alarm_arn, [{"Key": key, "Value": value} for key, value in tags.items()])
    return answer
