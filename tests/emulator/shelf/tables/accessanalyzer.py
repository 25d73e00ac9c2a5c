"""Access Analyzer: analyzers with their archive rules; findings are planted by a control route."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles, refuses
from emulator.organization import structure
from emulator.shelf import Collection, now, planted, tags
from emulator.shelf.pages import page
from emulator.shelf.store import Row
from emulator.wire import Call

PRINCIPAL = "access-analyzer.amazonaws.com"
# Analyzers of a type in a Region; one of the others.
MOST = {"ORGANIZATION": 5, "ORGANIZATION_UNUSED_ACCESS": 5}
CRITERIA = {
    "accessType",
    "error",
    "findingType",
    "id",
    "internalAccessType",
    "isPublic",
    "resource",
    "resourceControlPolicyRestriction",
    "resourceOwnerAccount",
    "resourceType",
    "serviceControlPolicyRestriction",
    "status",
}
UNUSED = ("ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS")
ORGANIZATION = ("ORGANIZATION", "ORGANIZATION_UNUSED_ACCESS", "ORGANIZATION_INTERNAL_ACCESS")


def may_create(call: Call) -> None:
    """Analyzers of an organization are its management account's, or a delegated administrator's."""
    kind, there = call.params["type"], [row.now for row in ANALYZERS.rows(call)]
    if kind in ORGANIZATION:
        found = structure.home_of(call.account, call.partition)
        if found is None:
            raise AwsError("ValidationException", "The account is not in an organization.")
        if not structure.may_administer(call, PRINCIPAL) or not structure.trusted(found, PRINCIPAL):
            message = "Only the management account or a delegated administrator may create an analyzer of this type."
            raise AwsError("ValidationException", message)
    fits(call, kind)
    for rule in call.params.get("archiveRules", []):
        known_criteria(rule["filter"], rules=True)
    # One of the same name is told first.
    if any(row["name"] == call.params["analyzerName"] for row in there):
        return
    if sum(row["type"] == kind for row in there) >= MOST.get(kind, 1):
        raise AwsError("ServiceQuotaExceededException", f"You have reached the number of analyzers of type {kind}.")


def fits(call: Call, kind: str) -> None:
    """A configuration is for unused or for internal access, and for nothing else."""
    given = set(call.params.get("configuration") or {})
    wanted = {"unusedAccess"} if kind in UNUSED else {"internalAccess"} if kind.endswith("INTERNAL_ACCESS") else set()
    if given - wanted or (call.params.get("configuration") is not None and not wanted):
        raise AwsError("ValidationException", f"An analyzer of type {kind} has no such configuration.")
    for value in (call.params.get("configuration") or {}).values():
        criteria = [one for part in value.get("analysisRule", {}).values() for one in part]
        if kind not in ORGANIZATION and any(one.get("accountIds") for one in criteria):
            raise AwsError("ValidationException", "Account IDs are for analyzers of an organization.")


def known_criteria(given: dict[str, Any], rules: bool = False) -> None:
    """Of archive rules the state of a finding is none ("IAM Access Analyzer filter keys")."""
    for name, criterion in given.items():
        good = name in CRITERIA or name.startswith(("principal.", "condition."))
        if not good or not criterion or (rules and name == "status"):
            raise AwsError("ValidationException", f"The filter {name} is not valid.")


def usual(call: Call) -> dict[str, Any]:
    """Unused access is what was not used for 90 days, unless another number is given."""
    if call.params["type"] not in UNUSED:
        return {"tags": {}}
    return {"tags": {}, "configuration": {"unusedAccess": {"unusedAccessAge": 90}}}


def changeable(call: Call, row: dict[str, Any]) -> None:
    if row["type"] in ("ACCOUNT", "ORGANIZATION"):
        raise AwsError("ValidationException", f"An analyzer of type {row['type']} has no configuration.")
    fits(call, row["type"])


def first_rules(call: Call, row: Row) -> None:
    """Rules that come with the analyzer."""
    for rule in row.now.pop("archiveRules", []):
        RULES.add(call, rule["ruleName"], {"filter": rule["filter"]})


ANALYZERS = (
    Collection(
        "accessanalyzer",
        "analyzer",
        key="analyzerName",
        arn=("arn", "arn:{partition}:access-analyzer:{region}:{account}:analyzer/{id}"),
        defaults=usual,
        made=lambda call: {"name": call.params["analyzerName"], "status": "ACTIVE"},
        created="createdAt",
    )
    .create(
        "CreateAnalyzer",
        exists="ConflictException",
        check=may_create,
        after=first_rules,
        middle={"status": "CREATING"},
    )
    .get("GetAnalyzer", under="analyzer")
    .list("ListAnalyzers", "analyzers", filters={"type": "type"}, hides=["configuration"])
    .update("UpdateAnalyzer", check=changeable)
    .delete("DeleteAnalyzer")
)
tags("accessanalyzer", "TagResource", "UntagResource", "ListTagsForResource", of=[ANALYZERS])

RULES = (
    Collection(
        "accessanalyzer",
        "archive rule",
        key="ruleName",
        parent=ANALYZERS,
        created="createdAt",
        updated="updatedAt",
        limit=(100, "ServiceQuotaExceededException"),
    )
    .create("CreateArchiveRule", exists="ConflictException")
    .get("GetArchiveRule", under="archiveRule")
    .list("ListArchiveRules", "archiveRules")
    .update("UpdateArchiveRule")
    .delete("DeleteArchiveRule")
)


@refuses("accessanalyzer", "CreateArchiveRule", "UpdateArchiveRule")
def what_a_rule_looks_at(call: Call) -> None:
    known_criteria(call.params["filter"], rules=True)


@handles("accessanalyzer", "ApplyArchiveRule")
def apply_rule(call: Call, _: Forward) -> dict[str, Any]:
    """Archives what is there and fits."""
    analyzer = ANALYZERS.by_arn(call, call.params["analyzerArn"])
    rule = RULES.place(call).get((analyzer and analyzer.now["analyzerName"], call.params["ruleName"]))
    if rule is None:
        raise AwsError("ResourceNotFoundException", f"The archive rule {call.params['ruleName']} does not exist.")
    for finding in planted(call, "findings"):
        if finding.get("status", "ACTIVE") == "ACTIVE" and matches(call, finding, rule.now["filter"]):
            finding["status"] = "ARCHIVED"
    return {}


def matches(call: Call, finding: dict[str, Any], wanted: dict[str, dict[str, Any]]) -> bool:
    """Whether the finding meets every criterion."""
    shown = {"status": "ACTIVE", "resourceOwnerAccount": call.account} | finding
    for name, criterion in wanted.items():
        have = shown.get(name)
        text = str(have).lower() if isinstance(have, bool) else str(have)
        if (
            ("eq" in criterion and text not in criterion["eq"])
            or ("neq" in criterion and text in criterion["neq"])
            or ("contains" in criterion and not any(part in text for part in criterion["contains"]))
            or ("exists" in criterion and (have is not None) != criterion["exists"])
        ):
            return False
    return True


@handles("accessanalyzer", "ListFindingsV2")
def findings(call: Call, _: Forward) -> dict[str, Any]:
    """Those that were planted."""
    if ANALYZERS.by_arn(call, call.params["analyzerArn"]) is None:
        raise AwsError("ResourceNotFoundException", f"{call.params['analyzerArn']} does not exist.")
    wanted = call.params.get("filter", {})
    known_criteria(wanted)
    usual = {"status": "ACTIVE", "resourceOwnerAccount": call.account}
    usual |= dict.fromkeys(("analyzedAt", "createdAt", "updatedAt"), now())
    rows = [usual | one for one in planted(call, "findings") if matches(call, one, wanted)]
    shown, token = page(call, rows)
    return {"findings": shown} | token
