"""IAM: names that differ by case alone, quotas, and what is not deleted as long as something hangs on it."""

import re
from typing import Any

from moto.iam.models import iam_backends

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.shelf.tags import as_map
from emulator.wire import Call

POLICY_SIZE, GROUPS, TAGS = 6144, 10, 50
INLINE = {"User": 2048, "Group": 5120}
CREATED_WITH_TAGS = (
    "CreateInstanceProfile",
    "CreateSAMLProvider",
    "CreateUser",
    "CreateVirtualMFADevice",
    "TagSAMLProvider",
    "TagUser",
    "UploadServerCertificate",
)


def backend_of(call: Call) -> Any:
    return iam_backends[call.account][call.partition]


@refuses("iam", "CreatePolicy")
def names_know_no_case(call: Call) -> None:
    """One in the very same spelling is left to moto, which refuses it too."""
    name = call.params["PolicyName"]
    there = [one.name for one in backend_of(call).managed_policies.values() if one.arn.split(":")[4] != "aws"]
    if name not in there and name.lower() in (one.lower() for one in there):
        raise AwsError("EntityAlreadyExists", f"Policy with name {name} already exists.", 409)


@refuses("iam", "CreatePolicy", "CreatePolicyVersion")
def size_of_a_policy(call: Call) -> None:
    """White space does not count."""
    if len(re.sub(r"\s", "", call.params["PolicyDocument"])) > POLICY_SIZE:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PolicySize: {POLICY_SIZE}", 409)


@refuses("iam", "DeletePolicy")
def a_policy_in_use_or_with_versions(call: Call) -> None:
    backend, arn = backend_of(call), call.params["PolicyArn"]
    policy = backend.managed_policies.get(arn)
    if policy is None:
        return
    entities = [*backend.roles.values(), *backend.users.values(), *backend.groups.values()]
    if any(arn in one.managed_policies or getattr(one, "permissions_boundary_arn", None) == arn for one in entities):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if len(policy.versions) > 1:
        message = "This policy has more than one version. Before you delete a policy, delete its versions."
        raise AwsError("DeleteConflict", message, 409)


@refuses("iam", "TagUser", "TagPolicy", "TagRole")
def fifty_tags(call: Call) -> None:
    """Keys that differ by case are one."""
    backend, params = backend_of(call), call.params
    if call.operation == "TagUser":
        there = backend.tagger.get_tag_dict_for_resource(backend.get_user(params["UserName"]).arn)
    elif call.operation == "TagRole":
        there = backend.get_role(params["RoleName"]).tags
    else:
        there = getattr(backend.managed_policies.get(params["PolicyArn"]), "tags", {})
    keys = {name.lower() for name in {**as_map(there), **as_map(params["Tags"])}}
    if len(keys) > TAGS:
        raise AwsError("LimitExceeded", "The number of tags has reached the maximum limit.", 409)


@refuses("iam", "AddUserToGroup")
def groups_of_a_user(call: Call) -> None:
    groups = [name.lower() for name in _groups_of(call, call.params["UserName"])]
    if call.params["GroupName"].lower() not in groups and len(groups) >= GROUPS:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for GroupsPerUser: {GROUPS}", 409)


def _groups_of(call: Call, user: str) -> list[str]:
    member = backend_of(call).users.get(user)
    return [one.name for one in backend_of(call).groups.values() if member in one.users]


@refuses("iam", "DeleteUser")
def a_user_with_belongings(call: Call) -> None:
    user = backend_of(call).users.get(call.params["UserName"])
    if user is None:
        return
    for what, has in (
        ("must delete policies first", user.policies),
        ("must detach all policies first", user.managed_policies),
        ("must remove users from group first", _groups_of(call, user.name)),
        ("must delete access keys first", user.access_keys),
        ("must delete MFA device first", user.mfa_devices),
        ("must delete signing certificates first", user.signing_certificates),
        ("must delete login profile first", user.password),
    ):
        if has:
            raise AwsError("DeleteConflict", f"Cannot delete entity, {what}.", 409)


@refuses("iam", "CreateAccountAlias")
def an_alias_of_somebody_else(call: Call) -> None:
    alias = call.params["AccountAlias"]
    if re.fullmatch(r"\d{12}", alias):
        raise AwsError("InvalidInput", "An account alias must not be a number of 12 digits.", 400)
    for account, partitions in list(iam_backends.items()):
        backend = partitions.get(call.partition)
        if account != call.account and backend and alias in backend.account_aliases:
            raise AwsError("EntityAlreadyExists", f"The account alias {alias} already exists.", 409)


@refuses("iam", "DeleteAccountAlias")
def an_alias_that_is_not_there(call: Call) -> None:
    alias = call.params["AccountAlias"]
    if alias not in backend_of(call).account_aliases:
        raise AwsError("NoSuchEntity", f"The Account Alias {alias} cannot be found.", 404)


@refuses("iam", "PutUserPolicy", "PutGroupPolicy")
def size_of_inline_policies(call: Call) -> None:
    """Of all together, without white space; roles have theirs in `iam.py`."""
    kind, backend = str(call.operation).removeprefix("Put").removesuffix("Policy"), backend_of(call)
    entity = (backend.users if kind == "User" else backend.groups).get(call.params[f"{kind}Name"])
    there = entity.policies if entity else {}
    texts = there | {call.params["PolicyName"]: call.params["PolicyDocument"]}
    if sum(len(re.sub(r"\s", "", text)) for text in texts.values()) > INLINE[kind]:
        message = f"Maximum policy size of {INLINE[kind]} bytes exceeded for {kind.lower()} {entity and entity.name}"
        raise AwsError("LimitExceeded", message, 409)


@refuses("iam", "UpdateUser", "UpdateGroup")
def names_that_are_taken(call: Call) -> None:
    """moto puts the one in the place of the other."""
    kind, backend = str(call.operation).removeprefix("Update"), backend_of(call)
    kept, new = backend.users if kind == "User" else backend.groups, call.params.get(f"New{kind}Name")
    if new and new in kept and kept[new] is not kept.get(call.params[f"{kind}Name"]):
        raise AwsError("EntityAlreadyExists", f"{kind} with name {new} already exists.", 409)


@refuses("iam", "EnableMFADevice")
def a_device_that_is_not_there(call: Call) -> None:
    """Devices of hardware have no ARN, and nobody knows them before."""
    serial = call.params["SerialNumber"]
    there = (one.serial_number for one in backend_of(call).virtual_mfa_devices.values())
    if serial.startswith("arn:") and serial not in there:
        raise AwsError("NoSuchEntity", f"VirtualMFADevice with serial number {serial} doesn't exist.", 404)


@refuses("iam", *CREATED_WITH_TAGS)
def keys_of_new_tags_know_no_case(call: Call) -> None:
    """moto looks at those of roles, policies and providers alone."""
    keys = [tag["Key"].lower() for tag in call.params.get("Tags") or []]
    if len(keys) != len(set(keys)):
        message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise AwsError("InvalidInput", message, 400)
