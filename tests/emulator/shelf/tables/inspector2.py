"""Inspector: how it scans, beside which resources moto knows that it scans."""

import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.shelf import Collection, now, setting
from emulator.wire import Call


def updated(call: Call) -> dict[str, Any]:
    """Changes the sections that are sent, each as a whole."""
    made: dict[str, Any] = {}
    if "ecrConfiguration" in call.params:
        state = call.params["ecrConfiguration"] | {"status": "SUCCESS", "updatedAt": now()}
        made["ecrConfiguration"] = {"rescanDurationState": state}
    if "ec2Configuration" in call.params:
        state = {"scanMode": call.params["ec2Configuration"]["scanMode"], "scanModeStatus": "SUCCESS"}
        made["ec2Configuration"] = {"scanModeState": state}
    return made


setting(
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

(
    Collection(
        "inspector2",
        "CIS scan configuration",
        key="id",
        new_id=lambda _: str(uuid.uuid4()),
        arn=(
            "scanConfigurationArn",
            "arn:{partition}:inspector2:{region}:{account}:owner/{account}/cis-configuration/{id}",
        ),
        made=lambda call: {"ownerId": call.account},
    )
    .create("CreateCisScanConfiguration")
    .list("ListCisScanConfigurations", "scanConfigurations")
    .update("UpdateCisScanConfiguration")
    .delete("DeleteCisScanConfiguration")
)


@handles("inspector2", "ListAccountPermissions")
def permissions(call: Call, _: Forward) -> dict[str, Any]:
    """What an account that nobody administers may do with each service."""
    services = [call.params["service"]] if "service" in call.params else ["EC2", "ECR", "LAMBDA"]
    operations = ("ENABLE_SCANNING", "DISABLE_SCANNING")
    return {"permissions": [{"service": one, "operation": name} for one in services for name in operations]}


@handles("inspector2", "BatchGetAccountStatus")
def status(call: Call, _: Forward) -> dict[str, Any]:
    """Of the own account unless others are named."""
    from moto.inspector2.models import inspector2_backends

    backend = inspector2_backends[call.account][call.region]
    wanted = call.params.get("accountIds") or [call.account]
    return {"accounts": [_state(backend, account) for account in wanted], "failedAccounts": []}


def _state(backend: Any, account: str) -> dict[str, Any]:
    there = backend.account_status.get(account)
    named = {"ec2": "ec2", "ecr": "ecr", "lambda": "_lambda", "lambdaCode": "lambda_code"}
    states = {name: getattr(there, kept) if there else "DISABLED" for name, kept in named.items()}
    quiet = {"errorCode": "ALREADY_ENABLED", "errorMessage": ""}
    whole = "ENABLED" if "ENABLED" in states.values() else "DISABLED"
    return {
        "accountId": account,
        "state": {"status": whole} | quiet,
        "resourceState": {name: {"status": state} | quiet for name, state in states.items()},
    }
