"""EC2: what AWS refuses and moto takes: of ACLs, groups, tables and subnets in use, ids, tags; and dry runs."""

import ipaddress
import re

from emulator import ec2_rules
from emulator.answers import AwsError
from emulator.missing import guards, refuses
from emulator.missing.ec2 import backend_of
from emulator.wire import Call

# Entries in each direction, without the last one, which denies everything and cannot be changed.
MOST, LAST = 20, 32766
GROUPS = 5
# Of names and descriptions of security groups.
TEXT = r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*"
# Lists of ids: the member, how they begin, and the code for one in another form.
IDS = {
    "DescribeInstances": ("InstanceIds", "i", "InvalidInstanceID.Malformed"),
    "DescribeNetworkInterfaces": ("NetworkInterfaceIds", "eni", "InvalidNetworkInterfaceId.Malformed"),
    "DescribeSecurityGroups": ("GroupIds", "sg", "InvalidGroupId.Malformed"),
    "DescribeSnapshots": ("SnapshotIds", "snap", "InvalidSnapshotID.Malformed"),
    "DescribeSubnets": ("SubnetIds", "subnet", "InvalidSubnetID.Malformed"),
    "DescribeVolumes": ("VolumeIds", "vol", "InvalidVolumeID.Malformed"),
    "DescribeVpcs": ("VpcIds", "vpc", "InvalidVpcID.Malformed"),
}
# Lists that come in pages or by ids, not both.
NOT_BOTH = ("DescribeInstances", "DescribeSnapshots", "DescribeVolumes")
# Lists by id for which moto says nothing, or another list's code, of what is not there.
ABSENT = {
    "DescribeFlowLogs": ("FlowLogIds", "flow_logs", "InvalidFlowLogId.NotFound"),
    "DescribeNetworkAcls": ("NetworkAclIds", "network_acls", "InvalidNetworkAclID.NotFound"),
    "DescribeSnapshots": ("SnapshotIds", "snapshots", "InvalidSnapshot.NotFound"),
    "DescribeVpcPeeringConnections": (
        "VpcPeeringConnectionIds",
        "vpc_pcxs",
        "InvalidVpcPeeringConnectionID.NotFound",
    ),
}
# The same of what is changed or read alone.
ALONE = {
    "GetManagedPrefixListEntries": ("PrefixListId", "managed_prefix_lists", "InvalidPrefixListID.NotFound"),
    "ModifySnapshotAttribute": ("SnapshotId", "snapshots", "InvalidSnapshot.NotFound"),
}
NAME, KEY, VALUE = 255, 127, 256
WITH_PORTS = {"6", "17", "tcp", "udp"}
WITH_TYPES = {"1", "58", "icmp", "icmpv6"}
# How long the prefix of a subnet may be.
SUBNET = (16, 28)
TARGETS = (
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "LocalGatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "OdbNetworkArn",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
)


@refuses("ec2", "CreateNetworkAclEntry", "ReplaceNetworkAclEntry", "DeleteNetworkAclEntry")
def acl_entry(call: Call) -> None:
    params, deletes = call.params, call.operation == "DeleteNetworkAclEntry"
    number, egress, name = params["RuleNumber"], params["Egress"], params["NetworkAclId"]
    if not 1 <= number <= LAST:
        raise _invalid("ruleNumber", number)
    acl = backend_of(call).network_acls.get(name)
    if acl is None:
        raise AwsError("InvalidNetworkAclID.NotFound", f"The networkAcl ID '{name}' does not exist")
    numbers = [one.rule_number for one in acl.network_acl_entries if one.egress == egress and one.rule_number <= LAST]
    if call.operation != "CreateNetworkAclEntry":
        if number not in numbers:
            raise AwsError("InvalidNetworkAclEntry.NotFound", f"The network acl entry {number} does not exist.")
    elif number not in numbers and len(numbers) >= MOST:
        raise AwsError("NetworkAclEntryLimitExceeded", f"The network acl {name} has {MOST} entries in this direction.")
    if deletes:
        return
    if params["Protocol"].lower() in WITH_PORTS and not params.get("PortRange"):
        raise AwsError("MissingParameter", "The request must contain the parameter PortRange")
    ranges = [params[one] for one in ("CidrBlock", "Ipv6CidrBlock") if params.get(one)]
    if len(ranges) != 1:
        raise AwsError("MissingParameter", "The request must contain one of cidrBlock and ipv6CidrBlock")
    try:
        ipaddress.ip_network(ranges[0], strict=False)
    except ValueError:
        raise _invalid("cidrBlock", ranges[0]) from None
    if params["Protocol"].lower() in WITH_PORTS:
        first, last = (params["PortRange"].get(end, -1) for end in ("From", "To"))
        if not 0 <= first <= last <= 65535:
            raise _invalid("portRange", f"{first}-{last}")
    if params["Protocol"].lower() in WITH_TYPES and not params.get("IcmpTypeCode"):
        raise AwsError("MissingParameter", "The request must contain the parameter icmpTypeCode")


