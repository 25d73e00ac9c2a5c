"""Route 53 Resolver: taking query logging away again and its tags, and the DNS firewall as it was planted."""

import re
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles, refuses
from emulator.shelf import planted
from emulator.shelf.pages import page
from emulator.wire import Call

# What associations of firewalls are asked for.
ASKED = ("FirewallRuleGroupId", "Priority", "Status", "VpcId")


def backend_of(call: Call) -> Any:
    from moto.route53resolver.models import route53resolver_backends

    return route53resolver_backends[call.account][call.region]


def config_of(call: Call) -> Any:
    wanted = call.params["ResolverQueryLogConfigId"]
    found = backend_of(call).resolver_query_log_configs.get(wanted)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Resolver query log config with ID '{wanted}' does not exist")
    return found


@refuses("route53resolver", "CreateResolverQueryLogConfig")
def where_query_logs_go(call: Call) -> None:
    """To a bucket, a log group or a delivery stream."""
    to = call.params["DestinationArn"]
    if not re.match(r"arn:[^:]+:(s3:::.|logs:[^:]+:\d{12}:log-group:.|firehose:[^:]+:\d{12}:deliverystream/.)", to):
        raise AwsError("InvalidParameterException", f"{to} is not the ARN of a place for query logs.")


@handles("route53resolver", "DisassociateResolverQueryLogConfig")
def disassociate(call: Call, _: Forward) -> dict[str, Any]:
    config, there = config_of(call), backend_of(call).resolver_query_log_config_associations
    for name, association in list(there.items()):
        if association.resolver_query_log_config_id != config.id:
            continue
        if association.resource_id == call.params["ResourceId"]:
            config.association_count -= 1
            return {"ResolverQueryLogConfigAssociation": there.pop(name).description() | {"Status": "DELETING"}}
    raise AwsError("ResourceNotFoundException", "The VPC is not associated with the query logging configuration.")


@handles("route53resolver", "DeleteResolverQueryLogConfig")
def delete(call: Call, _: Forward) -> dict[str, Any]:
    config = config_of(call)
    if config.association_count:
        raise AwsError("InvalidRequestException", "Disassociate the VPCs from the configuration first.")
    backend_of(call).resolver_query_log_configs.pop(config.id)
    return {"ResolverQueryLogConfig": config.description() | {"Status": "DELETING"}}


@handles("route53resolver", "ListTagsForResource", "TagResource", "UntagResource")
def tags(call: Call, _: Forward) -> dict[str, Any] | None:
    """Those of query logging, which moto keeps and does not find again."""
    arn, backend = call.params["ResourceArn"], backend_of(call)
    if ":resolver-query-log-config/" not in arn:
        return None
    if not any(one.arn == arn for one in backend.resolver_query_log_configs.values()):
        raise AwsError("ResourceNotFoundException", f"{arn} does not exist")
    if call.operation == "TagResource":
        backend.tagger.tag_resource(arn, call.params["Tags"])
        return {}
    if call.operation == "UntagResource":
        backend.tagger.untag_resource_using_names(arn, call.params["TagKeys"])
        return {}
    shown, token = page(call, backend.tagger.list_tags_for_resource(arn)["Tags"])
    return {"Tags": shown} | token


@handles("route53resolver", "ListFirewallRuleGroupAssociations")
def firewalls(call: Call, _: Forward) -> dict[str, Any]:
    """Those that were planted."""
    wanted = {name: call.params[name] for name in ASKED if name in call.params}
    rows = [one for one in planted(call, "firewall_associations") if wanted.items() <= one.items()]
    shown, token = page(call, rows)
    return {"FirewallRuleGroupAssociations": shown} | token
