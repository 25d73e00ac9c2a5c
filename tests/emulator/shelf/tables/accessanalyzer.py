"""Access Analyzer: analyzers with their archive rules; findings are planted by a control route."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.shelf import Collection, now, planted, tags
from emulator.shelf.pages import page
from emulator.shelf.store import Row
from emulator.wire import Call

UNUSED = ("ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS")
ORGANIZATION = ("ORGANIZATION", "ORGANIZATION_UNUSED_ACCESS", "ORGANIZATION_INTERNAL_ACCESS")


def may_create(call: Call) -> None:
    """Analyzers of an organization are its management account's, or a delegated administrator's."""
    from moto.organizations.models import organizations_backends

    kind = call.params["type"]
    if kind in ORGANIZATION:
        found = organizations_backends[call.account][call.partition].org
        if found is None:
            raise AwsError("ValidationException", "The account is not in an organization.")
    if "configuration" in call.params and kind in ("ACCOUNT", "ORGANIZATION"):
        raise AwsError("ValidationException", f"An analyzer of type {kind} has no configuration.")
    fits(kind, call.params.get("configuration", {}))


def fits(kind: str, configuration: dict[str, Any]) -> None:
    """A configuration is of the analyzer's type, and names accounts for an organization alone."""
    wanted = "unusedAccess" if kind in UNUSED else "internalAccess"
    for name, value in configuration.items():
        if name != wanted:
            raise AwsError("ValidationException", f"An analyzer of type {kind} takes no {name}.")
        criteria = [one for part in value.get("analysisRule", {}).values() for one in part]
        if kind not in ORGANIZATION and any(one.get("accountIds") for one in criteria):
            raise AwsError("ValidationException", "Account IDs are for analyzers of an organization.")


def usual(call: Call) -> dict[str, Any]:
    """Unused access is what was not used for 90 days, unless another number is given."""
    if call.params["type"] not in UNUSED:
        return {"tags": {}}
    return {"tags": {}, "configuration": {"unusedAccess": {"unusedAccessAge": 90}}}


def changeable(call: Call, row: dict[str, Any]) -> None:
    if row["type"] in ("ACCOUNT", "ORGANIZATION"):
        raise AwsError("ValidationException", f"An analyzer of type {row['type']} has no configuration.")
    fits(row["type"], call.params.get("configuration", {}))


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
        same=["type"],
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


@handles("accessanalyzer", "ApplyArchiveRule")
def apply_rule(call: Call, _: Forward) -> dict[str, Any]:
    """Archives what is there and fits; here the rule must exist, and what was planted stays as it is."""
    analyzer = ANALYZERS.by_arn(call, call.params["analyzerArn"])
    place = (analyzer and analyzer.now["analyzerName"], call.params["ruleName"])
    if place not in RULES.place(call):
        raise AwsError("ResourceNotFoundException", f"The archive rule {call.params['ruleName']} does not exist.")
    return {}


@handles("accessanalyzer", "ListFindingsV2")
def findings(call: Call, _: Forward) -> dict[str, Any]:
    """Those that were planted, by the members that a filter compares with `eq`."""
    if ANALYZERS.by_arn(call, call.params["analyzerArn"]) is None:
        raise AwsError("ResourceNotFoundException", f"{call.params['analyzerArn']} does not exist.")
    usual = {"status": "ACTIVE", "resourceOwnerAccount": call.account}
    usual |= dict.fromkeys(("analyzedAt", "createdAt", "updatedAt"), now())
    rows = [usual | one for one in planted(call, "findings")]
    for name, wanted in call.params.get("filter", {}).items():
        if set(wanted) != {"eq"}:
            raise NotImplementedError(f"the filter {sorted(wanted)}")
        rows = [one for one in rows if str(one.get(name)) in wanted["eq"]]
    shown, token = page(call, rows)
    return {"findings": shown} | token
