"""EC2: security groups, network ACLs, flow logs, default VPCs."""

from contextlib import suppress

from emulator.probe.trial import Trial, filters


def security_groups(t: Trial) -> None:

    made = t("ec2.DescribeRegions", AllRegions=True)
    t.check(
        "ec2.DescribeRegions",
        "OptInStatus of all",
        lambda: (
            {answer["RegionName"]: answer["OptInStatus"] for answer in made.Regions}["us-east-1"]
            == "opt-in-not-required"
            and {answer["RegionName"]: answer["OptInStatus"] for answer in made.Regions}["ap-east-1"] == "not-opted-in"
        ),
    )
    made = t("ec2.DescribeRegions")
    t.check(
        "ec2.DescribeRegions",
        "only enabled ones by default",
        lambda: "ap-east-1" not in [answer["RegionName"] for answer in made.Regions],
    )
    v = t("ec2.DescribeVpcs", Filters=filters(is_default="true"))
    t.check("ec2.DescribeVpcs", "default VPC with owner", lambda: len(v.Vpcs) == 1 and v.Vpcs[0]["OwnerId"] == t.acct)
    vp = t(
        "ec2.CreateVpc",
        CidrBlock="10.9.0.0/16",
        TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    t.vid = (vp.get("Vpc") or {}).get("VpcId", "vpc-12345678")
    got = t("ec2.DescribeVpcs", VpcIds=[t.vid])
    t.check("ec2.CreateVpc DescribeVpcs", "tags", lambda: got.Vpcs[0]["Tags"] == [{"Key": "a", "Value": "b"}])
    sg = t("ec2.DescribeSecurityGroups", Filters=filters(group_name="default", vpc_id=t.vid))
    t.check("ec2.DescribeSecurityGroups", "default group", lambda: len(sg.SecurityGroups) == 1)
    t.check(
        "ec2.CreateVpc",
        "default group: all from itself in, all out",
        lambda: (
            len(sg.SecurityGroups[0]["IpPermissions"]) == 1 and len(sg.SecurityGroups[0]["IpPermissionsEgress"]) == 1
        ),
    )
    gid = sg["SecurityGroups"][0]["GroupId"] if sg.ok and sg.get("SecurityGroups") else "sg-12345678"
    made = t(
        "ec2.AuthorizeSecurityGroupIngress",
        GroupId=gid,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "d"}],
                "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
            },
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ],
    )
    t.check(
        "ec2.AuthorizeSecurityGroupIngress", "answers with all three rules", lambda: len(made.SecurityGroupRules) == 3
    )
    answer = t("ec2.DescribeSecurityGroupRules", Filters=filters(group_id=gid))
    t.check(
        "ec2.DescribeSecurityGroupRules AuthorizeSecurityGroupIngress",
        "flat rules with ids",
        lambda: any(
            (
                one.get("CidrIpv4") == "0.0.0.0/0" and one["FromPort"] == 22 and (one["Description"] == "d")
                for one in answer.SecurityGroupRules
            )
        ),
    )
    t.check(
        "ec2.DescribeSecurityGroupRules",
        "GroupOwnerId and ARN",
        lambda: all(("GroupOwnerId" in one and "SecurityGroupRuleArn" in one for one in answer.SecurityGroupRules)),
    )
    ids = [
        one["SecurityGroupRuleId"]
        for one in answer.get("SecurityGroupRules", [])
        if not one["IsEgress"] and one.get("FromPort") == 22
    ] or ["sgr-12345678"]
    made = t("ec2.RevokeSecurityGroupIngress", GroupId=gid, SecurityGroupRuleIds=ids)
    answer = t("ec2.DescribeSecurityGroupRules", Filters=filters(group_id=gid))
    t.check(
        "ec2.RevokeSecurityGroupIngress",
        "by rule id: gone",
        lambda: not [one for one in answer.SecurityGroupRules if one.get("FromPort") == 22],
    )
    t.check(
        "ec2.RevokeSecurityGroupIngress", "RevokedSecurityGroupRules", lambda: len(made.RevokedSecurityGroupRules) == 2
    )
    t(
        "ec2.RevokeSecurityGroupIngress",
        GroupId=gid,
        SecurityGroupRuleIds=["sgr-00000000000000000"],
        expect="InvalidSecurityGroupRuleId.NotFound",
    )
    made = t(
        "ec2.AuthorizeSecurityGroupEgress",
        GroupId=gid,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 25, "ToPort": 25, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )
    answer = t("ec2.DescribeSecurityGroupRules", Filters=filters(group_id=gid))
    eg = [one["SecurityGroupRuleId"] for one in answer.get("SecurityGroupRules", []) if one["IsEgress"]]
    t.check("ec2.AuthorizeSecurityGroupEgress", "two egress rules", lambda: len(eg) == 2)
    t("ec2.RevokeSecurityGroupEgress", GroupId=gid, SecurityGroupRuleIds=eg or ["sgr-1"])
    answer = t("ec2.DescribeSecurityGroupRules", Filters=filters(group_id=gid))
    t.check(
        "ec2.RevokeSecurityGroupEgress",
        "none left",
        lambda: not [one for one in answer.SecurityGroupRules if one["IsEgress"]],
    )
    rid = [one["SecurityGroupRuleId"] for one in answer.get("SecurityGroupRules", []) if one.get("FromPort") == 443]
    made = t(
        "ec2.ModifySecurityGroupRules",
        GroupId=gid,
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": (rid or ["sgr-1"])[0],
                "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "CidrIpv4": "10.0.0.0/8"},
            }
        ],
    )
    answer = t("ec2.DescribeSecurityGroupRules", Filters=filters(group_id=gid))
    t.check(
        "ec2.ModifySecurityGroupRules",
        "changed in place",
        lambda: (
            [one["FromPort"] for one in answer.SecurityGroupRules if one["SecurityGroupRuleId"] == rid[0]] == [8443]
        ),
    )
    made = t(
        "ec2.UpdateSecurityGroupRuleDescriptionsIngress",
        GroupId=gid,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 8443,
                "ToPort": 8443,
                "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "new"}],
            }
        ],
    )
    answer = t("ec2.DescribeSecurityGroupRules", Filters=filters(group_id=gid))
    t.check(
        "ec2.UpdateSecurityGroupRuleDescriptionsIngress",
        "described anew",
        lambda: (
            made.ok
            and [one["Description"] for one in answer.SecurityGroupRules if one["SecurityGroupRuleId"] in rid] == ["new"]
        ),
    )
    t(
        "ec2.UpdateSecurityGroupRuleDescriptionsIngress",
        GroupId=gid,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
        expect="InvalidPermission.NotFound",
    )
    sgq = t("ec2.CreateSecurityGroup", GroupName="baseline-quarantine", Description="q", VpcId=t.vid)
    item = sgq.get("GroupId") or "sg-1"
    got = t("ec2.DescribeSecurityGroups", Filters=filters(group_name="baseline-quarantine", vpc_id=t.vid))
    t.check(
        "ec2.CreateSecurityGroup",
        "comes with allow-all egress",
        lambda: len(got.SecurityGroups[0]["IpPermissionsEgress"]) == 1,
    )
    t(
        "ec2.CreateSecurityGroup",
        GroupName="baseline-quarantine",
        Description="q",
        VpcId=t.vid,
        expect="InvalidGroup.Duplicate",
    )
    t("ec2.CreateTags", Resources=[item], Tags=[{"Key": "k", "Value": "v"}])
    got = t("ec2.DescribeSecurityGroups", GroupIds=[item])
    t.check("ec2.CreateTags", "kept", lambda: {"Key": "k", "Value": "v"} in got.SecurityGroups[0]["Tags"])
    t("ec2.DeleteTags", Resources=[item], Tags=[{"Key": "k"}])
    got = t("ec2.DescribeSecurityGroups", GroupIds=[item])
    t.check("ec2.DeleteTags", "gone", lambda: not got.SecurityGroups[0].get("Tags"))
    t("ec2.DeleteSecurityGroup", GroupId=gid, expect="CannotDelete")
    c = t.client("ec2")
    t.made_sn = ni = None
    with suppress(Exception):
        t.made_sn = c.create_subnet(VpcId=t.vid, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
        ni = c.create_network_interface(SubnetId=t.made_sn, Groups=[item])["NetworkInterface"]["NetworkInterfaceId"]
    got = t("ec2.DescribeNetworkInterfaces", Filters=filters(group_id=item))
    t.check(
        "ec2.DescribeNetworkInterfaces",
        "filter group-id",
        lambda: [one["NetworkInterfaceId"] for one in got.NetworkInterfaces] == [ni],
    )
    try:
        inuse = c.create_security_group(GroupName="inuse", Description="o", VpcId=t.vid)["GroupId"]
        c.create_network_interface(SubnetId=t.made_sn, Groups=[inuse])
    except Exception:
        inuse = item
    t("ec2.DeleteSecurityGroup", GroupId=inuse, expect="DependencyViolation")
    with suppress(Exception):
        gid = c.create_security_group(GroupName="other", Description="o", VpcId=t.vid)["GroupId"]
    t("ec2.ModifyNetworkInterfaceAttribute", NetworkInterfaceId=ni or "eni-1", Groups=[gid])
    got = t("ec2.DescribeNetworkInterfaces", NetworkInterfaceIds=[ni or "eni-1"])
    t.check(
        "ec2.ModifyNetworkInterfaceAttribute",
        "replaces all groups",
        lambda: [one["GroupId"] for one in got.NetworkInterfaces[0]["Groups"]] == [gid],
    )
    q2 = t("ec2.CreateSecurityGroup", GroupName="q2", Description="q", VpcId=t.vid).get("GroupId") or "sg-2"
    t("ec2.DeleteSecurityGroup", GroupId=q2)
    got = t("ec2.DescribeSecurityGroups", Filters=filters(group_name="q2"))
    t.check("ec2.DeleteSecurityGroup", "gone", lambda: got.SecurityGroups == [])
    pl = t(
        "ec2.CreateManagedPrefixList",
        PrefixListName="pl",
        MaxEntries=5,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "0.0.0.0/0", "Description": "d"}],
    )
    got = t("ec2.GetManagedPrefixListEntries", PrefixListId=(pl.get("PrefixList") or {}).get("PrefixListId", "pl-1"))
    t.check(
        "ec2.CreateManagedPrefixList GetManagedPrefixListEntries",
        "entries",
        lambda: got.Entries[0]["Cidr"] == "0.0.0.0/0",
    )


