"""What the administrators of five services set for their organization's members, each in its Region."""

from typing import Any

from emulator.answers import AwsError
from emulator.shelf import setting
from emulator.wire import Call

OPERATIONS = {"get": "DescribeOrganizationConfiguration"}
WRITE = "UpdateOrganizationConfiguration"


def _inspector(call: Call) -> dict[str, Any]:
    """All scans are set anew: what is not sent is off."""
    scans = dict.fromkeys(("ec2", "ecr", "lambda", "lambdaCode", "codeRepository", "ami"), False)
    wanted = scans | call.params["autoEnable"]
    if wanted["lambdaCode"] and not wanted["lambda"]:
        raise AwsError("ValidationException", "Scanning of Lambda code requires the standard scanning of Lambda.")
    return {"autoEnable": wanted}


setting(
    "inspector2",
    "organization",
    {
        "autoEnable": dict.fromkeys(("ec2", "ecr", "lambda", "lambdaCode", "codeRepository", "ami"), False),
        "maxAccountLimitReached": False,
    },
    put={WRITE: _inspector},
    **OPERATIONS,
)
setting(
    "macie2",
    "organization",
    {"autoEnable": False, "maxAccountLimitReached": False},
    put={WRITE: True},
    **OPERATIONS,
)
setting("detective", "organization", {"AutoEnable": False}, key=["GraphArn"], put={WRITE: True}, **OPERATIONS)


def _security_hub(call: Call) -> dict[str, Any]:
    """Central configuration decides by policies: nothing may be switched on beside it."""
    given = call.params
    kind = (given.get("OrganizationConfiguration") or {}).get("ConfigurationType")
    if kind == "CENTRAL" and (given["AutoEnable"] or given.get("AutoEnableStandards", "NONE") != "NONE"):
        raise AwsError(
            "InvalidInputException", "AutoEnable must be false and AutoEnableStandards NONE for central configuration."
        )
    made = {name: given[name] for name in ("AutoEnable", "AutoEnableStandards") if name in given}
    if kind:
        made["OrganizationConfiguration"] = {"ConfigurationType": kind, "Status": "ENABLED"}
    return made


def _pending(call: Call) -> dict[str, Any]:
    """Central configuration takes its time."""
    asked = call.params.get("OrganizationConfiguration") or {}
    return {"OrganizationConfiguration": asked | {"Status": "PENDING"}} if "ConfigurationType" in asked else {}


setting(
    "securityhub",
    "organization",
    {
        "AutoEnable": False,
        "MemberAccountLimitReached": False,
        "AutoEnableStandards": "DEFAULT",
        "OrganizationConfiguration": {"ConfigurationType": "LOCAL", "Status": "ENABLED"},
    },
    put={WRITE: _security_hub},
    middle=_pending,
    **OPERATIONS,
)

FEATURES = (
    "S3_DATA_EVENTS",
    "EKS_AUDIT_LOGS",
    "EBS_MALWARE_PROTECTION",
    "RDS_LOGIN_EVENTS",
    "LAMBDA_NETWORK_LOGS",
    "RUNTIME_MONITORING",
    "AI_PROTECTION",
)


BELOW = {
    "RUNTIME_MONITORING": ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"),
    "RDS_LOGIN_EVENTS": ("RDS_DATA_RISK",),
}


def _at_first(name: str) -> dict[str, Any]:
    below = [{"Name": one, "AutoEnable": "NONE"} for one in BELOW.get(name, ())]
    return {"Name": name, "AutoEnable": "NONE"} | ({"AdditionalConfiguration": below} if below else {})


def _guard_duty(call: Call) -> dict[str, Any]:
    """Exactly one of the two ways to say who is enabled; features that are not sent stay."""
    given = call.params
    if ("AutoEnable" in given) == ("AutoEnableOrganizationMembers" in given):
        raise _bad("Provide a value for either autoEnableOrganizationMembers or autoEnable, but not both.")
    if "Features" in given and "DataSources" in given:
        raise _bad("Provide either features or dataSources.")
    if "DataSources" in given:
        raise NotImplementedError("the data sources that features have replaced")
    names = {one["Name"] for one in given.get("Features", [])}
    if {"EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING"} <= names:
        raise _bad("Runtime Monitoring and EKS Runtime Monitoring exclude each other.")
    before = {one["Name"]: one for one in GUARD_DUTY.now(call)["Features"]}
    if given.get("AutoEnableOrganizationMembers") == "ALL":
        from emulator.shelf.tables.guardduty_members import enrol_all

        enrol_all(call)
    mode = given.get("AutoEnableOrganizationMembers") or ("NEW" if given["AutoEnable"] else "NONE")
    features = before | {one["Name"]: _laid_over(before.get(one["Name"], {}), one) for one in given.get("Features", [])}
    return {
        "AutoEnable": mode != "NONE",
        "AutoEnableOrganizationMembers": mode,
        "Features": list(features.values()),
    }


def _laid_over(there: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """What is below a feature stays, too, where it is not sent."""
    below = {one["Name"]: one for one in there.get("AdditionalConfiguration", [])}
    below |= {one["Name"]: one for one in sent.get("AdditionalConfiguration", [])}
    return there | sent | ({"AdditionalConfiguration": list(below.values())} if below else {})


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", f"The request is rejected because of invalid input: {message}")


def _own_detector(call: Call) -> None:
    from moto.guardduty.models import guardduty_backends

    if call.params["DetectorId"] not in guardduty_backends[call.account][call.region].detectors:
        raise AwsError(
            "BadRequestException",
            "The request is rejected because the input detectorId is not owned by the current account.",
        )


GUARD_DUTY = setting(
    "guardduty",
    "organization",
    {
        "AutoEnable": False,
        "AutoEnableOrganizationMembers": "NONE",
        "MemberAccountLimitReached": False,
        "Features": [_at_first(name) for name in FEATURES],
    },
    key=["DetectorId"],
    put={WRITE: _guard_duty},
    check=_own_detector,
    **OPERATIONS,
)
