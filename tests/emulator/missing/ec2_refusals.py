"""EC2: what AWS refuses and moto takes: of ACLs, groups, tables and subnets in use, ids, tags; and dry runs."""

import ipaddress
import re

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
    "DescribeNetworkInterfaces": ("NetworkInterfaceIds", "eni", "InvalidNetworkInterfaceId.Malformed"),
    "DescribeSecurityGroups": ("GroupIds", "sg", "InvalidGroupId.Malformed"),
    "DescribeSubnets": ("SubnetIds", "subnet", "InvalidSubnetID.Malformed"),
    "DescribeVolumes": ("VolumeIds", "vol", "InvalidVolumeID.Malformed"),
    "DescribeVpcs": ("VpcIds", "vpc", "InvalidVpcID.Malformed"),
}
WITH_PORTS = {"6", "17", "tcp", "udp"}


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
        if not re.fullmatch(TEXT, text):
            raise _invalid(what, text)
    if vpc and vpc not in backend_of(call).vpcs:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")
    if name.startswith("sg-"):
        raise AwsError("InvalidParameterValue", f"Invalid value '{name}' for groupName. It may not start with sg-.")
    if name == "default":
        raise AwsError("InvalidParameterValue", "Cannot use reserved security group name: default")


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


@guards("ec2")
def dry_run(call: Call) -> None:
    """Permission is there, or the call would not have come here; whether the rest is right is not looked at."""
    if call.params.get("DryRun") is True:
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


@refuses("ec2", "CreateTags")
def tags_of_aws(call: Call) -> None:
    if any(one["Key"].lower().startswith("aws:") for one in call.params["Tags"]):
        raise AwsError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")


def _invalid(name: str, value: object) -> AwsError:
    return AwsError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.")
