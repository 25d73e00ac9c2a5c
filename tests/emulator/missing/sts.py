"""STS: the caller behind a key that nobody created."""

import json
from typing import Any
from urllib.parse import unquote

from emulator.answers import AwsError
from emulator.events.identity import session_began, user_identity
from emulator.identity import caller_arn
from emulator.missing import Forward, from_moto, handles
from emulator.policy import as_list
from emulator.wire import Call


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
    output = from_moto(call, forward)
    session_began(call, output["Credentials"]["AccessKeyId"])
    if call.params.get("SourceIdentity"):
        output["SourceIdentity"] = call.params["SourceIdentity"]
    return output


def _trust_policy(account: str, partition: str, name: str) -> dict[str, Any] | None:
    from moto.iam.models import iam_backends

    for role in iam_backends[account][partition].roles.values():
        if role.name == name:
            return json.loads(unquote(role.assume_role_policy_document))
    return None
