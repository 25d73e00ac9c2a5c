"""STS: a role that asks for an external id, and how long its sessions last."""

import json
from typing import Any

import boto3

from emulator.testing import AccountTest, control, endpoint


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

    def test_a_source_identity_goes_on_and_stays_what_it_is(self) -> None:
        iam, sts = self.client("iam"), self.client("sts")
        arns = {}
        for name, actions in (("first", ["sts:SetSourceIdentity"]), ("next", ["sts:SetSourceIdentity"]), ("closed", [])):
            statement = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": ["sts:AssumeRole", *actions]}
            trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            arns[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        take = sts.assume_role(RoleArn=arns["first"], RoleSessionName="test", SourceIdentity="alice")
        chained = self.with_keys("sts", take)
        self.fails("AccessDenied", chained.assume_role, RoleArn=arns["next"], RoleSessionName="test", SourceIdentity="bob")
        # The next role, too, must let it be set.
        error = self.fails("AccessDenied", chained.assume_role, RoleArn=arns["closed"], RoleSessionName="test")
        self.assertIn("sts:SetSourceIdentity", str(error))
        last = self.with_keys("sts", chained.assume_role(RoleArn=arns["next"], RoleSessionName="test"))
        self.fails("AccessDenied", last.assume_role, RoleArn=arns["first"], RoleSessionName="test", SourceIdentity="bob")
        last.assume_role(RoleArn=arns["first"], RoleSessionName="test", SourceIdentity="alice")

    def with_keys(self, service: str, taken: dict[str, Any]) -> Any:
        keys = taken["Credentials"]
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=endpoint(),
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def test_a_session_of_a_user_is_the_users(self) -> None:
        iam = self.client("iam")
        arn = iam.create_user(UserName="u")["User"]["Arn"]
        made = iam.create_access_key(UserName="u")["AccessKey"] | {"SessionToken": None}
        user = self.with_keys("sts", {"Credentials": made})
        session = user.get_session_token()
        sts = self.with_keys("sts", session)
        self.assertEqual(sts.get_caller_identity()["Arn"], arn)
        self.fails("AccessDenied", sts.get_session_token)
        self.fails("AccessDenied", sts.get_federation_token, Name="guest")
        role = user.assume_role(RoleArn=f"arn:aws:iam::{self.account}:role/r", RoleSessionName="test")
        self.fails("AccessDenied", self.with_keys("sts", role).get_session_token)
        control("POST", f"events?account={self.account}", {})
        self.with_keys("sqs", session).create_queue(QueueName="q")
        identity = self.identity("CreateQueue")
        self.assertEqual((identity["type"], identity["arn"], identity["userName"]), ("IAMUser", arn, "u"))
        self.assertEqual(identity["sessionContext"]["attributes"]["mfaAuthenticated"], "false")

    def identity(self, event: str) -> dict[str, Any]:
        wanted = [{"AttributeKey": "EventName", "AttributeValue": event}]
        found = self.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"][0]
        return json.loads(found["CloudTrailEvent"])["userIdentity"]

    def test_a_federated_user_may_do_what_the_session_says(self) -> None:
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:CreateQueue", "Resource": "*"}]}
        session = self.client("sts").get_federation_token(Name="guest", Policy=json.dumps(allow))
        arn = f"arn:aws:sts::{self.account}:federated-user/guest"
        self.assertEqual(session["FederatedUser"]["Arn"], arn)
        self.assertEqual(self.with_keys("sts", session).get_caller_identity()["Arn"], arn)
        control("POST", f"events?account={self.account}", {})
        sqs = self.with_keys("sqs", session)
        sqs.create_queue(QueueName="q")
        self.fails("AccessDenied", sqs.list_queues)
        identity = self.identity("CreateQueue")
        self.assertEqual((identity["type"], identity["principalId"]), ("FederatedUser", f"{self.account}:guest"))
        self.assertEqual(identity["sessionContext"]["sessionIssuer"]["userName"], "evenkeel-test")
        # Without a policy the session may do nothing.
        nothing = self.client("sts").get_federation_token(Name="guest")
        self.fails("AccessDenied", self.with_keys("sqs", nothing).list_queues)

    def test_how_long_a_session_lasts_and_what_its_policy_is(self) -> None:
        iam, sts = self.client("iam"), self.client("sts")
        usual = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [usual]})
        arn = iam.create_role(RoleName="short", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        take = {"RoleArn": arn, "RoleSessionName": "test"}
        self.fails("ValidationError", sts.assume_role, **take, DurationSeconds=3601)
        iam.update_role(RoleName="short", MaxSessionDuration=7200)
        keys = sts.assume_role(**take, DurationSeconds=3601)["Credentials"]
        chained = self.with_keys("sts", {"Credentials": keys})
        error = self.fails("ValidationError", chained.assume_role, **take, DurationSeconds=3601)
        self.assertIn("role chaining", str(error))
        chained.assume_role(**take)
        for wrong in ("{", '{"Statement": []}', '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}'):
            self.fails("MalformedPolicyDocument", sts.assume_role, **take, Policy=wrong)
