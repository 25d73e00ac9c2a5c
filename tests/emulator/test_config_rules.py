"""Config's rules, compliance, remediation, conformance packs and service-linked recorders."""

import json
import unittest
from typing import Any

from emulator.testing import AccountTest, control

POLICY = {
    "Owner": "CUSTOM_POLICY",
    "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}],
    "CustomPolicyDetails": {"PolicyRuntime": "guard-2.x.x", "PolicyText": "rule x { true }"},
}
TEMPLATE = """
Resources:
  Keys:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: keys
      InputParameters: {maxAccessKeyAge: 90}
      Source: {Owner: AWS, SourceIdentifier: ACCESS_KEYS_ROTATED}
      Scope: !Ref Something
"""


class ConfigTest(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.config = self.client("config")

    def recorder(self) -> None:
        role = f"arn:aws:iam::{self.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        self.config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})

    def put(self, name: str = "root", source: Any = None, tags: Any = (), **more: Any) -> None:
        source = source or {"Owner": "AWS", "SourceIdentifier": "ROOT_ACCOUNT_MFA_ENABLED"}
        rule = {"ConfigRuleName": name, "Source": source} | more
        self.config.put_config_rule(ConfigRule=rule, Tags=list(tags))

    def rules(self, *names: str) -> list[dict[str, Any]]:
        return self.config.describe_config_rules(**({"ConfigRuleNames": list(names)} if names else {}))["ConfigRules"]


class Rules(ConfigTest):
    def test_a_rule_needs_a_recorder(self) -> None:
        self.fails("NoAvailableConfigurationRecorderException", self.put)

    def test_a_rule_comes_back_with_what_config_adds(self) -> None:
        self.recorder()
        self.put(tags=[{"Key": "a", "Value": "1"}], Description="d")
        rule = self.rules("root")[0]
        self.assertEqual(rule["ConfigRuleState"], "ACTIVE")
        self.assertEqual(rule["EvaluationModes"], [{"Mode": "DETECTIVE"}])
        self.assertEqual(rule["MaximumExecutionFrequency"], "TwentyFour_Hours")
        self.assertTrue(rule["ConfigRuleArn"].endswith(rule["ConfigRuleId"]))
        self.put(tags=[{"Key": "b", "Value": "2"}])
        again = self.rules("root")[0]
        self.assertNotIn("Description", again)
        self.assertEqual(again["ConfigRuleId"], rule["ConfigRuleId"])
        tags = self.config.list_tags_for_resource(ResourceArn=rule["ConfigRuleArn"])["Tags"]
        self.assertEqual(tags, [{"Key": "a", "Value": "1"}])
        self.fails("NoSuchConfigRuleException", self.config.describe_config_rules, ConfigRuleNames=["root", "x"])

    def test_wrong_rules_are_refused(self) -> None:
        self.recorder()
        unknown = {"Owner": "AWS", "SourceIdentifier": "NOTHING"}
        self.fails("InvalidParameterValueException", self.put, source=unknown)
        keys = {"Owner": "AWS", "SourceIdentifier": "ACCESS_KEYS_ROTATED"}
        self.fails("InvalidParameterValueException", self.put, source=keys, InputParameters='{"x": "1"}')
        self.fails("InvalidParameterValueException", self.put, ConfigRuleArn="arn:aws:config:us-east-1:1:config-rule/x")
        without = {name: value for name, value in POLICY.items() if name != "CustomPolicyDetails"}
        self.fails("InvalidParameterValueException", self.put, source=without)

    def test_the_text_of_a_policy_is_told_apart(self) -> None:
        self.recorder()
        self.put("guard", source=POLICY)
        details = self.rules("guard")[0]["Source"]["CustomPolicyDetails"]
        self.assertEqual((details["PolicyRuntime"], details["PolicyText"]), ("guard-2.x.x", ""))
        self.assertEqual(self.config.get_custom_rule_policy(ConfigRuleName="guard")["PolicyText"], "rule x { true }")
        self.put()
        self.fails("NoSuchConfigRuleException", self.config.get_custom_rule_policy, ConfigRuleName="root")

    def test_a_rule_goes_in_its_time(self) -> None:
        self.recorder()
        self.put()
        control("POST", f"settling?account={self.account}&reads=2")
        self.config.delete_config_rule(ConfigRuleName="root")
        self.fails("ResourceInUseException", self.put)
        self.assertEqual([self.rules("root")[0]["ConfigRuleState"] for _ in range(2)], ["DELETING"] * 2)
        self.assertEqual(self.rules(), [])
        self.fails("NoSuchConfigRuleException", self.config.delete_config_rule, ConfigRuleName="root")

    def test_remediation_keeps_a_rule(self) -> None:
        self.recorder()
        self.put()
        action = {"ConfigRuleName": "root", "TargetType": "SSM_DOCUMENT", "TargetId": "AWS-X"}
        self.config.put_remediation_configurations(RemediationConfigurations=[action])
        found = self.config.describe_remediation_configurations(ConfigRuleNames=["root"])["RemediationConfigurations"]
        self.assertEqual((found[0]["TargetId"], found[0]["Automatic"]), ("AWS-X", False))
        self.fails("ResourceInUseException", self.config.delete_config_rule, ConfigRuleName="root")
        self.config.delete_remediation_configuration(ConfigRuleName="root")
        self.config.delete_config_rule(ConfigRuleName="root")
        self.fails(
            "NoSuchRemediationConfigurationException",
            self.config.delete_remediation_configuration,
            ConfigRuleName="root",
        )

    def test_compliance_is_planted(self) -> None:
        self.recorder()
        self.put()

        def compliance() -> str:
            rows = self.config.describe_compliance_by_config_rule()["ComplianceByConfigRules"]
            return rows[0]["Compliance"]["ComplianceType"]

        self.assertEqual(compliance(), "INSUFFICIENT_DATA")
        results = [{"type": "AWS::S3::Bucket", "id": one, "compliance": "NON_COMPLIANT"} for one in ("a", "b")]
        control("POST", f"compliance?account={self.account}&rule=root", results)
        self.assertEqual(compliance(), "NON_COMPLIANT")
        details = self.config.get_compliance_details_by_config_rule(ConfigRuleName="root")["EvaluationResults"]
        ids = [d["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] for d in details]
        self.assertEqual(ids, ["a", "b"])

    def test_rules_of_services_are_left_alone(self) -> None:
        self.recorder()
        self.put()
        control("POST", f"owner?account={self.account}&of=config:config_rule/root&owner=securityhub.amazonaws.com")
        self.assertEqual(self.rules("root")[0]["CreatedBy"], "securityhub.amazonaws.com")
        self.fails("AccessDeniedException", self.put)
        self.fails("AccessDeniedException", self.config.delete_config_rule, ConfigRuleName="root")


class Packs(ConfigTest):
    def status(self) -> str:
        rows = self.config.describe_conformance_pack_status()["ConformancePackStatusDetails"]
        return rows[0]["ConformancePackState"]

    def test_a_pack_brings_its_rules(self) -> None:
        self.recorder()
        given = {"ConformancePackName": "p", "TemplateBody": TEMPLATE}
        parameters = [{"ParameterName": "a", "ParameterValue": "1"}]
        tags = [{"Key": "sha", "Value": "x"}]
        arn = self.config.put_conformance_pack(**given, ConformancePackInputParameters=parameters, Tags=tags)[
            "ConformancePackArn"
        ]
        pack = self.config.describe_conformance_packs()["ConformancePackDetails"][0]
        self.assertEqual((pack["ConformancePackArn"], pack["ConformancePackInputParameters"]), (arn, parameters))
        self.assertNotIn("TemplateBody", pack)
        self.assertEqual(self.status(), "CREATE_COMPLETE")
        self.assertEqual(self.config.list_tags_for_resource(ResourceArn=arn)["Tags"], tags)
        rule = self.rules()[0]
        self.assertEqual(rule["ConfigRuleName"], f"keys-{pack['ConformancePackId']}")
        self.assertEqual(rule["CreatedBy"], "config-conforms.amazonaws.com")
        self.assertEqual(json.loads(rule["InputParameters"]), {"maxAccessKeyAge": "90"})
        self.fails("AccessDeniedException", self.config.delete_config_rule, ConfigRuleName=rule["ConfigRuleName"])
        self.config.delete_conformance_pack(ConformancePackName="p")
        self.assertEqual(self.rules(), [])
        missing = "NoSuchConformancePackException"
        self.fails(missing, self.config.describe_conformance_packs, ConformancePackNames=["p"])

    def test_a_pack_takes_its_time(self) -> None:
        self.recorder()
        control("POST", f"settling?account={self.account}&reads=1")
        given = {"ConformancePackName": "p", "TemplateBody": "Resources: {}"}
        self.config.put_conformance_pack(**given)
        self.fails("ResourceInUseException", self.config.put_conformance_pack, **given)
        self.assertEqual([self.status() for _ in range(2)], ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])

    def test_wrong_templates(self) -> None:
        put = self.config.put_conformance_pack
        self.fails("InvalidParameterValueException", put, ConformancePackName="p")
        self.fails("ConformancePackTemplateValidationException", put, ConformancePackName="p", TemplateBody="x")


class Recorders(ConfigTest):
    def test_tags_of_the_recorder(self) -> None:
        self.recorder()
        arn = self.config.describe_configuration_recorders()["ConfigurationRecorders"][0]["arn"]
        self.config.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        self.config.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(self.config.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])

    def test_recorders_of_services(self) -> None:
        self.recorder()
        principal = "observabilityadmin.amazonaws.com"
        made = self.config.put_service_linked_configuration_recorder(ServicePrincipal=principal)
        self.assertTrue(made["Name"].startswith("AWSConfigurationRecorderFor"))
        self.fails(
            "ConflictException", self.config.put_service_linked_configuration_recorder, ServicePrincipal=principal
        )
        listed = self.config.list_configuration_recorders()["ConfigurationRecorderSummaries"]
        self.assertEqual([one["recordingScope"] for one in listed], ["PAID", "INTERNAL"])
        own = self.config.describe_configuration_recorders()["ConfigurationRecorders"]
        self.assertEqual([one["name"] for one in own], ["default"])
        found = self.config.describe_configuration_recorders(ServicePrincipal=principal)["ConfigurationRecorders"]
        self.assertEqual(found[0]["arn"], made["Arn"])
        stop = self.config.stop_configuration_recorder
        self.fails("UnmodifiableEntityException", stop, ConfigurationRecorderName=made["Name"])
        self.config.delete_service_linked_configuration_recorder(ServicePrincipal=principal)
        self.assertEqual(len(self.config.list_configuration_recorders()["ConfigurationRecorderSummaries"]), 1)


if __name__ == "__main__":
    unittest.main()