def network_acls(t: Trial) -> None:
    got = t("ec2.DescribeNetworkAcls", Filters=filters(vpc_id=t.vid))
    t.check(
        "ec2.DescribeNetworkAcls",
        "default: rule 100 and 32767 both ways, protocol is text",
        lambda: (
            sorted(((one["RuleNumber"], one["Egress"], one["Protocol"]) for one in got.NetworkAcls[0]["Entries"]))
            == [(100, False, "-1"), (100, True, "-1"), (32767, False, "-1"), (32767, True, "-1")]
        ),
    )
    ac = t("ec2.CreateNetworkAcl", VpcId=t.vid)
    aid = (ac.get("NetworkAcl") or {}).get("NetworkAclId", "acl-1")
    got = t("ec2.DescribeNetworkAcls", NetworkAclIds=[aid])
    t.check(
        "ec2.CreateNetworkAcl",
        "new one denies all",
        lambda: (
            all((one["RuleAction"] == "deny" for one in got.NetworkAcls[0]["Entries"]))
            and len(got.NetworkAcls[0]["Entries"]) == 2
        ),
    )

    def en(a):
        return [
            (one["RuleNumber"], one["RuleAction"], one.get("CidrBlock"), one.get("PortRange"))
            for one in a.NetworkAcls[0]["Entries"]
            if one["RuleNumber"] == 10
        ]

    t(
        "ec2.CreateNetworkAclEntry",
        NetworkAclId=aid,
        RuleNumber=10,
        Protocol="6",
        RuleAction="deny",
        Egress=False,
        CidrBlock="203.0.113.0/24",
        PortRange={"From": 22, "To": 22},
    )
    got = t("ec2.DescribeNetworkAcls", NetworkAclIds=[aid])
    t.check(
        "ec2.CreateNetworkAclEntry", "back", lambda: en(got) == [(10, "deny", "203.0.113.0/24", {"From": 22, "To": 22})]
    )
    t(
        "ec2.CreateNetworkAclEntry",
        NetworkAclId=aid,
        RuleNumber=10,
        Protocol="6",
        RuleAction="deny",
        Egress=False,
        CidrBlock="203.0.113.0/24",
        PortRange={"From": 22, "To": 22},
        expect="NetworkAclEntryAlreadyExists",
    )
    t(
        "ec2.ReplaceNetworkAclEntry",
        NetworkAclId=aid,
        RuleNumber=10,
        Protocol="-1",
        RuleAction="allow",
        Egress=False,
        CidrBlock="198.51.100.0/24",
    )
    got = t("ec2.DescribeNetworkAcls", NetworkAclIds=[aid])
    t.check("ec2.ReplaceNetworkAclEntry", "whole entry", lambda: en(got) == [(10, "allow", "198.51.100.0/24", None)])
    t("ec2.DeleteNetworkAclEntry", NetworkAclId=aid, RuleNumber=10, Egress=False)
    got = t("ec2.DescribeNetworkAcls", NetworkAclIds=[aid])
    t.check("ec2.DeleteNetworkAclEntry", "gone", lambda: en(got) == [])
    got = t("ec2.DescribeNetworkAcls", Filters=filters(vpc_id=t.vid, default="true"))
    asn = None
    with suppress(Exception):
        asn = got.NetworkAcls[0]["Associations"][0]["NetworkAclAssociationId"]
    t("ec2.ReplaceNetworkAclAssociation", AssociationId=asn or "aclassoc-1", NetworkAclId=aid)
    got = t("ec2.DescribeNetworkAcls", NetworkAclIds=[aid])
    t.check(
        "ec2.ReplaceNetworkAclAssociation",
        "associated",
        lambda: [one["SubnetId"] for one in got.NetworkAcls[0]["Associations"]] == [t.made_sn],
    )
    a2 = (t("ec2.CreateNetworkAcl", VpcId=t.vid).get("NetworkAcl") or {}).get("NetworkAclId", "acl-2")
    t("ec2.DeleteNetworkAcl", NetworkAclId=a2)
    got = t("ec2.DescribeNetworkAcls", Filters=filters(network_acl_id=a2))
    t.check("ec2.DeleteNetworkAcl", "gone", lambda: got.NetworkAcls == [])
    got = t("ec2.DescribeNetworkAcls", Filters=filters(network_acl_id=aid))
    t.check("ec2.DescribeNetworkAcls", "by id", lambda: [one["NetworkAclId"] for one in got.NetworkAcls] == [aid])


