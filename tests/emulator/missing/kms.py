"""KMS: rotation with a period, the states that refuse a call, key policies as KMS writes them, paging.

moto keeps one flag for rotation and lets asymmetric, disabled and dying keys rotate; its answers hold null members.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator import grammar, policy
from emulator.answers import Answer, AwsError
from emulator.events.permission import account_may
from emulator.identity import caller_arn
from emulator.missing import Forward, from_moto, handles, refuses
from emulator.wire import Call

DEFAULT_PERIOD = 365
MAC_ALGORITHMS = {f"HMAC_{bits}": [f"HMAC_SHA_{bits}"] for bits in (224, 256, 384, 512)}
NEEDS_LIVING_KEY = (
    "CreateAlias",
    "UpdateAlias",
    "TagResource",
    "UntagResource",
    "UpdateKeyDescription",
)


def backend_of(call: Call) -> Any:
    from moto.kms.models import kms_backends

    return kms_backends[call.account][call.region]


def find_key(call: Call, key_id: str) -> Any:
    """The key by id, ARN, alias or alias ARN; of another account as its policy allows."""
    if key_id.startswith("arn:"):
        of = [*key_id.split(":"), "", "", "", ""][:5]
        if of[4] != call.account:
            return _of_another_account(call, key_id)
        if of[1:4] != [call.partition, "kms", call.region]:
            raise AwsError("NotFoundException", f"Invalid arn {of[3]}")
    backend = backend_of(call)
    try:
        return backend.keys[backend.any_id_to_key_id(key_id)]
    except (KeyError, AttributeError):
        is_alias = "alias/" in key_id
        name = key_id
        if not name.startswith("arn:"):
            name = f"arn:{call.partition}:kms:{call.region}:{call.account}:{'' if is_alias else 'key/'}{key_id}"
        text = f"Alias {name} is not found." if is_alias else f"Key '{name}' does not exist"
        raise AwsError("NotFoundException", text) from None


def _of_another_account(call: Call, arn: str) -> Any:
    from moto.kms.models import kms_backends

    region, account = [*arn.split(":"), "", ""][3:5]
    key = kms_backends[account][region].keys.get(arn.rpartition("/")[2]) if region == call.region else None
    action = f"kms:{call.operation}" if call.service == "kms" else "kms:DescribeKey"
    if key is None or key.arn != arn or not account_may(key.policy, call.account, action, arn):
        raise AwsError(
            "AccessDeniedException",
            f"User: {caller_arn(call)} is not authorized to perform: {action} on resource: {arn} because the resource "
            "does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
            "explicitly denies access",
        )
    return key


def _by_id(call: Call, name: str = "KeyId") -> Any:
    """The key by id or ARN, for operations that take no alias."""
    key_id = call.params[name]
    if key_id.startswith("alias/") or ":alias/" in key_id:
        raise AwsError("NotFoundException", f"Invalid keyId {key_id}")
    return find_key(call, key_id)


@refuses("kms", "CreateGrant", "ListGrants")
def of_a_key_that_is_there(call: Call) -> None:
    _by_id(call)


@handles("kms", "CreateKey")
def create_key(call: Call, forward: Forward) -> dict[str, Any]:
    params = call.params
    spec = params.get("KeySpec") or params.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    if spec != "SYMMETRIC_DEFAULT" and "KeyUsage" not in params:
        raise AwsError("ValidationException", f"You must specify a KeyUsage value for the key spec {spec}.")
    if "Policy" in params:
        _check_policy(call, params["Policy"])
    made = from_moto(call, forward)["KeyMetadata"]
    key = backend_of(call).keys[made["KeyId"]]
    key.key_usage = key.key_usage or "ENCRYPT_DECRYPT"
    key.policy = policy.stored(key.policy, call.partition, indent=2)
    return {"KeyMetadata": _metadata(key)}


@handles("kms", "DescribeKey")
def describe_key(call: Call, _: Forward) -> dict[str, Any]:
    key = find_key(call, call.params["KeyId"])
    if key.account_id == call.account:
        backend_of(call).describe_key(key.id)
    return {"KeyMetadata": _metadata(key)}


@handles("kms", "ListKeys")
def list_keys(call: Call, _: Forward) -> dict[str, Any]:
    if call.params.get("ResourceOwners") == ["OTHER_ACCOUNTS_VIA_RAM"]:
        return {"Keys": [], "Truncated": False}
    keys = sorted(backend_of(call).keys.values(), key=lambda key: key.id)
    return _page(call, "Keys", [{"KeyId": key.id, "KeyArn": key.arn} for key in keys], 100)


@handles("kms", "ListAliases")
def list_aliases(call: Call, _: Forward) -> dict[str, Any]:
    from moto.kms.utils import RESERVED_ALIASES

    backend = backend_of(call)
    wanted = _by_id(call).id if "KeyId" in call.params else None
    prefix = f"arn:{call.partition}:kms:{call.region}:{call.account}:"
    found = {}
    for alias in backend.list_aliases(key_id=wanted):
        found[alias.alias_name] = {
            "AliasName": alias.alias_name,
            "AliasArn": prefix + alias.alias_name,
            "TargetKeyId": alias.target_key_id,
        }
    if wanted is None:
        for name in RESERVED_ALIASES:
            # A predefined alias has no key before the service first needs one.
            found.setdefault(name, {"AliasName": name, "AliasArn": prefix + name})
    return _page(call, "Aliases", [found[name] for name in sorted(found)], 50)


@handles("kms", "ListResourceTags")
def list_resource_tags(call: Call, _: Forward) -> dict[str, Any]:
    key = _by_id(call)
    tags = backend_of(call).tagger.list_tags_for_resource(key.id)["Tags"]
    return _page(call, "Tags", [{"TagKey": t["TagKey"], "TagValue": t["TagValue"]} for t in tags], 50)


@handles("kms", "GetKeyPolicy")
def get_key_policy(call: Call, _: Forward) -> dict[str, Any]:
    key = _by_id(call)
    if call.params.get("PolicyName", "default") != "default":
        raise AwsError("NotFoundException", "No such policy exists")
    return {"Policy": key.policy, "PolicyName": "default"}


@handles("kms", "PutKeyPolicy")
def put_key_policy(call: Call, _: Forward) -> dict[str, Any]:
    key = _living(call)
    _check_policy(call, call.params["Policy"])
    key.policy = policy.stored(call.params["Policy"], call.partition, indent=2)
    return {}


@handles("kms", "GetKeyRotationStatus")
def get_rotation(call: Call, _: Forward) -> dict[str, Any]:
    key = _by_id(call)
    _check_can_rotate(key)
    enabled = bool(key.key_rotation_status) and key.key_state != "PendingDeletion"
    if key.key_manager == "AWS":
        enabled = True
    made: dict[str, Any] = {"KeyId": key.arn, "KeyRotationEnabled": enabled}
    if enabled:
        period = getattr(key, "rotation_period", DEFAULT_PERIOD)
        made |= {"RotationPeriodInDays": period, "NextRotationDate": datetime.now(UTC) + timedelta(days=period)}
    return made


@handles("kms", "EnableKeyRotation")
def enable_rotation(call: Call, _: Forward) -> dict[str, Any]:
    key = _ready_to_rotate(call)
    key.key_rotation_status = True
    key.rotation_period = call.params.get("RotationPeriodInDays", DEFAULT_PERIOD)
    return {}


@handles("kms", "DisableKeyRotation")
def disable_rotation(call: Call, _: Forward) -> dict[str, Any]:
    key = _ready_to_rotate(call)
    key.key_rotation_status, key.rotation_period = False, DEFAULT_PERIOD
    return {}


@handles("kms", "ScheduleKeyDeletion")
def schedule_deletion(call: Call, _: Forward) -> dict[str, Any]:
    key, days = _living(call), call.params.get("PendingWindowInDays", 30)
    if not 7 <= days <= 30:
        raise AwsError("ValidationException", "PendingWindowInDays must be between 7 and 30.")
    backend_of(call).schedule_key_deletion(key.id, days)
    return {
        "KeyId": key.arn,
        "DeletionDate": key.deletion_date,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": days,
    }


@handles("kms", "CancelKeyDeletion")
def cancel_deletion(call: Call, _: Forward) -> dict[str, Any]:
    key = _by_id(call)
    if key.key_state != "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    backend_of(call).cancel_key_deletion(key.id)
    return {"KeyId": key.arn}


@handles("kms", *NEEDS_LIVING_KEY)
def needs_living_key(call: Call, forward: Forward) -> Answer | None:
    _living(call, "TargetKeyId" if call.operation in ("CreateAlias", "UpdateAlias") else "KeyId")
    return None


@handles("kms", "EnableKey", "DisableKey")
def enable(call: Call, _: Forward) -> dict[str, Any]:
    """moto does not find a key by its ARN."""
    key, backend = _living(call), backend_of(call)
    (backend.enable_key if call.operation == "EnableKey" else backend.disable_key)(key.id)
    return {}


# The member that names the key, of operations that change what belongs to it.
KEY_MEMBERS = {"TagResource": "KeyId", "UntagResource": "KeyId", "CreateAlias": "TargetKeyId"}


def refuse_managed(call: Call) -> None:
    """Nobody but AWS changes its own keys: their policies allow their use alone."""
    key = _by_id(call, KEY_MEMBERS.get(str(call.operation), "KeyId"))
    if key.key_manager == "AWS":
        action = f"kms:{call.operation}"
        message = f"User is not authorized to perform: {action} on resource: {key.arn}"
        raise AwsError("AccessDeniedException", message)


def _living(call: Call, name: str = "KeyId") -> Any:
    key = _by_id(call, name)
    if key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return key


def _ready_to_rotate(call: Call) -> Any:
    key = _living(call)
    if key.key_state == "Disabled":
        raise AwsError("DisabledException", f"{key.arn} is disabled.")
    _check_can_rotate(key)
    if key.key_manager == "AWS":
        raise AwsError("AccessDeniedException", f"The key {key.arn} is managed by AWS.")
    return key


def _check_can_rotate(key: Any) -> None:
    fits = key.key_spec == "SYMMETRIC_DEFAULT" and key.origin == "AWS_KMS"
    replica = key.multi_region and key.multi_region_configuration["PrimaryKey"]["Arn"] != key.arn
    if not fits or replica:
        raise AwsError("UnsupportedOperationException", f"{key.arn} does not support automatic rotation.")


def _check_policy(call: Call, text: str) -> None:
    # "If either of the required Resource or Action elements are missing …, the policy statement has no effect."
    if problem := grammar.problem(text, optional=("Action", "Resource")):
        raise AwsError("MalformedPolicyDocumentException", problem)
    if policy.unknown_principals(text, call.account, call.partition):
        raise AwsError(
            "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."
        )
    if call.params.get("BypassPolicyLockoutSafetyCheck"):
        return
    effective = [one for one in policy.statements(text) if {"Resource", "NotResource"} & set(one)]
    if not policy.allows_account(json.dumps({"Statement": effective}), call.account, "kms:PutKeyPolicy"):
        raise AwsError(
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
        )


def _metadata(key: Any) -> dict[str, Any]:
    made = {name: value for name, value in key.to_dict()["KeyMetadata"].items() if value is not None}
    made["Description"] = key.description or ""
    made["MultiRegion"] = bool(key.multi_region)
    made["Enabled"] = key.key_state == "Enabled"
    if key.key_spec in MAC_ALGORITHMS:
        made["MacAlgorithms"] = MAC_ALGORITHMS[key.key_spec]
    if key.key_usage != "ENCRYPT_DECRYPT":
        made.pop("EncryptionAlgorithms", None)
    if key.key_usage != "SIGN_VERIFY":
        made.pop("SigningAlgorithms", None)
    return made


def _page(call: Call, name: str, items: list[dict[str, Any]], size: int) -> dict[str, Any]:
    """One page; the marker is the position of the next item."""
    marker = call.params.get("Marker", "0")
    if not marker.isdecimal() or not 0 <= int(marker) <= len(items):
        raise AwsError("InvalidMarkerException", "Invalid marker")
    start = int(marker)
    end = start + call.params.get("Limit", size)
    made: dict[str, Any] = {name: items[start:end], "Truncated": end < len(items)}
    if end < len(items):
        made["NextMarker"] = str(end)
    return made
