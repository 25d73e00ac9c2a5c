"""Systems Manager's patch baselines: own ones, AWS's predefined ones, which is the default, which group has which."""

import hashlib
import re
import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles, refuses
from emulator.shelf import Collection, Row, place
from emulator.shelf.model import output
from emulator.shelf.pages import page
from emulator.shelf.tags import as_map, in_form
from emulator.wire import Call

SYSTEMS = (
    "WINDOWS AMAZON_LINUX AMAZON_LINUX_2 AMAZON_LINUX_2022 AMAZON_LINUX_2023 UBUNTU REDHAT_ENTERPRISE_LINUX SUSE "
    "CENTOS ORACLE_LINUX DEBIAN MACOS RASPBIAN ROCKY_LINUX ALMA_LINUX"
).split()
MOST_GROUPS = 25
# The account that AWS's own baselines are in; it is another one in each Region.
AWS = "075727635805"
DEFAULTS = {
    "OperatingSystem": "WINDOWS",
    "GlobalFilters": {"PatchFilters": []},
    "ApprovalRules": {"PatchRules": []},
    "ApprovedPatches": [],
    "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
    "ApprovedPatchesEnableNonSecurity": False,
    "RejectedPatches": [],
    "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
    "Sources": [],
}


def predefined(call: Call) -> dict[str, dict[str, Any]]:
    """AWS's own baselines, one for each operating system, by ARN."""
    made = {}
    for system in SYSTEMS:
        number = hashlib.sha1(f"{call.region}{system}".encode()).hexdigest()[:17]
        arn = f"arn:{call.partition}:ssm:{call.region}:{AWS}:patchbaseline/pb-{number}"
        name = f"AWS-{system.title().replace('_', '')}DefaultPatchBaseline"
        made[arn] = DEFAULTS | {"BaselineId": arn, "Name": name, "OperatingSystem": system, "Description": name}
    return made


def groups(call: Call) -> dict[Any, Row]:
    """Baseline ids by (operating system, patch group)."""
    return place(call, "patch groups")


def chosen(call: Call) -> dict[Any, Row]:
    """The ids of defaults that are not AWS's, by operating system."""
    return place(call, "default baselines")


