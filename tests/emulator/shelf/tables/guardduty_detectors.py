"""GuardDuty's detectors: one in each Region, features by name and in their older form of data sources, tags."""

import datetime
from typing import Any

from emulator.answers import AwsError
from emulator.identity import linked_role
from emulator.missing import Forward, from_moto, handles
from emulator.shelf import Row, now, place, tags
from emulator.shelf.tables import guardduty_exports as exports
from emulator.shelf.tables.guardduty_members import administrator_of, members_of
from emulator.wire import Call

# Always on, only read.
FOUNDATIONAL = ("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS")
# What a new detector has on unless it is told otherwise; the others are off.
ON = ("S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS")
AGENTS = {
    "EKS_RUNTIME_MONITORING": ("EKS_ADDON_MANAGEMENT",),
    "RUNTIME_MONITORING": ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"),
}
MAY_HAVE = AGENTS | {"RDS_LOGIN_EVENTS": ("RDS_DATA_RISK",)}
# The older form of some features: where they are among the data sources.
SOURCES = {
    "S3_DATA_EVENTS": ("S3Logs",),
    "EKS_AUDIT_LOGS": ("Kubernetes", "AuditLogs"),
    "EBS_MALWARE_PROTECTION": ("MalwareProtection", "ScanEc2InstanceWithFindings", "EbsVolumes"),
}
OLD_NAMES = {"CloudTrail": "CLOUD_TRAIL", "DNSLogs": "DNS_LOGS", "FlowLogs": "FLOW_LOGS"}


def refused(message: str) -> AwsError:
    return AwsError("BadRequestException", f"The request is rejected because {message}")


def detectors(call: Call) -> dict[str, Any]:
    from moto.guardduty.models import guardduty_backends

    return guardduty_backends[call.account][call.region].detectors


def at_first() -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {name: {"Name": name, "Status": "ENABLED"} for name in (*FOUNDATIONAL, *ON)}
    for name, agents in AGENTS.items():
        off = [{"Name": agent, "Status": "DISABLED"} for agent in agents]
        made[name] = {"Name": name, "Status": "DISABLED", "AdditionalConfiguration": off}
    return {name: one | {"UpdatedAt": now()} for name, one in made.items()}


def check(call: Call) -> None:
    given = call.params.get("Features", [])
    names = [one.get("Name") for one in given]
    if set(AGENTS) <= set(names):
        raise refused("EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot be sent together.")
    if names and "DataSources" in call.params:
        raise refused("both dataSources and features are provided.")
    if len(set(names)) < len(names) or not all(one.get("Name") and one.get("Status") for one in given):
        raise refused("a feature has no name or no status, or is there twice.")
    for one in given:
        for more in one.get("AdditionalConfiguration", []):
            if more.get("Name") not in MAY_HAVE.get(one["Name"], ()) or not more.get("Status"):
                raise refused(f"{one['Name']} has no additional configuration {more.get('Name')}.")


def sent(call: Call) -> list[dict[str, Any]]:
    """The features that the call sets, whichever form they are in."""
    found = list(call.params.get("Features", []))
    for name, path in SOURCES.items():
        value: Any = call.params.get("DataSources", {})
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        on = value.get("Enable") if isinstance(value, dict) else value
        if on is not None:
            found.append({"Name": name, "Status": "ENABLED" if on else "DISABLED"})
    return found


