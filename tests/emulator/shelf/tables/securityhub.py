"""Security Hub: the hub, without which nothing else is there, products, standards, insights, aggregation."""

import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, guards, handles
from emulator.missing.config import settings_of
from emulator.organization.delegation import administrator
from emulator.shelf import Collection, Row, now, place, setting, tags
from emulator.shelf.pages import page
from emulator.wire import Call

OFF = ("InvalidAccessException", "Account is not subscribed to AWS Security Hub")
# The standards, and whether a new hub has them on; all but the first are named by Region.
STANDARDS = {
    "ruleset/cis-aws-foundations-benchmark/v/1.2.0": ("CIS AWS Foundations Benchmark v1.2.0", True),
    "standards/aws-foundational-security-best-practices/v/1.0.0": (
        "AWS Foundational Security Best Practices v1.0.0",
        True,
    ),
    "standards/aws-resource-tagging-standard/v/1.0.0": ("AWS Resource Tagging Standard v1.0.0", False),
    "standards/cis-aws-foundations-benchmark/v/1.4.0": ("CIS AWS Foundations Benchmark v1.4.0", False),
    "standards/cis-aws-foundations-benchmark/v/3.0.0": ("CIS AWS Foundations Benchmark v3.0.0", False),
    "standards/cis-aws-foundations-benchmark/v/5.0.0": ("CIS AWS Foundations Benchmark v5.0.0", False),
    "standards/nist-800-171/v/2.0.0": ("NIST Special Publication 800-171 Revision 2", False),
    "standards/nist-800-53/v/5.0.0": ("NIST Special Publication 800-53 Revision 5", False),
    "standards/pci-dss/v/3.2.1": ("PCI DSS v3.2.1", False),
    "standards/pci-dss/v/4.0.1": ("PCI DSS v4.0.1", False),
}
# What may be asked before the hub is on: the organization's side, and the newer hub.
ALWAYS = {
    "DescribeOrganizationConfiguration",
    "DisableOrganizationAdminAccount",
    "EnableOrganizationAdminAccount",
    "EnableSecurityHub",
    "ListInvitations",
    "ListOrganizationAdminAccounts",
    "UpdateOrganizationConfiguration",
}
KEPT = ("products", "standards", "associations", "security controls", "insight")


@guards("securityhub")
def enabled(call: Call) -> None:
    name = call.operation or ""
    if name not in ALWAYS and not name.endswith("V2") and not place(call, "hub"):
        raise AwsError(*OFF)


def enable(call: Call) -> dict[str, Any]:
    if place(call, "hub") and place(call, "hub")[()].now:
        raise AwsError("ResourceConflictException", "Account is already subscribed to Security Hub")
    if call.params.get("EnableDefaultStandards", True):
        for name, (_, default) in STANDARDS.items():
            if default:
                subscribe(call, name, {})
    return {
        "HubArn": f"arn:{call.partition}:securityhub:{call.region}:{call.account}:hub/default",
        "SubscribedAt": now().isoformat().replace("+00:00", "Z"),
        "AutoEnableControls": True,
        "ControlFindingGenerator": call.params.get("ControlFindingGenerator", "SECURITY_CONTROL"),
        "Tags": call.params.get("Tags", {}),
    }


def forgotten(call: Call) -> None:
    """With the hub goes what it had; a hub is named by its own ARN."""
    arn = call.params.get("HubArn")
    if arn and arn != f"arn:{call.partition}:securityhub:{call.region}:{call.account}:hub/default":
        raise AwsError("ResourceNotFoundException", f"The hub {arn} does not exist.")
    if call.operation == "DisableSecurityHub":
        if administrator("securityhub", call) == call.account:
            raise AwsError(OFF[0], "The administrator of an organization cannot disable Security Hub.")
        for name in KEPT:
            place(call, name).clear()


setting(
    "securityhub",
    "hub",
    {},
    get="DescribeHub",
    put={"EnableSecurityHub": enable, "UpdateSecurityHubConfiguration": True, "DisableSecurityHub": None},
    absent=OFF,
    check=forgotten,
)


