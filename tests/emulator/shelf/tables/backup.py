"""AWS Backup: the access policies of vaults, which moto keeps without."""

import json
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.policy import as_list
from emulator.shelf import setting
from emulator.wire import Call


def vaults(call: Call) -> dict[str, Any]:
    from moto.backup.models import backup_backends

    return backup_backends[call.account][call.region].vaults


def vault(call: Call) -> Any:
    name = call.params["BackupVaultName"]
    if name not in vaults(call):
        raise AwsError("ResourceNotFoundException", f"Backup vault {name} does not exist.")
    return vaults(call)[name]


def policy(call: Call) -> dict[str, Any]:
    found = vault(call)
    try:
        statements = as_list(json.loads(call.params["Policy"])["Statement"])
        whole = all(one["Effect"] in ("Allow", "Deny") and {"Principal", "Action"} <= set(one) for one in statements)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise AwsError("InvalidParameterValueException", "The policy is not a valid policy document.")
    return {
        "BackupVaultName": found.backup_vault_name,
        "BackupVaultArn": found.backup_vault_arn,
        "Policy": call.params["Policy"],
    }


POLICIES = setting(
    "backup",
    "vault_policy",
    {},
    get="GetBackupVaultAccessPolicy",
    put={"PutBackupVaultAccessPolicy": policy, "DeleteBackupVaultAccessPolicy": None},
    key=("BackupVaultName",),
    absent=("ResourceNotFoundException", "The backup vault has no access policy."),
    check=vault,
)


@handles("backup", "DeleteBackupVault")
def delete_vault(call: Call, _: Forward) -> None:
    """The policy goes with the vault."""
    vault(call)
    POLICIES.rows(call).pop(POLICIES.at(call), None)
