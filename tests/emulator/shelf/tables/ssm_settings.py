"""Systems Manager's service settings: a fixed set of ids, each with a default."""

from typing import Any

from emulator.answers import AwsError
from emulator.identity import caller_arn
from emulator.shelf import now, place, setting
from emulator.wire import Call

DEFAULTS = {
    "/ssm/appmanager/appmanager-enabled": "False",
    "/ssm/automation/customer-script-log-destination": "",
    "/ssm/automation/customer-script-log-group-name": "",
    "/ssm/documents/console/public-sharing-permission": "Enable",
    "/ssm/managed-instance/activation-tier": "standard",
    "/ssm/managed-instance/default-ec2-instance-management-role": "$None",
    "/ssm/opsinsights/opscenter": "Disabled",
    "/ssm/parameter-store/default-parameter-tier": "Standard",
    "/ssm/parameter-store/high-throughput-enabled": "false",
}
SHARING = "/ssm/documents/console/public-sharing-permission"
VALUES = {SHARING: ("Enable", "Disable")}


def named(call: Call) -> str:
    """The id of the setting, which the call may give as an ARN."""
    found = call.params["SettingId"].removeprefix(
        f"arn:{call.partition}:ssm:{call.region}:{call.account}:servicesetting"
    )
    if found not in DEFAULTS:
        raise AwsError("ServiceSettingNotFound", f"{call.params['SettingId']} is not a service setting.")
    return found


def usual(call: Call) -> dict[str, Any]:
    name = named(call)
    return {
        "SettingId": name,
        "SettingValue": DEFAULTS[name],
        "Status": "Default",
        "ARN": f"arn:{call.partition}:ssm:{call.region}:{call.account}:servicesetting{name}",
        "LastModifiedUser": "System",
    }


def changed(call: Call) -> dict[str, Any]:
    value, allowed = call.params["SettingValue"], VALUES.get(named(call))
    if allowed and value not in allowed:
        raise AwsError("ValidationException", f"{value} is not a value of {named(call)}.")
    return {
        "SettingValue": value,
        "Status": "Customized",
        "LastModifiedDate": now(),
        "LastModifiedUser": caller_arn(call),
    }


setting(
    "ssm",
    "service_setting",
    usual,
    get="GetServiceSetting",
    put={"UpdateServiceSetting": changed, "ResetServiceSetting": None},
    under="ServiceSetting",
    key=lambda call: (named(call),),
    middle={"Status": "PendingUpdate"},
)


def may_not_be_shared(call: Call) -> bool:
    """Whether the Region blocks that documents are shared with everybody."""
    kept = place(call, "service_setting").get((SHARING,))
    return kept is not None and kept.now.get("SettingValue") == "Disable"
