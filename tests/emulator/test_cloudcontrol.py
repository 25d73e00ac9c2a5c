"""Cloud Control, over the wire."""

import json
import unittest
from typing import Any

from emulator.testing import AccountTest, control

BUCKET, GROUP, ROLE = "AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::IAM::Role"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class CloudControl(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.cloud = self.client("cloudcontrol")

    def create(self, kind: str, state: dict[str, Any], **more: str) -> dict[str, Any]:
        made = self.cloud.create_resource(TypeName=kind, DesiredState=json.dumps(state), **more)["ProgressEvent"]
        self.assertEqual(made["OperationStatus"], "IN_PROGRESS")
        return self.ended(made)

    def ended(self, event: dict[str, Any]) -> dict[str, Any]:
        return self.cloud.get_resource_request_status(RequestToken=event["RequestToken"])["ProgressEvent"]

    def update(self, kind: str, identifier: str, *steps: dict[str, Any]) -> dict[str, Any]:
        asked = {"TypeName": kind, "Identifier": identifier, "PatchDocument": json.dumps(steps)}
        return self.ended(self.cloud.update_resource(**asked)["ProgressEvent"])

    def properties(self, kind: str, identifier: str) -> dict[str, Any]:
        got = self.cloud.get_resource(TypeName=kind, Identifier=identifier)["ResourceDescription"]
        return json.loads(got["Properties"])

    def test_a_resource_is_made_changed_and_deleted_by_its_service(self) -> None:
        name = f"cloud-{self.account}"
        made = self.create(BUCKET, {"BucketName": name, "Tags": [{"Key": "a", "Value": "1"}]})
        self.assertEqual((made["OperationStatus"], made["Identifier"]), ("SUCCESS", name))
        s3 = self.client("s3")
        self.assertEqual(s3.get_bucket_tagging(Bucket=name)["TagSet"], [{"Key": "a", "Value": "1"}])
        step = {"op": "add", "path": "/VersioningConfiguration", "value": {"Status": "Enabled"}}
        self.assertEqual(self.update(BUCKET, name, step)["OperationStatus"], "SUCCESS")
        self.assertEqual(s3.get_bucket_versioning(Bucket=name)["Status"], "Enabled")
        self.assertEqual(self.properties(BUCKET, name)["Arn"], f"arn:aws:s3:::{name}")
        self.update(BUCKET, name, {"op": "remove", "path": "/Tags"})
        self.fails("NoSuchTagSet", s3.get_bucket_tagging, Bucket=name)
        listed = self.cloud.list_resources(TypeName=BUCKET)["ResourceDescriptions"]
        self.assertEqual([one["Identifier"] for one in listed], [name])
        gone = self.cloud.delete_resource(TypeName=BUCKET, Identifier=name)["ProgressEvent"]
        self.assertEqual((gone["Operation"], self.ended(gone)["OperationStatus"]), ("DELETE", "SUCCESS"))
        self.fails("ResourceNotFoundException", self.cloud.get_resource, TypeName=BUCKET, Identifier=name)

    def test_every_type_comes_back(self) -> None:
        for kind, state in (
            (GROUP, {"LogGroupName": "/a/b", "RetentionInDays": 365}),
            (ROLE, {"RoleName": "role", "AssumeRolePolicyDocument": TRUST, "Description": "d"}),
            ("AWS::SSM::Parameter", {"Name": "/a/b", "Type": "String", "Value": "x"}),
            ("AWS::GuardDuty::Detector", {"Enable": True, "FindingPublishingFrequency": "ONE_HOUR"}),
            ("AWS::AccessAnalyzer::Analyzer", {"AnalyzerName": "a", "Type": "ACCOUNT"}),
            ("AWS::SecurityHub::Hub", {"AutoEnableControls": False}),
        ):
            with self.subTest(kind):
                identifier = self.create(kind, state)["Identifier"]
                got = self.properties(kind, identifier)
                self.assertEqual({name: got[name] for name in state}, state)
                listed = self.cloud.list_resources(TypeName=kind)["ResourceDescriptions"]
                self.assertIn(identifier, [one["Identifier"] for one in listed])
                gone = self.cloud.delete_resource(TypeName=kind, Identifier=identifier)["ProgressEvent"]
                self.assertEqual(self.ended(gone)["OperationStatus"], "SUCCESS")
                self.fails("ResourceNotFoundException", self.cloud.get_resource, TypeName=kind, Identifier=identifier)

    def test_what_a_service_refuses_is_told_by_the_progress(self) -> None:
        self.create(GROUP, {"LogGroupName": "g"})
        again = self.create(GROUP, {"LogGroupName": "g"})
        self.assertEqual((again["OperationStatus"], again["ErrorCode"]), ("FAILED", "AlreadyExists"))
        self.assertEqual(self.create(GROUP, {"RetentionInDays": 4})["ErrorCode"], "InvalidRequest")
        self.assertEqual(self.create(GROUP, {"Arn": "a"})["ErrorCode"], "InvalidRequest")
        self.assertEqual(self.create(ROLE, {"RoleName": "r"})["ErrorCode"], "InvalidRequest")
        rename = {"op": "replace", "path": "/LogGroupName", "value": "h"}
        self.assertEqual(self.update(GROUP, "g", rename)["ErrorCode"], "NotUpdatable")
        self.assertEqual(self.update(GROUP, "g", {"op": "remove", "path": "/none"})["ErrorCode"], "InvalidRequest")
        gone = self.cloud.delete_resource(TypeName=GROUP, Identifier="none")["ProgressEvent"]
        self.assertEqual(self.ended(gone)["ErrorCode"], "NotFound")

    def test_the_callers_own_permission_is_needed(self) -> None:
        statement = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
        control("POST", f"policy?account={self.account}", {"Version": "2012-10-17", "Statement": [statement]})
        self.assertEqual(self.create(GROUP, {"LogGroupName": "g"})["ErrorCode"], "AccessDenied")

    def test_what_the_call_itself_refuses(self) -> None:
        create = self.cloud.create_resource
        self.fails("TypeNotFoundException", create, TypeName="Mine::Own::Thing", DesiredState="{}")
        self.fails("InvalidRequestException", create, TypeName=GROUP, DesiredState="{")
        self.fails("RequestTokenNotFoundException", self.cloud.get_resource_request_status, RequestToken="none")
        self.fails("EmulatorLacksOperation", create, TypeName="AWS::EC2::Instance", DesiredState="{}")
        state = json.dumps({"LogGroupName": "g", "DataProtectionPolicy": {}})
        self.fails("EmulatorLacksOperation", create, TypeName=GROUP, DesiredState=state)

    def test_a_request_takes_its_time_and_is_done_once(self) -> None:
        control("POST", f"settling?account={self.account}&reads=1")
        asked = {"TypeName": GROUP, "DesiredState": json.dumps({"LogGroupName": "g"}), "ClientToken": "t"}
        first = self.cloud.create_resource(**asked)["ProgressEvent"]
        self.assertEqual(self.cloud.create_resource(**asked)["ProgressEvent"]["RequestToken"], first["RequestToken"])
        self.assertEqual([self.ended(first)["OperationStatus"] for _ in range(2)], ["IN_PROGRESS", "SUCCESS"])
        other = asked | {"DesiredState": json.dumps({"LogGroupName": "h"})}
        self.fails("ClientTokenConflictException", self.cloud.create_resource, **other)


if __name__ == "__main__":
    unittest.main()
