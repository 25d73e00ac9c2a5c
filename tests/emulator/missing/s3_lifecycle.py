"""S3: rules of a life cycle that it refuses ("Lifecycle configuration elements", and recorded answers)."""

from datetime import datetime
from typing import Any

from emulator.answers import AwsError

MOST = 1000
ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionTransitions",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
)
# Downhill alone; the first and the third keep an object for a month at least.
CLASSES = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
MONTH = ("STANDARD_IA", "ONEZONE_IA")
# The action, and the member that says for how long; not of transitions.
POSITIVE = {
    "Expiration": ("Days",),
    "NoncurrentVersionExpiration": ("NoncurrentDays", "NewerNoncurrentVersions"),
    "AbortIncompleteMultipartUpload": ("DaysAfterInitiation",),
}
SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")


def check(rules: list[dict[str, Any]]) -> None:
    if len(rules) > MOST:
        raise _malformed()
    for rule in rules:
        _check_rule(rule)
        _check_filter(rule)
        for action, field in (("Transition", "Days"), ("NoncurrentVersionTransition", "NoncurrentDays")):
            _check_transitions(rule.get(f"{action}s", []), action, field)
        _check_expiration(rule)


def _check_rule(rule: dict[str, Any]) -> None:
    if len(rule.get("ID") or "") > 255:
        raise _argument("ID length should not exceed allowed limit of 255")
    if not any(name in rule for name in ACTIONS):
        raise _request("At least one action needs to be specified in a rule")
    for action, fields in POSITIVE.items():
        for field in fields:
            if (rule.get(action) or {}).get(field, 1) <= 0:
                raise _argument(f"'{field}' for {action} action must be a positive integer")
    if (rule.get("NoncurrentVersionExpiration") or {}).get("NewerNoncurrentVersions", 1) > 100:
        raise _argument("'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be at most 100")


def _check_filter(rule: dict[str, Any]) -> None:
    found = rule.get("Filter") or {}
    both = found.get("And") or {}
    if "And" in found and len(both.get("Tags", [])) + len(set(both) - {"Tags"}) < 2:
        raise _malformed()
    if all(name in both for name in SIZES) and both[SIZES[1]] <= both[SIZES[0]]:
        raise _request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
    tagged = "Tag" in found or bool(both.get("Tags"))
    for action, name in (
        ("AbortIncompleteMultipartUpload", "AbortIncompleteMultipartUpload"),
        ("Expiration", "ExpiredObjectDeleteMarker"),
    ):
        if tagged and (action == name and action in rule or name in (rule.get(action) or {})):
            raise _request(f"{name} cannot be specified with Tags")


def _check_transitions(transitions: list[dict[str, Any]], action: str, field: str) -> None:
    classes = [one.get("StorageClass") for one in transitions]
    if len(set(classes)) < len(classes):
        raise _request(f"'StorageClass' must be different for '{action}' actions in same 'Rule'")
    for one in transitions:
        if (field in one) == ("Date" in one):
            raise _malformed()
        if one.get(field, 0) < 0:
            raise _argument(f"'{field}' in {action} action must be nonnegative")
        if one["StorageClass"] in MONTH and one.get(field, 30) < 30:
            raise _argument(
                f"'{field}' in {action} action must be greater than or equal to 30 for storageClass "
                f"'{one['StorageClass']}'"
            )
    if len({"Date" in one for one in transitions}) > 1:
        raise _request("Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule")
    unit = "Date" if transitions and "Date" in transitions[0] else field
    downhill = sorted((one for one in transitions if one["StorageClass"] in CLASSES), key=_depth)
    for before, after in zip(downhill, downhill[1:], strict=False):
        if after[unit] <= before[unit]:
            raise _argument(
                f"'{unit}' in the {action} action for StorageClass '{after['StorageClass']}' must be greater than "
                f"'{unit}' in the {action} action for StorageClass '{before['StorageClass']}'"
            )


def _depth(transition: dict[str, Any]) -> int:
    return CLASSES.index(transition["StorageClass"])


def _check_expiration(rule: dict[str, Any]) -> None:
    expiration, transitions = rule.get("Expiration", {}), rule.get("Transitions", [])
    if "Expiration" in rule and len(expiration) != 1:
        # Days, a date or marks of deleted objects; even a mark that is false stands beside nothing.
        raise _malformed()
    for mine, other in (("Days", "Date"), ("Date", "Days")):
        if mine in expiration and any(other in one for one in transitions):
            raise _request("Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule")
        if mine in expiration and any(expiration[mine] <= one[mine] for one in transitions):
            raise _argument(
                f"'{mine}' in the Expiration action must be greater than '{mine}' in the Transition action"
            )
    dates = [expiration.get("Date"), *(one.get("Date") for one in transitions)]
    for date in dates:
        if isinstance(date, datetime) and (date.hour, date.minute, date.second) != (0, 0, 0):
            raise _argument("'Date' must be at midnight GMT")


def _malformed() -> AwsError:
    return AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate", 400)


def _argument(message: str) -> AwsError:
    return AwsError("InvalidArgument", message, 400)


def _request(message: str) -> AwsError:
    return AwsError("InvalidRequest", message, 400)
