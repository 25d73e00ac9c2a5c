"""Config's aggregators and authorizations, and what AWS refuses of conformance packs."""

import json
import time
import unittest
from typing import Any

from emulator.test_config_rules import TEMPLATE, ConfigTest
from emulator.testing import client, control

WRONG, PACK = "InvalidParameterValueException", {"ConformancePackName": "p"}


class Packs(ConfigTest):
    def setUp(self) -> None:
        super().setUp()
        self.put_pack = self.config.put_conformance_pack

    def pack(self) -> dict[str, Any]:
        return self.config.describe_conformance_packs()["ConformancePackDetails"][0]

    def status(self) -> tuple[str, str]:
        row = self.config.describe_conformance_pack_status()["ConformancePackStatusDetails"][0]
        return row["ConformancePackState"], row.get("ConformancePackStatusReason", "")

    def test_a_pack_without_a_recorder_fails_in_its_own_time(self) -> None:
        self.put_pack(**PACK, TemplateBody=TEMPLATE)
        state, reason = self.status()
        self.assertEqual((state, self.rules()), ("CREATE_FAILED", []))
        self.assertIn("Configuration Recorder is not available", reason)
        self.recorder()
        self.put_pack(**PACK, TemplateBody=TEMPLATE)
        self.assertEqual((self.status(), len(self.rules())), (("UPDATE_COMPLETE", ""), 1))

    def test_a_rule_that_cannot_be_made_fails_the_pack_and_is_named(self) -> None:
        self.recorder()
        self.put_pack(**PACK, TemplateBody=TEMPLATE.replace("ACCESS_KEYS_ROTATED", "NOTHING"))
        state, reason = self.status()
        self.assertEqual(state, "CREATE_FAILED")
        self.assertIn("keys", reason)

    def test_each_put_has_a_time_of_its_own_and_tags_are_those_of_the_first(self) -> None:
        self.recorder()
        self.put_pack(**PACK, TemplateBody=TEMPLATE, Tags=[{"Key": "a", "Value": "1"}])
        first = self.pack()["LastUpdateRequestedTime"]
        time.sleep(0.005)
        self.put_pack(**PACK, TemplateBody=TEMPLATE, Tags=[{"Key": "a", "Value": "2"}])
        self.assertGreater(self.pack()["LastUpdateRequestedTime"], first)
        tags = self.config.list_tags_for_resource(ResourceArn=self.pack()["ConformancePackArn"])["Tags"]
        self.assertEqual(tags, [{"Key": "a", "Value": "1"}])

    def test_parameters_reach_the_rules(self) -> None:
        self.recorder()
        template = TEMPLATE.replace("{maxAccessKeyAge: 90}", "{maxAccessKeyAge: !Ref Age}")
        template += "Parameters:\n  Age: {Type: String, Default: '30'}\n"
        self.put_pack(**PACK, TemplateBody=template)
        self.assertEqual(json.loads(self.rules()[0]["InputParameters"]), {"maxAccessKeyAge": "30"})
        given = [{"ParameterName": "Age", "ParameterValue": "45"}]
        self.put_pack(**PACK, TemplateBody=template, ConformancePackInputParameters=given)
        self.assertEqual(json.loads(self.rules()[0]["InputParameters"]), {"maxAccessKeyAge": "45"})

    def test_managed_packs_are_another_sort(self) -> None:
        self.recorder()
        source = {"SourceIdentifier": "Operational-Best-Practices-for-CIS"}
        self.fails(WRONG, self.put_pack, **PACK, Source=source, DeliveryS3Bucket="b")
        self.fails(WRONG, self.put_pack, **PACK, TemplateBody=TEMPLATE, Scope={"TagKey": "a"})
        many = [{"ParameterName": f"p{number}", "ParameterValue": "1"} for number in range(61)]
        self.fails(WRONG, self.put_pack, **PACK, TemplateBody=TEMPLATE, ConformancePackInputParameters=many)
        self.put_pack(**PACK, Source=source, Scope={"TagKey": "a"}, ConformancePackInputParameters=many)
        pack = self.pack()
        self.assertEqual((pack["Type"], pack["Source"], pack["Scope"]), ("MANAGED", source, {"TagKey": "a"}))
        self.fails(WRONG, self.put_pack, **PACK, Source={"SourceIdentifier": "Another"})
        self.fails(WRONG, self.put_pack, **PACK, TemplateBody=TEMPLATE)

    def test_templates_elsewhere_must_be_there(self) -> None:
        self.recorder()
        s3, ssm = self.client("s3"), self.client("ssm")
        uri, document = f"s3://packs-{self.account}/p.yaml", {"DocumentName": "pack"}
        self.fails("InsufficientPermissionsException", self.put_pack, **PACK, TemplateS3Uri=uri)
        self.fails("InsufficientPermissionsException", self.put_pack, **PACK, TemplateSSMDocumentDetails=document)
        s3.create_bucket(Bucket=f"packs-{self.account}")
        s3.put_object(Bucket=f"packs-{self.account}", Key="p.yaml", Body=TEMPLATE.encode())
        self.put_pack(**PACK, TemplateS3Uri=uri)
        self.assertEqual(len(self.rules()), 1)
        content = json.dumps({"schemaVersion": "2.2", "Resources": {}})
        # moto has no documents of the type ConformancePackTemplate, and the emulator does not look at the type.
        ssm.create_document(Content=content, Name="pack", DocumentType="Command", DocumentFormat="JSON")
        self.put_pack(**PACK, TemplateSSMDocumentDetails=document)
        self.assertEqual((self.rules(), self.pack()["TemplateSSMDocumentDetails"]), ([], document))

    def test_packs_of_services_are_left_alone(self) -> None:
        self.recorder()
        self.put_pack(**PACK, TemplateBody=TEMPLATE)
        owner = "config-multiaccountsetup.amazonaws.com"
        control("POST", f"owner?account={self.account}&of=config:conformance_pack/p&owner={owner}")
        self.assertEqual(self.pack()["CreatedBy"], owner)
        self.fails("AccessDeniedException", self.put_pack, **PACK, TemplateBody=TEMPLATE)
        self.fails("AccessDeniedException", self.config.delete_conformance_pack, **PACK)


