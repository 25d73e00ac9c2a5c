"""STS: the caller behind a key that nobody created, and sessions of roles and users."""

from typing import Any
from urllib.parse import unquote

from moto.moto_api._internal import mock_random

from emulator import grammar
from emulator.answers import AwsError
from emulator.events.identity import session_began, session_of, user_identity
from emulator.events.permission import account_may
from emulator.identity import caller_arn, federated_keys, root_keys
from emulator.missing import Forward, from_moto, handles
from emulator.organization.structure import home_of
from emulator.wire import Call

HOUR = 3600
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@handles("sts", "GetCallerIdentity")
def get_caller_identity(call: Call, forward: Forward) -> dict[str, Any]:
    """moto answers `arn:aws:sts::ACCOUNT:user/moto`, which is no ARN of a user."""
    user_id = user_identity(call)["principalId"]
    return from_moto(call, forward) | {"Arn": caller_arn(call), "Account": call.account, "UserId": user_id}


@handles("sts", "AssumeRole")
def assume_role(call: Call, forward: Forward) -> dict[str, Any]:
    """moto lets everybody take every role; where the role is there, its trust policy is asked."""
    parts = str(call.params.get("RoleArn", "")).split(":")
    _check_source_identity(call)
    _check_trust(call, parts)
    _check_session(call, parts)
    output = from_moto(call, forward)
    session_began(call, output["Credentials"]["AccessKeyId"])
    if call.params.get("SourceIdentity"):
        output["SourceIdentity"] = call.params["SourceIdentity"]
    return output


@handles("sts", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
def assume_role_from_outside(call: Call, forward: Forward) -> dict[str, Any]:
    output = from_moto(call, forward)
    session_began(call, output["Credentials"]["AccessKeyId"])
    return output


@handles("sts", "GetSessionToken", "GetFederationToken")
def session_of_a_user(call: Call, forward: Forward) -> dict[str, Any]:
    """moto gives everybody the same key, which is nobody's."""
    if call.access_key in root_keys or user_identity(call)["type"] != "IAMUser" or session_of(call):
        raise AwsError("AccessDenied", f"Cannot call {call.operation} with session credentials", 403)
    output = from_moto(call, forward)
    key = f"ASIA{call.account}{''.join(mock_random.choice(LETTERS) for _ in range(4))}"
    output["Credentials"]["AccessKeyId"] = key
    session_began(call, key)
    if call.operation == "GetFederationToken":
        name = call.params["Name"]
        arn = f"arn:{call.partition}:sts::{call.account}:federated-user/{name}"
        federated_keys[key] = arn
        output["FederatedUser"] = {"FederatedUserId": f"{call.account}:{name}", "Arn": arn}
    return output


def _check_source_identity(call: Call) -> None:
    """Once it is set it goes on through all roles that are taken, and cannot be another one."""
    before = (session_of(call) or {}).get("sourceIdentity")
    if before and call.params.get("SourceIdentity", before) != before:
        message = f"User: {caller_arn(call)} is not authorized to perform: sts:SetSourceIdentity: it is {before} already"
        raise AwsError("AccessDenied", message, 403)


def _check_session(call: Call, parts: list[str]) -> None:
    """How long it may last, and whether its policy is one."""
    seconds = call.params.get("DurationSeconds", HOUR)
    if seconds > HOUR and user_identity(call)["type"] == "AssumedRole":
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        raise AwsError("ValidationError", message)
    role = _role(parts[4], parts[1], parts[5].rpartition("/")[2]) if len(parts) == 6 else None
    if role is not None and seconds > int(role.max_session_duration or HOUR):
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise AwsError("ValidationError", message)
    if "Policy" in call.params and (problem := grammar.problem(call.params["Policy"], ("Action", "Resource"))):
        raise AwsError("MalformedPolicyDocument", problem)


def _check_trust(call: Call, parts: list[str]) -> None:
    """The caller's account may take the role, and what the session brings with it: its tags and its source identity."""
    role = _role(parts[4], parts[1], parts[5].rpartition("/")[2]) if len(parts) == 6 else None
    # Who takes a service's own role in a test stands for the service.
    if role is None or "/aws-service-role/" in role.arn:
        return
    needed = ["sts:AssumeRole"]
    needed += ["sts:TagSession"] if call.params.get("Tags") else []
    source = call.params.get("SourceIdentity") or (session_of(call) or {}).get("sourceIdentity")
    needed += ["sts:SetSourceIdentity"] if source else []
    context, caller = {"sts:RoleSessionName": call.params["RoleSessionName"]}, caller_arn(call)
    context |= {"sts:ExternalId": call.params["ExternalId"]} if "ExternalId" in call.params else {}
    context |= {"sts:SourceIdentity": source} if source else {}
    for tag in call.params.get("Tags") or []:
        context[f"aws:RequestTag/{tag['Key']}"] = tag["Value"]
    context["aws:PrincipalArn"] = caller
    if (found := home_of(call.account, call.partition)) is not None:
        context["aws:PrincipalOrgID"] = found.org.id
    trust = unquote(role.assume_role_policy_document)
    for action in needed:
        if not account_may(trust, call.account, action, role.arn, context):
            message = f"User: {caller} is not authorized to perform: {action} on resource: {role.arn}"
            raise AwsError("AccessDenied", message, 403)


def _role(account: str, partition: str, name: str) -> Any:
    from moto.iam.models import iam_backends

    return next((role for role in iam_backends[account][partition].roles.values() if role.name == name), None)