class Hub:
    """The hub as something with tags."""

    absent = ("ResourceNotFoundException", "The resource {id} does not exist.")

    def by_arn(self, call: Call, arn: str) -> Row | None:
        return dict(self.every(call)).get(arn)

    def every(self, call: Call) -> list[tuple[str, Row]]:
        return [(row.now["HubArn"], row) for row in place(call, "hub").values() if "HubArn" in row.now]


tags("securityhub", "TagResource", "UntagResource", "ListTagsForResource", of=[Hub()], kept="Tags")


# Products whose findings come in.


@handles("securityhub", "EnableImportFindingsForProduct")
def enable_product(call: Call, _: Forward) -> dict[str, Any]:
    name = call.params["ProductArn"].partition(":product/")[2]
    if not name:
        raise AwsError("InvalidInputException", f"{call.params['ProductArn']} is not the ARN of a product.")
    arn = f"arn:{call.partition}:securityhub:{call.region}:{call.account}:product-subscription/{name}"
    if arn in place(call, "products"):
        raise AwsError("ResourceConflictException", "The product is already enabled.")
    place(call, "products")[arn] = Row({})
    return {"ProductSubscriptionArn": arn}


@handles("securityhub", "ListEnabledProductsForImport")
def products(call: Call, _: Forward) -> dict[str, Any]:
    shown, token = page(call, list(place(call, "products")))
    return {"ProductSubscriptions": shown} | token


@handles("securityhub", "DisableImportFindingsForProduct")
def disable_product(call: Call, _: Forward) -> dict[str, Any]:
    if place(call, "products").pop(call.params["ProductSubscriptionArn"], None) is None:
        raise AwsError("ResourceNotFoundException", "The product is not enabled.")
    return {}


# Standards.

READY = {"StandardsStatus": "READY", "StandardsControlsUpdatable": "READY_FOR_UPDATES"}
PENDING = {"StandardsStatus": "PENDING", "StandardsControlsUpdatable": "NOT_READY_FOR_UPDATES"}


def standard_arn(call: Call, name: str) -> str:
    where = "" if name.startswith("ruleset/") else call.region
    return f"arn:{call.partition}:securityhub:{where}::{name}"


@handles("securityhub", "DescribeStandards")
def describe_standards(call: Call, _: Forward) -> dict[str, Any]:
    if "AWS" not in (call.params.get("Providers") or ["AWS"]):
        return {"Standards": []}
    rows = []
    for name, (title, default) in STANDARDS.items():
        row = {"StandardsArn": standard_arn(call, name), "Name": title, "Description": title}
        rows.append(
            row
            | {"EnabledByDefault": default, "Provider": "AWS"}
            | {"StandardsManagedBy": {"Company": "AWS", "Product": "Security Hub"}}
        )
    shown, token = page(call, rows)
    return {"Standards": shown} | token


def subscription_arn(call: Call, name: str) -> str:
    return f"arn:{call.partition}:securityhub:{call.region}:{call.account}:subscription/{name.partition('/')[2]}"


def subscribe(call: Call, name: str, given: dict[str, str]) -> dict[str, Any]:
    """READY when a recorder runs, else INCOMPLETE; it takes its time. All controls of the standard are on at first."""
    subscription, arn = subscription_arn(call, name), standard_arn(call, name)
    row = {"StandardsSubscriptionArn": subscription, "StandardsArn": arn, "StandardsInput": given}
    made = place(call, "standards").setdefault(subscription, Row({}))
    if made.now:
        return status(call, made)
    made.write(call, row | READY, PENDING)
    place(call, "associations")[(arn, None)] = Row({"AssociationStatus": "ENABLED", "UpdatedAt": now()})
    return row | PENDING


def status(call: Call, row: Row) -> dict[str, Any]:
    pending = row.reads > 0
    value = row.read()
    if not pending and not settings_of(call).recording:
        reason = {"StatusReasonCode": "NO_AVAILABLE_CONFIGURATION_RECORDER"}
        return value | {"StandardsStatus": "INCOMPLETE", "StandardsStatusReason": reason}
    return value


@handles("securityhub", "BatchEnableStandards")
def enable_standards(call: Call, _: Forward) -> dict[str, Any]:
    known = {standard_arn(call, name): name for name in STANDARDS}
    asked = call.params["StandardsSubscriptionRequests"]
    for one in asked:
        if one["StandardsArn"] not in known:
            raise AwsError("InvalidInputException", f"The standards ARN {one['StandardsArn']} is invalid.")
    made = [subscribe(call, known[one["StandardsArn"]], one.get("StandardsInput", {})) for one in asked]
    return {"StandardsSubscriptions": made}


