"""Tables of the services that look for trouble: Access Analyzer, Detective, Inspector, Macie."""

import unittest

from emulator.testing import AccountTest, control


class AccessAnalyzer(AccountTest):
    def test_one_analyzer_of_a_type_with_its_rules(self) -> None:
        analyzer = self.client("accessanalyzer")
        rule = {"ruleName": "known", "filter": {"isPublic": {"eq": ["false"]}}}
        made = analyzer.create_analyzer(analyzerName="a", type="ACCOUNT", archiveRules=[rule])
        error = self.fails("ServiceQuotaExceededException", analyzer.create_analyzer, analyzerName="b", type="ACCOUNT")
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 402)
        self.fails("ConflictException", analyzer.create_analyzer, analyzerName="a", type="ACCOUNT")
        self.fails("ValidationException", analyzer.create_analyzer, analyzerName="c", type="ORGANIZATION")
        self.fails(
            "ValidationException", analyzer.update_analyzer, analyzerName="a", configuration={"unusedAccess": {}}
        )
        accounts = {"analysisRule": {"exclusions": [{"accountIds": ["444455556666"]}]}}
        wrong = {"analyzerName": "unused", "type": "ACCOUNT_UNUSED_ACCESS"}
        self.fails("ValidationException", analyzer.create_analyzer, **wrong, configuration={"unusedAccess": accounts})
        self.fails("ValidationException", analyzer.create_analyzer, **wrong, configuration={"internalAccess": {}})
        unused = analyzer.create_analyzer(analyzerName="unused", type="ACCOUNT_UNUSED_ACCESS")
        self.assertTrue(unused["arn"].endswith(":analyzer/unused"))
        got = analyzer.get_analyzer(analyzerName="unused")["analyzer"]
        self.assertEqual(got["configuration"], {"unusedAccess": {"unusedAccessAge": 90}})
        listed = analyzer.list_analyzers()["analyzers"]
        self.assertEqual([("configuration" in one, one["name"]) for one in listed], [(False, "a"), (False, "unused")])
        rules = analyzer.list_archive_rules(analyzerName="a")["archiveRules"]
        self.assertEqual([one["ruleName"] for one in rules], ["known"])
        analyzer.apply_archive_rule(analyzerArn=made["arn"], ruleName="known")
        self.fails("ResourceNotFoundException", analyzer.apply_archive_rule, analyzerArn=made["arn"], ruleName="x")
        analyzer.delete_analyzer(analyzerName="a")
        self.fails("ResourceNotFoundException", analyzer.list_archive_rules, analyzerName="a")
        analyzer.create_analyzer(analyzerName="a", type="ACCOUNT")
        self.assertEqual(analyzer.list_archive_rules(analyzerName="a")["archiveRules"], [])

    def test_what_an_analyzer_and_its_rules_may_say(self) -> None:
        analyzer = self.client("accessanalyzer")
        create, internal = analyzer.create_analyzer, {"internalAccess": {}}
        unused = {"analyzerName": "u", "type": "ACCOUNT_UNUSED_ACCESS"}
        self.fails("ValidationException", create, **unused, configuration=internal)
        self.fails("ValidationException", create, analyzerName="a", type="ACCOUNT", configuration={})
        create(**unused)
        self.fails("ValidationException", analyzer.update_analyzer, analyzerName="u", configuration=internal)
        rule = {"analyzerName": "u", "ruleName": "r"}
        for wrong in ({"colour": {"eq": ["red"]}}, {"status": {"eq": ["ACTIVE"]}}, {"resource": {}}):
            self.fails("ValidationException", analyzer.create_archive_rule, **rule, filter=wrong)
        analyzer.create_archive_rule(**rule, filter={"condition.aws:PrincipalOrgID": {"exists": True}})
        self.fails("ValidationException", analyzer.update_archive_rule, **rule, filter={"colour": {"eq": ["red"]}})

    def test_a_rule_archives_what_it_fits(self) -> None:
        analyzer = self.client("accessanalyzer")
        arn = analyzer.create_analyzer(analyzerName="a", type="ACCOUNT")["arn"]
        rows = [{"id": name, "resourceType": "AWS::S3::Bucket", "resource": f"bucket-{name}"} for name in "ab"]
        control("POST", f"plant?account={self.account}&of=accessanalyzer:findings", rows)
        wanted = {"resource": {"contains": ["-b"]}, "id": {"neq": ["a"]}, "isPublic": {"exists": False}}
        analyzer.create_archive_rule(analyzerName="a", ruleName="r", filter=wanted)
        analyzer.apply_archive_rule(analyzerArn=arn, ruleName="r")
        found = {one["id"]: one["status"] for one in analyzer.list_findings_v2(analyzerArn=arn)["findings"]}
        self.assertEqual(found, {"a": "ACTIVE", "b": "ARCHIVED"})

    def test_findings_are_planted(self) -> None:
        analyzer = self.client("accessanalyzer")
        arn = analyzer.create_analyzer(analyzerName="a", type="ACCOUNT")["arn"]
        rows = [{"id": str(number), "resourceType": "AWS::S3::Bucket", "resource": f"b{number}"} for number in range(3)]
        rows[0]["status"] = "ARCHIVED"
        control("POST", f"plant?account={self.account}&of=accessanalyzer:findings", rows)
        got = analyzer.list_findings_v2(analyzerArn=arn, filter={"status": {"eq": ["ACTIVE"]}}, maxResults=1)
        rest = analyzer.list_findings_v2(
            analyzerArn=arn, filter={"status": {"eq": ["ACTIVE"]}}, maxResults=1, nextToken=got["nextToken"]
        )
        self.assertEqual([one["id"] for one in got["findings"] + rest["findings"]], ["1", "2"])
        self.assertNotIn("nextToken", rest)


