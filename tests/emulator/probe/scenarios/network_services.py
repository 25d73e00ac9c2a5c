"""Route 53 Resolver and Network Firewall."""

from emulator.probe.trial import Trial


def resolver_and_firewall(t: Trial) -> None:
    got = t("route53resolver.ListResolverQueryLogConfigs")
    t.check("route53resolver.ListResolverQueryLogConfigs", "empty at first", lambda: got.ResolverQueryLogConfigs == [])
    made = t(
        "route53resolver.CreateResolverQueryLogConfig",
        Name="dns",
        DestinationArn=f"arn:aws:s3:::acme-log-1-{t.acct}",
        CreatorRequestId="1",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    qid = (made.get("ResolverQueryLogConfig") or {}).get("Id", "rqlc-1")
    got = t("route53resolver.ListResolverQueryLogConfigs")
    t.check(
        "route53resolver.CreateResolverQueryLogConfig ListResolverQueryLogConfigs",
        "listed",
        lambda: (
            [(one["Name"], one["DestinationArn"]) for one in got.ResolverQueryLogConfigs]
            == [("dns", f"arn:aws:s3:::acme-log-1-{t.acct}")]
        ),
    )
    t("route53resolver.AssociateResolverQueryLogConfig", ResolverQueryLogConfigId=qid, ResourceId=t.vpc)
    got = t("route53resolver.ListResolverQueryLogConfigAssociations")
    t.check(
        "route53resolver.AssociateResolverQueryLogConfig ListResolverQueryLogConfigAssociations",
        "ACTIVE",
        lambda: (
            [(one["ResourceId"], one["Status"]) for one in got.ResolverQueryLogConfigAssociations]
            == [(t.vpc, "ACTIVE")]
        ),
    )
    t("route53resolver.DisassociateResolverQueryLogConfig", ResolverQueryLogConfigId=qid, ResourceId=t.vpc)
    got = t("route53resolver.ListResolverQueryLogConfigAssociations")
    t.check(
        "route53resolver.DisassociateResolverQueryLogConfig",
        "gone",
        lambda: got.ResolverQueryLogConfigAssociations == [],
    )
    t("route53resolver.DeleteResolverQueryLogConfig", ResolverQueryLogConfigId=qid)
    got = t("route53resolver.ListResolverQueryLogConfigs")
    t.check(
        "route53resolver.DeleteResolverQueryLogConfig",
        "gone",
        lambda: got.ResolverQueryLogConfigs == [] and t.went("route53resolver.DeleteResolverQueryLogConfig"),
    )
    got = t("route53resolver.ListFirewallRuleGroupAssociations")
    t.check(
        "route53resolver.ListFirewallRuleGroupAssociations",
        "none at first",
        lambda: got.FirewallRuleGroupAssociations == [],
    )
    ids = ["rslvr-frgassoc-1", "rslvr-frgassoc-2"]
    rows = [{"Id": one, "VpcId": f"vpc-{number}", "Status": "COMPLETE"} for number, one in enumerate(ids)]
    t.plant("route53resolver:firewall_associations", *rows)
    got = t("route53resolver.ListFirewallRuleGroupAssociations", VpcId="vpc-1")
    t.check(
        "route53resolver.ListFirewallRuleGroupAssociations",
        "of the VPC",
        lambda: [one["Id"] for one in got.FirewallRuleGroupAssociations] == ids[1:],
    )
    made = t(
        "network-firewall.CreateFirewallPolicy",
        FirewallPolicyName="p",
        FirewallPolicy={"StatelessDefaultActions": ["aws:drop"], "StatelessFragmentDefaultActions": ["aws:drop"]},
    )
    got = t("network-firewall.DescribeFirewallPolicy", FirewallPolicyName="p")
    t.check(
        "network-firewall.CreateFirewallPolicy DescribeFirewallPolicy",
        "back",
        lambda: got.FirewallPolicy["StatelessDefaultActions"] == ["aws:drop"],
    )
    made = t(
        "network-firewall.CreateFirewall",
        FirewallName="f",
        FirewallPolicyArn=f"arn:aws:network-firewall:us-east-1:{t.acct}:firewall-policy/p",
        VpcId=t.vpc,
        SubnetMappings=[{"SubnetId": t.subnet or "subnet-1"}],
        DeleteProtection=True,
    )
    got = t("network-firewall.DescribeFirewall", FirewallName="f")
    t.check(
        "network-firewall.CreateFirewall DescribeFirewall", "back", lambda: got.Firewall["DeleteProtection"] is True
    )
    got = t("network-firewall.ListFirewalls")
    t.check("network-firewall.ListFirewalls", "listed", lambda: [one["FirewallName"] for one in got.Firewalls] == ["f"])
    t(
        "network-firewall.UpdateLoggingConfiguration",
        FirewallName="f",
        LoggingConfiguration={
            "LogDestinationConfigs": [
                {"LogType": "ALERT", "LogDestinationType": "S3", "LogDestination": {"bucketName": "b"}}
            ]
        },
    )
    got = t("network-firewall.DescribeLoggingConfiguration", FirewallName="f")
    t.check(
        "network-firewall.UpdateLoggingConfiguration DescribeLoggingConfiguration",
        "back",
        lambda: got.LoggingConfiguration["LogDestinationConfigs"][0]["LogType"] == "ALERT",
    )
    t.vid = t.vpc
    t.sn = t.subnet


SCENARIOS = [[resolver_and_firewall]]
