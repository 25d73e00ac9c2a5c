"""Sessions of a member's root user: sts:AssumeRoot, and what IAM then does without a user's name.

IAM User Guide, "Centrally manage root access for member accounts": the management account or IAM's delegated
administrator asks for one of five tasks, for at most 15 minutes; the session may do what the task's policy leaves.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.moto_api._internal import mock_random

from emulator.answers import AwsError
from emulator.events.identity import session_began
from emulator.identity import caller_arn, root_keys
from emulator.missing import Forward, handles, iam
from emulator.organization import root_features
from emulator.organization.structure import home_of, may_administer
from emulator.wire import Call

TASKS = (
    "IAMAuditRootUserCredentials",
    "IAMCreateRootUserPassword",
    "IAMDeleteRootUserCredentials",
    "S3UnlockBucketPolicy",
    "SQSUnlockQueuePolicy",
)
LONGEST = 900
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# The task's policy by access key.
_TASKS: dict[str, str] = {}


def task_of(call: Call) -> str | None:
    """The policy of the task when the caller is a member's root user."""
    return _TASKS.get(call.access_key or "")


@handles("sts", "AssumeRoot")
def assume_root(call: Call, _: Forward) -> dict[str, Any]:
    given = call.params
    target = str(given["TargetPrincipal"])
    member = target.split(":")[4] if target.startswith("arn:") else target
    if call.access_key in root_keys or not _may(call, member):
        raise AwsError(
            "AccessDenied",
            f"User: {caller_arn(call)} is not authorized to perform: sts:AssumeRoot on resource: "
            f"arn:{call.partition}:iam::{member}:root",
            403,
        )
    arn = given["TaskPolicyArn"].get("arn", "")
    name = arn.rpartition("/")[2]
    if arn != f"arn:{call.partition}:iam::aws:policy/root-task/{name}" or name not in TASKS:
        raise AwsError("ValidationError", f"{arn} is not a task policy of the root user.")
    key = f"ASIA{member}{''.join(mock_random.choice(LETTERS) for _ in range(4))}"
    root_keys[key] = f"arn:{call.partition}:iam::{member}:root"
    _TASKS[key] = json.dumps(iam.aws_policies()[name]["Document"])
    session_began(call, key)
    seconds = given.get("DurationSeconds") or LONGEST
    return {
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": "".join(mock_random.choice(LETTERS) for _ in range(40)),
            "SessionToken": "".join(mock_random.choice(LETTERS) for _ in range(200)),
            "Expiration": datetime.now(UTC) + timedelta(seconds=seconds),
        }
    }


def _may(call: Call, member: str) -> bool:
    """Whether root sessions are on, the caller may open them, and the target is a member."""
    found = home_of(call.account, call.partition)
    return (
        found is not None
        and "RootSessions" in root_features.of(found)
        and may_administer(call, root_features.SERVICE)
        and member != found.org.master_account_id
        and any(account.id == member for account in found.accounts)
    )
