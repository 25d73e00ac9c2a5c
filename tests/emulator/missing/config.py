"""AWS Config: recorder, delivery channel and retention as AWS keeps them.

moto drops recordingMode and the recorder's ARN, accepts any role and bucket, and gives the retention configuration no
life of its own. Recorders, channel and retention are done here, rules and packs in the shelf's table.
"""

import fnmatch
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator.answers import AwsError
from emulator.delivery import bucket_of
from emulator.events.permission import service_may
from emulator.events.topics import topic_of
from emulator.missing import Forward, handles
from emulator.missing.iam_principals import document
from emulator.policy import allows_service, as_list, statements
from emulator.shelf.store import Row, settles_after
from emulator.wire import Call

SERVICE = "config.amazonaws.com"
SERVICE_LINKED_PREFIX = "AWSConfigurationRecorderFor"
ALL = "ALL_SUPPORTED_RESOURCE_TYPES"
INCLUSION = "INCLUSION_BY_RESOURCE_TYPES"
EXCLUSION = "EXCLUSION_BY_RESOURCE_TYPES"
NEVER_DAILY = {
    "AWS::Config::ResourceCompliance",
    "AWS::Config::ConformancePackCompliance",
    "AWS::Config::ConfigurationRecorder",
}


@dataclass
class Settings:
    """What one account has in one region."""

    recorder: dict[str, Any] | None = None
    recording: bool = False
    started: datetime | None = None
    stopped: datetime | None = None
    # So many reads still say that the recorder is about to begin.
    pending: int = 0
    channel: dict[str, Any] | None = None
    retention: int | None = None
    # Recorders that an AWS service has here, by its principal.
    linked: dict[str, dict[str, Any]] = field(default_factory=dict)
    # The tags of recorders, by ARN.
    tags: dict[str, Row] = field(default_factory=dict)


_SETTINGS: dict[tuple[str, str], Settings] = {}


def settings_of(call: Call) -> Settings:
    return _SETTINGS.setdefault((call.account, call.region), Settings())


@handles("config", "PutConfigurationRecorder")
def put_recorder(call: Call, _: Forward) -> dict[str, Any]:
    settings, given = settings_of(call), call.params["ConfigurationRecorder"]
    name = given.get("name") or "default"
    if name.startswith(SERVICE_LINKED_PREFIX) or "servicePrincipal" in given:
        raise AwsError("UnmodifiableEntityException", f"The recorder {name} belongs to an AWS service.")
    if settings.recorder and settings.recorder["name"] != name:
        raise AwsError(
            "MaxNumberOfConfigurationRecordersExceededException",
            f"Failed to put configuration recorder '{name}' because the maximum number of configuration recorders: 1 "
            "is reached.",
        )
    role = given.get("roleARN")
    if not role:
        raise AwsError("InvalidRoleException", "The recorder needs a role.")
    check_role(call, role)
    mode = given.get("recordingMode") or {"recordingFrequency": "CONTINUOUS"}
    if len(mode.get("recordingModeOverrides", [])) > 1:
        raise AwsError("ValidationException", "A recording mode has at most one override.")
    for override in mode.get("recordingModeOverrides", []):
        if override["recordingFrequency"] == "DAILY" and not NEVER_DAILY.isdisjoint(override["resourceTypes"]):
            raise AwsError("ValidationException", "Daily recording cannot be specified for these resource types.")
    first = settings.recorder is None
    settings.recorder = {
        "arn": f"arn:{call.partition}:config:{call.region}:{call.account}:configuration-recorder/{name}/emulated",
        "name": name,
        "roleARN": role,
        "recordingGroup": _group(given.get("recordingGroup")),
        "recordingMode": {"recordingModeOverrides": []} | mode,
        "recordingScope": "PAID",
    }
    if first:
        settings.tags[settings.recorder["arn"]] = Row({"Tags": call.params.get("Tags") or []})
    return {}


@handles("config", "DescribeConfigurationRecorders")
def describe_recorders(call: Call, _: Forward) -> dict[str, Any]:
    principal, arn = call.params.get("ServicePrincipal"), call.params.get("Arn")
    linked = settings_of(call).linked.values()
    if principal or arn:
        found = [one for one in linked if principal in (None, one["servicePrincipal"]) and arn in (None, one["arn"])]
        own = settings_of(call).recorder
        found += [own] if own and not principal and own["arn"] == arn else []
        return {"ConfigurationRecorders": found}
    return {"ConfigurationRecorders": [recorder for recorder in [_named_recorder(call)] if recorder]}


