"""Resource Groups Tagging: finding what services tag, whoever keeps it, and tagging it through its own service.

A resource that once had tags stays listed with none (as far as a call saw it); the index is up to date at once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.resource_tagging import iter_taggable_backends, make_tag_matcher, match_resource_type

from emulator.answers import AwsError
from emulator.ask import ask
from emulator.missing import Forward, handles
from emulator.missing.cloudtrail import all_trails
from emulator.missing.tagging_targets import change
from emulator.organization.effective import effective
from emulator.organization.structure import home_of, management, trusted
from emulator.shelf.pages import page
from emulator.shelf.store import Row, place
from emulator.shelf.tags import KINDS, as_map
from emulator.wire import Call

ARN = re.compile(r"^arn:([^:]+):[^:]+:([^:]*):([^:]*):.+")
A_PAGE = 50
# Where what has no Region of its own is listed.
LEADERS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
# Services of moto that keep tags by ARN and do not tell the tagging API.
BY_ARN = ("ecr", "inspector2", "network-firewall", "opensearch", "route53resolver")
TAG_POLICIES = "tagpolicies.tag.amazonaws.com"


@dataclass
class Resource:
    arn: str
    kind: str
    tags: dict[str, str]


def resources(call: Call) -> list[Resource]:
    """What has tags in the Region or once had some, in the order of the ARNs."""
    seen = place(call, "once tagged")
    found = {}
    for one in _everything(call):
        if one.tags:
            seen[one.arn] = Row({})
        if one.arn in seen and _is_here(call, one.arn):
            found[one.arn] = one
    return [found[arn] for arn in sorted(found)]


def _everything(call: Call) -> Iterator[Resource]:
    for backend in iter_taggable_backends(call.account, call.region):
        for one in backend.iter_tagged_resources():
            yield Resource(one.arn, one.resource_type, one.tags)
    for service, kind, kept in KINDS:
        for arn, row in kind.every(replace(call, service=service)):
            yield Resource(arn, _kind_of(arn), as_map(row.now.get(kept)))
    for name, backend in _used(call):
        if name == "events":
            rules = [rule for bus in backend.event_buses.values() for rule in bus.rules.values()]
            yield from (
                Resource(one.arn, "events:rule", backend.tagger.get_tag_dict_for_resource(one.arn)) for one in rules
            )
        elif name in BY_ARN:
            kept = {arn: tags for arn, tags in backend.tagger.tags.items() if ARN.match(arn)}
            yield from (Resource(arn, _kind_of(arn), dict(tags)) for arn, tags in kept.items())
    for trail in all_trails():
        if trail.account == call.account:
            yield Resource(trail.arn, "cloudtrail:trail", trail.tags)


def _used(call: Call) -> Iterator[tuple[str, Any]]:
    """moto's backends of the account and Region that somebody has used, by name."""
    for backends in list(BackendDict._instances):
        if call.account in backends and call.region in backends[call.account]:
            yield backends.service_name, backends[call.account][call.region]


def _kind_of(arn: str) -> str:
    _, _, namespace, _, _, name = arn.split(":", 5)
    return f"{namespace}:{re.split('[:/]', name)[0]}"


def _is_here(call: Call, arn: str) -> bool:
    """Buckets are where they were made, other global things in the partition's first Region."""
    _, _, namespace, region, _, name = arn.split(":", 5)
    if namespace == "s3" and not region:
        from moto.s3.models import s3_backends

        return bool(s3_backends[call.account][call.partition].buckets[name].region_name == call.region)
    return (region or LEADERS.get(call.partition, "")) == call.region


@handles("resourcegroupstaggingapi", "GetResources")
def get_resources(call: Call, _: Forward) -> dict[str, Any]:
    params = call.params
    arns, types, filters = (params.get(n) or [] for n in ("ResourceARNList", "ResourceTypeFilters", "TagFilters"))
    paging = [name for name in ("ResourcesPerPage", "TagsPerPage", "PaginationToken") if params.get(name)]
    if arns and (types or filters or paging):
        raise _invalid("ResourceARNList can't be given together with filters or pagination parameters.")
    if not 100 <= params.get("TagsPerPage", 100) <= 500:
        raise _invalid("TagsPerPage must be between 100 and 500.")
    if not 1 <= params.get("ResourcesPerPage", A_PAGE) <= 100:
        raise _invalid("ResourcesPerPage must be between 1 and 100.")
    if params.get("ExcludeCompliantResources") and not params.get("IncludeComplianceDetails"):
        raise _invalid("ExcludeCompliantResources goes with IncludeComplianceDetails.")
    matches = make_tag_matcher(filters)
    found = [
        {"ResourceARN": one.arn, "Tags": [{"Key": key, "Value": value} for key, value in one.tags.items()]}
        | _compliance(call, one)
        for one in resources(call)
        if matches(one.tags) and match_resource_type(one.kind, types) and (not arns or one.arn in arns)
    ]
    if params.get("ExcludeCompliantResources"):
        found = [one for one in found if not one["ComplianceDetails"]["ComplianceStatus"]]
    shown, token = page(call, found, usual=_fit(call, found))
    return {"ResourceTagMappingList": shown, "PaginationToken": ""} | token


