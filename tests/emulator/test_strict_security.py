"""Where GuardDuty, Security Hub and Access Analyzer are strict: old forms, values, and who rules whom."""

from typing import Any

from emulator.organization_testing import OrganizationTest
from emulator.testing import AccountTest, client

FSBP = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"


class Detectors(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.guardduty = self.client("guardduty")

    def test_data_sources_are_features_in_an_older_form(self) -> None:
        off = {"S3Logs": {"Enable": False}, "Kubernetes": {"AuditLogs": {"Enable": False}}}
        detector = {"DetectorId": self.guardduty.create_detector(Enable=True, DataSources=off)["DetectorId"]}
        got = self.guardduty.get_detector(**detector)
        states = {one["Name"]: one["Status"] for one in got["Features"]}
        self.assertEqual((states["S3_DATA_EVENTS"], states["EBS_MALWARE_PROTECTION"]), ("DISABLED", "ENABLED"))
        sources = got["DataSources"]
        self.assertEqual(sources["S3Logs"], {"Status": "DISABLED"})
        self.assertEqual(sources["FlowLogs"], {"Status": "ENABLED"})
        on = [{"Name": "EKS_AUDIT_LOGS", "Status": "ENABLED"}]
        self.guardduty.update_detector(**detector, Features=on)
        sources = self.guardduty.get_detector(**detector)["DataSources"]
        self.assertEqual(sources["Kubernetes"], {"AuditLogs": {"Status": "ENABLED"}})
        volumes = {"ScanEc2InstanceWithFindings": {"EbsVolumes": False}}
        self.guardduty.update_detector(**detector, DataSources={"MalwareProtection": volumes})
        malware = self.guardduty.get_detector(**detector)["DataSources"]["MalwareProtection"]
        self.assertEqual(malware["ScanEc2InstanceWithFindings"], {"EbsVolumes": {"Status": "DISABLED"}})
        both = {"Features": on, "DataSources": off}
        self.fails("BadRequestException", self.guardduty.update_detector, **detector, **both)

    def test_a_detector_tells_its_role_state_and_frequency(self) -> None:
        detector = {"DetectorId": self.guardduty.create_detector(Enable=False)["DetectorId"]}
        got = self.guardduty.get_detector(**detector)
        role = "role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"
        self.assertEqual(got["ServiceRole"], f"arn:aws:iam::{self.account}:{role}")
        self.assertEqual((got["Status"], got["FindingPublishingFrequency"]), ("DISABLED", "SIX_HOURS"))
        self.assertRegex(got["CreatedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.guardduty.update_detector(**detector, FindingPublishingFrequency="ONE_HOUR")
        self.guardduty.update_detector(**detector, Enable=True)
        got = self.guardduty.get_detector(**detector)
        self.assertEqual((got["Status"], got["FindingPublishingFrequency"]), ("ENABLED", "ONE_HOUR"))

    def test_features_have_a_name_a_status_and_their_own_agents(self) -> None:
        create = self.guardduty.create_detector
        agent = [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}]
        on = {"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}
        for features in (
            [{"Status": "ENABLED"}],
            [{"Name": "S3_DATA_EVENTS"}],
            [on, on],
            [on | {"AdditionalConfiguration": agent}],
            [{"Name": "EKS_RUNTIME_MONITORING", "Status": "ENABLED", "AdditionalConfiguration": agent}],
        ):
            self.fails("BadRequestException", create, Enable=True, Features=features)
        self.assertEqual(self.guardduty.list_detectors()["DetectorIds"], [])


class Hub(AccountTest):
    def test_standards_have_names_and_are_enabled_once(self) -> None:
        hub = self.client("securityhub")
        hub.enable_security_hub(EnableDefaultStandards=False)
        described = {one["StandardsArn"]: one for one in hub.describe_standards()["Standards"]}
        self.assertEqual(described[FSBP]["Name"], "AWS Foundational Security Best Practices v1.0.0")
        self.assertEqual(described[FSBP]["StandardsManagedBy"], {"Company": "AWS", "Product": "Security Hub"})
        self.assertEqual(hub.describe_standards(Providers=["GCP"])["Standards"], [])
        asked = {"StandardsSubscriptionRequests": [{"StandardsArn": FSBP}]}
        states = [hub.batch_enable_standards(**asked)["StandardsSubscriptions"][0] for _ in range(2)]
        self.assertEqual([one["StandardsStatus"] for one in states], ["PENDING", "INCOMPLETE"])
        other = f"arn:aws:securityhub:us-east-1:{self.account}:hub/other"
        self.fails("ResourceNotFoundException", hub.describe_hub, HubArn=other)
        self.assertTrue(hub.describe_hub()["AutoEnableControls"])


class OfAnOrganization(OrganizationTest):
    def administer(self, service: str, **more: Any) -> str:
        """Another member, which administers the service."""
        admin = self.join()
        self.client(service).enable_organization_admin_account(AdminAccountId=admin, **more)
        return admin

    def test_an_analyzer_is_its_administrator_s(self) -> None:
        kind = {"analyzerName": "o", "type": "ORGANIZATION"}
        theirs, mine = client("accessanalyzer", self.member), self.client("accessanalyzer")
        self.fails("ValidationException", mine.create_analyzer, **kind)
        self.trust("access-analyzer.amazonaws.com")
        self.fails("ValidationException", theirs.create_analyzer, **kind)
        principal = {"ServicePrincipal": "access-analyzer.amazonaws.com"}
        self.org.register_delegated_administrator(AccountId=self.member, **principal)
        theirs.create_analyzer(**kind)
        mine.create_analyzer(**kind)

    def test_guardduty_s_administrator_need_not_ask(self) -> None:
        admin = client("guardduty", self.administer("guardduty"))
        mine = {"DetectorId": admin.create_detector(Enable=True)["DetectorId"]}
        details = [{"AccountId": self.member, "Email": "m@example.com"}]
        self.assertEqual(admin.create_members(**mine, AccountDetails=details)["UnprocessedAccounts"], [])
        [row] = admin.list_members(**mine)["Members"]
        self.assertEqual((row["AccountId"], row["RelationshipStatus"]), (self.member, "ENABLED"))
        member = client("guardduty", self.member)
        theirs = {"DetectorId": member.list_detectors()["DetectorIds"][0]}
        self.assertEqual(member.get_detector(**theirs)["Status"], "ENABLED")
        self.assertEqual(member.list_invitations()["Invitations"], [])
        found = member.get_administrator_account(**theirs)["Administrator"]
        self.assertEqual(found["RelationshipStatus"], "ENABLED")
        off = [{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}]
        self.fails("BadRequestException", member.update_detector, **theirs, Features=off)
        self.fails("BadRequestException", member.disassociate_from_administrator_account, **theirs)
        admin.update_member_detectors(**mine, AccountIds=[self.member], Features=off)
        self.fails("BadRequestException", admin.delete_detector, **mine)

    def test_all_members_of_the_organization_are_enrolled(self) -> None:
        admin = client("guardduty", self.administer("guardduty"))
        mine = {"DetectorId": admin.create_detector(Enable=True)["DetectorId"]}
        admin.update_organization_configuration(**mine, AutoEnableOrganizationMembers="ALL")
        enrolled = {row["AccountId"] for row in admin.list_members(**mine)["Members"]}
        self.assertEqual(enrolled, {self.member, self.account})

    def test_security_hub_s_administrator_keeps_its_hub(self) -> None:
        admin = client("securityhub", self.administer("securityhub"))
        admin.enable_security_hub()
        self.fails("InvalidAccessException", admin.disable_security_hub)
        member = client("securityhub", self.member)
        member.enable_security_hub()
        member.disable_security_hub()