@handles("config", "DescribeConfigurationRecorderStatus")
def describe_recorder_status(call: Call, _: Forward) -> dict[str, Any]:
    recorder, settings = _named_recorder(call), settings_of(call)
    if not recorder:
        return {"ConfigurationRecordersStatus": []}
    status: dict[str, Any] = {"arn": recorder["arn"], "name": recorder["name"], "recording": settings.recording}
    if settings.started:
        said, settings.pending = "PENDING" if settings.pending else "SUCCESS", max(settings.pending - 1, 0)
        status |= {"lastStartTime": settings.started, "lastStatus": said, "lastStatusChangeTime": settings.started}
    if settings.stopped:
        status["lastStopTime"] = settings.stopped
    return {"ConfigurationRecordersStatus": [status]}


@handles("config", "ListConfigurationRecorders")
def list_recorders(call: Call, _: Forward) -> dict[str, Any]:
    settings, shown = settings_of(call), ("arn", "name", "recordingScope", "servicePrincipal")
    recorders = [*([settings.recorder] if settings.recorder else []), *settings.linked.values()]
    return {"ConfigurationRecorderSummaries": [{n: one[n] for n in shown if n in one} for one in recorders]}


@handles("config", "PutServiceLinkedConfigurationRecorder")
def put_linked_recorder(call: Call, _: Forward) -> dict[str, Any]:
    settings, principal = settings_of(call), call.params["ServicePrincipal"]
    if not principal.endswith(".amazonaws.com"):
        raise AwsError("ValidationException", f"{principal} is not a service that has a recorder of its own.")
    if principal in settings.linked:
        raise AwsError("ConflictException", f"The service {principal} has a recorder already.")
    name = f"{SERVICE_LINKED_PREFIX}{principal.partition('.')[0].title().replace('-', '')}_emulated"
    arn = f"arn:{call.partition}:config:{call.region}:{call.account}:configuration-recorder/{name}/emulated"
    settings.linked[principal] = {
        "arn": arn,
        "name": name,
        "roleARN": f"arn:{call.partition}:iam::{call.account}:role/aws-service-role/{SERVICE}/AWSServiceRoleForConfig",
        "recordingGroup": _group({"allSupported": False, "resourceTypes": ["AWS::EC2::VPC"]}),
        "recordingMode": {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []},
        "recordingScope": "INTERNAL",
        "servicePrincipal": principal,
    }
    settings.tags[arn] = Row({"Tags": call.params.get("Tags") or []})
    return {"Arn": arn, "Name": name}


@handles("config", "DeleteServiceLinkedConfigurationRecorder")
def delete_linked_recorder(call: Call, _: Forward) -> dict[str, Any]:
    linked = settings_of(call).linked
    asked = [call.params.get("ServicePrincipal"), call.params.get("Arn")]
    for principal, one in list(linked.items()):
        if principal == asked[0] or one["arn"] == asked[1]:
            del linked[principal]
            return {"Arn": one["arn"], "Name": one["name"]}
    raise _no_recorder(str(asked[0] or asked[1]))


@handles("config", "StartConfigurationRecorder")
def start_recorder(call: Call, _: Forward) -> dict[str, Any]:
    settings = _recorder_for(call)
    if not settings.channel:
        raise AwsError(
            "NoAvailableDeliveryChannelException", "Delivery channel is not available to start configuration recorder."
        )
    if not settings.recording:
        settings.recording, settings.started = True, _now()
        settings.pending = settles_after(call.account)
    return {}


@handles("config", "StopConfigurationRecorder")
def stop_recorder(call: Call, _: Forward) -> dict[str, Any]:
    settings = _recorder_for(call)
    if settings.recording:
        settings.recording, settings.stopped = False, _now()
    return {}


@handles("config", "DeleteConfigurationRecorder")
def delete_recorder(call: Call, _: Forward) -> dict[str, Any]:
    settings = _recorder_for(call)
    settings.recorder, settings.recording, settings.started, settings.stopped = None, False, None, None
    return {}


@handles("config", "PutDeliveryChannel")
def put_channel(call: Call, _: Forward) -> dict[str, Any]:
    settings, given = settings_of(call), call.params["DeliveryChannel"]
    name = given.get("name") or "default"
    if not settings.recorder:
        raise AwsError(
            "NoAvailableConfigurationRecorderException",
            "Configuration recorder is not available to put delivery channel.",
        )
    if settings.channel and settings.channel["name"] != name:
        raise AwsError(
            "MaxNumberOfDeliveryChannelsExceededException",
            f"Failed to put delivery channel '{name}' because the maximum number of delivery channels: 1 is reached.",
        )
    if given.get("s3KeyPrefix") == "":
        raise AwsError("InvalidS3KeyPrefixException", "The S3 key prefix is empty.")
    if given.get("snsTopicARN") == "":
        raise AwsError("InvalidSNSTopicARNException", "The SNS topic ARN is empty.")
    if given.get("s3KmsKeyArn") == "":
        raise AwsError("InvalidS3KmsKeyArnException", "The KMS key ARN is empty.")
    _check_bucket(call, given, settings.recorder["roleARN"])
    topic, key = given.get("snsTopicARN"), given.get("s3KmsKeyArn")
    if topic and topic_of(topic) is None:
        raise AwsError("InvalidSNSTopicARNException", f"The sns topic arn '{topic}' is not valid.")
    if key and not re.fullmatch(r"arn:[^:]+:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+", key):
        raise AwsError("InvalidS3KmsKeyArnException", f"The arn '{key}' is not a valid kms key.")
    settings.channel = {"name": name} | given
    return {}


