"""Security Hub, over the wire."""

import unittest

from emulator.testing import AccountTest, control

FSBP = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"


class SecurityHub(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.hub = self.client("securityhub")

    def test_nothing_is_there_before_the_hub(self) -> None:
        for call in (self.hub.describe_hub, self.hub.get_enabled_standards, self.hub.list_finding_aggregators):
            error = self.fails("InvalidAccessException", call)
            self.assertIn("not subscribed", str(error))
            self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 401)
        self.hub.enable_security_hub()
        self.fails("ResourceConflictException", self.hub.enable_security_hub)
        there = self.hub.get_enabled_standards()["StandardsSubscriptions"]
        self.assertEqual(len(there), 2, "the default standards")
        self.hub.disable_security_hub()
        self.fails("InvalidAccessException", self.hub.describe_hub)
        self.hub.enable_security_hub(EnableDefaultStandards=False)
        self.assertEqual(self.hub.get_enabled_standards()["StandardsSubscriptions"], [])

    def test_the_newer_hub_has_features_and_one_aggregator(self) -> None:
        hub = self.hub
        self.fails("ResourceNotFoundException", hub.describe_security_hub_v2)
        self.fails("ResourceNotFoundException", hub.enable_security_hub_feature_v2, FeatureName="NETWORK_SCANNING")
        hub.enable_security_hub_v2()
        self.assertEqual(hub.describe_security_hub_v2()["Features"], {})
        hub.enable_security_hub_feature_v2(FeatureName="NETWORK_SCANNING")
        scans = hub.describe_security_hub_v2()["Features"]["NETWORK_SCANNING"]
        self.assertEqual(scans["FeatureStatus"], "ENABLED")
        made = hub.create_aggregator_v2(RegionLinkingMode="SPECIFIED_REGIONS", LinkedRegions=["eu-west-1"])
        arn = made["AggregatorV2Arn"]
        self.fails("ValidationException", hub.update_aggregator_v2, AggregatorV2Arn=arn, RegionLinkingMode="SPECIFIED_REGIONS")
        hub.update_aggregator_v2(AggregatorV2Arn=arn, RegionLinkingMode="ALL_REGIONS")
        got = self.client("securityhub", "eu-west-1").get_aggregator_v2(AggregatorV2Arn=arn)
        self.assertEqual((got["AggregationRegion"], got["RegionLinkingMode"]), ("us-east-1", "ALL_REGIONS"))
        hub.disable_security_hub_v2()
        self.fails("ResourceNotFoundException", hub.describe_security_hub_v2)

    def test_standards_wait_and_need_a_recorder(self) -> None:
        self.hub.enable_security_hub(EnableDefaultStandards=False)
        control("POST", f"settling?account={self.account}&reads=1")
        made = self.hub.batch_enable_standards(StandardsSubscriptionRequests=[{"StandardsArn": FSBP}])
        subscription = made["StandardsSubscriptions"][0]["StandardsSubscriptionArn"]
        self.assertEqual(
            subscription,
            f"arn:aws:securityhub:us-east-1:{self.account}:subscription/aws-foundational-security-best-practices/v/1.0.0",
        )
        states = [self.hub.get_enabled_standards()["StandardsSubscriptions"][0] for _ in range(2)]
        self.assertEqual([one["StandardsStatus"] for one in states], ["PENDING", "INCOMPLETE"])
        self.assertEqual(states[1]["StandardsStatusReason"]["StatusReasonCode"], "NO_AVAILABLE_CONFIGURATION_RECORDER")
        wrong = [{"StandardsArn": f"{FSBP}.1"}]
        self.fails("InvalidInputException", self.hub.batch_enable_standards, StandardsSubscriptionRequests=wrong)
        self.hub.batch_disable_standards(StandardsSubscriptionArns=[subscription])
        self.assertEqual(self.hub.get_enabled_standards()["StandardsSubscriptions"], [])

    def test_one_aggregator_for_all_regions(self) -> None:
        for region in ("us-east-1", "eu-west-1"):
            self.client("securityhub", region).enable_security_hub()
        create = self.hub.create_finding_aggregator
        self.fails("InvalidInputException", create, RegionLinkingMode="ALL_REGIONS", Regions=["eu-west-1"])
        arn = create(RegionLinkingMode="SPECIFIED_REGIONS", Regions=["eu-west-1"])["FindingAggregatorArn"]
        self.fails("InvalidInputException", create, RegionLinkingMode="ALL_REGIONS")
        other = self.client("securityhub", "eu-west-1")
        self.assertEqual(other.list_finding_aggregators()["FindingAggregators"], [{"FindingAggregatorArn": arn}])
        wanted = {"FindingAggregatorArn": arn, "RegionLinkingMode": "ALL_REGIONS"}
        self.fails("InvalidInputException", other.update_finding_aggregator, **wanted)
        self.hub.update_finding_aggregator(**wanted)
        got = self.hub.get_finding_aggregator(FindingAggregatorArn=arn)
        self.assertEqual((got["FindingAggregationRegion"], got.get("Regions")), ("us-east-1", None))

    def test_findings_that_are_refused_are_told_beside_the_others(self) -> None:
        self.hub.enable_security_hub()
        finding = {
            "SchemaVersion": "2018-10-08",
            "ProductArn": f"arn:aws:securityhub:us-east-1:{self.account}:product/{self.account}/default",
            "GeneratorId": "test",
            "AwsAccountId": self.account,
            "CreatedAt": "2026-01-01T00:00:00Z",
            "UpdatedAt": "2026-01-01T00:00:00Z",
            "Title": "t",
            "Description": "d",
            "Resources": [{"Type": "Other", "Id": "x"}],
        }
        findings = [finding | {"Id": name} for name in ("a", "b")]
        fault = {"service": "securityhub", "operation": "BatchImportFindings", "kind": "partial", "entries": ["b"]}
        control("POST", f"faults?account={self.account}", fault | {"account": self.account, "count": 1})
        told = self.hub.batch_import_findings(Findings=findings)
        self.assertEqual((told["FailedCount"], told["SuccessCount"]), (1, 1))
        self.assertEqual([one["Id"] for one in told["FailedFindings"]], ["b"])
        self.assertEqual([one["Id"] for one in self.hub.get_findings()["Findings"]], ["a"])


if __name__ == "__main__":
    unittest.main()
