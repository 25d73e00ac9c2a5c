"""EC2: images, snapshots, instances, gateways."""

from contextlib import suppress

from emulator.probe.trial import Trial, filters


def instances(t: Trial) -> None:
    vo = t("ec2.CreateVolume", AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
    got = t("ec2.DescribeVolumes")
    t.check(
        "ec2.CreateVolume DescribeVolumes",
        "Encrypted",
        lambda: [one["Encrypted"] for one in got.Volumes if one["VolumeId"] == vo.VolumeId] == [True],
    )
    sp = t("ec2.CreateSnapshot", VolumeId=vo.get("VolumeId") or "vol-1")
    sid = sp.get("SnapshotId") or "snap-1"
    got = t("ec2.DescribeSnapshots", OwnerIds=["self"])
    t.check("ec2.CreateSnapshot DescribeSnapshots", "own", lambda: sid in [one["SnapshotId"] for one in got.Snapshots])
    t(
        "ec2.ModifySnapshotAttribute",
        SnapshotId=sid,
        Attribute="createVolumePermission",
        OperationType="add",
        GroupNames=["all"],
    )
    got = t("ec2.DescribeSnapshotAttribute", SnapshotId=sid, Attribute="createVolumePermission")
    t.check(
        "ec2.ModifySnapshotAttribute DescribeSnapshotAttribute",
        "public",
        lambda: got.CreateVolumePermissions == [{"Group": "all"}],
    )
    got = t("ec2.DescribeSnapshots", OwnerIds=["self"], RestorableByUserIds=["all"])
    t.check(
        "ec2.DescribeSnapshots",
        "RestorableByUserIds=all lists public ones only",
        lambda: [one["SnapshotId"] for one in got.Snapshots] == [sid],
    )
    t("ec2.CreateSnapshot", VolumeId=vo.get("VolumeId") or "vol-1")
    got = t("ec2.DescribeSnapshots", OwnerIds=["self"], RestorableByUserIds=["all"])
    t.check("ec2.DescribeSnapshots", "private ones are not in it", lambda: len(got.Snapshots) == 1)
    im = t("ec2.RegisterImage", Name="img1", RootDeviceName="/dev/sda1")
    iid = im.get("ImageId") or "ami-1"
    t(
        "ec2.ModifyImageAttribute",
        ImageId=iid,
        Attribute="launchPermission",
        OperationType="add",
        LaunchPermission={"Add": [{"Group": "all"}]},
    )
    got = t("ec2.DescribeImages", Owners=["self"], Filters=filters(is_public="true"))
    t.check(
        "ec2.ModifyImageAttribute DescribeImages", "is-public", lambda: [one["ImageId"] for one in got.Images] == [iid]
    )
    t.check("ec2.RegisterImage", "registered", lambda: im.ok)
    ami = "ami-12c6146b"
    with suppress(Exception):
        ami = [one["ImageId"] for one in t.client("ec2").describe_images()["Images"] if one.get("OwnerId") != t.acct][0]
    answer = t(
        "ec2.RunInstances",
        ImageId=ami,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        MetadataOptions={"HttpTokens": "required"},
    )
    ins = (answer.get("Instances") or [{}])[0].get("InstanceId", "i-1")
    got = t("ec2.DescribeInstances", InstanceIds=[ins])
    t.check(
        "ec2.RunInstances DescribeInstances",
        "MetadataOptions kept",
        lambda: got.Reservations[0]["Instances"][0]["MetadataOptions"]["HttpTokens"] == "required",
    )
    t("ec2.ModifyInstanceMetadataOptions", InstanceId=ins, HttpTokens="optional")
    got = t("ec2.DescribeInstances", InstanceIds=[ins])
    t.check(
        "ec2.ModifyInstanceMetadataOptions",
        "changed",
        lambda: got.Reservations[0]["Instances"][0]["MetadataOptions"]["HttpTokens"] == "optional",
    )
    t("ec2.ModifySubnetAttribute", SubnetId=t.subnet or "subnet-1", MapPublicIpOnLaunch={"Value": True})
    got = t("ec2.DescribeSubnets", SubnetIds=[t.subnet or "subnet-1"])
    t.check("ec2.ModifySubnetAttribute", "public addresses", lambda: got.Subnets[0]["MapPublicIpOnLaunch"] is True)
    t("ec2.CreateTransitGateway", Options={"AutoAcceptSharedAttachments": "enable"})
    got = t("ec2.DescribeTransitGateways")
    t.check(
        "ec2.CreateTransitGateway DescribeTransitGateways",
        "auto accept",
        lambda: got.TransitGateways[0]["Options"]["AutoAcceptSharedAttachments"] == "enable",
    )
    try:
        cg = t.client("ec2").create_customer_gateway(BgpAsn=65000, PublicIp="203.0.113.9", Type="ipsec.1")[
            "CustomerGateway"
        ]["CustomerGatewayId"]
        vg = t.client("ec2").create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    except Exception:
        cg, vg = ("cgw-1", "vgw-1")
    t("ec2.CreateVpnConnection", CustomerGatewayId=cg, Type="ipsec.1", VpnGatewayId=vg)
    got = t("ec2.DescribeVpnConnections")
    t.check(
        "ec2.CreateVpnConnection DescribeVpnConnections",
        "two tunnels in VgwTelemetry",
        lambda: len(got.VpnConnections[0]["VgwTelemetry"]) == 2,
    )
    t(
        "ec2.CreateVpcEndpoint",
        VpcId=t.vpc,
        ServiceName="com.amazonaws.us-east-1.ssm",
        VpcEndpointType="Interface",
        SubnetIds=[t.subnet or "subnet-1"],
    )
    got = t("ec2.DescribeVpcEndpoints", Filters=filters(vpc_id=t.vpc))
    t.check(
        "ec2.CreateVpcEndpoint DescribeVpcEndpoints",
        "listed",
        lambda: got.VpcEndpoints[0]["ServiceName"].endswith("ssm"),
    )
    t(
        "ec2.CreateClientVpnEndpoint",
        ClientCidrBlock="10.50.0.0/16",
        ServerCertificateArn=f"arn:aws:acm:us-east-1:{t.acct}:certificate/x",
        AuthenticationOptions=[
            {
                "Type": "certificate-authentication",
                "MutualAuthentication": {
                    "ClientRootCertificateChainArn": f"arn:aws:acm:us-east-1:{t.acct}:certificate/x"
                },
            }
        ],
        ConnectionLogOptions={"Enabled": False},
    )
    got = t("ec2.DescribeClientVpnEndpoints")
    t.check(
        "ec2.CreateClientVpnEndpoint DescribeClientVpnEndpoints",
        "logging option",
        lambda: got.ClientVpnEndpoints[0]["ConnectionLogOptions"]["Enabled"] is False,
    )
    v2 = None
    with suppress(Exception):
        v2 = t.client("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    t("ec2.CreateVpcPeeringConnection", VpcId=t.vpc, PeerVpcId=v2 or "vpc-2")
    got = t("ec2.DescribeVpcPeeringConnections")
    t.check(
        "ec2.CreateVpcPeeringConnection DescribeVpcPeeringConnections",
        "listed",
        lambda: len(got.VpcPeeringConnections) == 1,
    )


SCENARIOS = [[instances]]
