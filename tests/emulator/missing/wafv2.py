"""WAF: what moto leaves out of web ACLs, their associations the other way round, AWS's managed rule groups."""

from typing import Any

from emulator.answers import Answer, AwsError
from emulator.missing import Forward, from_moto, handles, refuses
from emulator.wire import Call

# The service in the ARN of each type of resource.
TYPES = {
    "APPLICATION_LOAD_BALANCER": "elasticloadbalancing",
    "API_GATEWAY": "apigateway",
    "APPSYNC": "appsync",
    "COGNITO_USER_POOL": "cognito-idp",
    "APP_RUNNER_SERVICE": "apprunner",
    "VERIFIED_ACCESS_INSTANCE": "ec2",
    "AMPLIFY": "amplify",
}
# WAF's developer guide; the groups that cost more are left.
CAPACITIES = {
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
    "AWSManagedRulesWordPressRuleSet": 100,
}


def acl_of(call: Call, arn: str | None = None) -> Any:
    """The web ACL with the ARN, or with the id and scope of the call."""
    from moto.wafv2.models import GLOBAL_REGION, wafv2_backends

    backends = wafv2_backends[call.account]
    for region in (GLOBAL_REGION, call.region):
        for acl in backends[region].wacls.values():
            same = acl.id == call.params.get("Id") and acl.name == call.params.get("Name")
            if acl.arn == arn if arn else same:
                return acl
    raise _nothing()


def _nothing() -> AwsError:
    return AwsError("WAFNonexistentItemException", "AWS WAF couldn't perform the operation: the resource doesn't exist.")


@refuses("wafv2", "ListTagsForResource", "TagResource", "UntagResource")
def tagged(call: Call) -> None:
    from moto.wafv2.models import GLOBAL_REGION, wafv2_backends

    kinds = ("wacls", "ip_sets", "rule_groups", "regex_pattern_sets")
    backends = [wafv2_backends[call.account][region] for region in (GLOBAL_REGION, call.region)]
    if not any(call.params["ResourceARN"] in getattr(backend, kind) for backend in backends for kind in kinds):
        raise _nothing()


@refuses("wafv2", "AssociateWebACL", "DisassociateWebACL", "GetWebACLForResource")
def protected(call: Call) -> None:
    """A load balancer must be there; others are not looked for."""
    from moto.elbv2.models import elbv2_backends

    arn = call.params["ResourceArn"]
    if arn.split(":")[2:3] == ["elasticloadbalancing"] and arn not in elbv2_backends[call.account][call.region].load_balancers:
        raise _nothing()


@handles("wafv2", "AssociateWebACL")
def associate(call: Call, forward: Forward) -> Answer:
    """A resource has one web ACL: the one before is replaced in silence."""
    from moto.wafv2.models import GLOBAL_REGION, wafv2_backends

    answer = forward()
    if answer.status < 300:
        for region in (GLOBAL_REGION, call.region):
            for acl in wafv2_backends[call.account][region].wacls.values():
                there = [arn for arn in acl.associated_resources if arn != call.params["ResourceArn"]]
                mine = [call.params["ResourceArn"]] if acl.arn == call.params["WebACLArn"] else []
                acl.associated_resources = there + mine
    return answer


@handles("wafv2", "GetWebACL", "GetWebACLForResource")
def get(call: Call, forward: Forward) -> dict[str, Any]:
    made = from_moto(call, forward)
    if "WebACL" in made:
        made["WebACL"] = {name: value for name, value in made["WebACL"].items() if value != ""}
        made["WebACL"] |= {"ManagedByFirewallManager": False}
    return made


@handles("wafv2", "UpdateWebACL")
def update(call: Call, forward: Forward) -> dict[str, Any]:
    """The whole is replaced: a description that is not sent is gone."""
    made = from_moto(call, forward)
    acl_of(call).description = call.params.get("Description", "")
    return made


@handles("wafv2", "DeleteWebACL")
def delete(call: Call, _: Forward) -> None:
    if acl_of(call).associated_resources:
        raise AwsError("WAFAssociatedItemException", "AWS WAF couldn't perform the operation: the resource is in use.")


@handles("wafv2", "ListResourcesForWebACL")
def resources(call: Call, _: Forward) -> dict[str, Any]:
    """Of one type, load balancers unless another is named."""
    service = TYPES[call.params.get("ResourceType", "APPLICATION_LOAD_BALANCER")]
    there = acl_of(call, call.params["WebACLArn"]).associated_resources
    return {"ResourceArns": [arn for arn in there if arn.split(":")[2] == service]}


@handles("wafv2", "DescribeManagedRuleGroup")
def managed(call: Call, _: Forward) -> dict[str, Any]:
    """The capacity of one of AWS's groups; which rules are in it is left."""
    name = call.params["Name"]
    if call.params["VendorName"] != "AWS" or name not in CAPACITIES:
        raise AwsError("WAFNonexistentItemException", f"The managed rule group {name} doesn't exist.")
    label = f"awswaf:managed:aws:{name.removeprefix('AWSManagedRules').lower()}:"
    return {"Capacity": CAPACITIES[name], "LabelNamespace": label, "Rules": []}
