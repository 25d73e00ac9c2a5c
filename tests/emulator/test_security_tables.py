"""Tables of the services that look for trouble: Access Analyzer, Detective, Inspector, Macie."""

import json
import unittest

from emulator.testing import AccountTest, client, control


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

    def test_identifiers_are_made_and_never_changed_and_lists_keep_their_type(self) -> None:
        macie = self.client("macie2")
        macie.enable_macie()
        create = macie.create_custom_data_identifier
        for wrong in (
            {"regex": "["},
            {"regex": ".*"},
            {"regex": "a+", "ignoreWords": ["ab"]},
            {"regex": "a+", "maximumMatchDistance": 301},
            {"regex": "a+", "severityLevels": [{"occurrencesThreshold": n, "severity": s} for n, s in ((9, "LOW"), (1, "HIGH"))]},
        ):
            self.fails("ValidationException", create, name="n", **wrong)
        made = create(name="n", regex="[0-9]{8}", keywords=["order"], tags={"a": "b"})["customDataIdentifierId"]
        got = macie.get_custom_data_identifier(id=made)
        self.assertEqual((got["maximumMatchDistance"], got["keywords"], got["deleted"]), (50, ["order"], False))
        self.assertEqual([one["id"] for one in macie.list_custom_data_identifiers()["items"]], [made])
        macie.delete_custom_data_identifier(id=made)
        self.assertEqual(macie.list_custom_data_identifiers()["items"], [])
        words = {"s3WordsList": {"bucketName": "bucket", "objectKey": "words.txt"}}
        both = words | {"regex": "a"}
        self.fails("ValidationException", macie.create_allow_list, name="l", criteria=both)
        made = macie.create_allow_list(name="l", criteria={"regex": "a"}, description="d", tags={"a": "b"})["id"]
        self.fails("ValidationException", macie.update_allow_list, id=made, name="l", criteria=words)
        macie.update_allow_list(id=made, name="m", criteria={"regex": "b"})
        got = macie.get_allow_list(id=made)
        self.assertEqual((got["name"], got["criteria"], got["tags"]), ("m", {"regex": "b"}, {"a": "b"}))
        self.assertNotIn("description", got)
        macie.disable_macie()
        macie.enable_macie()
        self.assertEqual(macie.list_allow_lists()["allowLists"], [])

    def test_results_go_to_a_bucket_that_lets_macie_in(self) -> None:
        macie, s3, kms = self.client("macie2"), self.client("s3"), self.client("kms")
        macie.enable_macie()
        name = f"results-{self.account}"
        key = kms.create_key()["KeyMetadata"]
        wanted = {"s3Destination": {"bucketName": name, "kmsKeyArn": key["Arn"]}}
        put = macie.put_classification_export_configuration
        self.fails("ValidationException", put, configuration=wanted)
        s3.create_bucket(Bucket=name)
        self.fails("AccessDeniedException", put, configuration=wanted)
        to = {"Effect": "Allow", "Principal": {"Service": "macie.amazonaws.com"}}
        lets = [to | {"Action": ["s3:GetBucketLocation", "s3:PutObject"], "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}]
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": lets}))
        self.fails("AccessDeniedException", put, configuration=wanted)
        own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}, "Action": "kms:*", "Resource": "*"}
        lets = [own, to | {"Action": ["kms:GenerateDataKey", "kms:Encrypt"], "Resource": "*"}]
        kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": lets}))
        put(configuration=wanted)
        self.assertEqual(macie.get_classification_export_configuration()["configuration"], wanted)
        wanted["s3Destination"]["expectedBucketOwner"] = "999988887777"
        self.fails("AccessDeniedException", put, configuration=wanted)
        put(configuration={})
        self.assertEqual(macie.get_classification_export_configuration()["configuration"], {})

    def test_an_administrator_alone_suspends_and_discovers_in_its_members(self) -> None:
        macie, theirs = self.client("macie2"), client("macie2", "999988887777")
        macie.enable_macie()
        theirs.enable_macie()
        theirs.create_invitations(accountIds=[self.account])
        self.assertNotIn("administrator", macie.get_administrator_account())
        asked = theirs.list_invitations()["invitations"][0]
        macie.accept_invitation(administratorAccountId="999988887777", invitationId=asked["invitationId"])
        self.assertEqual(macie.get_administrator_account()["administrator"]["relationshipStatus"], "Enabled")
        self.fails("ConflictException", macie.disable_macie)
        self.fails("ConflictException", macie.update_macie_session, status="PAUSED")
        macie.update_macie_session(findingPublishingFrequency="ONE_HOUR")
        self.fails("AccessDeniedException", macie.update_automated_discovery_configuration, status="ENABLED")
        theirs.disassociate_member(id=self.account)
        macie.update_automated_discovery_configuration(status="ENABLED")

    def test_with_a_suspension_all_jobs_are_over(self) -> None:
        macie = self.client("macie2")
        macie.enable_macie()
        where = {"bucketDefinitions": [{"accountId": self.account, "buckets": ["b"]}]}
        job = macie.create_classification_job(clientToken="t", jobType="SCHEDULED", name="j", s3JobDefinition=where, scheduleFrequency={"dailySchedule": {}})["jobId"]
        macie.update_classification_job(jobId=job, jobStatus="USER_PAUSED")
        self.assertEqual(macie.list_classification_jobs()["items"][0]["jobStatus"], "USER_PAUSED")
        macie.update_macie_session(status="PAUSED")
        self.assertEqual(macie.list_classification_jobs()["items"][0]["jobStatus"], "CANCELLED")
        self.fails("ValidationException", macie.update_classification_job, jobId=job, jobStatus="RUNNING")


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

    def test_types_are_on_their_way_and_code_goes_with_its_functions(self) -> None:
        inspector = self.client("inspector2")

        def states() -> dict[str, str]:
            [one] = inspector.batch_get_account_status(accountIds=[self.account])["accounts"]
            return {name: state["status"] for name, state in one["resourceState"].items()}

        self.fails("ValidationException", inspector.enable, resourceTypes=["LAMBDA_CODE"])
        control("POST", f"settling?account={self.account}&reads=1")
        inspector.enable(resourceTypes=["LAMBDA", "LAMBDA_CODE", "CODE_REPOSITORY"])
        self.assertEqual((states()["lambda"], states()["lambda"]), ("ENABLING", "ENABLED"))
        self.assertEqual(states()["codeRepository"], "ENABLED")
        inspector.disable(resourceTypes=["LAMBDA"])
        self.assertEqual(states()["lambdaCode"], "DISABLING")
        self.assertEqual((states()["lambda"], states()["lambdaCode"], states()["ec2"]), ("DISABLED", "DISABLED", "DISABLED"))
        inspector.update_configuration(ecrConfiguration={"rescanDuration": "DAYS_3"})
        inspector.disable(resourceTypes=[])
        rescans = inspector.get_configuration()["ecrConfiguration"]["rescanDurationState"]
        self.assertEqual(rescans["rescanDuration"], "DAYS_14")
        states()
        self.assertEqual(set(states().values()), {"DISABLED"})

    def test_a_cis_scan_of_the_account_itself_has_its_id(self) -> None:
        inspector = self.client("inspector2")
        at = {"startTime": {"timeOfDay": "03:00", "timezone": "UTC"}}
        targets = {"accountIds": ["SELF"], "targetResourceTags": {"cis": ["yes"]}}
        wanted = {"scanName": "n", "securityLevel": "LEVEL_1", "schedule": {"daily": at}, "targets": targets}
        arn = inspector.create_cis_scan_configuration(**wanted)["scanConfigurationArn"]
        self.assertIn(f":owner/{self.account}/cis-configuration/", arn)
        update = inspector.update_cis_scan_configuration
        update(scanConfigurationArn=arn, targets=targets | {"targetResourceTags": {"cis": ["no"]}})
        [got] = inspector.list_cis_scan_configurations()["scanConfigurations"]
        self.assertEqual(got["targets"], {"accountIds": [self.account], "targetResourceTags": {"cis": ["no"]}})
        self.assertEqual((got["schedule"], got["securityLevel"]), ({"daily": at}, "LEVEL_1"))
        inspector.delete_cis_scan_configuration(scanConfigurationArn=arn)
        self.assertEqual(inspector.list_cis_scan_configurations()["scanConfigurations"], [])


if __name__ == "__main__":
    unittest.main()
