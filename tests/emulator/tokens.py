"""Idempotency tokens: a call that is repeated with its token, as SDKs do when an answer was lost, is answered as at first.

For every operation whose API model has such a token, whoever answers it. The same token with other parameters is for the
operation itself to refuse, where the shelf or a handler does; for EC2, which moto answers, it is refused here.
"""

from collections import OrderedDict
from typing import Any

from emulator.answers import Answer, AwsError
from emulator.wire import Call

# Where the member is no such token: a second file system with it is refused, and versions of secrets are named by it.
OF_ANOTHER_KIND = {("efs", "CreateFileSystem")}
SERVICES_OF_ANOTHER_KIND = {"secretsmanager"}
MOST = 10_000

# By account, Region, operation and token: the other parameters, and the answer.
_ANSWERED: OrderedDict[tuple[Any, ...], tuple[dict[str, Any], Answer]] = OrderedDict()


def answered(call: Call) -> Answer | None:
    """The answer to the same call with the same token."""
    at = _place(call)
    if at is None or at not in _ANSWERED:
        return None
    asked, answer = _ANSWERED[at]
    if asked == _others(call):
        return answer
    if call.service == "ec2":
        message = "The client token was used before, with other parameters."
        raise AwsError("IdempotentParameterMismatch", message)
    return None


def remember(call: Call, answer: Answer) -> None:
    at = _place(call)
    if at is not None and answer.status < 300:
        _ANSWERED.setdefault(at, (_others(call), answer))
        if len(_ANSWERED) > MOST:
            _ANSWERED.popitem(last=False)


def _place(call: Call) -> tuple[Any, ...] | None:
    if call.model is None or call.service in SERVICES_OF_ANOTHER_KIND:
        return None
    name = next(iter(call.model.idempotent_members), None)
    token = call.params.get(name) if name else None
    if not token or (call.service, call.operation) in OF_ANOTHER_KIND:
        return None
    return call.account, call.region, call.service, call.operation, token


def _others(call: Call) -> dict[str, Any]:
    tokens = call.model.idempotent_members
    return {name: value for name, value in call.params.items() if name not in tokens}
