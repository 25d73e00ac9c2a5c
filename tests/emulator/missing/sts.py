"""STS: the caller behind a key that nobody created."""

from typing import Any

from emulator.identity import caller_arn
from emulator.missing import Forward, from_moto, handles
from emulator.wire import Call


@handles("sts", "GetCallerIdentity")
def get_caller_identity(call: Call, forward: Forward) -> dict[str, Any]:
    """moto answers `arn:aws:sts::ACCOUNT:user/moto`, which is no ARN of a user."""
    return from_moto(call, forward) | {"Arn": caller_arn(call), "Account": call.account}
