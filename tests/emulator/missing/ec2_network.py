"""EC2: entries of new network ACLs, default VPCs with their gateway, public snapshots."""

import ipaddress
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, guards, handles
from emulator.missing.ec2 import backend_of
from emulator.wire import Call


@handles("ec2", "CreateNetworkAcl")
def create_acl(call: Call, forward: Forward) -> dict[str, Any]:
    """A new ACL denies everything: moto leaves out the two entries that cannot be deleted."""
    made = from_moto(call, forward)["NetworkAcl"]
    for egress in (True, False):
        backend_of(call).create_network_acl_entry(
            network_acl_id=made["NetworkAclId"],
            rule_number=32767,
            protocol="-1",
            rule_action="deny",
            egress=egress,
            cidr_block="0.0.0.0/0",
            icmp_code=None,
            icmp_type=None,
            port_range_from=None,
            port_range_to=None,
            ipv6_cidr_block=None,
        )
    entry = {"RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}
    return {"NetworkAcl": made | {"Entries": [entry | {"Egress": egress} for egress in (True, False)]}}


@handles("ec2", "DescribeSnapshots")
def describe_snapshots(call: Call, forward: Forward) -> dict[str, Any]:
    """`RestorableByUserIds`: `all` is for public ones, an account for those shared with it, `self` for one's own."""
    made, wanted = from_moto(call, forward), set(call.params.get("RestorableByUserIds", []))
    if wanted:
        made["Snapshots"] = [one for one in made["Snapshots"] if _restorable(call, one, wanted)]
    return made


def _restorable(call: Call, shown: dict[str, Any], wanted: set[str]) -> bool:
    snapshot = backend_of(call).snapshots[shown["SnapshotId"]]
    whose = {"self"} if shown.get("OwnerId") == call.account else set()
    return bool(wanted & (whose | snapshot.create_volume_permission_groups | snapshot.create_volume_permission_userids))


# The gateway of a default VPC is made when somebody looks for it, so that nothing else changes its place or id.
NEEDS_GATEWAY = {
    "AttachInternetGateway",
    "CreateDefaultVpc",
    "DeleteInternetGateway",
    "DeleteVpc",
    "DescribeInternetGateways",
    "DescribeRouteTables",
    "DetachInternetGateway",
}


@guards("ec2")
def default_gateway(call: Call) -> None:
    """Every default VPC comes with an internet gateway and a route to it."""
    if call.operation not in NEEDS_GATEWAY:
        return
    for vpc in list(backend_of(call).vpcs.values()):
        if vpc.is_default in (True, "true") and not getattr(vpc, "had_gateway", False):
            _give_gateway(call, vpc)


def _give_gateway(call: Call, vpc: Any) -> None:
    from moto.ec2.models.internet_gateways import InternetGateway

    backend, vpc.had_gateway = backend_of(call), True
    if any(gateway.vpc is vpc for gateway in backend.internet_gateways.values()):
        return
    gateway = InternetGateway.__new__(InternetGateway)
    gateway.ec2_backend, gateway.id, gateway.vpc = backend, vpc.id.replace("vpc-", "igw-"), vpc
    backend.internet_gateways[gateway.id] = gateway
    for table in backend.describe_route_tables(filters={"vpc-id": [vpc.id]}):
        backend.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)


@handles("ec2", "CreateDefaultVpc")
def create_default_vpc(call: Call, forward: Forward) -> dict[str, Any]:
    made = from_moto(call, forward)
    default_gateway(call)
    return made


@handles("ec2", "DeleteVpc")
def delete_vpc(call: Call, _: Forward) -> None:
    wanted = call.params["VpcId"]
    if any(gateway.vpc and gateway.vpc.id == wanted for gateway in backend_of(call).internet_gateways.values()):
        raise AwsError("DependencyViolation", f"The vpc '{wanted}' has dependencies and cannot be deleted.")


@handles("ec2", "CreateDefaultSubnet")
def create_default_subnet(call: Call, forward: Forward) -> dict[str, Any] | None:
    """Takes the first /20 that is free; moto takes one by the number of subnets, used or not."""
    backend = backend_of(call)
    vpc, zone = backend.get_default_vpc(), call.params.get("AvailabilityZone")
    if vpc is None or zone is None or zone in backend.get_default_subnets():
        return None
    there = [one for subnets in backend.subnets.values() for one in subnets.values() if one.vpc_id == vpc.id]
    taken = [ipaddress.ip_network(one.cidr_block) for one in there]
    blocks = ipaddress.ip_network(vpc.cidr_block).subnets(new_prefix=20)
    free = next((block for block in blocks if not any(block.overlaps(one) for one in taken)), None)
    if free is None:
        raise AwsError("InsufficientCidrBlocks", "There is no free /20 in the default VPC.")
    made = backend.create_subnet(vpc_id=vpc.id, cidr_block=str(free), availability_zone=zone)
    made.default_for_az = made.map_public_ip_on_launch = True
    return {
        "Subnet": {
            "SubnetId": made.id,
            "VpcId": vpc.id,
            "State": "available",
            "CidrBlock": made.cidr_block,
            "AvailabilityZone": zone,
            "AvailableIpAddressCount": 4091,
            "DefaultForAz": True,
            "MapPublicIpOnLaunch": True,
            "OwnerId": call.account,
            "SubnetArn": f"arn:{call.partition}:ec2:{call.region}:{call.account}:subnet/{made.id}",
        }
    }


def network(account: str, region: str, vpc: str, subnet: str) -> None:
    """Makes a VPC with a subnet under these ids, which AWS would choose itself."""
    from moto.ec2.models import ec2_backends, subnets, vpcs

    backend = ec2_backends[account][region]
    chosen = vpcs.random_vpc_id, subnets.random_subnet_id
    vpcs.random_vpc_id, subnets.random_subnet_id = lambda: vpc, lambda: subnet
    try:
        backend.create_vpc("10.77.0.0/16")
        backend.create_subnet(vpc, "10.77.0.0/24", availability_zone=f"{region}a")
    finally:
        vpcs.random_vpc_id, subnets.random_subnet_id = chosen