def _compliance(call: Call, one: Resource) -> dict[str, Any]:
    from emulator.missing.tagging_compliance import details

    if not call.params.get("IncludeComplianceDetails"):
        return {}
    found = home_of(call.account, call.partition)
    return {"ComplianceDetails": details(effective(call.account, "TAG_POLICY", call.partition) if found else None, one)}


def _fit(call: Call, found: list[dict[str, Any]]) -> int:
    """How many resources a page has: as many as are asked for, and with TagsPerPage no more than have so many tags."""
    most, tags = call.params.get("TagsPerPage"), 0
    for number, one in enumerate(found if most else []):
        tags += max(1, len(one["Tags"]))
        if tags > most:
            return number
    return A_PAGE


@handles("resourcegroupstaggingapi", "GetTagKeys")
def get_tag_keys(call: Call, _: Forward) -> dict[str, Any]:
    shown, token = page(call, sorted({key for one in resources(call) for key in one.tags}))
    return {"TagKeys": shown, "PaginationToken": ""} | token


@handles("resourcegroupstaggingapi", "GetTagValues")
def get_tag_values(call: Call, _: Forward) -> dict[str, Any]:
    key = call.params["Key"]
    shown, token = page(call, sorted({one.tags[key] for one in resources(call) if key in one.tags}))
    return {"TagValues": shown, "PaginationToken": ""} | token


@handles("resourcegroupstaggingapi", "TagResources")
def tag_resources(call: Call, _: Forward) -> dict[str, Any]:
    return _changed(call, call.params["Tags"], [])


@handles("resourcegroupstaggingapi", "UntagResources")
def untag_resources(call: Call, _: Forward) -> dict[str, Any]:
    return _changed(call, {}, call.params["TagKeys"])


def _changed(call: Call, tags: dict[str, str], keys: list[str]) -> dict[str, Any]:
    """Each resource by itself: what its service says of it is told in the map, and the others go through."""
    arns, failed = call.params["ResourceARNList"], {}
    for arn in arns:
        parts = ARN.match(arn)
        if not parts or parts.group(1) != call.partition:
            raise _invalid(f"{arn} is not an ARN of this partition.")
        if any(key.lower().startswith("aws:") for key in (*tags, *keys)):
            raise _invalid("Tag keys that begin with aws: are reserved.")
    resources(call)
    for arn in dict.fromkeys(arns):
        _, _, _, region, account, _ = arn.split(":", 5)
        try:
            if (region and region != call.region) or (account and account != call.account):
                raise _invalid("The resource is not in this Region of this account.")
            change(call, arn, tags, keys)
        except AwsError as error:
            why = {"StatusCode": error.status or 400, "ErrorCode": error.code, "ErrorMessage": error.message}
            failed[arn] = why
    return {"FailedResourcesMap": failed}


@handles("resourcegroupstaggingapi", "ListRequiredTags")
def required_tags(call: Call, _: Forward) -> dict[str, Any]:
    """By type, the keys that the account's effective tag policy requires for reports."""
    keys: dict[str, list[str]] = {}
    policy = effective(call.account, "TAG_POLICY", call.partition) or {}
    for name, node in policy.get("tags", {}).items():
        for kind in node.get("report_required_tag_for", []):
            keys.setdefault(kind, []).append(node.get("tag_key", name))
    rows = [{"ResourceType": kind, "ReportingTagKeys": sorted(keys[kind])} for kind in sorted(keys)]
    shown, token = page(call, rows)
    return {"RequiredTags": shown} | token


@handles("resourcegroupstaggingapi", "GetComplianceSummary")
def compliance_summary(call: Call, _: Forward) -> dict[str, Any]:
    """Of the organization, in pages; for its management account alone."""
    from emulator.missing.tagging_compliance import summary

    found = home_of(call.account, call.partition)
    if call.region != LEADERS.get(call.partition) or found is None or management(found) != call.account:
        raise _constraint("You can call this operation only from the management account, and from us-east-1.")
    if not trusted(found, TAG_POLICIES):
        raise _constraint(f"Trusted access of {TAG_POLICIES} is not enabled.")
    if not ask(call, "organizations", "ListPolicies", Filter="TAG_POLICY")["Policies"]:
        raise _constraint("There is no tag policy.")
    shown, token = page(call, summary(call))
    return {"SummaryList": shown, "PaginationToken": ""} | token


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def _constraint(message: str) -> AwsError:
    return AwsError("ConstraintViolationException", message)