class Aggregators(ConfigTest):
    def setUp(self) -> None:
        super().setUp()
        self.name = {"ConfigurationAggregatorName": "all"}
        self.source = {"AccountIds": [self.account], "AllAwsRegions": True}

    def put_aggregator(self, **given: Any) -> None:
        self.config.put_configuration_aggregator(**self.name, **given)

    def role(self, name: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        return self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def read(self) -> dict[str, Any]:
        return self.config.describe_configuration_aggregators()["ConfigurationAggregators"][0]

    def states(self, **more: Any) -> list[tuple[str, str]]:
        rows = self.config.describe_configuration_aggregator_sources_status(**self.name, **more)
        return [(row["SourceId"], row["LastUpdateStatus"]) for row in rows["AggregatedSourceStatusList"]]

    def test_a_put_replaces_what_is_collected_and_not_the_tags(self) -> None:
        filters = {"ResourceType": {"Type": "INCLUDE", "Value": ["AWS::S3::Bucket"]}}
        tags = [{"Key": "a", "Value": "1"}]
        self.put_aggregator(AccountAggregationSources=[self.source], AggregatorFilters=filters, Tags=tags)
        first = self.read()
        self.assertEqual(first["AggregatorFilters"], filters)
        self.put_aggregator(AccountAggregationSources=[self.source], Tags=[{"Key": "b", "Value": "2"}])
        again = self.read()
        self.assertNotIn("AggregatorFilters", again)
        self.assertEqual(again["ConfigurationAggregatorArn"], first["ConfigurationAggregatorArn"])
        arn = again["ConfigurationAggregatorArn"]
        self.assertEqual(self.config.list_tags_for_resource(ResourceArn=arn)["Tags"], tags)
        self.config.delete_configuration_aggregator(**self.name)
        missing = "NoSuchConfigurationAggregatorException"
        self.fails(missing, self.config.delete_configuration_aggregator, **self.name)

    def test_wrong_sources_and_filters(self) -> None:
        def refused(**given: Any) -> None:
            self.fails(WRONG, self.put_aggregator, **given)

        accounts = {"AccountIds": [self.account]}
        refused()
        refused(AccountAggregationSources=[accounts])
        refused(AccountAggregationSources=[accounts | {"AllAwsRegions": True, "AwsRegions": ["us-east-1"]}])
        refused(AccountAggregationSources=[self.source], AggregatorFilters={})
        refused(AccountAggregationSources=[self.source], AggregatorFilters={"ResourceType": {"Type": "INCLUDE"}})

    def test_sources_of_accounts(self) -> None:
        other = str(int(self.account) + 200_000_000_000)
        source = {"AccountIds": [self.account, other], "AwsRegions": ["us-east-1"]}
        self.put_aggregator(AccountAggregationSources=[source])
        self.assertEqual(self.states(), [(self.account, "SUCCEEDED"), (other, "FAILED")])
        self.assertEqual(self.states(UpdateStatus=["FAILED", "OUTDATED"]), [(other, "FAILED")])
        given = {"AuthorizedAccountId": self.account, "AuthorizedAwsRegion": "us-east-1"}
        client("config", other).put_aggregation_authorization(**given)
        self.assertEqual(self.states(), [(self.account, "SUCCEEDED"), (other, "SUCCEEDED")])
        client("config", other).delete_aggregation_authorization(**given)
        self.assertEqual(self.states(UpdateStatus=["FAILED"]), [(other, "FAILED")])

    def test_an_organization_is_asked_with_the_role(self) -> None:
        organizations = self.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        role = self.role("config")
        self.put_aggregator(OrganizationAggregationSource={"RoleArn": role, "AllAwsRegions": True})
        trusted = organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
        self.assertIn("config.amazonaws.com", [one["ServicePrincipal"] for one in trusted])
        self.assertEqual(self.states(), [("Organization", "SUCCEEDED"), (self.account, "SUCCEEDED")])
        self.fails(WRONG, self.put_aggregator, AccountAggregationSources=[self.source])
        self.client("iam").delete_role(RoleName="config")
        self.assertEqual(self.states(), [("Organization", "FAILED")])

    def test_those_of_services_are_left_alone(self) -> None:
        self.put_aggregator(AccountAggregationSources=[self.source])
        control("POST", f"owner?account={self.account}&of=config:aggregator/all&owner=x.amazonaws.com")
        self.assertEqual(self.read()["CreatedBy"], "x.amazonaws.com")
        self.fails("AccessDeniedException", self.put_aggregator, AccountAggregationSources=[self.source])

    def test_an_authorization_keeps_its_tags(self) -> None:
        given = {"AuthorizedAccountId": "999988887777", "AuthorizedAwsRegion": "us-east-1"}
        put = self.config.put_aggregation_authorization
        arn = put(**given, Tags=[{"Key": "a", "Value": "1"}])["AggregationAuthorization"]["AggregationAuthorizationArn"]
        self.assertTrue(arn.endswith(":aggregation-authorization/999988887777/us-east-1"))
        put(**given, Tags=[{"Key": "b", "Value": "2"}])
        self.assertEqual(self.config.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "1"}])
        self.config.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "3"}])
        self.assertEqual(len(self.config.list_tags_for_resource(ResourceArn=arn)["Tags"]), 2)
        self.config.delete_aggregation_authorization(**given)
        self.assertEqual(self.config.describe_aggregation_authorizations()["AggregationAuthorizations"], [])
        self.config.delete_aggregation_authorization(**given)


if __name__ == "__main__":
    unittest.main()