@handles("config", "DescribeDeliveryChannels")
def describe_channels(call: Call, _: Forward) -> dict[str, Any]:
    return {"DeliveryChannels": [channel for channel in [_named_channel(call)] if channel]}


@handles("config", "DescribeDeliveryChannelStatus")
def describe_channel_status(call: Call, _: Forward) -> dict[str, Any]:
    channel, recording = _named_channel(call), settings_of(call).recording
    if not channel:
        return {"DeliveryChannelsStatus": []}
    # AWS answers in capitals, whatever its API model says.
    stream: dict[str, Any] = {"lastStatus": "NOT_APPLICABLE"}
    history: dict[str, Any] = {}
    if recording:
        if channel.get("snsTopicARN"):
            stream = {"lastStatus": "SUCCESS", "lastStatusChangeTime": _now()}
        try:
            _check_bucket(call, channel, settings_of(call).recorder["roleARN"])
            history = {"lastStatus": "SUCCESS", "lastSuccessfulTime": _now()}
        except AwsError as error:
            code = "NoSuchBucket" if error.code == "NoSuchBucketException" else "AccessDenied"
            history = {"lastStatus": "FAILURE", "lastErrorCode": code, "lastErrorMessage": str(error)}
    return {
        "DeliveryChannelsStatus": [
            {
                "name": channel["name"],
                "configSnapshotDeliveryInfo": {},
                "configHistoryDeliveryInfo": history,
                "configStreamDeliveryInfo": stream,
            }
        ]
    }


@handles("config", "DeleteDeliveryChannel")
def delete_channel(call: Call, _: Forward) -> dict[str, Any]:
    settings, name = settings_of(call), call.params["DeliveryChannelName"]
    if not settings.channel or settings.channel["name"] != name:
        raise AwsError(
            "NoSuchDeliveryChannelException", f"Cannot find delivery channel with the specified name '{name}'."
        )
    if settings.recording:
        raise AwsError(
            "LastDeliveryChannelDeleteFailedException",
            f"Failed to delete last specified delivery channel with name '{name}', because there is a "
            "running configuration recorder.",
        )
    settings.channel = None
    return {}


@handles("config", "PutRetentionConfiguration")
def put_retention(call: Call, _: Forward) -> dict[str, Any]:
    settings = settings_of(call)
    settings.retention = call.params["RetentionPeriodInDays"]
    return {"RetentionConfiguration": {"Name": "default", "RetentionPeriodInDays": settings.retention}}


@handles("config", "DescribeRetentionConfigurations")
def describe_retention(call: Call, _: Forward) -> dict[str, Any]:
    settings = settings_of(call)
    names = call.params.get("RetentionConfigurationNames") or []
    if names and (settings.retention is None or names != ["default"]):
        raise AwsError(
            "NoSuchRetentionConfigurationException",
            f"Cannot find retention configuration with the specified name '{names[0]}'.",
        )
    found = [{"Name": "default", "RetentionPeriodInDays": settings.retention}] if settings.retention else []
    return {"RetentionConfigurations": found}


@handles("config", "DeleteRetentionConfiguration")
def delete_retention(call: Call, _: Forward) -> dict[str, Any]:
    settings, name = settings_of(call), call.params["RetentionConfigurationName"]
    if settings.retention is None or name != "default":
        raise AwsError(
            "NoSuchRetentionConfigurationException",
            f"Cannot find retention configuration with the specified name '{name}'.",
        )
    settings.retention = None
    return {}


def _group(given: dict[str, Any] | None) -> dict[str, Any]:
    """The recording group as AWS echoes it: always all four members."""
    given = given or {"allSupported": True}
    types = given.get("resourceTypes") or []
    excluded = (given.get("exclusionByResourceTypes") or {}).get("resourceTypes") or []
    every, global_types = given.get("allSupported", False), given.get("includeGlobalResourceTypes", False)
    strategy = (given.get("recordingStrategy") or {}).get("useOnly")
    if strategy is None:
        strategy = ALL if every else EXCLUSION if excluded else INCLUSION
    fits = {
        ALL: every and not types and not excluded,
        INCLUSION: bool(types) and not every and not global_types and not excluded,
        EXCLUSION: bool(excluded) and not every and not global_types and not types,
    }
    if not fits[strategy]:
        raise AwsError(
            "InvalidRecordingGroupException",
            "The recording group provided is not valid: its members contradict its recording strategy.",
        )
    return {
        "allSupported": every,
        "includeGlobalResourceTypes": global_types,
        "resourceTypes": types,
        "exclusionByResourceTypes": {"resourceTypes": excluded},
        "recordingStrategy": {"useOnly": strategy},
    }


