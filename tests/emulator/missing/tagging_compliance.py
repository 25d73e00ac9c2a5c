"""Compliance with tag policies: of each resource that has tags, and counted for an organization.

Resource Groups Tagging API reference, "ComplianceDetails", "Summary" and "GetComplianceSummary"; Organizations User
Guide, "Tag policy syntax": lower case where no key is given, any value where none is. Not verified: that a
summary by nothing is of the root, that what has no noncompliant resources is left out, that a resource must have all
keys of `TagKeyFilters`. AWS evaluates within 48 hours, here at once.
"""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.resource_tagging import match_resource_type

from emulator.missing.tagging import Resource, resources
from emulator.organization.effective import effective
from emulator.organization.structure import account_in, home_of, path
from emulator.wire import Call

GLOBAL = ("aws", "aws-cn", "aws-us-gov", "global")


def details(policy: dict[str, Any] | None, one: Resource) -> dict[str, Any]:
    """What is wrong with the tags of a resource, as the API has it: keys in another case, values, required keys."""
    case, values, missing = [], [], []
    for name, node in ((policy or {}).get("tags") or {}).items():
        right = node.get("tag_key", name.lower())
        sent = [key for key in one.tags if key.lower() == name.lower()]
        other = [key for key in sent if key != right]
        allowed = node.get("tag_value")
        wrong = allowed is not None and not all(any(_like(form, one.tags[key]) for form in allowed) for key in sent)
        case += other
        values += [right] if other or wrong else []
        wanted = {one.kind, f"{one.kind.partition(':')[0]}:ALL_SUPPORTED"} & set(node.get("report_required_tag_for", []))
        missing += [right] if wanted and not sent else []
    return {
        "NoncompliantKeys": sorted(case),
        "KeysWithNoncompliantValues": sorted(values),
        "MissingTagKeys": sorted(missing),
        "ComplianceStatus": not (case or values or missing),
    }


def _like(form: str, value: str) -> bool:
    return re.fullmatch(re.escape(form).replace(r"\*", ".*"), value, re.DOTALL) is not None


def summary(call: Call) -> list[dict[str, Any]]:
    """The counts of noncompliant resources in the caller's organization, by what they are grouped by."""
    params, found = call.params, home_of(call.account, call.partition)
    groups, types = params.get("GroupBy") or [], params.get("ResourceTypeFilters") or []
    root = path(found, account_in(found, call.account))[0].id
    counts: Counter[tuple[str, str, str]] = Counter()
    for account in (one.id for one in found.accounts):
        above = {entity.id for entity in path(found, account_in(found, account))}
        if params.get("TargetIdFilters") and not above & set(params["TargetIdFilters"]):
            continue
        policy = effective(account, "TAG_POLICY", call.partition)
        for region in _regions(account):
            if region not in (params.get("RegionFilters") or [region]):
                continue
            for one in resources(replace(call, account=account, region=region)):
                keys = params.get("TagKeyFilters") or []
                if match_resource_type(one.kind, types) and set(keys) <= set(one.tags):
                    place = {"TARGET_ID": account, "REGION": region, "RESOURCE_TYPE": one.kind}
                    target, *rest = (place[name] if name in groups else "" for name in place)
                    counts[target or root, rest[0], rest[1]] += not details(policy, one)["ComplianceStatus"]
    return [_row(root, *place, counts[place]) for place in sorted(counts) if counts[place]]


def _row(root: str, target: str, region: str, kind: str, count: int) -> dict[str, Any]:
    named = {"Region": region, "ResourceType": kind}
    return {
        "LastUpdated": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "TargetId": target,
        "TargetIdType": "ROOT" if target == root else "ACCOUNT",
        "NonCompliantResources": count,
    } | {name: value for name, value in named.items() if value}


def _regions(account: str) -> list[str]:
    """Where the account has used anything."""
    used = [backends[account] for backends in list(BackendDict._instances) if account in backends]
    return sorted({region for by_region in used for region in list(by_region)} - set(GLOBAL))