@handles("securityhub", "BatchDisableStandards")
def disable_standards(call: Call, _: Forward) -> dict[str, Any]:
    there, gone = place(call, "standards"), []
    for arn in call.params["StandardsSubscriptionArns"]:
        if arn not in there:
            raise AwsError("InvalidInputException", f"The standards subscription {arn} does not exist.")
        gone.append(there.pop(arn).now | {"StandardsStatus": "DELETING"})
        associations = place(call, "associations")
        for one in [one for one in associations if one[0] == gone[-1]["StandardsArn"]]:
            del associations[one]
    return {"StandardsSubscriptions": gone}


@handles("securityhub", "GetEnabledStandards")
def enabled_standards(call: Call, _: Forward) -> dict[str, Any]:
    wanted = call.params.get("StandardsSubscriptionArns")
    rows = [status(call, row) for arn, row in place(call, "standards").items() if not wanted or arn in wanted]
    shown, token = page(call, rows)
    return {"StandardsSubscriptions": shown} | token


# Insights, and one aggregator for all Regions.

MANAGED = [
    {
        "InsightArn": f"arn:aws:securityhub:::insight/securityhub/default/{number}",
        "Name": f"{number}. Managed insight",
        "Filters": {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]},
        "GroupByAttribute": "ResourceId",
    }
    for number in range(1, 13)
]
INSIGHTS = (
    Collection(
        "securityhub",
        "insight",
        key="id",
        new_id=lambda _: str(uuid.uuid4()),
        arn=("InsightArn", "arn:{partition}:securityhub:{region}:{account}:insight/{account}/custom/{id}"),
        absent=("ResourceNotFoundException", "The insight {id} does not exist."),
        limit=(100, "LimitExceededException"),
    )
    .create("CreateInsight")
    .update("UpdateInsight")
    .delete("DeleteInsight")
)


@handles("securityhub", "GetInsights")
def insights(call: Call, _: Forward) -> dict[str, Any]:
    """Own ones and AWS's; each that is named must be there."""
    rows = [row.now for row in INSIGHTS.rows(call)] + MANAGED
    for arn in call.params.get("InsightArns", []):
        if arn not in {row["InsightArn"] for row in rows}:
            raise AwsError("ResourceNotFoundException", f"The insight {arn} does not exist.")
    wanted = call.params.get("InsightArns")
    shown, token = page(call, [row for row in rows if not wanted or row["InsightArn"] in wanted])
    names = ("InsightArn", "Name", "Filters", "GroupByAttribute")
    return {"Insights": [{name: row[name] for name in names} for row in shown]} | token


def linked(call: Call, _: Any = None) -> None:
    named = "SPECIFIED" in call.params["RegionLinkingMode"]
    if named != bool(call.params.get("Regions")):
        raise AwsError("InvalidInputException", "Regions go with a linking mode that names Regions, and only with one.")


def at_home(call: Call, row: dict[str, Any]) -> None:
    linked(call)
    if row["FindingAggregationRegion"] != call.region:
        raise AwsError("InvalidInputException", f"The aggregation Region is {row['FindingAggregationRegion']}.")


(
    Collection(
        "securityhub",
        "finding aggregator",
        key="id",
        new_id=lambda _: str(uuid.uuid4()),
        arn=("FindingAggregatorArn", "arn:{partition}:securityhub:{region}:{account}:finding-aggregator/{id}"),
        everywhere=True,
        one=True,
        made=lambda call: {"FindingAggregationRegion": call.region},
    )
    .create("CreateFindingAggregator", exists="InvalidInputException", check=linked)
    .get("GetFindingAggregator")
    .list("ListFindingAggregators", "FindingAggregators")
    .update("UpdateFindingAggregator", whole=True, check=at_home)
    .delete("DeleteFindingAggregator")
)

# Policies of central configuration, and what they are for.