class RecorderTags:
    """The recorders, for the operations on tags."""

    absent = ("ResourceNotFoundException", "The resource {id} does not exist.")

    def by_arn(self, call: Call, arn: str) -> Row | None:
        return dict(self.every(call)).get(arn)

    def every(self, call: Call) -> list[tuple[str, Row]]:
        settings = settings_of(call)
        there = [settings.recorder["arn"]] if settings.recorder else []
        there += [one["arn"] for one in settings.linked.values()]
        return [(arn, settings.tags.setdefault(arn, Row({}))) for arn in there]


recorder_tags = RecorderTags()


def _named_recorder(call: Call) -> dict[str, Any] | None:
    names, recorder = call.params.get("ConfigurationRecorderNames") or [], settings_of(call).recorder
    if len(names) > 1:
        raise AwsError("ValidationException", "Give at most one name of a configuration recorder.")
    if names and (not recorder or recorder["name"] != names[0]):
        raise _no_recorder(names[0])
    return recorder


def _recorder_for(call: Call) -> Settings:
    settings, name = settings_of(call), call.params["ConfigurationRecorderName"]
    if any(one["name"] == name for one in settings.linked.values()):
        raise AwsError("UnmodifiableEntityException", f"The recorder {name} belongs to an AWS service.")
    if not settings.recorder or settings.recorder["name"] != name:
        raise _no_recorder(name)
    return settings


def _no_recorder(name: str) -> AwsError:
    return AwsError(
        "NoSuchConfigurationRecorderException",
        f"Cannot find configuration recorder with the specified name '{name}'.",
    )


def _named_channel(call: Call) -> dict[str, Any] | None:
    names, channel = call.params.get("DeliveryChannelNames") or [], settings_of(call).channel
    if names and (not channel or [channel["name"]] != names):
        raise AwsError(
            "NoSuchDeliveryChannelException", f"Cannot find delivery channel with specified name '{names[0]}'."
        )
    return channel


def check_role(call: Call, arn: str) -> None:
    """The role must trust Config. The service-linked role is taken to exist, so that no test has to create it."""
    if "/aws-service-role/config.amazonaws.com/" in arn:
        return
    from moto.iam.models import iam_backends

    for role in iam_backends[call.account][call.partition].roles.values():
        if role.arn == arn and allows_service(role.assume_role_policy_document, SERVICE, "sts:AssumeRole"):
            return
    raise AwsError("InvalidRoleException", f"AWS Config cannot assume the role {arn}.")


def _check_bucket(call: Call, channel: dict[str, Any], role: str) -> None:
    """The bucket lets Config write into its folder, or the customer's own role may."""
    name, prefix = channel.get("s3BucketName"), channel.get("s3KeyPrefix")
    bucket = bucket_of(call.partition, name or "")
    if bucket is None:
        raise AwsError(
            "NoSuchBucketException", f"Cannot find a S3 bucket with an empty bucket name or the name '{name}'."
        )
    policy = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    key = f"{prefix + '/' if prefix else ''}AWSLogs/{call.account}/Config/ConfigWritabilityCheckFile"
    context = {"aws:SourceAccount": call.account, "s3:x-amz-acl": "bucket-owner-full-control"}
    resource = f"arn:{call.partition}:s3:::{name}/{key}"
    if not service_may(policy, SERVICE, "s3:PutObject", resource, context) and not _role_may(call, role):
        raise AwsError(
            "InsufficientDeliveryPolicyException",
            f"Insufficient delivery policy to s3 bucket: {name}, unable to write to bucket, "
            f"provided s3 key prefix is '{prefix or 'null'}'.",
        )


def _role_may(call: Call, arn: str) -> bool:
    """Whether a policy of the role has the right to write into buckets; the service-linked role has none."""
    from moto.iam.models import iam_backends

    if "/aws-service-role/" in arn:
        return False
    for role in iam_backends[call.account][call.partition].roles.values():
        if role.arn == arn:
            texts = [*role.policies.values(), *map(document, role.managed_policies.values())]
            return any(
                statement.get("Effect") == "Allow" and any(map(_writes, as_list(statement.get("Action"))))
                for text in texts
                for statement in statements(text)
            )
    return False


def _writes(action: str) -> bool:
    return fnmatch.fnmatchcase("s3:putobject", action.lower())


def _now() -> datetime:
    return datetime.fromtimestamp(int(time.time()), UTC)
