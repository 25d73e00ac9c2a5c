"""What resource policies let AWS services and other accounts do: of queues, topics, event buses and keys.

Unlike `emulator.policy`, conditions are judged. A condition that is not known here lets nobody in, and is named on
stderr, so that the emulator is never kinder than AWS.
"""

import fnmatch
import sys
from typing import Any

from moto.utilities.utils import PARTITION_NAMES

from emulator.policy import as_list, statements

Context = dict[str, str]


def service_may(policy: str | None, service: str, action: str, resource: str, context: Context) -> bool:
    """Whether the policy alone lets the service, such as `events.amazonaws.com`, do the action."""

    def named(principal: Any) -> bool:
        if principal == "*":
            return True
        if not isinstance(principal, dict):
            return False
        return principal.get("AWS") == "*" or service in as_list(principal.get("Service"))

    known = OF_SERVICES | _organization("aws:SourceOrgID", context.get("aws:SourceAccount")) | context
    return _deciding(policy, action, resource, known, named) is not None


def _organization(key: str, account: str | None) -> Context:
    """The organization that the account is in, as the value of the key."""
    from emulator.organization.structure import home_of

    found = next((one for name in PARTITION_NAMES if account and (one := home_of(account, name))), None)
    return {key: found.org.id} if found else {}


def key_serves(key: str, arn: str, service: str, context: Context) -> bool:
    """Whether the key that encrypts the queue or topic serves a service that sends there.

    AWS's own keys let no other service use them; a key of the account does by its policy.
    """
    from moto.kms.models import kms_backends

    _, _, _, region, account, _ = arn.split(":")
    backend = kms_backends[account][region]
    try:
        found = backend.keys[backend.any_id_to_key_id(key)]
    except (KeyError, AttributeError):
        return False
    if found.key_manager == "AWS" or not found.enabled:
        return False
    actions = ("kms:GenerateDataKey", "kms:Decrypt")
    return all(service_may(found.policy, service, action, found.arn, context) for action in actions)


def account_may(policy: str | None, account: str, action: str, resource: str, context: Context | None = None) -> bool:
    """Whether the policy lets callers of the account do the action (one role of it counts as the account)."""
    return granting(policy, account, action, resource, context or {}) is not None


def granting(policy: str | None, account: str, action: str, resource: str, context: Context) -> dict[str, Any] | None:
    """The statement that lets the account do the action; None when there is none, or one that denies it."""

    def named(principal: Any) -> bool:
        if principal == "*":
            return True
        names = as_list(principal.get("AWS")) if isinstance(principal, dict) else []
        owners = [str(name).split(":")[4] if ":" in str(name) else str(name) for name in names]
        return any(owner in ("*", account) for owner in owners)

    known = {"aws:principalaccount": account, "aws:sourceowner": account, "aws:principalisawsservice": "false"}
    known |= OF_ALL | _organization("aws:PrincipalOrgID", account) | context
    return _deciding(policy, action, resource, known, named)


def _deciding(policy: str | None, action: str, resource: str, context: Context, named: Any) -> dict[str, Any] | None:
    known = {name.lower(): value for name, value in context.items()}
    allowing = None
    for statement in statements(policy):
        if not _about(statement, action, resource) or not named(statement.get("Principal")):
            continue
        if statement.get("Effect") == "Deny":
            # A condition that cannot be judged denies.
            if _holds(statement.get("Condition") or {}, known, unknown=True):
                return None
        elif _holds(statement.get("Condition") or {}, known, unknown=False):
            allowing = allowing or statement
    return allowing


def _about(statement: dict[str, Any], action: str, resource: str) -> bool:
    """Without a resource a statement is about whatever it hangs on, but for a key's, which then has no effect."""
    actions = [str(one).lower() for one in as_list(statement.get("Action"))]
    resources = [str(one) for one in as_list(statement.get("Resource"))]
    of_whatever = not resources and not action.startswith("kms:")
    return any(fnmatch.fnmatchcase(action.lower(), one) for one in actions) and (
        of_whatever or any(fnmatch.fnmatchcase(resource, one) for one in resources)
    )


COMPARE = {
    "stringequals": lambda want, have: want == have,
    "stringequalsignorecase": lambda want, have: want.lower() == have.lower(),
    "stringlike": lambda want, have: fnmatch.fnmatchcase(have, want),
    "arnequals": lambda want, have: fnmatch.fnmatchcase(have, want),
    "arnlike": lambda want, have: fnmatch.fnmatchcase(have, want),
    "bool": lambda want, have: want.lower() == have.lower(),
    "numericequals": lambda want, have: float(have) == float(want),
    "numericlessthan": lambda want, have: float(have) < float(want),
    "numericlessthanequals": lambda want, have: float(have) <= float(want),
    "numericgreaterthan": lambda want, have: float(have) > float(want),
    "numericgreaterthanequals": lambda want, have: float(have) >= float(want),
}
# How everybody comes: over the newest TLS.
OF_ALL = {"aws:securetransport": "true", "s3:tlsversion": "1.3"}
OF_SERVICES = OF_ALL | {"aws:principalisawsservice": "true"}


def _holds(conditions: dict[str, Any], known: Context, unknown: bool) -> bool:
    return all(
        _one(operator, key, [_text(value) for value in as_list(values)], known, unknown)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one(operator: str, key: str, values: list[str], known: Context, unknown: bool) -> bool:
    plain = operator.lower()
    optional = plain.endswith("ifexists")
    plain = plain.removesuffix("ifexists")
    negated = "not" in plain
    have = known.get(key.lower())
    if plain == "null":
        return (have is None) == (values[0] == "true")
    compare = COMPARE.get(plain.replace("not", ""))
    if compare is None:
        print(f"emulator: the condition operator {operator} is not judged", file=sys.stderr)
        return unknown
    if have is None:
        return optional or negated
    return any(compare(want, have) for want in values) != negated
