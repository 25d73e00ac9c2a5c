"""The effective policy of an account: what the root, the units and the account itself say, merged from top to bottom.

Organizations User Guide, "Inheritance operators" and "Inheritance examples". Two things are not settled there: whether
what a node allows to child policies also binds the nodes below it (here it does), and error codes of policies that
are not valid beside the one that the API reference names.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.organization import structure
from emulator.organization.content import CONTROL, VALUES
from emulator.organization.structure import attached, home, home_of, management, path
from emulator.wire import Call

EVERYTHING = frozenset(VALUES)
# How many elements an effective policy may hold at a path.
MOST = {("DECLARATIVE_POLICY_EC2", ("ec2_attributes", "allowed_images_settings", "image_criteria")): 10}


@dataclass
class Setting:
    """The value at one path of the effective policy, and where it comes from."""

    value: Any
    level: int
    policies: list[str]


@dataclass
class Merge:
    """The state of a merge: the settings so far, and what child policies may still do at a path and below it."""

    settings: dict[tuple[str, ...], Setting] = field(default_factory=dict)
    limits: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    policies: list[str] = field(default_factory=list)
    # The keys of tag policies know no case ("Tag policy syntax"); the first spelling is kept.
    spellings: dict[str, str] = field(default_factory=dict)

    def level(self, number: int, policies: list[Any]) -> None:
        """Merges the policies of one entity, which do not bind each other: the first that assigns wins."""
        limits: dict[tuple[str, ...], frozenset[str]] = {}
        for policy in policies:
            self.policies.append(policy.id)
            self._node(json.loads(policy.content), (), EVERYTHING, number, policy.id, limits)
        for where, allowed in limits.items():
            self.limits[where] = self.limits.get(where, EVERYTHING) & allowed

    def _node(
        self,
        node: dict[str, Any],
        where: tuple[str, ...],
        allowed: frozenset[str],
        level: int,
        policy: str,
        limits: dict[tuple[str, ...], frozenset[str]],
    ) -> None:
        allowed &= self.limits.get(where, EVERYTHING)
        if CONTROL in node:
            limits[where] = limits.get(where, EVERYTHING) & _operators(node[CONTROL])
        for operator in VALUES:
            if operator in node and operator in allowed:
                self._set(where, operator, node[operator], level, policy)
        for name, child in node.items():
            if not name.startswith("@@"):
                name = self.spellings.setdefault(name.lower(), name) if where == ("tags",) else name
                self._node(child, (*where, name), allowed, level, policy, limits)

    def _set(self, where: tuple[str, ...], operator: str, value: Any, level: int, policy: str) -> None:
        now = self.settings.get(where)
        if operator == "@@assign":
            if now is None or now.level < level:
                self.settings[where] = Setting(value, level, [policy])
            return
        before = now.value if now and isinstance(now.value, list) else []
        by = [*now.policies, policy] if now else [policy]
        if operator == "@@append":
            self.settings[where] = Setting(before + [one for one in value if one not in before], level, by)
        elif now is not None:
            self.settings[where] = Setting([one for one in before if one not in value], level, by)

    def document(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for where, setting in self.settings.items():
            node = made
            for name in where[:-1]:
                node = node.setdefault(name, {})
            node[where[-1]] = setting.value
        return made


def _operators(names: list[str]) -> frozenset[str]:
    return EVERYTHING if "@@all" in names else frozenset(names) & EVERYTHING


def merged(found: Any, account: str, policy_type: str) -> Merge | None:
    """The merge of all policies of the type that reach the account; None when there is none."""
    known = structure.account_in(found, account)
    if known is None or not structure.enabled(found, policy_type):
        return None
    merge = Merge()
    for number, entity in enumerate(path(found, known)):
        merge.level(number, attached(entity, policy_type))
    return merge if merge.policies else None


def effective(account: str, policy_type: str, partition: str = "aws") -> dict[str, Any] | None:
    """The document that is in force in the account; one that is not valid is not."""
    found = home_of(account, partition)
    merge = merged(found, account, policy_type) if found else None
    return merge.document() if merge and not problems(merge, policy_type) else None


def problems(merge: Merge, policy_type: str) -> list[dict[str, Any]]:
    """Why the effective policy is not valid."""
    made = []
    for (kind, where), most in MOST.items():
        setting = merge.settings.get(where) if kind == policy_type else None
        count = len(setting.value) if setting and isinstance(setting.value, (list, dict)) else 0
        below = {key[len(where)]: one for key, one in merge.settings.items() if key[: len(where)] == where != key}
        if max(count, len(below)) > most:
            by = setting.policies if setting else sorted({name for one in below.values() for name in one.policies})
            made.append(
                {
                    "ErrorCode": "ELEMENTS_TOO_MANY",
                    "ErrorMessage": f"There are more than {most} elements at {'/'.join(where)}.",
                    "PathToError": "/".join(where),
                    "ContributingPolicies": by,
                }
            )
    return made


@handles("organizations", "DescribeEffectivePolicy")
def describe(call: Call, _: Forward) -> dict[str, Any]:
    found, kind = home(call), call.params["PolicyType"]
    account = call.params.get("TargetId") or call.account
    if account != call.account and call.account != management(found) and not structure.delegations(found, call.account):
        raise structure.denied()
    if not account.isdigit():
        structure.target(found, account)
        raise AwsError(
            "InvalidInputException",
            "You can't perform the specified operation on that target entity.",
            more={"Reason": "TARGET_NOT_SUPPORTED"},
        )
    structure.target(found, account)
    merge = merged(found, account, kind)
    if merge is None:
        raise _none()
    policy = {
        "PolicyContent": json.dumps(merge.document(), separators=(",", ":")),
        "LastUpdatedTimestamp": datetime.now(UTC),
        "TargetId": account,
        "PolicyType": kind,
    }
    return {"EffectivePolicy": policy}


@handles("organizations", "ListEffectivePolicyValidationErrors")
def list_errors(call: Call, _: Forward) -> dict[str, Any]:
    found, account, kind = home(call), call.params["AccountId"], call.params["PolicyType"]
    known = structure.known_account(found, account)
    merge = merged(found, account, kind)
    if merge is None:
        raise _none()
    return {
        "AccountId": account,
        "PolicyType": kind,
        "Path": "/".join([found.org.id, *[one.id for one in path(found, known)]]) + "/",
        "EvaluationTimestamp": datetime.now(UTC),
        "EffectivePolicyValidationErrors": problems(merge, kind),
    }


@handles("organizations", "ListAccountsWithInvalidEffectivePolicy")
def list_invalid(call: Call, _: Forward) -> dict[str, Any]:
    found, kind = home(call), call.params["PolicyType"]
    if not structure.enabled(found, kind):
        raise _none()
    merges = [(account, merged(found, account.id, kind)) for account in found.accounts]
    accounts = [account.describe() for account, merge in merges if merge and problems(merge, kind)]
    return {"Accounts": accounts, "PolicyType": kind}


def _none() -> AwsError:
    return AwsError(
        "EffectivePolicyNotFoundException",
        "The policy type is not enabled, or the account has no effective policy of this type.",
    )
