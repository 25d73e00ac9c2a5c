"""STS: the caller behind a key that nobody created."""

from typing import Any
from urllib.parse import unquote

from emulator import grammar
from emulator.answers import AwsError
from emulator.events.identity import session_began, user_identity
from emulator.events.permission import account_may
from emulator.identity import caller_arn
from emulator.missing import Forward, from_moto, handles
from emulator.organization.structure import home_of
from emulator.wire import Call

HOUR = 3600


@handles("sts", "GetCallerIdentity")
def get_caller_identity(call: Call, forward: Forward) -> dict[str, Any]:
    """moto answers `arn:aws:sts::ACCOUNT:user/moto`, which is no ARN of a user."""
    user_id = user_identity(call)["principalId"]
    return from_moto(call, forward) | {"Arn": caller_arn(call), "Account": call.account, "UserId": user_id}


@handles("sts", "AssumeRole")
def assume_role(call: Call, forward: Forward) -> dict[str, Any]:
    """moto lets everybody take every role; where the role is there, its trust policy is asked."""
    parts = str(call.params.get("RoleArn", "")).split(":")
    _check_trust(call, parts)
    _check_session(call, parts)
    output = from_moto(call, forward)
    session_began(call, output["Credentials"]["AccessKeyId"])
    if call.params.get("SourceIdentity"):
        output["SourceIdentity"] = call.params["SourceIdentity"]
    return output


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
    needed += ["sts:SetSourceIdentity"] if call.params.get("SourceIdentity") else []
    context, caller = {"sts:RoleSessionName": call.params["RoleSessionName"]}, caller_arn(call)
    for member in ("ExternalId", "SourceIdentity"):
        context |= {f"sts:{member}": call.params[member]} if member in call.params else {}
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
