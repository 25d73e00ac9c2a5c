"""Which permissions calls of Access Analyzer, Detective, GuardDuty, Inspector, Macie, Security Hub and Route 53 Resolver demand (Service Authorization Reference).

Each makes its service-linked role with the caller's own permission when it is first used; here it never does, so that
the permission is always asked for.
"""

from typing import Any

from emulator.access import MORE_DEMANDS, Demand
from emulator.identity import linked_role
from emulator.organization.structure import home_of
from emulator.wire import Call


def _arn(call: Call, service: str, resource: str) -> str:
    return f"arn:{call.partition}:{service}:{call.region}:{call.account}:{resource}"


def _linked(call: Call, service: str) -> Demand:
    path = f"/aws-service-role/{service}/{linked_role(service)}"
    role = f"arn:{call.partition}:iam::{call.account}:role{path}"
    return Demand("iam:CreateServiceLinkedRole", role, {"iam:awsservicename": [service]})


def _delegating(call: Call, service: str) -> list[Demand]:
    """What a service does as whoever names its administrator in an organization."""
    found = home_of(call.account, call.partition)
    named = f"{found.org.id if found else 'o-none'}/{call.params['AdminAccountId']}"
    account = f"arn:{call.partition}:organizations::{call.account}:account/{named}"
    reads = ("DescribeAccount", "DescribeOrganization", "ListAccounts")
    reads += ("ListAWSServiceAccessForOrganization", "ListDelegatedAdministrators")
    by = {"organizations:serviceprincipal": [service]}
    writes = [Demand("organizations:EnableAWSServiceAccess", "*", by)]
    writes.append(Demand("organizations:RegisterDelegatedAdministrator", account, by))
    return writes + [Demand(f"organizations:{name}") for name in reads]


def _accessanalyzer(call: Call, action: str) -> list[Demand]:
    params = call.params
    if call.operation == "ListAnalyzers":
        return [Demand(action)]
    if params.get("resourceArn"):
        return [Demand(action, params["resourceArn"])]
    resource = f"analyzer/{params.get('analyzerName')}"
    if params.get("ruleName"):
        resource += f"/archive-rule/{params['ruleName']}"
    found = [Demand(action, params.get("analyzerArn") or _arn(call, "access-analyzer", resource))]
    if call.operation == "CreateAnalyzer":
        found.append(_linked(call, "access-analyzer.amazonaws.com"))
    return found


# Where GuardDuty knows no resource, though a detector is named.
_NO_RESOURCE = (
    "CreateDetector",
    "CreatePublishingDestination",
    "DescribeOrganizationConfiguration",
    "GetAdministratorAccount",
    "ListFilters",
    "ListIPSets",
    "ListMembers",
    "ListPublishingDestinations",
    "ListTrustedEntitySets",
    "UpdateOrganizationConfiguration",
)
# What is in a detector: the member that names it, and the kind of resource.
_IN_DETECTOR = {
    "DestinationId": "publishingdestination",
    "FilterName": "filter",
    "IpSetId": "ipset",
    "TrustedEntitySetId": "trustedentityset",
}


def _guardduty(call: Call, action: str) -> list[Demand]:
    params = call.params
    if params.get("ResourceArn"):
        return [Demand(action, params["ResourceArn"])]
    if call.operation == "CreateDetector":
        return [Demand(action), _linked(call, "guardduty.amazonaws.com")]
    if call.operation == "EnableOrganizationAdminAccount":
        return [Demand(action), *_delegating(call, "guardduty.amazonaws.com")]
    named = params.get("DetectorId") if call.operation not in _NO_RESOURCE else None
    inside = next((f"/{kind}/{params[name]}" for name, kind in _IN_DETECTOR.items() if name in params), "")
    found = [Demand(action, _arn(call, "guardduty", f"detector/{named}{inside}") if named else "*")]
    return found + _exported(params.get("DestinationProperties") or {})


def _exported(properties: dict[str, Any]) -> list[Demand]:
    """What GuardDuty looks at as whoever leads findings to a bucket."""
    if "DestinationArn" not in properties:
        return []
    bucket = properties["DestinationArn"].partition("/")[0]
    on_bucket = [Demand(action, bucket) for action in ("s3:GetBucketLocation", "s3:ListBucket")]
    return on_bucket + [Demand(action, f"{bucket}/x") for action in ("s3:GetObject", "s3:PutObject")]


