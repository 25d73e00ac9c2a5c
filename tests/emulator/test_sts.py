"""STS: a role that asks for an external id."""

import json

from emulator.testing import AccountTest


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