@refuses("ec2", "DeleteNetworkAcl")
def an_acl_in_use(call: Call) -> None:
    acl = backend_of(call).network_acls.get(call.params["NetworkAclId"])
    if acl is not None and acl.default in (True, "true"):
        raise AwsError("InvalidParameterValue", f"cannot delete default network ACL {acl.id}")
    if acl is not None and acl.associations:
        raise AwsError("DependencyViolation", f"The networkAcl '{acl.id}' has dependencies and cannot be deleted.")


@refuses("ec2", "DeleteRouteTable")
def a_table_in_use(call: Call) -> None:
    table = backend_of(call).route_tables.get(call.params["RouteTableId"])
    if table is not None and table.all_associations_ids:
        raise AwsError("DependencyViolation", f"The routeTable '{table.id}' has dependencies and cannot be deleted.")


@refuses("ec2", "CreateSecurityGroup")
def group_name(call: Call) -> None:
    name, description, vpc = call.params["GroupName"], call.params["Description"], call.params.get("VpcId")
    for what, text in (("GroupName", name), ("GroupDescription", description)):
        if not re.fullmatch(TEXT, text) or len(text) > NAME:
            raise _invalid(what, text)
    if vpc and vpc not in backend_of(call).vpcs:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
    if name.startswith("sg-"):
        raise AwsError("InvalidParameterValue", f"Invalid value '{name}' for groupName. It may not start with sg-.")
    if name == "default":
        raise AwsError("InvalidParameterValue", "Cannot use reserved security group name: default")


@refuses(
    "ec2",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "ModifySecurityGroupRules",
    "UpdateSecurityGroupRuleDescriptionsIngress",
    "UpdateSecurityGroupRuleDescriptionsEgress",
)
def descriptions_of_rules(call: Call) -> None:
    peers = [
        peer
        for permission in call.params.get("IpPermissions") or []
        for name in ec2_rules.PEERS
        for peer in permission.get(name) or []
    ]
    rules = [one.get("SecurityGroupRule") or {} for one in call.params.get("SecurityGroupRules") or []]
    for one in [*peers, *rules, *(call.params.get("SecurityGroupRuleDescriptions") or [])]:
        text = one.get("Description") or ""
        if not re.fullmatch(TEXT, text) or len(text) > NAME:
            message = (
                "Invalid rule description. Valid descriptions are strings less than 256 characters "
                "from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
            )
            raise AwsError("InvalidParameterValue", message)


@refuses("ec2", "CreateSubnet")
def size_of_a_subnet(call: Call) -> None:
    given = call.params.get("CidrBlock") or ""
    if re.fullmatch(r"[0-9.]+/\d+", given) and not SUBNET[0] <= int(given.partition("/")[2]) <= SUBNET[1]:
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{given}' is invalid.")