def groups_of(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    mine = [group for (_, group), one in groups(call).items() if one.now["id"] == row["BaselineId"]]
    return {"PatchGroups": mine}


def unused(call: Call, row: dict[str, Any]) -> None:
    is_default = any(one.now["id"] == row["BaselineId"] for one in chosen(call).values())
    if is_default or groups_of(call, row)["PatchGroups"]:
        raise AwsError("ResourceInUseException", "The patch baseline is a default or has patch groups.")


def with_rules(call: Call) -> dict[str, Any]:
    """What AWS takes for what a rule does not say."""
    rules = (call.params.get("ApprovalRules") or {}).get("PatchRules", [])
    usual = {"ComplianceLevel": "UNSPECIFIED", "EnableNonSecurity": False}
    return {"ApprovalRules": {"PatchRules": [usual | rule for rule in rules]}} if rules else {}


@refuses("ssm", "CreatePatchBaseline", "UpdatePatchBaseline")
def when_patches_are_approved(call: Call) -> None:
    for rule in (call.params.get("ApprovalRules") or {}).get("PatchRules", []):
        if ("ApproveAfterDays" in rule) == ("ApproveUntilDate" in rule):
            raise AwsError("ValidationException", "A rule has either ApproveAfterDays or ApproveUntilDate.")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", rule.get("ApproveUntilDate", "2000-01-01")):
            raise AwsError("ValidationException", "ApproveUntilDate has the form YYYY-MM-DD.")


OWN = (
    Collection(
        "ssm",
        "patch baseline",
        key="BaselineId",
        new_id=lambda _: f"pb-0{uuid.uuid4().hex[:16]}",
        defaults=DEFAULTS,
        made=with_rules,
        shown=groups_of,
        created="CreatedDate",
        updated="ModifiedDate",
        absent=("DoesNotExistException", "Patch baseline {id} does not exist."),
        limit=(50, "ResourceLimitExceededException"),
    )
    .create("CreatePatchBaseline")
    .delete("DeletePatchBaseline", refuse=unused)
)


def found(call: Call) -> dict[str, Any]:
    """The baseline that the call names: an own one by id, one of AWS's by ARN."""
    named = call.params["BaselineId"]
    return predefined(call).get(named) or OWN.find(call, named).now


@handles("ssm", "GetPatchBaseline")
def get(call: Call, _: Forward) -> dict[str, Any]:
    row = found(call)
    return output(call, row | groups_of(call, row))


@handles("ssm", "UpdatePatchBaseline")
def update(call: Call, _: Forward) -> dict[str, Any]:
    """Leaves what is not sent, or with `Replace` goes back to what AWS takes for it."""
    row, sent = OWN.find(call, call.params["BaselineId"]), dict(call.params)
    kept = {name: row.now[name] for name in ("Name", "OperatingSystem", "CreatedDate", "Tags") if name in row.now}
    base = DEFAULTS | kept if sent.pop("Replace", False) else row.now
    row.write(call, base | sent | with_rules(call) | {"ModifiedDate": OWN.clock()})
    return output(call, row.now)


@handles("ssm", "DescribePatchBaselines")
def describe(call: Call, _: Forward) -> dict[str, Any]:
    wanted = {one["Key"]: one["Values"] for one in call.params.get("Filters", [])}
    unknown = set(wanted) - {"OWNER", "NAME_PREFIX", "OPERATING_SYSTEM"}
    if unknown:
        raise AwsError("InvalidFilterKey", f"{sorted(unknown)[0]} is not a key.")
    owned = {"Self": [row.now for row in OWN.rows(call)], "AWS": list(predefined(call).values())}
    rows = [row for owner in wanted.get("OWNER", ["Self", "AWS"]) for row in owned.get(owner, [])]
    for row in list(rows):
        if not any(row["Name"].startswith(prefix) for prefix in wanted.get("NAME_PREFIX", [""])):
            rows.remove(row)
        elif row["OperatingSystem"] not in wanted.get("OPERATING_SYSTEM", SYSTEMS):
            rows.remove(row)
    made = [
        {
            "BaselineId": row["BaselineId"],
            "BaselineName": row["Name"],
            "OperatingSystem": row["OperatingSystem"],
            "BaselineDescription": row.get("Description"),
            "DefaultBaseline": default_of(call, row["OperatingSystem"]) == row["BaselineId"],
        }
        for row in rows
    ]
    shown, token = page(call, made)
    return output(call, {"BaselineIdentities": shown} | token)


def default_of(call: Call, system: str) -> str:
    if system in chosen(call):
        return chosen(call)[system].now["id"]
    return next(arn for arn, row in predefined(call).items() if row["OperatingSystem"] == system)


@handles("ssm", "GetDefaultPatchBaseline")
def get_default(call: Call, _: Forward) -> dict[str, Any]:
    """Of Windows unless another operating system is named."""
    system = call.params.get("OperatingSystem", "WINDOWS")
    return {"BaselineId": default_of(call, system), "OperatingSystem": system}


@handles("ssm", "RegisterDefaultPatchBaseline")
def register_default(call: Call, _: Forward) -> dict[str, Any]:
    row = found(call)
    chosen(call)[row["OperatingSystem"]] = Row({"id": row["BaselineId"]})
    return {"BaselineId": row["BaselineId"]}


@handles("ssm", "RegisterPatchBaselineForPatchGroup")
def register_group(call: Call, _: Forward) -> dict[str, Any]:
    """A group has one baseline for each operating system."""
    row, group = found(call), call.params["PatchGroup"]
    at = (row["OperatingSystem"], group)
    if at in groups(call):
        raise AwsError("AlreadyExistsException", f"Patch Group baseline already has a baseline registered for {at[0]}.")
    if len(groups_of(call, row)["PatchGroups"]) >= MOST_GROUPS:
        raise AwsError("ResourceLimitExceededException", f"A baseline has {MOST_GROUPS} patch groups at most.")
    groups(call)[at] = Row({"id": row["BaselineId"]})
    return {"BaselineId": row["BaselineId"], "PatchGroup": group}


@handles("ssm", "DeregisterPatchBaselineForPatchGroup")
def deregister_group(call: Call, _: Forward) -> dict[str, Any]:
    group, named = call.params["PatchGroup"], call.params["BaselineId"]
    for at, one in list(groups(call).items()):
        if at[1] == group and one.now["id"] == named:
            groups(call).pop(at)
    return {"BaselineId": named, "PatchGroup": group}


@handles("ssm", "GetPatchBaselineForPatchGroup")
def get_group(call: Call, _: Forward) -> dict[str, Any]:
    """The group's own, else the default."""
    system, group = call.params.get("OperatingSystem", "WINDOWS"), call.params["PatchGroup"]
    row = groups(call).get((system, group))
    named = row.now["id"] if row else default_of(call, system)
    return {"BaselineId": named, "PatchGroup": group, "OperatingSystem": system}


@handles("ssm", "DescribePatchGroups")
def describe_groups(call: Call, _: Forward) -> dict[str, Any]:
    wanted, rows = {one["Key"]: one["Values"] for one in call.params.get("Filters", [])}, []
    for (system, group), one in groups(call).items():
        prefixes = wanted.get("NAME_PREFIX", [""])
        if system not in wanted.get("OPERATING_SYSTEM", SYSTEMS) or not group.startswith(tuple(prefixes)):
            continue
        row = predefined(call).get(one.now["id"]) or OWN.find(call, one.now["id"]).now
        identity = {"BaselineId": row["BaselineId"], "BaselineName": row["Name"], "OperatingSystem": system}
        is_default = default_of(call, system) == row["BaselineId"]
        rows.append({"PatchGroup": group, "BaselineIdentity": identity | {"DefaultBaseline": is_default}})
    shown, token = page(call, rows)
    return {"Mappings": shown} | token


@handles("ssm", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")
def tags(call: Call, _: Forward) -> dict[str, Any] | None:
    """Of baselines; moto has the tags of everything else."""
    if call.params["ResourceType"] != "PatchBaseline":
        return None
    row = next((row for row in OWN.rows(call) if row.now["BaselineId"] == call.params["ResourceId"]), None)
    if row is None:
        raise AwsError("InvalidResourceId", "The resource ID is not valid.")
    there = as_map(row.now.get("Tags"))
    if call.operation == "ListTagsForResource":
        return {"TagList": in_form(there, call.model.output_shape.members["TagList"])}
    new = there | as_map(call.params.get("Tags"))
    new = {name: value for name, value in new.items() if name not in call.params.get("TagKeys", [])}
    if len(new) > 50:
        raise AwsError("TooManyTagsError", "A resource may have 50 tags.")
    row.now["Tags"] = [{"Key": name, "Value": value} for name, value in new.items()]
    return {}
