"""IAM: in policies that name a role or user as principal its unique id takes the place of its ARN when it is deleted.

So it is in trust policies and in the policies of keys, buckets, topics and queues, in whatever account; one that is
made anew under the same name is somebody else.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from emulator.answers import Answer
from emulator.missing import Forward, handles
from emulator.missing.iam import backend_of
from emulator.wire import Call


def forget(partition: str, arn: str, unique_id: str) -> None:
    """Writes the id where policies have the ARN."""
    old, new = json.dumps(arn), json.dumps(unique_id)
    for thing, name in _with_policies(partition):
        text = getattr(thing, name)
        plain = text.decode() if isinstance(text, bytes) else text
        if plain and old in plain:
            plain = plain.replace(old, new)
            setattr(thing, name, plain.encode() if isinstance(text, bytes) else plain)


def _with_policies(partition: str) -> Iterator[tuple[Any, str]]:
    """Everything with a policy that names principals, and the member that has it."""
    for role in _all("iam", partition, "roles"):
        yield role, "assume_role_policy_document"
    for service, name in (("s3", "buckets"), ("kms", "keys"), ("sns", "topics"), ("sqs", "queues")):
        for thing in _all(service, partition, name):
            yield thing, "policy"


def _all(service: str, partition: str, name: str) -> list[Any]:
    """What the service has in all accounts; nothing of one that nobody has called yet."""
    module = sys.modules.get(f"moto.{service}.models")
    accounts = list(getattr(module, f"{service}_backends").values()) if module else []
    found: list[Any] = []
    for backend in [backend for account in accounts for backend in list(account.values())]:
        if backend.partition == partition:
            found += getattr(backend, name).values()
    return found


@handles("iam", "DeleteUser")
def delete_user(call: Call, forward: Forward) -> Answer:
    user = backend_of(call).users.get(call.params["UserName"])
    answer = forward()
    if user is not None and answer.status < 300:
        forget(call.partition, user.arn, user.id)
    return answer
