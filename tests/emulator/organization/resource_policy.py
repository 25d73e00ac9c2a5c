"""The resource-based delegation policy, by which the management account hands work on policies to members."""

import json
from typing import Any

from emulator.access import Demand, applies
from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.organization.structure import home, management
from emulator.policy import as_list, statements
from emulator.wire import Call

CHARACTERS = 40_000
# By organization.
_POLICIES: dict[str, dict[str, str]] = {}


def allows(call: Call, found: Any) -> bool:
    """Whether the policy lets the member call the operation; the type of policy is what it can be narrowed to."""
    kept = _POLICIES.get(found.org.id)
    given = call.params
    kind = given.get("Type") or given.get("PolicyType") or given.get("Filter")
    if kind is None and "PolicyId" in given:
        kind = next((policy.type for policy in found.policies if policy.id == given["PolicyId"]), None)
    context = {"organizations:policytype": [kind]} if kind else {}
    demand = Demand(f"organizations:{call.operation}", "*", context)
    verdicts = [
        statement["Effect"]
        for statement in statements(kept["Content"] if kept else None)
        if _names(statement.get("Principal"), call.account) and applies(statement | {"Resource": "*"}, demand)
    ]
    return "Allow" in verdicts and "Deny" not in verdicts


def _names(principal: Any, account: str) -> bool:
    names = as_list(principal.get("AWS")) if isinstance(principal, dict) else as_list(principal)
    return any(name == "*" or account in str(name) for name in names)


@handles("organizations", "PutResourcePolicy")
def put(call: Call, _: Forward) -> dict[str, Any]:
    found, text = home(call), call.params["Content"]
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not statements(text):
        raise AwsError("InvalidInputException", "INVALID_RESOURCE_POLICY_JSON: the policy is not valid.")
    if len(text) > CHARACTERS:
        raise AwsError("ConstraintViolationException", "You have exceeded the maximum size of a resource policy.")
    identity = f"rp-{found.org.id[2:]}"
    arn = f"arn:{call.partition}:organizations::{management(found)}:resourcepolicy/{found.org.id}/{identity}"
    _POLICIES[found.org.id] = {"Id": identity, "Arn": arn, "Content": text}
    return {"ResourcePolicy": _shown(found)}


@handles("organizations", "DescribeResourcePolicy")
def describe(call: Call, _: Forward) -> dict[str, Any]:
    return {"ResourcePolicy": _shown(home(call))}


@handles("organizations", "DeleteResourcePolicy")
def delete(call: Call, _: Forward) -> dict[str, Any]:
    found = home(call)
    _shown(found)
    del _POLICIES[found.org.id]
    return {}


def _shown(found: Any) -> dict[str, Any]:
    kept = _POLICIES.get(found.org.id)
    if kept is None:
        raise AwsError("ResourcePolicyNotFoundException", "We can't find a resource policy for the organization.")
    return {"ResourcePolicySummary": {"Id": kept["Id"], "Arn": kept["Arn"]}, "Content": kept["Content"]}
