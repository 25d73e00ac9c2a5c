"""EC2: regions by opt-in state, rules of security groups as AWS answers them, the default key of EBS encryption."""

from typing import Any

from emulator import ec2_rules
from emulator.answers import Answer, AwsError
from emulator.missing import Forward, from_moto, handles
from emulator.wire import Call

# Regions that every account has without opting in.
DEFAULT_REGIONS = frozenset(
    "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 "
    "eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2".split()
)
OTHER_PARTITIONS = ("us-gov-", "cn-", "us-iso", "eu-iso", "eusc-")
EBS_ALIAS = "alias/aws/ebs"

_OPTED_IN: dict[str, set[str]] = {}
_EBS_KEYS: dict[tuple[str, str], str] = {}


def opt_in(account: str, region: str) -> None:
    """Opts the account into a region that is off by default."""
    _OPTED_IN.setdefault(account, set()).add(region)


def opt_out(account: str, region: str) -> None:
    _OPTED_IN.get(account, set()).discard(region)


def opted_in(account: str, region: str) -> bool | None:
    """Whether the account has opted into the region; None for one that needs no opt-in."""
    return None if region in DEFAULT_REGIONS else region in _OPTED_IN.get(account, set())


def known_regions() -> list[str]:
    """All regions of the partition, by name."""
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

    names = sorted({region.name for region in RegionsAndZonesBackend.regions})
    return [name for name in names if not name.startswith(OTHER_PARTITIONS)]


def backend_of(call: Call) -> Any:
    from moto.ec2.models import ec2_backends

    return ec2_backends[call.account][call.region]


@handles("ec2", "DescribeRegions")
def describe_regions(call: Call, _: Forward) -> dict[str, Any]:
    params, found = call.params, []
    states = {None: "opt-in-not-required", True: "opted-in", False: "not-opted-in"}
    for name in known_regions():
        state = states[opted_in(call.account, name)]
        if state == "not-opted-in" and not params.get("AllRegions"):
            continue
        found.append({"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": state})
    wanted = params.get("RegionNames")
    if wanted:
        unknown = set(wanted) - {region["RegionName"] for region in found}
        if unknown:
            raise AwsError("InvalidParameterValue", f"Invalid region provided: {', '.join(sorted(unknown))}")
        found = [region for region in found if region["RegionName"] in wanted]
    names = {"region-name": "RegionName", "opt-in-status": "OptInStatus", "endpoint": "Endpoint"}
    for condition in params.get("Filters", []):
        found = [region for region in found if region[names[condition["Name"]]] in condition["Values"]]
    return {"Regions": found}


@handles("ec2", "DescribeSecurityGroupRules")
def describe_rules(call: Call, _: Forward) -> dict[str, Any]:
    wanted, made = call.params.get("SecurityGroupRuleIds") or [], []
    filters = {condition["Name"]: condition["Values"] for condition in call.params.get("Filters", [])}
    for groups in backend_of(call).groups.values():
        for group in groups.values():
            if "group-id" in filters and group.id not in filters["group-id"]:
                continue
            for egress in (False, True):
                made += _described(call, group, egress, {rule.id for rule in _rules(group, egress)})
    if "security-group-rule-id" in filters:
        made = [rule for rule in made if rule["SecurityGroupRuleId"] in filters["security-group-rule-id"]]
    for rule_id in wanted:
        if not any(rule["SecurityGroupRuleId"] == rule_id for rule in made):
            raise _no_rule(rule_id)
    unknown = set(filters) - {"group-id", "security-group-rule-id"}
    if unknown:
        raise NotImplementedError(f"the filter {sorted(unknown)[0]}")
    return {"SecurityGroupRules": [rule for rule in made if not wanted or rule["SecurityGroupRuleId"] in wanted]}


