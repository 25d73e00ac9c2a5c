"""IAM: which members an answer has, in what order; ARNs of another form. From recorded answers of AWS."""

import re
from typing import Any

from emulator.answers import AwsError
from emulator.identity import caller_arn
from emulator.missing import Forward, from_moto, handles, refuses
from emulator.missing.iam import backend_of, ensure_policy
from emulator.wire import Call

POLICY_ARN = r"arn:[^:]+:iam::(aws|\d{12}):policy/.+"
MOST_THUMBPRINTS = 5
# Members that lists leave out, and single reads have.
LEFT_OUT = {
    "ListPolicies": ("Policies", ("Description", "Tags")),
    "ListRoles": ("Roles", ("PermissionsBoundary", "RoleLastUsed", "Tags")),
    "ListUsers": ("Users", ("PermissionsBoundary", "Tags")),
}


@handles("iam", *LEFT_OUT)
def lists(call: Call, forward: Forward) -> dict[str, Any]:
    rows, names = LEFT_OUT[str(call.operation)]
    answer = from_moto(call, forward)
    for row in answer.get(rows, []):
        for name in names:
            row.pop(name, None)
    return answer


@handles("iam", "CreatePolicyVersion")
def create_version(call: Call, forward: Forward) -> dict[str, Any]:
    answer = from_moto(call, forward)
    answer["PolicyVersion"].pop("Document", None)
    return answer


@handles("iam", "ListPolicyVersions")
def versions(call: Call, forward: Forward) -> dict[str, Any]:
    """The newest first, without their text."""
    ensure_policy(call, call.params["PolicyArn"])
    answer = from_moto(call, forward)
    for row in answer["Versions"]:
        row.pop("Document", None)
    return answer | {"Versions": sorted(answer["Versions"], key=_number, reverse=True)}


def _number(row: dict[str, Any]) -> int:
    return int(row["VersionId"].removeprefix("v"))


@refuses("iam", "AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy")
def arn_of_a_policy(call: Call) -> None:
    arn = call.params["PolicyArn"]
    if not re.fullmatch(POLICY_ARN, arn):
        raise AwsError("ValidationError", f"ARN {arn} is not valid.", 400)


@refuses("iam", "CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary")
def arn_of_a_boundary(call: Call) -> None:
    arn = call.params.get("PermissionsBoundary")
    if arn is not None and not re.fullmatch(POLICY_ARN, arn):
        raise AwsError("InvalidInput", f"ARN {arn} is not valid.", 400)


@refuses("iam", "GetAccessKeyLastUsed")
def a_key_of_nobody(call: Call) -> None:
    """Whether it exists in another account is told to nobody."""
    key = call.params["AccessKeyId"]
    if backend_of(call).get_user_from_access_key_id(key) is None:
        action = "iam:GetAccessKeyLastUsed"
        message = f"User: {caller_arn(call)} is not authorized to perform {action} on resource: access key {key}"
        raise AwsError("AccessDenied", message, 403)


@refuses("iam", "CreateOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint")
def thumbprints(call: Call) -> None:
    if len(call.params.get("ThumbprintList") or []) > MOST_THUMBPRINTS:
        raise AwsError("InvalidInput", f"Thumbprint list must contain fewer than {MOST_THUMBPRINTS} entries.", 400)


@refuses("iam", "DeleteOpenIDConnectProvider")
def a_provider_that_is_not_there(call: Call) -> None:
    arn = call.params["OpenIDConnectProviderArn"]
    if arn not in backend_of(call).open_id_providers:
        raise AwsError("NoSuchEntity", f"OpenId connect Provider {arn} cannot be found.", 404)
