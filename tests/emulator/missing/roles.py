"""Whether a role lets a service take it, which services ask when they are given one."""

from moto.iam.models import iam_backends

from emulator.policy import allows_service
from emulator.wire import Call


def trusts(call: Call, arn: str, service: str) -> bool | None:
    """Whether the role is there and lets the service in; None for a role of another account, which is not looked at."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[4] != call.account:
        return None
    for role in iam_backends[call.account][call.partition].roles.values():
        if role.arn == arn:
            return allows_service(role.assume_role_policy_document, service, "sts:AssumeRole")
    return False
