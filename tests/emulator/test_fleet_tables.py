"""Tables of Systems Manager's patching and inventory, and of what stands before a network."""

import unittest
import unittest.mock

from emulator.testing import AccountTest, control


class PatchBaselines(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.ssm = self.client("ssm")

    def make(self, name: str = "base", **more: str) -> dict[str, str]:
        return {"BaselineId": self.ssm.create_patch_baseline(Name=name, **more)["BaselineId"]}

    def test_one_in_use_is_not_deleted(self) -> None:
        base, group = self.make(), {"PatchGroup": "prod"}
        self.ssm.register_default_patch_baseline(**base)
        self.fails("ResourceInUseException", self.ssm.delete_patch_baseline, **base)
        self.assertEqual(self.ssm.get_default_patch_baseline()["BaselineId"], base["BaselineId"])
        predefined = self.ssm.get_default_patch_baseline(OperatingSystem="UBUNTU")["BaselineId"]
        self.assertTrue(predefined.startswith("arn:aws:ssm:us-east-1:"))
        windows = self.ssm.describe_patch_baselines(
            Filters=[{"Key": "OWNER", "Values": ["AWS"]}, {"Key": "OPERATING_SYSTEM", "Values": ["WINDOWS"]}]
        )["BaselineIdentities"][0]
        self.assertFalse(windows["DefaultBaseline"])
        self.ssm.register_default_patch_baseline(BaselineId=windows["BaselineId"])
        self.ssm.register_patch_baseline_for_patch_group(**base, **group)
        other = self.make("other")
        self.fails("AlreadyExistsException", self.ssm.register_patch_baseline_for_patch_group, **other, **group)
        self.assertEqual(self.ssm.get_patch_baseline(**base)["PatchGroups"], ["prod"])
        self.fails("ResourceInUseException", self.ssm.delete_patch_baseline, **base)
        self.ssm.deregister_patch_baseline_for_patch_group(**base, **group)
        self.ssm.delete_patch_baseline(**base)
        self.fails("DoesNotExistException", self.ssm.get_patch_baseline, **base)

    def test_replace_goes_back_to_the_defaults(self) -> None:
        base = self.make(OperatingSystem="UBUNTU", Description="d")
        self.ssm.update_patch_baseline(**base, ApprovedPatches=["a"])
        self.assertEqual(self.ssm.get_patch_baseline(**base)["Description"], "d")
        self.ssm.update_patch_baseline(**base, RejectedPatches=["b"], Replace=True)
        got = self.ssm.get_patch_baseline(**base)
        self.assertEqual(
            (got["ApprovedPatches"], got["RejectedPatches"], got["OperatingSystem"]), ([], ["b"], "UBUNTU")
        )
        self.assertNotIn("Description", got)

    def test_rules_and_groups_of_baselines(self) -> None:
        group = {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["SecurityUpdates"]}]}
        for more in ({}, {"ApproveAfterDays": 7, "ApproveUntilDate": "2026-01-01"}, {"ApproveUntilDate": "soon"}):
            rules = {"PatchRules": [{"PatchFilterGroup": group} | more]}
            self.fails("ValidationException", self.ssm.create_patch_baseline, Name="rules", ApprovalRules=rules)
        rules = {"PatchRules": [{"PatchFilterGroup": group, "ApproveAfterDays": 7}]}
        base = self.make("rules", ApprovalRules=rules)
        [rule] = self.ssm.get_patch_baseline(**base)["ApprovalRules"]["PatchRules"]
        self.assertEqual((rule["ComplianceLevel"], rule["EnableNonSecurity"]), ("UNSPECIFIED", False))
        register = self.ssm.register_patch_baseline_for_patch_group
        for number in range(25):
            register(**base, PatchGroup=f"group-{number}")
        self.fails("ResourceLimitExceededException", register, **base, PatchGroup="one-more")
        wanted = [{"Key": "NAME_PREFIX", "Values": ["group-2"]}]
        found = [one["PatchGroup"] for one in self.ssm.describe_patch_groups(Filters=wanted)["Mappings"]]
        self.assertEqual(found, ["group-2", "group-20", "group-21", "group-22", "group-23", "group-24"])

    def test_inventory_is_planted(self) -> None:
        rows = [{"InstanceId": f"i-0000000{number}", "PingStatus": "Online"} for number in range(6)]
        control("POST", f"plant?account={self.account}&of=ssm:instances", rows)
        got = self.ssm.describe_instance_information(MaxResults=5)
        self.assertEqual(len(got["InstanceInformationList"]), 5)
        rest = self.ssm.describe_instance_information(MaxResults=5, NextToken=got["NextToken"])
        self.assertEqual([one["InstanceId"] for one in rest["InstanceInformationList"]], ["i-00000005"])
        item = {"Severity": "HIGH", "Status": "NON_COMPLIANT", "Id": "1"}
        put = {
            "ResourceType": "ManagedInstance",
            "ComplianceType": "Custom:patches",
            "ExecutionSummary": {"ExecutionTime": 0},
        }
        self.ssm.put_compliance_items(ResourceId="i-00000001", Items=[item], **put)
        self.ssm.put_compliance_items(ResourceId="i-00000002", Items=[item | {"Status": "COMPLIANT"}], **put)
        summary = self.ssm.list_compliance_summaries()["ComplianceSummaryItems"][0]
        self.assertEqual(summary["NonCompliantSummary"]["SeveritySummary"]["HighCount"], 1)
        self.assertEqual(summary["CompliantSummary"]["CompliantCount"], 1)