def _securityhub(call: Call, action: str) -> list[Demand]:
    params = call.params
    if params.get("ResourceArn"):
        return [Demand(action, params["ResourceArn"])]
    if "FindingAggregator" in call.operation:
        return [Demand(action, params.get("FindingAggregatorArn") or "*")]
    if str(call.operation).endswith("V2"):
        return [Demand(action, params.get("AggregatorV2Arn") or "*")]
    found = [Demand(action, _arn(call, "securityhub", "hub/default"))]
    if call.operation == "EnableOrganizationAdminAccount":
        found += _delegating(call, "securityhub.amazonaws.com")
    if call.operation == "EnableSecurityHub":
        found.append(_linked(call, "securityhub.amazonaws.com"))
    return found


def _detective(call: Call, action: str) -> list[Demand]:
    params = call.params
    if call.operation == "CreateGraph":
        tagged = [Demand("detective:TagResource", _arn(call, "detective", "graph:new"))] if params.get("Tags") else []
        return [Demand(action), *tagged, _linked(call, "detective.amazonaws.com")]
    found = [Demand(action, params.get("GraphArn") or params.get("ResourceArn") or "*")]
    asks = call.operation in ("DescribeOrganizationConfiguration", "UpdateOrganizationConfiguration")
    return found + [Demand("organizations:DescribeOrganization")] * asks


def _inspector2(call: Call, action: str) -> list[Demand]:
    params, operation = call.params, str(call.operation)
    if operation == "Enable":
        roles = [_linked(call, "inspector2.amazonaws.com"), _linked(call, "agentless.inspector2.amazonaws.com")]
        return [Demand(action), *(roles if "EC2" in params["resourceTypes"] else roles[:1])]
    if params.get("resourceArn"):
        return [Demand(action, params["resourceArn"])]
    if operation.endswith("CisScanConfiguration"):
        new = _arn(call, "inspector2", f"owner/{call.account}/cis-configuration/new")
        return [Demand(action, params.get("scanConfigurationArn", new))]
    return [Demand(action)]


# What Macie knows as a resource: what an operation is about, and the kind in its ARN.
_MACIE = {"CustomDataIdentifier": "custom-data-identifier", "AllowList": "allow-list", "FindingsFilter": "findings-filter"}


def _macie2(call: Call, action: str) -> list[Demand]:
    params, operation = call.params, str(call.operation)
    if params.get("resourceArn"):
        return [Demand(action, params["resourceArn"])]
    if operation == "EnableMacie":
        return [Demand(action), _linked(call, "macie.amazonaws.com")]
    kind = next((kind for what, kind in _MACIE.items() if operation.endswith(what)), None)
    # A list that is made is not known as a resource, and an identifier is.
    if kind and (operation.startswith(("Get", "Update", "Delete")) or operation == "CreateCustomDataIdentifier"):
        return [Demand(action, _arn(call, "macie2", f"{kind}/{params.get('id', 'new')}"))]
    return [Demand(action)]


# Where Resolver knows no resource.
_RESOLVER_LISTS = ("ListResolverQueryLogConfigAssociations", "ListResolverQueryLogConfigs")


def _route53resolver(call: Call, action: str) -> list[Demand]:
    params = call.params
    if params.get("ResourceArn"):
        return [Demand(action, params["ResourceArn"])]
    if call.operation in _RESOLVER_LISTS or "QueryLogConfig" not in str(call.operation):
        return [Demand(action, is_known=call.operation in _RESOLVER_LISTS)]
    named = params.get("ResolverQueryLogConfigId", "rslvr-qlc-new")
    found = [Demand(action, _arn(call, "route53resolver", f"resolver-query-log-config/{named}"))]
    if call.operation == "CreateResolverQueryLogConfig":
        # CloudWatch Logs User Guide, "Enable logging from AWS services".
        found.append(Demand("logs:CreateLogDelivery"))
        if ":firehose:" in params["DestinationArn"]:
            found += [Demand("firehose:TagDeliveryStream", params["DestinationArn"]), _linked(call, "delivery.logs.amazonaws.com")]
    if call.operation == "AssociateResolverQueryLogConfig":
        found += [Demand("ec2:DescribeVpcs"), _linked(call, "route53resolver.amazonaws.com")]
    return found


def register() -> None:
    """Tells `emulator.access` of them."""
    made: dict[str, Any] = {"accessanalyzer": _accessanalyzer, "guardduty": _guardduty, "securityhub": _securityhub}
    made |= {"detective": _detective, "inspector2": _inspector2, "macie2": _macie2, "route53resolver": _route53resolver}
    MORE_DEMANDS.update(made)
