"""The tables of the shelf, service by service, over the wire."""

import json
import unittest
from typing import Any

from emulator.testing import AccountTest, client, control


class Account(AccountTest):
    def member(self) -> str:
        organizations = self.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        made = organizations.create_account(Email="member@example.com", AccountName="member")
        return made["CreateAccountStatus"]["AccountId"]

    def test_contact_information_is_replaced_as_a_whole(self) -> None:
        account = self.client("account")
        self.fails("ResourceNotFoundException", account.get_contact_information)
        contact = {
            "FullName": "Ops",
            "AddressLine1": "1 Road",
            "AddressLine2": "Back door",
            "City": "Bonn",
            "PostalCode": "53111",
            "CountryCode": "DE",
            "PhoneNumber": "+49228",
        }
        account.put_contact_information(ContactInformation=contact)
        contact.pop("AddressLine2")
        account.put_contact_information(ContactInformation=contact)
        self.assertEqual(account.get_contact_information()["ContactInformation"], contact)
        self.assertEqual(self.client("account", "eu-west-1").get_contact_information()["ContactInformation"], contact)

    def test_the_management_account_acts_for_its_members(self) -> None:
        account, member = self.client("account"), self.member()
        self.fails("AccessDeniedException", account.get_contact_information, AccountId=member)
        organizations = self.client("organizations")
        organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
        contact = dict.fromkeys(("FullName", "AddressLine1", "City", "PostalCode"), "x") | {"PhoneNumber": "+1"}
        contact["CountryCode"] = "DE"
        account.put_contact_information(AccountId=member, ContactInformation=contact)
        self.assertEqual(client("account", member).get_contact_information()["ContactInformation"], contact)
        self.fails("ResourceNotFoundException", account.get_contact_information)
        self.assertEqual(account.get_primary_email(AccountId=member)["PrimaryEmail"], "member@example.com")
        self.fails("AccessDeniedException", account.get_contact_information, AccountId="999999999999")
        self.fails("AccessDeniedException", account.get_contact_information, AccountId=self.account)
        other = {"AccountId": self.account, "AlternateContactType": "SECURITY"}
        self.fails("AccessDeniedException", client("account", member).get_alternate_contact, **other)
        self.fails("AccessDeniedException", client("account", member).get_contact_information, AccountId=self.account)

    def test_regions_are_enabled_and_disabled(self) -> None:
        account, ec2 = self.client("account"), self.client("ec2")

        def status() -> str:
            return account.get_region_opt_status(RegionName="ap-east-1")["RegionOptStatus"]

        got = account.list_regions(MaxResults=50)["Regions"]
        states = {region["RegionName"]: region["RegionOptStatus"] for region in got}
        self.assertEqual((states["us-east-1"], states["ap-east-1"]), ("ENABLED_BY_DEFAULT", "DISABLED"))
        control("POST", f"settling?account={self.account}&reads=1")
        account.enable_region(RegionName="ap-east-1")
        self.fails("ConflictException", account.disable_region, RegionName="ap-east-1")
        self.assertEqual([status(), status()], ["ENABLING", "ENABLED"])
        self.assertIn("ap-east-1", [region["RegionName"] for region in ec2.describe_regions()["Regions"]])
        account.disable_region(RegionName="ap-east-1")
        self.assertEqual([status(), status()], ["DISABLING", "DISABLED"])
        only = account.list_regions(RegionOptStatusContains=["ENABLED_BY_DEFAULT"], MaxResults=50)["Regions"]
        self.assertEqual(len(only), 17)
        self.fails("ValidationException", account.disable_region, RegionName="us-east-1")
        self.fails("ValidationException", account.enable_region, RegionName="mars-1")


class ServiceSettings(AccountTest):
    ID = "/ssm/documents/console/public-sharing-permission"

    def test_a_setting_is_customized_and_reset(self) -> None:
        ssm = self.client("ssm")
        arn = f"arn:aws:ssm:us-east-1:{self.account}:servicesetting{self.ID}"
        there = ssm.get_service_setting(SettingId=self.ID)["ServiceSetting"]
        self.assertEqual((there["SettingValue"], there["Status"], there["ARN"]), ("Enable", "Default", arn))
        ssm.update_service_setting(SettingId=arn, SettingValue="Disable")
        there = ssm.get_service_setting(SettingId=self.ID)["ServiceSetting"]
        self.assertEqual((there["SettingValue"], there["Status"]), ("Disable", "Customized"))
        other = self.client("ssm", "eu-west-1").get_service_setting(SettingId=self.ID)["ServiceSetting"]
        self.assertEqual(other["Status"], "Default")
        ssm.reset_service_setting(SettingId=self.ID)
        self.assertEqual(ssm.get_service_setting(SettingId=self.ID)["ServiceSetting"]["SettingValue"], "Enable")
        self.fails("ServiceSettingNotFound", ssm.get_service_setting, SettingId="/ssm/none")
        self.fails("ValidationException", ssm.update_service_setting, SettingId=self.ID, SettingValue="Off")

    def test_a_change_is_pending_while_it_settles(self) -> None:
        ssm = self.client("ssm")
        control("POST", f"settling?account={self.account}&reads=1")
        ssm.update_service_setting(SettingId=self.ID, SettingValue="Disable")
        got = [ssm.get_service_setting(SettingId=self.ID)["ServiceSetting"]["Status"] for _ in range(2)]
        self.assertEqual(got, ["PendingUpdate", "Customized"])