class Edges(AccountTest):
    def test_a_firewall_policy_is_changed_with_its_token(self) -> None:
        firewall = self.client("network-firewall")
        policy = {"StatelessDefaultActions": ["aws:drop"], "StatelessFragmentDefaultActions": ["aws:drop"]}
        named = {"FirewallPolicyName": "p"}
        made = firewall.create_firewall_policy(**named, FirewallPolicy=policy)
        changed = policy | {"StatelessDefaultActions": ["aws:pass"]}
        wrong = {"UpdateToken": "00000000-0000-0000-0000-000000000000"}
        self.fails("InvalidTokenException", firewall.update_firewall_policy, **named, **wrong, FirewallPolicy=changed)
        firewall.update_firewall_policy(**named, UpdateToken=made["UpdateToken"], FirewallPolicy=changed)
        got = firewall.describe_firewall_policy(**named)
        self.assertEqual((got["FirewallPolicy"], got["UpdateToken"] == made["UpdateToken"]), (changed, False))
        firewall.delete_firewall_policy(FirewallPolicyArn=got["FirewallPolicyResponse"]["FirewallPolicyArn"])
        self.fails("ResourceNotFoundException", firewall.describe_firewall_policy, **named)

    def test_shield_has_nothing_without_a_subscription(self) -> None:
        shield = self.client("shield")
        for call in (
            shield.describe_drt_access,
            shield.describe_emergency_contact_settings,
            shield.update_subscription,
        ):
            self.fails("ResourceNotFoundException", call)
        shield.create_subscription()
        shield.update_emergency_contact_settings(EmergencyContactList=[{"EmailAddress": "a@example.com"}])
        got = shield.describe_emergency_contact_settings()["EmergencyContactList"]
        self.assertEqual(got, [{"EmailAddress": "a@example.com"}])

    def test_a_client_vpn_and_the_tunnels_of_a_connection(self) -> None:
        ec2 = self.client("ec2")
        wanted = {
            "ClientCidrBlock": "10.0.0.0/22",
            "ServerCertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/x",
            "AuthenticationOptions": [{"Type": "federated-authentication"}],
            "ConnectionLogOptions": {"Enabled": False},
        }
        made = ec2.create_client_vpn_endpoint(**wanted, ClientToken="t")
        self.assertEqual(made["Status"], {"Code": "pending-associate"})
        self.assertEqual(
            ec2.create_client_vpn_endpoint(**wanted, ClientToken="t"), made | {"ResponseMetadata": unittest.mock.ANY}
        )
        self.fails(
            "IdempotentParameterMismatch", ec2.create_client_vpn_endpoint, **wanted, ClientToken="t", VpnPort=1194
        )
        there = ec2.describe_client_vpn_endpoints()["ClientVpnEndpoints"]
        self.assertEqual([(one["SplitTunnel"], one["VpnPort"]) for one in there], [(False, 443)])

    def test_a_web_acl_in_use_stays(self) -> None:
        waf = self.client("wafv2")
        visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
        named = {"Name": "a", "Scope": "REGIONAL"}
        made = waf.create_web_acl(**named, DefaultAction={"Allow": {}}, VisibilityConfig=visible, Description="edge")[
            "Summary"
        ]
        subnets = [one["SubnetId"] for one in self.client("ec2").describe_subnets()["Subnets"]][:2]
        balancers = self.client("elbv2").create_load_balancer(Name="l", Subnets=subnets)["LoadBalancers"]
        balancer = balancers[0]["LoadBalancerArn"]
        waf.associate_web_acl(WebACLArn=made["ARN"], ResourceArn=balancer)
        gone = {"Id": made["Id"], "LockToken": made["LockToken"]}
        self.fails("WAFAssociatedItemException", waf.delete_web_acl, **named, **gone)
        self.assertEqual(waf.list_resources_for_web_acl(WebACLArn=made["ARN"])["ResourceArns"], [balancer])
        self.fails("WAFNonexistentItemException", waf.list_resources_for_web_acl, WebACLArn=f"{made['ARN']}x")
        group = {"VendorName": "AWS", "Name": "AWSManagedRulesNone", "Scope": "REGIONAL"}
        self.fails("WAFNonexistentItemException", waf.describe_managed_rule_group, **group)


if __name__ == "__main__":
    unittest.main()