def flow_logs(t: Trial) -> None:
    bucket = t.log_buckets()
    made = t(
        "ec2.CreateFlowLogs",
        ResourceIds=[t.vid],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{bucket}",
        MaxAggregationInterval=60,
        LogFormat="${version} ${vpc-id}",
        DestinationOptions={"FileFormat": "parquet", "HiveCompatiblePartitions": False, "PerHourPartition": True},
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    fid = (made.get("FlowLogIds") or ["fl-1"])[0]
    got = t("ec2.DescribeFlowLogs", Filter=filters(resource_id=t.vid))
    t.check(
        "ec2.CreateFlowLogs DescribeFlowLogs",
        "type, destination, interval, format, tags",
        lambda: (
            (
                lambda one: (
                    one["TrafficType"],
                    one["LogDestination"],
                    one["MaxAggregationInterval"],
                    one["LogFormat"],
                    one["Tags"],
                    one["FlowLogStatus"],
                )
            )(got.FlowLogs[0])
            == ("ALL", f"arn:aws:s3:::{bucket}", 60, "${version} ${vpc-id}", [{"Key": "a", "Value": "b"}], "ACTIVE")
        ),
    )
    t.check(
        "ec2.CreateFlowLogs",
        "DestinationOptions kept",
        lambda: (
            got.FlowLogs[0]["DestinationOptions"]
            == {"FileFormat": "parquet", "HiveCompatiblePartitions": False, "PerHourPartition": True}
        ),
    )
    made = t(
        "ec2.CreateFlowLogs",
        ResourceIds=[t.vid],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{bucket}",
        MaxAggregationInterval=60,
        LogFormat="${version} ${vpc-id}",
    )
    t.check(
        "ec2.CreateFlowLogs",
        "second one: FlowLogAlreadyExists, as error or in Unsuccessful",
        lambda: made.code == "FlowLogAlreadyExists" or made.Unsuccessful[0]["Error"]["Code"] == "FlowLogAlreadyExists",
    )
    made = t("ec2.DeleteFlowLogs", FlowLogIds=[fid])
    got = t("ec2.DescribeFlowLogs", Filter=filters(resource_id=t.vid))
    t.check("ec2.DeleteFlowLogs", "gone", lambda: got.FlowLogs == [])


def default_vpc(t: Trial) -> None:
    R = "eu-west-1"
    dv = t("ec2.DescribeVpcs", region=R, Filters=filters(is_default="true"))
    d = dv["Vpcs"][0]["VpcId"] if dv.ok and dv.get("Vpcs") else "vpc-1"
    ig = t("ec2.DescribeInternetGateways", region=R, Filters=[{"Name": "attachment.vpc-id", "Values": [d]}])
    t.check("ec2.DescribeInternetGateways", "the default VPC has one", lambda: len(ig.InternetGateways) == 1)
    igid = ig["InternetGateways"][0]["InternetGatewayId"] if ig.ok and ig.get("InternetGateways") else None
    if not igid:
        try:
            igid = t.client("ec2", R).create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            t.client("ec2", R).attach_internet_gateway(InternetGatewayId=igid, VpcId=d)
        except Exception:
            igid = "igw-1"
    sb = t("ec2.DescribeSubnets", region=R, Filters=filters(vpc_id=d))
    t.check("ec2.DescribeSubnets", "default subnets", lambda: len(sb.Subnets) == 3)
    for op, key in (
        ("ec2.DescribeInstances", "Reservations"),
        ("ec2.DescribeNatGateways", "NatGateways"),
        ("ec2.DescribeVpcEndpoints", "VpcEndpoints"),
        ("ec2.DescribeVpcPeeringConnections", "VpcPeeringConnections"),
        ("ec2.DescribeVpnGateways", "VpnGateways"),
        ("ec2.DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGateways"),
        ("ec2.DescribeTransitGateways", "TransitGateways"),
        ("ec2.DescribeClientVpnEndpoints", "ClientVpnEndpoints"),
        ("ec2.DescribeVpnConnections", "VpnConnections"),
    ):
        one = t(op, region=R)
        t.check(op, "empty list", lambda: one[key] == [])
    ec2 = t.client("ec2", R)
    other = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    one = t("ec2.DescribeNatGateways", region=R, Filters=filters(vpc_id=other))
    t.check(
        "ec2.DescribeNatGateways",
        "listed",
        lambda: [(item["NatGatewayId"], item["VpcId"]) for item in one.NatGateways] == [(nat, other)],
    )
    vpn = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    one = t("ec2.DescribeVpnGateways", region=R)
    t.check(
        "ec2.DescribeVpnGateways",
        "listed",
        lambda: [(item["VpnGatewayId"], item["Type"]) for item in one.VpnGateways] == [(vpn, "ipsec.1")],
    )
    one = t("ec2.DescribeRouteTables", region=R, Filters=filters(vpc_id=d))
    t.check(
        "ec2.DescribeRouteTables",
        "main one",
        lambda: len(one.RouteTables) == 1 and any((a["Main"] for a in one.RouteTables[0]["Associations"])),
    )
    one = t("elbv2.DescribeLoadBalancers", region=R)
    t.check("elbv2.DescribeLoadBalancers", "empty list", lambda: one.LoadBalancers == [])
    t("ec2.DeleteVpc", region=R, VpcId=d, expect="DependencyViolation")
    t("ec2.DetachInternetGateway", region=R, InternetGatewayId=igid, VpcId=d)
    ig = t("ec2.DescribeInternetGateways", region=R, InternetGatewayIds=[igid])
    t.check("ec2.DetachInternetGateway", "detached", lambda: ig.InternetGateways[0]["Attachments"] == [])
    t("ec2.DeleteInternetGateway", region=R, InternetGatewayId=igid)
    ig = t("ec2.DescribeInternetGateways", region=R, Filters=filters(internet_gateway_id=igid))
    t.check("ec2.DeleteInternetGateway", "gone", lambda: ig.InternetGateways == [])
    cr = t.client("ec2", R)
    try:
        eo = cr.create_egress_only_internet_gateway(VpcId=d)["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    except Exception:
        eo = "eigw-1"
    one = t("ec2.DescribeEgressOnlyInternetGateways", region=R)
    t.check(
        "ec2.DescribeEgressOnlyInternetGateways",
        "listed",
        lambda: (
            [
                (item["EgressOnlyInternetGatewayId"], item["Attachments"][0]["VpcId"])
                for item in one.EgressOnlyInternetGateways
            ]
            == [(eo, d)]
        ),
    )
    t("ec2.DeleteEgressOnlyInternetGateway", region=R, EgressOnlyInternetGatewayId=eo)
    one = t("ec2.DescribeEgressOnlyInternetGateways", region=R)
    t.check("ec2.DeleteEgressOnlyInternetGateway", "gone", lambda: one.EgressOnlyInternetGateways == [])
    try:
        rt = cr.create_route_table(VpcId=d)["RouteTable"]["RouteTableId"]
    except Exception:
        rt = "rtb-1"
    t("ec2.DeleteRouteTable", region=R, RouteTableId=rt)
    one = t("ec2.DescribeRouteTables", region=R, Filters=filters(vpc_id=d))
    t.check("ec2.DeleteRouteTable", "gone", lambda: len(one.RouteTables) == 1)
    for s in [s["SubnetId"] for s in sb.get("Subnets", [])] or ["subnet-1"]:
        t("ec2.DeleteSubnet", region=R, SubnetId=s)
    sb = t("ec2.DescribeSubnets", region=R, Filters=filters(vpc_id=d))
    t.check("ec2.DeleteSubnet", "gone", lambda: sb.Subnets == [])
    t("ec2.DeleteVpc", region=R, VpcId=d)
    one = t("ec2.DescribeVpcs", region=R, Filters=filters(is_default="true"))
    t.check("ec2.DeleteVpc", "gone", lambda: one.Vpcs == [])
    one = t("ec2.DescribeSecurityGroups", region=R, Filters=filters(vpc_id=d))
    t.check("ec2.DeleteVpc", "its default group is gone too", lambda: one.SecurityGroups == [])
    n = t("ec2.CreateDefaultVpc", region=R)
    one = t("ec2.DescribeVpcs", region=R, Filters=filters(is_default="true"))
    t.check("ec2.CreateDefaultVpc", "back", lambda: len(one.Vpcs) == 1)
    t.check(
        "ec2.CreateDefaultVpc",
        "with subnets and internet gateway",
        lambda: (
            len(cr.describe_subnets(Filters=filters(vpc_id=one.Vpcs[0]["VpcId"]))["Subnets"]) == 3
            and len(
                cr.describe_internet_gateways(
                    Filters=[{"Name": "attachment.vpc-id", "Values": [one.Vpcs[0]["VpcId"]]}]
                )["InternetGateways"]
            )
            == 1
        ),
    )
    with suppress(Exception):
        cr.delete_subnet(
            SubnetId=cr.describe_subnets(Filters=filters(vpc_id=one.Vpcs[0]["VpcId"], availability_zone="eu-west-1a"))[
                "Subnets"
            ][0]["SubnetId"]
        )
    n = t("ec2.CreateDefaultSubnet", region=R, AvailabilityZone="eu-west-1a")
    t.check("ec2.CreateDefaultSubnet", "default for its zone", lambda: n.Subnet["DefaultForAz"] is True)


SCENARIOS = [[security_groups, network_acls, flow_logs], [default_vpc]]