@refuses("ec2", "CreateRoute", "ReplaceRoute")
def target_of_a_route(call: Call) -> None:
    params, backend = call.params, backend_of(call)
    if not params.get("LocalTarget") and sum(bool(params.get(name)) for name in TARGETS) != 1:
        names = ", ".join(name[0].lower() + name[1:] for name in TARGETS)
        raise AwsError("MissingParameter", f"The request must contain exactly one of {names}")
    gateway = backend.internet_gateways.get(params.get("GatewayId"))
    table = backend.route_tables.get(params["RouteTableId"])
    if gateway is not None and table is not None and (gateway.vpc is None or gateway.vpc.id != table.vpc_id):
        message = f"route table {table.id} and network gateway {gateway.id} belong to different networks"
        raise AwsError("InvalidParameterValue", message)


@refuses("ec2", "DeleteRoute")
def the_local_route(call: Call) -> None:
    table = backend_of(call).route_tables.get(call.params["RouteTableId"])
    given = call.params.get("DestinationCidrBlock") or call.params.get("DestinationIpv6CidrBlock")
    for route in table.routes if table else ():
        if route.local and given and given in (route.destination_cidr_block, route.destination_ipv6_cidr_block):
            message = f"cannot remove local route {given} in route table {table.id}"
            raise AwsError("InvalidParameterValue", message)


@refuses("ec2", "AttachInternetGateway")
def a_second_gateway(call: Call) -> None:
    name, given = call.params["VpcId"], call.params["InternetGatewayId"]
    others = [one for one in backend_of(call).internet_gateways.values() if one.id != given]
    if any(one.vpc is not None and one.vpc.id == name for one in others):
        message = f"Network {name} already has an internet gateway attached"
        raise AwsError("InvalidParameterValue", message)


@refuses("ec2", "CreateNetworkInterface", "ModifyNetworkInterfaceAttribute")
def groups_of_an_interface(call: Call) -> None:
    if len(call.params.get("Groups") or []) > GROUPS:
        message = f"The maximum number of security groups per interface ({GROUPS}) has been reached."
        raise AwsError("SecurityGroupsPerInterfaceLimitExceeded", message)


@refuses("ec2", "DeleteSubnet")
def a_subnet_in_use(call: Call) -> None:
    name = call.params["SubnetId"]
    if any(one.subnet.id == name for one in backend_of(call).enis.values()):
        raise AwsError("DependencyViolation", f"The subnet '{name}' has dependencies and cannot be deleted.")


@refuses("ec2", *IDS)
def ids_have_a_form(call: Call) -> None:
    member, prefix, code = IDS[str(call.operation)]
    for name in call.params.get(member) or []:
        if not re.fullmatch(rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", name):
            raise AwsError(code, f'Invalid id: "{name}"')
    if call.operation in NOT_BOTH and call.params.get(member) and "MaxResults" in call.params:
        message = f"The parameter {member} cannot be used with the parameter maxResults"
        raise AwsError("InvalidParameterCombination", message)


@refuses("ec2", *ABSENT)
def ids_of_what_is_not_there(call: Call) -> None:
    member, kept, code = ABSENT[str(call.operation)]
    for name in call.params.get(member) or []:
        if name not in getattr(backend_of(call), kept):
            raise AwsError(code, f"The ID '{name}' does not exist")


@refuses("ec2", *ALONE)
def what_is_not_there(call: Call) -> None:
    member, kept, code = ALONE[str(call.operation)]
    if call.params[member] not in getattr(backend_of(call), kept):
        raise AwsError(code, f"The ID '{call.params[member]}' does not exist")


@refuses("ec2", "ReplaceNetworkAclAssociation")
def an_association_that_is_not_there(call: Call) -> None:
    name, acls, acl = call.params["AssociationId"], backend_of(call).network_acls, call.params["NetworkAclId"]
    if not any(name in one._associations for one in acls.values()):
        raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{name}' does not exist")
    if acl not in acls:
        raise AwsError("InvalidNetworkAclID.NotFound", f"The networkAcl ID '{acl}' does not exist")


@refuses("ec2", "ModifySubnetAttribute")
def a_subnet_that_is_not_there(call: Call) -> None:
    name = call.params["SubnetId"]
    if not any(name in subnets for subnets in backend_of(call).subnets.values()):
        raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{name}' does not exist")


@refuses("ec2", "ModifySecurityGroupRules")
def rules_that_are_changed(call: Call) -> None:
    name = call.params["GroupId"]
    if backend_of(call).get_security_group_from_id(name) is None:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    if not all("SecurityGroupRule" in one for one in call.params["SecurityGroupRules"]):
        raise AwsError("MissingParameter", "The request must contain the parameter SecurityGroupRule.")


@refuses("ec2", "DescribeImageAttribute", "ModifyImageAttribute")
def an_image_that_is_not_there(call: Call) -> None:
    name = call.params["ImageId"]
    if name not in backend_of(call).amis:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{name}]' does not exist")