class Backup(AccountTest):
    def test_a_vault_has_a_policy_or_none(self) -> None:
        backup, name = self.client("backup"), {"BackupVaultName": "vault"}
        self.fails("ResourceNotFoundException", backup.put_backup_vault_access_policy, **name, Policy="{}")
        backup.create_backup_vault(**name)
        self.fails("ResourceNotFoundException", backup.get_backup_vault_access_policy, **name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*"}]})
        self.fails("InvalidParameterValueException", backup.put_backup_vault_access_policy, **name, Policy="x")
        backup.put_backup_vault_access_policy(**name, Policy=policy)
        got = backup.get_backup_vault_access_policy(**name)
        self.assertEqual((got["Policy"], got["BackupVaultName"]), (policy, "vault"))
        self.assertTrue(got["BackupVaultArn"].endswith(":backup-vault:vault"))
        backup.delete_backup_vault(**name)
        backup.create_backup_vault(**name)
        self.fails("ResourceNotFoundException", backup.get_backup_vault_access_policy, **name)
        backup.put_backup_vault_access_policy(**name, Policy=policy)
        backup.delete_backup_vault_access_policy(**name)
        self.fails("ResourceNotFoundException", backup.get_backup_vault_access_policy, **name)


class Resolver(AccountTest):
    def test_query_logging_is_taken_away(self) -> None:
        resolver = self.client("route53resolver")
        vpc = self.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        made = resolver.create_resolver_query_log_config(
            Name="dns", DestinationArn="arn:aws:s3:::logs", CreatorRequestId="1"
        )
        config = {"ResolverQueryLogConfigId": made["ResolverQueryLogConfig"]["Id"]}
        resolver.associate_resolver_query_log_config(**config, ResourceId=vpc)
        self.fails("InvalidRequestException", resolver.delete_resolver_query_log_config, **config)
        gone = resolver.disassociate_resolver_query_log_config(**config, ResourceId=vpc)
        self.assertEqual(gone["ResolverQueryLogConfigAssociation"]["Status"], "DELETING")
        self.fails("ResourceNotFoundException", resolver.disassociate_resolver_query_log_config, **config, ResourceId=vpc)
        listed = resolver.list_resolver_query_log_config_associations()
        self.assertEqual(listed["ResolverQueryLogConfigAssociations"], [])
        resolver.delete_resolver_query_log_config(**config)
        self.assertEqual(resolver.list_resolver_query_log_configs()["ResolverQueryLogConfigs"], [])
        self.fails("ResourceNotFoundException", resolver.delete_resolver_query_log_config, **config)
        self.assertEqual(resolver.list_firewall_rule_group_associations()["FirewallRuleGroupAssociations"], [])


class TokenVersion(AccountTest):
    def test_the_summary_shows_the_version_of_tokens(self) -> None:
        iam = self.client("iam")
        for name, version in (("v2Token", 2), ("v1Token", 1)):
            iam.set_security_token_service_preferences(GlobalEndpointTokenVersion=name)
            self.assertEqual(iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"], version)


class LogPolicies(AccountTest):
    def test_policies_of_an_account(self) -> None:
        logs = self.client("logs")
        kind, document = {"policyType": "FIELD_INDEX_POLICY"}, json.dumps({"Fields": ["requestId"]})
        put = logs.put_account_policy(**kind, policyName="fields", policyDocument=document)["accountPolicy"]
        self.assertEqual((put["accountId"], put["scope"]), (self.account, "ALL"))
        logs.put_account_policy(**kind, policyName="fields", policyDocument="{}")
        got = logs.describe_account_policies(**kind)["accountPolicies"]
        self.assertEqual([(one["policyName"], one["policyDocument"]) for one in got], [("fields", "{}")])
        other = logs.describe_account_policies(policyType="TRANSFORMER_POLICY")
        self.assertEqual(other["accountPolicies"], [])
        self.fails("InvalidParameterException", logs.put_account_policy, **kind, policyName="x", policyDocument="x")
        data = {"DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]}
        audit, mask = {"Audit": {"FindingsDestination": {}}}, {"Deidentify": {"MaskConfig": {}}}
        whole = {"Statement": [data | {"Operation": one} for one in (audit, mask)]}
        single = {"policyType": "DATA_PROTECTION_POLICY", "policyDocument": json.dumps(whole)}
        logs.put_account_policy(**single, policyName="one")
        self.fails("LimitExceededException", logs.put_account_policy, **single, policyName="two")
        logs.delete_account_policy(**kind, policyName="fields")
        self.fails("ResourceNotFoundException", logs.delete_account_policy, **kind, policyName="fields")


class GuardDuty(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.guardduty = self.client("guardduty")
        self.detector = {"DetectorId": self.guardduty.create_detector(Enable=True)["DetectorId"]}

    def test_malware_scans(self) -> None:
        read = self.guardduty.get_malware_scan_settings
        self.assertEqual(read(**self.detector)["EbsSnapshotPreservation"], "NO_RETENTION")
        criteria = {"Include": {"EC2_INSTANCE_TAG": {"MapEquals": [{"Key": "k", "Value": "v"}]}}}
        self.guardduty.update_malware_scan_settings(**self.detector, ScanResourceCriteria=criteria)
        self.guardduty.update_malware_scan_settings(**self.detector, EbsSnapshotPreservation="RETENTION_WITH_FINDING")
        got = read(**self.detector)
        self.assertEqual(got["ScanResourceCriteria"], criteria)
        self.assertEqual(got["EbsSnapshotPreservation"], "RETENTION_WITH_FINDING")
        error = self.fails("BadRequestException", read, DetectorId="a" * 32)
        self.assertIn("detectorId is not owned by the current account", str(error))

    def destination(self, folder: str = "") -> dict[str, Any]:
        """A bucket and a key that GuardDuty may use."""
        bucket, service = f"findings-{self.account}", {"Service": "guardduty.amazonaws.com"}
        s3 = self.client("s3")
        s3.create_bucket(Bucket=bucket)
        statement = {
            "Effect": "Allow",
            "Principal": service,
            "Action": ["s3:PutObject", "s3:GetBucketLocation"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        key = self.client("kms").create_key()["KeyMetadata"]["Arn"]
        root = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "kms:*", "Resource": "*"}
        use = {"Effect": "Allow", "Principal": service, "Action": "kms:GenerateDataKey", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [root, use]})
        self.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
        return {
            "DestinationType": "S3",
            "DestinationProperties": {"DestinationArn": f"arn:aws:s3:::{bucket}{folder}", "KmsKeyArn": key},
        }

    def test_a_destination_publishes_as_long_as_it_may(self) -> None:
        wanted = self.destination()
        create, read = self.guardduty.create_publishing_destination, self.guardduty.describe_publishing_destination
        none = wanted | {"DestinationProperties": {"DestinationArn": "arn:aws:s3:::none-at-all", "KmsKeyArn": "k"}}
        error = self.fails("BadRequestException", create, **self.detector, **none)
        self.assertIn("does not have permission to the KMS key or the resource", str(error))
        control("POST", f"settling?account={self.account}&reads=1")
        made = {"DestinationId": create(**self.detector, **wanted)["DestinationId"]} | self.detector
        self.assertEqual(read(**made)["Status"], "PENDING_VERIFICATION")
        self.assertEqual(read(**made)["Status"], "PUBLISHING")
        self.fails("BadRequestException", create, **self.detector, **wanted)
        self.client("s3").delete_bucket_policy(Bucket=f"findings-{self.account}")
        self.assertEqual(read(**made)["Status"], "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY")
        listed = self.guardduty.list_publishing_destinations(**self.detector)["Destinations"]
        self.assertEqual([one["DestinationId"] for one in listed], [made["DestinationId"]])
        self.guardduty.delete_publishing_destination(**made)
        error = self.fails("BadRequestException", read, **made)
        self.assertIn("one or more input parameters have invalid values", str(error))

    def test_a_destination_may_be_in_another_region(self) -> None:
        wanted = self.destination()
        there = self.client("guardduty", region="ap-southeast-2")
        detector = {"DetectorId": there.create_detector(Enable=True)["DetectorId"]}
        made = there.create_publishing_destination(**detector, **wanted)
        shown = there.describe_publishing_destination(**detector, DestinationId=made["DestinationId"])
        self.assertEqual(shown["Status"], "PUBLISHING")
        self.assertEqual(shown["DestinationProperties"]["KmsKeyArn"], wanted["DestinationProperties"]["KmsKeyArn"])

    def test_a_destination_keeps_whose_bucket_it_is_for_and_has_tags(self) -> None:
        wanted = self.destination()
        theirs = wanted["DestinationProperties"] | {"ExpectedBucketOwner": "999988887777"}
        create, read = self.guardduty.create_publishing_destination, self.guardduty.describe_publishing_destination
        self.fails("BadRequestException", create, **self.detector, **wanted | {"DestinationProperties": theirs})
        own = wanted["DestinationProperties"] | {"ExpectedBucketOwner": self.account}
        asked = wanted | {"DestinationProperties": own, "Tags": {"a": "b"}}
        made = {"DestinationId": create(**self.detector, **asked)["DestinationId"]} | self.detector
        self.guardduty.update_publishing_destination(**made, DestinationProperties=wanted["DestinationProperties"])
        self.assertEqual(read(**made)["DestinationProperties"], own)
        here = f"arn:aws:guardduty:{self.guardduty.meta.region_name}:{self.account}:detector/{made['DetectorId']}"
        arn = f"{here}/publishingdestination/{made['DestinationId']}"
        self.guardduty.tag_resource(ResourceArn=arn, Tags={"c": "d"})
        self.guardduty.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(read(**made)["Tags"], {"c": "d"})

    def test_a_folder_of_a_destination_must_be_there(self) -> None:
        wanted = self.destination("/findings")
        error = self.fails(
            "BadRequestException", self.guardduty.create_publishing_destination, **self.detector, **wanted
        )
        self.assertIn("folder does not exist", str(error))
        self.client("s3").put_object(Bucket=f"findings-{self.account}", Key="findings/", Body=b"")
        self.guardduty.create_publishing_destination(**self.detector, **wanted)

    def test_a_repeated_call_with_the_same_token_makes_nothing_new(self) -> None:
        create = self.guardduty.create_filter
        wanted = {"Name": "quiet", "FindingCriteria": {"Criterion": {"severity": {"Lt": 4}}}, "ClientToken": "t1"}
        self.assertEqual(create(**self.detector, **wanted)["Name"], "quiet")
        self.assertEqual(create(**self.detector, **wanted)["Name"], "quiet")
        self.fails("BadRequestException", create, **self.detector, **wanted | {"Name": "loud"})
        self.fails("BadRequestException", create, **self.detector, **wanted | {"ClientToken": "t2"})

    def test_filters(self) -> None:
        wanted = {"FindingCriteria": {"Criterion": {"severity": {"Lt": 4}}}}
        self.fails("BadRequestException", self.guardduty.create_filter, **self.detector, Name="x", **wanted)
        for name in ("one", "two", "six"):
            self.guardduty.create_filter(**self.detector, Name=name, **wanted, Action="ARCHIVE")
        first = self.guardduty.list_filters(**self.detector, MaxResults=2)
        rest = self.guardduty.list_filters(**self.detector, MaxResults=2, NextToken=first["NextToken"])
        self.assertEqual((first["FilterNames"], rest["FilterNames"]), (["one", "two"], ["six"]))
        self.guardduty.update_filter(**self.detector, FilterName="one", Action="NOOP")
        got = self.guardduty.get_filter(**self.detector, FilterName="one")
        self.assertEqual((got["Action"], got["Rank"], got["FindingCriteria"]), ("NOOP", 1, wanted["FindingCriteria"]))
        self.guardduty.delete_filter(**self.detector, FilterName="one")
        error = self.fails("BadRequestException", self.guardduty.get_filter, **self.detector, FilterName="one")
        self.assertIn("no such resource found", str(error))

    def test_lists_that_are_trusted_or_not(self) -> None:
        wanted = {"Format": "TXT", "Location": "https://s3.amazonaws.com/b/ips.txt", "Activate": True}
        made = self.guardduty.create_ip_set(**self.detector, Name="office", **wanted)
        self.fails("BadRequestException", self.guardduty.create_ip_set, **self.detector, Name="home", **wanted)
        got = self.guardduty.get_ip_set(**self.detector, IpSetId=made["IpSetId"])
        self.assertEqual((got["Name"], got["Status"], got["Location"]), ("office", "ACTIVE", wanted["Location"]))
        self.guardduty.update_ip_set(**self.detector, IpSetId=made["IpSetId"], Name="offices", Activate=False)
        got = self.guardduty.get_ip_set(**self.detector, IpSetId=made["IpSetId"])
        self.assertEqual((got["Name"], got["Status"]), ("offices", "INACTIVE"))
        made = self.guardduty.create_trusted_entity_set(**self.detector, Name="entities", **wanted)
        listed = self.guardduty.list_trusted_entity_sets(**self.detector)["TrustedEntitySetIds"]
        self.assertEqual(listed, [made["TrustedEntitySetId"]])


if __name__ == "__main__":
    unittest.main()
