"""Systems Manager's view of instances: what was planted by the control route, and compliance that was put."""

from collections import Counter
from typing import Any

from emulator.missing import Forward, handles
from emulator.shelf import Row, place, planted
from emulator.shelf.pages import page
from emulator.wire import Call

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED")


@handles("ssm", "DescribeInstanceInformation")
def instances(call: Call, _: Forward) -> dict[str, Any]:
    shown, token = page(call, planted(call, "instances"))
    return {"InstanceInformationList": shown} | token


@handles("ssm", "DescribeInstancePatchStates")
def patch_states(call: Call, _: Forward) -> dict[str, Any]:
    rows = [one for one in planted(call, "patch_states") if one["InstanceId"] in call.params["InstanceIds"]]
    shown, token = page(call, rows)
    return {"InstancePatchStates": shown} | token


@handles("ssm", "PutComplianceItems")
def put_compliance(call: Call, _: Forward) -> dict[str, Any]:
    """Replaces what the resource had of this type."""
    at = (call.params["ResourceId"], call.params["ComplianceType"])
    place(call, "compliance")[at] = Row({"items": call.params["Items"]})
    return {}


@handles("ssm", "ListComplianceSummaries")
def summaries(call: Call, _: Forward) -> dict[str, Any]:
    """A resource counts as compliant when all of its items are."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for (_, kind), row in place(call, "compliance").items():
        bad = [one["Severity"] for one in row.now["items"] if one["Status"] == "NON_COMPLIANT"]
        severities = bad or [one["Severity"] for one in row.now["items"]] or ["UNSPECIFIED"]
        word = "NonCompliant" if bad else "Compliant"
        worst = next(one for one in SEVERITIES if one in severities)
        found.setdefault(kind, {"Compliant": Counter(), "NonCompliant": Counter()})[word][worst] += 1
    rows = []
    for kind, words in sorted(found.items()):
        summary: dict[str, Any] = {"ComplianceType": kind}
        for word, counts in words.items():
            by = {f"{name.title()}Count": counts[name] for name in SEVERITIES}
            summary[f"{word}Summary"] = {f"{word}Count": counts.total(), "SeveritySummary": by}
        rows.append(summary)
    shown, token = page(call, rows)
    return {"ComplianceSummaryItems": shown} | token