def sources(call: Call, features: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The features in their older form."""
    made: dict[str, Any] = {old: {"Status": features[name]["Status"]} for old, name in OLD_NAMES.items()}
    for name, path in SOURCES.items():
        place: dict[str, Any] = made
        for step in path:
            place = place.setdefault(step, {})
        place["Status"] = features[name]["Status"]
    made["MalwareProtection"]["ServiceRole"] = linked_role_arn(call, "malware-protection.guardduty.amazonaws.com")
    return made


def linked_role_arn(call: Call, principal: str) -> str:
    start = f"arn:{call.partition}:iam::{call.account}:role/aws-service-role"
    return f"{start}/{principal}/{linked_role(principal)}"


def change(detector: Any, features: list[dict[str, Any]]) -> None:
    """Sets what is sent, by name; what is not sent stays, down to the agents of a feature."""
    there = features_of(detector)
    for one in features:
        old = there.get(one["Name"], {"Name": one["Name"]})
        new = old | {"Status": one["Status"], "UpdatedAt": now()}
        agents = {agent["Name"]: agent for agent in old.get("AdditionalConfiguration", [])}
        for agent in one.get("AdditionalConfiguration", []):
            agents[agent["Name"]] = agent | {"UpdatedAt": now()}
        there[one["Name"]] = new | ({"AdditionalConfiguration": list(agents.values())} if agents else {})
    detector.changed_at = clock()


def features_of(detector: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(detector, "by_name"):
        detector.by_name = at_first()
        detector.made_at = detector.changed_at = clock()
    return detector.by_name


def clock() -> str:
    """The time as detectors tell it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@handles("guardduty", "CreateDetector")
def create(call: Call, forward: Forward) -> dict[str, Any]:
    """The same token answers the same, as long as the detector is there."""
    tokens, token = place(call, "detector/tokens"), call.params.get("ClientToken")
    asked = {name: value for name, value in call.params.items() if name != "ClientToken"}
    first = tokens[token].now if token in tokens else None
    if first and first["id"] in detectors(call) and first["asked"] == asked:
        return {"DetectorId": first["id"]}
    if detectors(call):
        raise refused("a detector already exists for the current account.")
    check(call)
    made = from_moto(call, forward)
    detector = detectors(call)[made["DetectorId"]]
    change(detector, sent(call))
    if token:
        tokens[token] = Row({"id": made["DetectorId"], "asked": asked})
    return {"DetectorId": made["DetectorId"]}


@handles("guardduty", "UpdateDetector")
def update(call: Call, _: Forward) -> dict[str, Any]:
    exports.detector(call)
    check(call)
    if administrator_of(call) and set(call.params) & {"Features", "DataSources", "FindingPublishingFrequency"}:
        raise refused("the current account is a member of an administrator account, which decides this.")
    detector = detectors(call)[call.params["DetectorId"]]
    detector.enabled = call.params.get("Enable", detector.enabled)
    detector.finding_publish_freq = call.params.get("FindingPublishingFrequency", detector.finding_publish_freq)
    change(detector, sent(call))
    return {}


@handles("guardduty", "GetDetector")
def get(call: Call, _: Forward) -> dict[str, Any]:
    exports.detector(call)
    detector = detectors(call)[call.params["DetectorId"]]
    features = features_of(detector)
    return {
        "CreatedAt": detector.made_at,
        "UpdatedAt": detector.changed_at,
        "FindingPublishingFrequency": detector.finding_publish_freq,
        "ServiceRole": linked_role_arn(call, exports.SERVICE),
        "Status": "ENABLED" if detector.enabled else "DISABLED",
        "DataSources": sources(call, features),
        "Features": list(features.values()),
        "Tags": OWN.row(call, detector).now["Tags"],
    }


@handles("guardduty", "DeleteDetector")
def delete(call: Call, _: Forward) -> None:
    exports.detector(call)
    if any(row.now["RelationshipStatus"] == "ENABLED" for row in members_of(call).values()):
        raise refused("the current account has member accounts.")


class Detectors:
    """The tags of detectors, which moto keeps without operations for them."""

    absent = exports.UNKNOWN

    def row(self, call: Call, detector: Any) -> Row:
        return place(call, "detector/tags").setdefault(detector.id, Row({"Tags": dict(detector.tags)}))

    def by_arn(self, call: Call, arn: str) -> Row | None:
        return dict(self.every(call)).get(arn)

    def every(self, call: Call) -> list[tuple[str, Row]]:
        start = f"arn:{call.partition}:guardduty:{call.region}:{call.account}:detector/"
        return [(start + name, self.row(call, one)) for name, one in detectors(call).items()]


OWN = Detectors()
LISTS = [exports.IP_SETS, exports.THREAT_INTEL_SETS, exports.TRUSTED_ENTITY_SETS, exports.THREAT_ENTITY_SETS]
tags(
    "guardduty",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    of=[OWN, exports.DESTINATIONS, exports.FILTERS, *LISTS],
    kept="Tags",
)


@handles("guardduty", "UpdateMemberDetectors")
def update_members(call: Call, _: Forward) -> dict[str, Any]:
    """Changes the detectors of members as their own accounts could not."""
    from moto.guardduty.models import guardduty_backends

    exports.detector(call)
    check(call)
    missed = []
    for account in call.params["AccountIds"]:
        row = members_of(call).get(account)
        if row is None or row.now["RelationshipStatus"] != "ENABLED":
            missed.append({"AccountId": account, "Result": "The request is rejected because the account is no member."})
            continue
        for detector in guardduty_backends[account][call.region].detectors.values():
            change(detector, sent(call))
    return {"UnprocessedAccounts": missed}
