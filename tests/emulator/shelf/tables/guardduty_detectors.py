"""GuardDuty's detectors: one in each Region, features by name, tags."""

from typing import Any

from emulator.answers import AwsError
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
    names = {one["Name"] for one in call.params.get("Features", [])}
    if set(AGENTS) <= names:
        raise refused("EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot be sent together.")
    if names and "DataSources" in call.params:
        raise refused("both dataSources and features are provided.")


def change(detector: Any, features: list[dict[str, Any]]) -> None:
    """Sets what is sent, by name; what is not sent stays, down to the agents of a feature."""
    there = features_of(detector)
    for sent in features:
        old = there.get(sent["Name"], {"Name": sent["Name"]})
        one = old | {name: sent[name] for name in ("Status",) if name in sent} | {"UpdatedAt": now()}
        agents = {agent["Name"]: agent for agent in old.get("AdditionalConfiguration", [])}
        for agent in sent.get("AdditionalConfiguration", []):
            agents[agent["Name"]] = agent | {"UpdatedAt": now()}
        there[sent["Name"]] = one | ({"AdditionalConfiguration": list(agents.values())} if agents else {})


def features_of(detector: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(detector, "by_name"):
        detector.by_name = at_first()
    return detector.by_name


@handles("guardduty", "CreateDetector")
def create(call: Call, forward: Forward) -> dict[str, Any]:
    if detectors(call):
        raise refused("a detector already exists for the current account.")
    check(call)
    made = from_moto(call, forward)
    change(detectors(call)[made["DetectorId"]], call.params.get("Features", []))
    return made


@handles("guardduty", "UpdateDetector")
def update(call: Call, forward: Forward) -> dict[str, Any]:
    exports.detector(call)
    check(call)
    if administrator_of(call) and set(call.params) & {"Features", "DataSources", "FindingPublishingFrequency"}:
        raise refused("the current account is a member of an administrator account, which decides this.")
    made = from_moto(call, forward)
    change(detectors(call)[call.params["DetectorId"]], call.params.get("Features", []))
    return made


@handles("guardduty", "GetDetector")
def get(call: Call, forward: Forward) -> dict[str, Any]:
    exports.detector(call)
    made, detector = from_moto(call, forward), detectors(call)[call.params["DetectorId"]]
    return made | {"Features": list(features_of(detector).values()), "Tags": OWN.row(call, detector).now["Tags"]}


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
    of=[OWN, exports.FILTERS, *LISTS],
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
            change(detector, call.params.get("Features", []))
    return {"UnprocessedAccounts": missed}
