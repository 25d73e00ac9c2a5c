"""Inspector: which resources it scans, and how."""

import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.shelf import Collection, Row, now, place, setting
from emulator.wire import Call


def updated(call: Call) -> dict[str, Any]:
    """Changes the sections that are sent, each as a whole."""
    made: dict[str, Any] = {}
    if "ecrConfiguration" in call.params:
        state = call.params["ecrConfiguration"] | {"status": "SUCCESS", "updatedAt": now()}
        # The length from the push is the only one that must be sent.
        before = CONFIGURATION.now(call)["ecrConfiguration"]["rescanDurationState"]
        made["ecrConfiguration"] = {"rescanDurationState": before | state}
    if "ec2Configuration" in call.params:
        sent = call.params["ec2Configuration"]
        before = CONFIGURATION.now(call)["ec2Configuration"]
        made["ec2Configuration"] = before | {"scanModeState": {"scanMode": sent["scanMode"], "scanModeStatus": "SUCCESS"}}
        if "activateVMScanner" in sent:
            made["ec2Configuration"]["vmScannerState"] = {"activated": sent["activateVMScanner"], "status": "SUCCESS"}
    return made


CONFIGURATION = setting(
    "inspector2",
    "configuration",
    {
        "ecrConfiguration": {
            "rescanDurationState": {
                "rescanDuration": "DAYS_14",
                "pullDateRescanDuration": "DAYS_14",
                "pullDateRescanMode": "LAST_IN_USE_AT",
                "status": "SUCCESS",
            }
        },
        "ec2Configuration": {"scanModeState": {"scanMode": "EC2_HYBRID", "scanModeStatus": "SUCCESS"}},
    },
    get="GetConfiguration",
    put={"UpdateConfiguration": updated},
)


def deep(call: Call) -> dict[str, Any]:
    made = {name: call.params[name] for name in ("packagePaths",) if name in call.params}
    if len(made.get("packagePaths", [])) > 5:
        raise AwsError("ValidationException", "There may be 5 package paths.")
    if "activateDeepInspection" in call.params:
        made["status"] = "ACTIVATED" if call.params["activateDeepInspection"] else "DEACTIVATED"
    return made


setting(
    "inspector2",
    "deep inspection",
    {"packagePaths": [], "orgPackagePaths": [], "status": "ACTIVATED"},
    get="GetEc2DeepInspectionConfiguration",
    put={"UpdateEc2DeepInspectionConfiguration": deep},
    middle={"status": "PENDING"},
)



def own(call: Call) -> dict[str, Any]:
    """A scan of the own account has its id."""
    targets = call.params.get("targets")
    if targets is None:
        return {}
    accounts = [call.account if one == "SELF" else one for one in targets.get("accountIds", [call.account])]
    return {"targets": targets | {"accountIds": accounts}}


CIS_SCANS = (
    Collection(
        "inspector2",
        "CIS scan configuration",
        key="id",
        new_id=lambda _: str(uuid.uuid4()),
        arn=(
            "scanConfigurationArn",
            "arn:{partition}:inspector2:{region}:{account}:owner/{account}/cis-configuration/{id}",
        ),
        made=lambda call: {"ownerId": call.account} | own(call),
    )
    .create("CreateCisScanConfiguration")
    .list("ListCisScanConfigurations", "scanConfigurations")
    .update("UpdateCisScanConfiguration", changed=own)
    .delete("DeleteCisScanConfiguration")
)


@handles("inspector2", "ListAccountPermissions")
def permissions(call: Call, _: Forward) -> dict[str, Any]:
    """What an account that nobody administers may do with each service."""
    services = [call.params["service"]] if "service" in call.params else ["EC2", "ECR", "LAMBDA"]
    operations = ("ENABLE_SCANNING", "DISABLE_SCANNING")
    return {"permissions": [{"service": one, "operation": name} for one in services for name in operations]}


# What can be scanned, and what the status of each is called.
TYPES = {"EC2": "ec2", "ECR": "ecr", "LAMBDA": "lambda", "LAMBDA_CODE": "lambdaCode", "CODE_REPOSITORY": "codeRepository"}
# What an account has only while something is scanned.
SETTINGS = ("configuration", "deep inspection", "CIS scan configuration")
QUIET = {"errorCode": "ALREADY_ENABLED", "errorMessage": "-"}


def scans(call: Call, account: str) -> Row:
    """How the scans of an account fare, in the Region of the call."""
    return place(call, "scans", account=account).setdefault((), Row(dict.fromkeys(TYPES.values(), "DISABLED")))


def whole(states: dict[str, str]) -> str:
    return next((word for word in ("ENABLED", "ENABLING", "DISABLING") if word in states.values()), "DISABLED")


def switch(call: Call, accounts: list[str], types: list[str]) -> dict[str, Any]:
    """Enables or disables scans; what an administrator decides in its members fails for the account, with 200.

    An account of which nothing is scanned any more loses its settings.
    """
    from emulator.organization.delegation import administrator

    on, done, failed = call.operation == "Enable", [], []
    for account in accounts:
        row = scans(call, account)
        if on and "LAMBDA_CODE" in types and "LAMBDA" not in types and row.now["lambda"] != "ENABLED":
            raise AwsError("ValidationException", "Scanning of Lambda code requires the standard scanning of Lambda.")
        if not on and administrator("inspector2", call) not in (None, call.account):
            words = "A member account cannot disable scans: ask the delegated administrator."
            failed.append({"accountId": account, "errorCode": "ACCESS_DENIED", "errorMessage": words})
            continue
        # Without the standard scan there is none of the code.
        named = {TYPES[one] for one in types} | ({"lambdaCode"} if not on and "LAMBDA" in types else set())
        moved = {name for name in named if (row.now[name] == "ENABLED") != on}
        between = dict.fromkeys(moved, "ENABLING" if on else "DISABLING")
        row.write(call, row.now | dict.fromkeys(named, "ENABLED" if on else "DISABLED"), between)
        if not on and whole(row.now) == "DISABLED":
            for name in SETTINGS:
                place(call, name, account=account).clear()
        done.append({"accountId": account, "status": whole(row.now), "resourceStatus": row.now})
    return {"accounts": done, "failedAccounts": failed}


@handles("inspector2", "BatchGetAccountStatus")
def status(call: Call, _: Forward) -> dict[str, Any]:
    """Of the own account unless others are named."""
    wanted = call.params.get("accountIds") or [call.account]
    return {"accounts": [_state(account, scans(call, account).read()) for account in wanted], "failedAccounts": []}


def _state(account: str, states: dict[str, str]) -> dict[str, Any]:
    return {
        "accountId": account,
        "state": {"status": whole(states)} | QUIET,
        "resourceState": {name: {"status": state} | QUIET for name, state in states.items()},
    }
