"""STS: a role that asks for an external id, and how long its sessions last."""

import json

import boto3

from emulator.testing import AccountTest, endpoint


class AssumeRole(AccountTest):
    def test_the_external_id_of_the_trust_policy_must_be_given(self) -> None:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": "right"}},
                }
            ],
        }
        iam, sts = self.client("iam"), self.client("sts")
        iam.create_role(RoleName="guarded", AssumeRolePolicyDocument=json.dumps(trust))
        arn = f"arn:aws:iam::{self.account}:role/guarded"
        self.fails("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="test")
        self.fails("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="test", ExternalId="wrong")
        sts.assume_role(RoleArn=arn, RoleSessionName="test", ExternalId="right")
        # A role that nobody made can be taken by everybody.
        sts.assume_role(RoleArn=arn.replace("guarded", "other"), RoleSessionName="test")

    def test_a_role_is_taken_as_its_trust_policy_allows(self) -> None:
        iam, sts = self.client("iam"), self.client("sts")

        def trusts(who: str, *actions: str) -> dict[str, str]:
            statement = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": list(actions)}
            text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.update_assume_role_policy(RoleName="r", PolicyDocument=text)
            return {"RoleArn": arn, "RoleSessionName": "test"}

        other = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [other]})
        arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=text)["Role"]["Arn"]
        self.fails("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="test")
        take = trusts(self.account, "sts:AssumeRole")
        sts.assume_role(**take)
        tags, source = {"Tags": [{"Key": "a", "Value": "b"}]}, {"SourceIdentity": "alice"}
        error = self.fails("AccessDenied", sts.assume_role, **take, **tags)
        self.assertIn("not authorized to perform: sts:TagSession", str(error))
        self.fails("AccessDenied", sts.assume_role, **take, **source)
        take = trusts(self.account, "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
        sts.assume_role(**take, **tags, **source)

    def test_how_long_a_session_lasts_and_what_its_policy_is(self) -> None:
        iam, sts = self.client("iam"), self.client("sts")
        usual = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [usual]})
        arn = iam.create_role(RoleName="short", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        take = {"RoleArn": arn, "RoleSessionName": "test"}
        self.fails("ValidationError", sts.assume_role, **take, DurationSeconds=3601)
        iam.update_role(RoleName="short", MaxSessionDuration=7200)
        keys = sts.assume_role(**take, DurationSeconds=3601)["Credentials"]
        chained = boto3.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=endpoint(),
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        error = self.fails("ValidationError", chained.assume_role, **take, DurationSeconds=3601)
        self.assertIn("role chaining", str(error))
        chained.assume_role(**take)
        for wrong in ("{", '{"Statement": []}', '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}'):
            self.fails("MalformedPolicyDocument", sts.assume_role, **take, Policy=wrong)
