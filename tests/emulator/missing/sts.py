"""STS: the caller behind a key that nobody created."""

import json
from typing import Any
from urllib.parse import unquote

from emulator import grammar
from emulator.answers import AwsError
from emulator.events.identity import session_began, user_identity
from emulator.identity import caller_arn
from emulator.missing import Forward, from_moto, handles
from emulator.policy import as_list
from emulator.wire import Call

HOUR = 3600


@handles("sts", "GetCallerIdentity")
def get_caller_identity(call: Call, forward: Forward) -> dict[str, Any]:
    """moto answers `arn:aws:sts::ACCOUNT:user/moto`, which is no ARN of a user."""
    user_id = user_identity(call)["principalId"]
    return from_moto(call, forward) | {"Arn": caller_arn(call), "Account": call.account, "UserId": user_id}


@handles("sts", "AssumeRole")
def assume_role(call: Call, forward: Forward) -> dict[str, Any]:
    """moto lets everybody take every role; where the role is there, its external id must be given."""
    arn = str(call.params.get("RoleArn", ""))
    parts = arn.split(":")
    if len(parts) == 6 and (trust := _trust_policy(parts[4], parts[1], parts[5].rpartition("/")[2])):
        wanted = [
            condition["sts:ExternalId"]
            for statement in as_list(trust["Statement"])
            for condition in [statement.get("Condition", {}).get("StringEquals", {})]
            if "sts:ExternalId" in condition
        ]
        if wanted and call.params.get("ExternalId") not in wanted:
            message = f"User: {caller_arn(call)} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise AwsError("AccessDenied", message, 403)
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


def _trust_policy(account: str, partition: str, name: str) -> dict[str, Any] | None:
    role = _role(account, partition, name)
    return json.loads(unquote(role.assume_role_policy_document)) if role else None


def _role(account: str, partition: str, name: str) -> Any:
    from moto.iam.models import iam_backends

    return next((role for role in iam_backends[account][partition].roles.values() if role.name == name), None)