@handles("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def authorize(call: Call, _: Forward) -> dict[str, Any]:
    """Adds all rules of a call or none, in the form that AWS stores."""
    from moto.ec2.models.security_groups import SecurityGroupRule

    group, egress = _group(call), call.operation.endswith("Egress")
    new = [rule for permission in _permissions(call) for rule in ec2_rules.stored(call, permission, group)]
    tags = {
        tag["Key"]: tag.get("Value", "")
        for specification in call.params.get("TagSpecifications", [])
        for tag in specification.get("Tags", [])
    }
    there = [ec2_rules.of_moto(call, rule) for rule in _rules(group, egress)]
    for place, rule in enumerate(new):
        if rule.key in {one.key for one in there}:
            raise AwsError("InvalidPermission.Duplicate", f'the specified rule "{rule}" already exists')
        if rule.key in {one.key for one in new[:place]}:
            raise AwsError("InvalidParameterValue", "The same permission must not appear multiple times")
    for family in (4, 6):
        if sum(family in rule.families for rule in there + new) > ec2_rules.QUOTA and any(
            family in rule.families for rule in new
        ):
            raise AwsError(
                "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."
            )
    added = set()
    for rule in new:
        made = SecurityGroupRule(
            backend_of(call),
            rule.protocol,
            group.group_id,
            rule.ports[0],
            rule.ports[1],
            rule.ip_range,
            rule.source_group,
            rule.prefix_list,
            is_egress=egress,
            tags=tags,
        )
        # moto knows no name for ICMPv6 and keeps no ports of protocols without any.
        made.ip_protocol = rule.protocol
        made.prefix_list_description = (rule.prefix_list or {}).get("Description")
        (group.add_egress_rule if egress else group.add_ingress_rule)(made)
        added.add(made.id)
    return {"Return": True, "SecurityGroupRules": _described(call, group, egress, added)}


def _permissions(call: Call) -> list[dict[str, Any]]:
    """The rules of a call, also in the older form of one rule beside the group."""
    if "IpPermissions" in call.params:
        return call.params["IpPermissions"]
    if {"SourceSecurityGroupName", "SourceSecurityGroupOwnerId"} & set(call.params):
        raise NotImplementedError("SourceSecurityGroupName without IpPermissions")
    if not {"IpProtocol", "CidrIp"} & set(call.params):
        raise AwsError("MissingParameter", "The request must contain the parameter ipPermissions")
    one = {name: call.params[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in call.params}
    return [one | {"IpRanges": [{"CidrIp": call.params["CidrIp"]}] if "CidrIp" in call.params else []}]


@handles("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")
def revoke(call: Call, _: Forward) -> dict[str, Any]:
    """Finds rules by their meaning, however they are spelt."""
    group, egress = _group(call), call.operation.endswith("Egress")
    rules, unknown = _rules(group, egress), []
    gone = set(call.params.get("SecurityGroupRuleIds") or [])
    for rule_id in gone:
        ec2_rules.check_rule_id(rule_id)
        if rule_id not in {rule.id for rule in rules}:
            raise _no_rule(rule_id)
    for permission in [] if gone else _permissions(call):
        for one in ec2_rules.apart(permission):
            [wanted] = ec2_rules.stored(call, one, group)
            found = {rule.id for rule in rules if ec2_rules.of_moto(call, rule).key == wanted.key}
            gone |= found
            unknown += [] if found else [one]
    if unknown and not _in_default_vpc(call, group):
        raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
    shown = _described(call, group, egress, gone)
    _set_rules(group, egress, [rule for rule in rules if rule.id not in gone])
    made: dict[str, Any] = {"Return": True, "RevokedSecurityGroupRules": [_revoked(rule) for rule in shown]}
    # In a default VPC AWS calls it a success and names what it did not find.
    return made | ({"UnknownIpPermissions": unknown} if unknown else {})


@handles("ec2", "ModifySecurityGroupRules")
def modify(call: Call, _: Forward) -> dict[str, Any]:
    """Puts rules as a whole, in the form that AWS stores; all of a call or none."""
    group = _group(call)
    there = {rule.id: (rule, egress) for egress in (False, True) for rule in _rules(group, egress)}
    changes = {}
    for one in call.params["SecurityGroupRules"]:
        rule_id = one["SecurityGroupRuleId"]
        ec2_rules.check_rule_id(rule_id)
        if rule_id not in there:
            raise _no_rule(rule_id)
        [changes[rule_id]] = ec2_rules.stored(call, ec2_rules.permission_of(one["SecurityGroupRule"]), group)
    keys = set()
    for rule_id, (rule, egress) in there.items():
        key = (egress, changes.get(rule_id, ec2_rules.of_moto(call, rule)).key)
        if key in keys:
            raise AwsError("InvalidPermission.Duplicate", "the specified rule already exists")
        keys.add(key)
    for rule_id, new in changes.items():
        rule = there[rule_id][0]
        rule.ip_protocol, rule.from_port, rule.to_port = new.protocol, *new.ports
        rule.ip_range, rule.source_group = new.ip_range or {}, new.source_group or {}
        rule.prefix_list_id = (new.prefix_list or {}).get("PrefixListId")
        rule.prefix_list_description = (new.prefix_list or {}).get("Description")
    return {"Return": True}


@handles("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
def describe_anew(call: Call, _: Forward) -> dict[str, Any]:
    """Of rules by their id, or by their meaning; no text takes the old one away."""
    group, egress = _group(call), call.operation.endswith("Egress")
    rules = {rule.id: rule for rule in _rules(group, egress)}
    texts: dict[str, str] = {}
    for one in call.params.get("SecurityGroupRuleDescriptions") or []:
        ec2_rules.check_rule_id(one["SecurityGroupRuleId"])
        if one["SecurityGroupRuleId"] not in rules:
            raise _no_rule(one["SecurityGroupRuleId"])
        texts[one["SecurityGroupRuleId"]] = one.get("Description", "")
    for permission in [] if texts else _permissions(call):
        for new in ec2_rules.stored(call, permission, group):
            found = [name for name, rule in rules.items() if ec2_rules.of_moto(call, rule).key == new.key]
            if not found:
                raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
            told = new.ip_range or new.source_group or new.prefix_list or {}
            texts |= dict.fromkeys(found, told.get("Description", ""))
    for name, text in texts.items():
        rule = rules[name]
        if rule.prefix_list_id:
            rule.prefix_list_description = text
        else:
            (rule.ip_range or rule.source_group)["Description"] = text
    return {"Return": True}


@handles("ec2", "DeleteSecurityGroup")
def delete_group(call: Call, _: Forward) -> None:
    group = _group(call)
    if group.is_default:
        raise AwsError("CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user')
    used = any(group in interface.group_set for interface in backend_of(call).enis.values())
    if used or any(_names(other, group) for groups in backend_of(call).groups.values() for other in groups.values()):
        raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")


def _names(other: Any, group: Any) -> bool:
    """Whether a rule of another group is about this one."""
    rules = [*other.ingress_rules, *other.egress_rules] if other is not group else []
    return any((rule.source_group or {}).get("GroupId") == group.id for rule in rules)


@handles("ec2", "CreateNetworkInterface")
def create_interface(call: Call, forward: Forward) -> Answer | dict[str, Any]:
    """An interface without groups gets the default group of its VPC."""
    if call.params.get("Groups"):
        return forward()
    made = from_moto(call, forward)
    backend = backend_of(call)
    interface = backend.enis[made["NetworkInterface"]["NetworkInterfaceId"]]
    default = backend.get_security_group_from_name("default", vpc_id=interface.subnet.vpc_id)
    if default not in interface._group_set:
        interface._group_set.append(default)
    made["NetworkInterface"]["Groups"] = [{"GroupId": default.id, "GroupName": default.name}]
    return made


@handles("ec2", "GetEbsEncryptionByDefault")
def get_ebs_encryption(call: Call, _: Forward) -> dict[str, Any]:
    enabled = backend_of(call).get_ebs_encryption_by_default()
    own = (call.account, call.region) in _EBS_KEYS
    return {"EbsEncryptionByDefault": enabled, "SseType": "none" if not enabled else "sse-kms" if own else "sse-ebs"}


@handles("ec2", "GetEbsDefaultKmsKeyId")
def get_ebs_key(call: Call, _: Forward) -> dict[str, Any]:
    return {"KmsKeyId": _EBS_KEYS.get((call.account, call.region)) or _managed_key(call)}


@handles("ec2", "ModifyEbsDefaultKmsKeyId")
def modify_ebs_key(call: Call, _: Forward) -> dict[str, Any]:
    """Accepts any key: AWS validates it later, when a volume is made."""
    given = call.params["KmsKeyId"]
    if not given.startswith(("arn:", "alias/")):
        given = f"arn:{call.partition}:kms:{call.region}:{call.account}:key/{given}"
    if given.removeprefix(f"arn:{call.partition}:kms:{call.region}:{call.account}:") == EBS_ALIAS:
        _EBS_KEYS.pop((call.account, call.region), None)
        return {"KmsKeyId": _managed_key(call)}
    _EBS_KEYS[(call.account, call.region)] = given
    return {"KmsKeyId": given}


@handles("ec2", "ResetEbsDefaultKmsKeyId")
def reset_ebs_key(call: Call, _: Forward) -> dict[str, Any]:
    _EBS_KEYS.pop((call.account, call.region), None)
    return {"KmsKeyId": _managed_key(call)}


def _managed_key(call: Call) -> str:
    return managed_key(call.account, call.region)


def managed_key(account: str, region: str) -> str:
    """The ARN of AWS's own key, which is made when it is first asked for."""
    from moto.kms.models import kms_backends

    backend = kms_backends[account][region]
    return backend.keys[backend.any_id_to_key_id(EBS_ALIAS)].arn


def key_of_volumes(account: str, region: str) -> str:
    """With which volumes are encrypted where nothing else is said."""
    return _EBS_KEYS.get((account, region)) or managed_key(account, region)


def _group(call: Call) -> Any:
    name = call.params.get("GroupId") or call.params.get("GroupName")
    if not name:
        raise AwsError("MissingParameter", "The request must contain the parameter groupName or groupId")
    if "GroupId" in call.params:
        ec2_rules.check_group_id(name)
    group = backend_of(call).get_security_group_by_name_or_id(name, None)
    if group is None:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    return group


def _rules(group: Any, egress: bool) -> list[Any]:
    return group.egress_rules if egress else group.ingress_rules


def _set_rules(group: Any, egress: bool, rules: list[Any]) -> None:
    if egress:
        group.egress_rules = rules
    else:
        group.ingress_rules = rules


def _in_default_vpc(call: Call, group: Any) -> bool:
    vpc = backend_of(call).vpcs.get(group.vpc_id)
    return bool(vpc and vpc.is_default in (True, "true"))


def _described(call: Call, group: Any, egress: bool, wanted: set[str]) -> list[dict[str, Any]]:
    """The rules as DescribeSecurityGroupRules shows them."""
    made = []
    for rule in _rules(group, egress):
        if rule.id not in wanted:
            continue
        shown: dict[str, Any] = {
            "SecurityGroupRuleId": rule.id,
            "GroupId": group.id,
            "IsEgress": egress,
            "IpProtocol": str(rule.ip_protocol),
            # A rule for all protocols has the ports -1.
            "FromPort": _port(rule.from_port),
            "ToPort": _port(rule.to_port),
        }
        addresses, source = rule.ip_range or {}, rule.source_group or {}
        for name, value in (
            ("CidrIpv4", addresses.get("CidrIp")),
            ("CidrIpv6", addresses.get("CidrIpv6")),
            ("PrefixListId", rule.prefix_list_id),
            ("Description", addresses.get("Description") or source.get("Description") or rule.prefix_list_description),
        ):
            if value:
                shown[name] = value
        if source:
            shown["ReferencedGroupInfo"] = {
                "GroupId": source.get("GroupId"),
                "UserId": source.get("UserId") or call.account,
            }
        shown["Tags"] = [{"Key": tag["key"], "Value": tag["value"]} for tag in rule.get_tags()]
        shown["GroupOwnerId"] = call.account
        shown["SecurityGroupRuleArn"] = (
            f"arn:{call.partition}:ec2:{call.region}:{call.account}:security-group-rule/{rule.id}"
        )
        made.append(shown)
    return made


def _revoked(rule: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "SecurityGroupRuleId",
        "GroupId",
        "IsEgress",
        "IpProtocol",
        "FromPort",
        "ToPort",
        "CidrIpv4",
        "CidrIpv6",
        "PrefixListId",
        "Description",
    )
    made = {name: rule[name] for name in kept if name in rule}
    if "ReferencedGroupInfo" in rule:
        made["ReferencedGroupId"] = rule["ReferencedGroupInfo"]["GroupId"]
    return made


def _no_rule(rule_id: str) -> AwsError:
    return AwsError("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist")


def _port(value: Any) -> int:
    """A rule for all protocols has the ports -1."""
    return -1 if value in (None, "") else int(value)