class Detective(AccountTest):
    def test_one_graph_whose_sources_only_grow(self) -> None:
        detective = self.client("detective")
        arn = detective.create_graph(Tags={"a": "b"})["GraphArn"]
        self.assertEqual(detective.create_graph()["GraphArn"], arn)
        for source in ("EKS_AUDIT", "ASFF_SECURITYHUB_FINDING"):
            detective.update_datasource_packages(GraphArn=arn, DatasourcePackages=[source])
        got = detective.list_datasource_packages(GraphArn=arn)["DatasourcePackages"]
        self.assertEqual(set(got), {"DETECTIVE_CORE", "EKS_AUDIT", "ASFF_SECURITYHUB_FINDING"})
        detective.delete_graph(GraphArn=arn)
        self.fails("ResourceNotFoundException", detective.delete_graph, GraphArn=arn)
        self.fails("ResourceNotFoundException", detective.list_tags_for_resource, ResourceArn=arn)


class Macie(AccountTest):
    def test_nothing_is_there_before_macie_is_on(self) -> None:
        macie = self.client("macie2")
        for call in (
            macie.get_macie_session,
            macie.get_automated_discovery_configuration,
            macie.list_classification_jobs,
            macie.disable_macie,
        ):
            self.assertIn("Macie is not enabled", str(self.fails("AccessDeniedException", call)))
        macie.enable_macie()
        self.fails("ConflictException", macie.enable_macie)
        got = macie.get_macie_session()
        self.assertEqual((got["status"], got["findingPublishingFrequency"]), ("ENABLED", "FIFTEEN_MINUTES"))
        macie.update_automated_discovery_configuration(status="ENABLED")
        macie.disable_macie()
        self.fails("AccessDeniedException", macie.get_macie_session)
        macie.enable_macie(status="PAUSED")
        self.assertEqual(macie.get_macie_session()["status"], "PAUSED")
        self.assertEqual(macie.get_automated_discovery_configuration()["status"], "DISABLED")


class Inspector(AccountTest):
    def test_configuration_changes_by_section(self) -> None:
        inspector = self.client("inspector2")
        inspector.update_configuration(ec2Configuration={"scanMode": "EC2_SSM_AGENT_BASED"})
        got = inspector.get_configuration()
        self.assertEqual(got["ec2Configuration"]["scanModeState"]["scanMode"], "EC2_SSM_AGENT_BASED")
        self.assertEqual(got["ecrConfiguration"]["rescanDurationState"]["rescanDuration"], "DAYS_14")
        paths = [f"/opt/{number}" for number in range(6)]
        self.fails("ValidationException", inspector.update_ec2_deep_inspection_configuration, packagePaths=paths)
        account = inspector.batch_get_account_status()["accounts"][0]
        self.assertEqual((account["accountId"], account["state"]["status"]), (self.account, "DISABLED"))


if __name__ == "__main__":
    unittest.main()