POLICIES = Collection(
    "securityhub",
    "configuration policy",
    key="Id",
    new_id=lambda _: str(uuid.uuid4()),
    arn=("Arn", "arn:{partition}:securityhub:{region}:{account}:configuration-policy/{id}"),
    created="CreatedAt",
    updated="UpdatedAt",
).create("CreateConfigurationPolicy", exists="ResourceConflictException", same=["Name"])


def target(call: Call) -> tuple[str, str]:
    given = call.params["Target"]
    kinds = {"AccountId": "ACCOUNT", "OrganizationalUnitId": "ORGANIZATIONAL_UNIT", "RootId": "ROOT"}
    return next((given[name], kind) for name, kind in kinds.items() if name in given)


@handles("securityhub", "StartConfigurationPolicyAssociation")
def associate(call: Call, _: Forward) -> dict[str, Any]:
    named, (wanted, kind) = call.params["ConfigurationPolicyIdentifier"], target(call)
    if named != "SELF_MANAGED_SECURITY_HUB":
        named = POLICIES.find(call, named).now["Id"]
    row = {
        "ConfigurationPolicyId": named,
        "TargetId": wanted,
        "TargetType": kind,
        "AssociationType": "APPLIED",
        "UpdatedAt": now(),
        "AssociationStatus": "SUCCESS",
    }
    made = place(call, "policy associations").setdefault(wanted, Row({}))
    made.write(call, row, {"AssociationStatus": "PENDING"})
    return row | {"AssociationStatus": "PENDING"}


@handles("securityhub", "GetConfigurationPolicyAssociation")
def association(call: Call, _: Forward) -> dict[str, Any]:
    wanted = target(call)[0]
    if wanted not in place(call, "policy associations"):
        raise AwsError("ResourceNotFoundException", f"{wanted} has no configuration policy.")
    return place(call, "policy associations")[wanted].read()


# The newer hub, with its features that one opts into.

V2_OFF = ("ResourceNotFoundException", "Security Hub is not enabled.")


def feature(status: str) -> Any:
    def written(call: Call) -> dict[str, Any]:
        there = HUB_V2.now(call).get("Features", {})
        changed = {call.params["FeatureName"]: {"FeatureStatus": status, "UpdatedAt": now()}}
        return {"Features": there | changed}

    return written


def on_v2(call: Call) -> None:
    if str(call.operation).endswith("FeatureV2") and not HUB_V2.rows(call):
        raise AwsError(*V2_OFF)


HUB_V2 = setting(
    "securityhub",
    "hub v2",
    {},
    get="DescribeSecurityHubV2",
    put={
        "EnableSecurityHubV2": lambda call: {
            "HubV2Arn": f"arn:{call.partition}:securityhub:{call.region}:{call.account}:hubv2/{call.account.zfill(32)}",
            "SubscribedAt": now().isoformat().replace("+00:00", "Z"),
            "Features": {},
        },
        "EnableSecurityHubFeatureV2": feature("ENABLED"),
        "DisableSecurityHubFeatureV2": feature("DISABLED"),
        "DisableSecurityHubV2": None,
    },
    absent=V2_OFF,
    check=on_v2,
)


def linked_v2(call: Call, _: Any = None) -> None:
    named = "SPECIFIED" in call.params["RegionLinkingMode"]
    if named != bool(call.params.get("LinkedRegions")):
        raise AwsError("ValidationException", "LinkedRegions go with a mode that names Regions, and only with one.")


def at_home_v2(call: Call, row: dict[str, Any]) -> None:
    linked_v2(call)
    if row["AggregationRegion"] != call.region:
        raise AwsError("ValidationException", f"The aggregation Region is {row['AggregationRegion']}.")


(
    Collection(
        "securityhub",
        "aggregator v2",
        key="id",
        new_id=lambda _: str(uuid.uuid4()),
        arn=("AggregatorV2Arn", "arn:{partition}:securityhub:{region}:{account}:aggregatorv2/{id}"),
        everywhere=True,
        one=True,
        made=lambda call: {"AggregationRegion": call.region},
    )
    .create("CreateAggregatorV2", exists="ConflictException", check=linked_v2)
    .get("GetAggregatorV2")
    .list("ListAggregatorsV2", "AggregatorsV2")
    .update("UpdateAggregatorV2", whole=True, check=at_home_v2)
    .delete("DeleteAggregatorV2")
)