@refuses("ec2", "ModifyVpcAttribute")
def one_attribute_of_a_vpc(call: Call) -> None:
    given = [name for name in call.params if name not in ("VpcId", "DryRun")]
    if len(given) != 1:
        code = "InvalidParameterCombination" if given else "MissingParameter"
        raise AwsError(code, f"Fields for multiple attribute types specified: {', '.join(given)}")


@refuses("ec2", "ModifySnapshotAttribute", "ModifyImageAttribute")
def who_may_use_it(call: Call) -> None:
    """Accounts by their number; everybody only where the Region does not block that."""
    from emulator.shelf.tables import ec2_account

    params = call.params
    added = (params.get("CreateVolumePermission") or params.get("LaunchPermission") or {}).get("Add") or []
    for user in [*(params.get("UserIds") or []), *(one["UserId"] for one in added if "UserId" in one)]:
        if not re.fullmatch(r"\d{12}", user):
            raise AwsError("InvalidUserID.Malformed", f"Invalid user id: {user}")
    groups = params.get("GroupNames") or params.get("UserGroups")
    if (params.get("OperationType") == "add" and groups) or any("Group" in one for one in added):
        of_images = call.operation == "ModifyImageAttribute"
        block = ec2_account.IMAGE_BLOCK if of_images else ec2_account.SNAPSHOT_BLOCK
        if "unblocked" not in block.now(call).values():
            what = "AMIs" if of_images else "snapshots"
            raise AwsError("OperationNotPermitted", f"Block public access for {what} does not allow public sharing.")


@guards("ec2")
def dry_run(call: Call) -> None:
    """Permission is there, or the call would not have come here; whether the rest is right is not looked at."""
    if call.params.get("DryRun") is True:
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


@guards("ec2")
def filters_have_names(call: Call) -> None:
    for one in call.params.get("Filters") or []:
        name, known = one.get("Name", ""), _filters(str(call.operation), call)
        if known and name not in known and not name.startswith("tag:"):
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")


_FILTERS: dict[str, set[str]] = {}


def _filters(operation: str, call: Call) -> set[str]:
    """Those that the API model's text names; none where it names none."""
    if operation not in _FILTERS:
        text = call.model.input_shape.members["Filters"].documentation
        _FILTERS[operation] = set(re.findall(r"<li> <p> <code>([^<:]+?) ?</code>", text))
    return _FILTERS[operation]


@refuses("ec2", "CreateTags")
def tags_of_aws(call: Call) -> None:
    if not all(one.get("Key") for one in call.params["Tags"]):
        raise AwsError("InvalidParameterValue", "Tag keys may not be null")
    if any(one["Key"].lower().startswith("aws:") for one in call.params["Tags"]):
        raise AwsError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
    for one in call.params["Tags"]:
        for what, most in (("Key", KEY), ("Value", VALUE)):
            if len(one.get(what) or "") > most:
                raise AwsError("InvalidParameterValue", f"Tag {what.lower()} exceeds the maximum length of {most} characters")


def _invalid(name: str, value: object) -> AwsError:
    return AwsError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.")
