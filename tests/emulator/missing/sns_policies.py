"""What SNS takes for the policy of a topic ("Amazon SNS API permissions: Actions and resources reference")."""

import json
from typing import Any

from emulator import policy
from emulator.answers import AwsError

LARGEST, MOST_STATEMENTS, MOST_PRINCIPALS = 30 * 1024, 100, 200
ACTIONS = {
    f"sns:{name}".lower()
    for name in (
        "AddPermission",
        "DeleteTopic",
        "GetDataProtectionPolicy",
        "GetTopicAttributes",
        "ListSubscriptionsByTopic",
        "ListTagsForResource",
        "Publish",
        "PutDataProtectionPolicy",
        "Receive",
        "RemovePermission",
        "SetTopicAttributes",
        "Subscribe",
    )
}


def stored(text: str, topic: str) -> str:
    """The policy as SNS gives it back; raises AwsError for one that it refuses."""
    try:
        statements = policy.as_list(json.loads(text)["Statement"])
    except (ValueError, KeyError, TypeError):
        raise _refused("Policy Error: null") from None
    if not statements or len(statements) > MOST_STATEMENTS or len(text.encode()) > LARGEST:
        raise _refused("Policy Error: null" if not statements else "Policy is too large")
    sids = [one["Sid"] for one in statements if one.get("Sid")]
    if len(set(sids)) < len(sids):
        raise _refused("Policy statement id must be unique!")
    for one in statements:
        _check(one, topic)
    partition, account = topic.split(":")[1], topic.split(":")[4]
    if policy.unknown_principals(text, account, partition):
        raise _refused("Policy Error: PrincipalNotFound")
    return policy.stored(text, partition)


def _check(statement: dict[str, Any], topic: str) -> None:
    actions = [str(one).lower() for one in policy.as_list(statement.get("Action"))]
    if not actions or not set(actions) <= ACTIONS:
        raise _refused("Policy statement action out of service scope!")
    if policy.as_list(statement.get("Resource")) != [topic]:
        raise _refused("Policy Error: null")
    principal = statement.get("Principal")
    named = [one for names in principal.values() for one in policy.as_list(names)] if isinstance(principal, dict) else []
    if principal != "*" and not 1 <= len(named) <= MOST_PRINCIPALS:
        raise _refused("Policy Error: null")


def _refused(what: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {what}")
