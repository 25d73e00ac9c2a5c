"""What an organization's policies deny its members, and what sessions of their root users may do."""

import json
from typing import Any

from emulator.organization_testing import OrganizationTest, session
from emulator.testing import client, control


def statement(action: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": action, "Resource": "*"} | more}


class ServiceControl(OrganizationTest):
    def deny(self, action: Any, *targets: str, **more: Any) -> str:
        return self.policy("SERVICE_CONTROL_POLICY", statement(action, **more), *(targets or [self.root_id]))

    def test_members_alone_and_in_awss_words(self) -> None:
        denying = self.deny(["ec2:EnableSerialConsoleAccess", "s3:CreateBucket", "kms:Create*", "iam:CreateUser"])
        arn = self.org.describe_policy(PolicyId=denying)["Policy"]["PolicySummary"]["Arn"]
        iam = client("iam", self.member)
        error = self.fails("AccessDenied", iam.create_user, UserName="u")
        self.assertEqual(
            error.response["Error"]["Message"],
            f"User: arn:aws:iam::{self.member}:user/evenkeel-test is not authorized to perform: iam:CreateUser on "
            f"resource: arn:aws:iam::{self.member}:user/u with an explicit deny in a service control policy: {arn}",
        )
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 403)
        self.fails("AccessDeniedException", client("kms", self.member).create_key)
        self.fails("AccessDenied", client("s3", self.member).create_bucket, Bucket=f"b-{self.member}")
        ec2 = client("ec2", self.member)
        error = self.fails("UnauthorizedOperation", ec2.enable_serial_console_access)
        self.assertIn("You are not authorized to perform this operation. User: arn:", str(error))
        self.assertFalse(ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"])
        # The management account is never bound.
        self.client("iam").create_user(UserName="u")
        self.client("kms").create_key()

    def test_off_when_the_type_is_off_or_the_policy_hangs_elsewhere(self) -> None:
        other = self.join()
        made = self.deny("iam:CreateUser", other)
        client("iam", self.member).create_user(UserName="u")
        self.fails("AccessDenied", client("iam", other).create_user, UserName="u")
        self.org.detach_policy(PolicyId=made, TargetId=other)
        client("iam", other).create_user(UserName="u")
        self.org.attach_policy(PolicyId=made, TargetId=other)
        self.org.disable_policy_type(RootId=self.root_id, PolicyType="SERVICE_CONTROL_POLICY")
        client("iam", other).create_user(UserName="v")

    def test_resources_and_conditions(self) -> None:
        self.deny("iam:DeleteRole", Resource="arn:aws:iam::*:role/protected-*")
        self.deny(
            "kms:*",
            Condition={
                "StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]},
                "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/operator"},
            },
        )
        iam = client("iam", self.member)
        trust = json.dumps(
            {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
        )
        for name in ("protected-one", "other", "operator"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.delete_role(RoleName="other")
        self.fails("AccessDenied", iam.delete_role, RoleName="protected-one")
        client("kms", self.member).list_keys()
        self.fails("AccessDeniedException", client("kms", self.member, "eu-west-1").list_keys)
        session(self.assume("role/operator"), "kms", "eu-west-1").list_keys()

    def test_users_groups_policies_and_the_rest_of_iam_are_resources(self) -> None:
        names = ("user/a/u", "group/g", "policy/p", "instance-profile/i", "oidc-provider/x.example", "saml-provider/s", "mfa/m")
        self.deny("iam:*", Resource=[f"arn:aws:iam::*:{name}" for name in names])
        iam = client("iam", self.member)
        trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
        allowed = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
        provider = {"Url": "https://x.example", "ClientIDList": ["a"], "ThumbprintList": ["a" * 40]}
        for call, arguments in (
            (iam.create_user, {"UserName": "u", "Path": "/a/"}),
            (iam.create_group, {"GroupName": "g"}),
            (iam.create_policy, {"PolicyName": "p", "PolicyDocument": allowed}),
            (iam.delete_policy, {"PolicyArn": f"arn:aws:iam::{self.member}:policy/p"}),
            (iam.create_instance_profile, {"InstanceProfileName": "i"}),
            (iam.create_open_id_connect_provider, provider),
            (iam.create_saml_provider, {"Name": "s", "SAMLMetadataDocument": "x" * 1000}),
            (iam.create_virtual_mfa_device, {"VirtualMFADeviceName": "m"}),
        ):
            with self.subTest(arguments):
                self.fails("AccessDenied", call, **arguments)
        iam.create_user(UserName="u")
        iam.create_group(GroupName="other")
        iam.add_user_to_group(GroupName="other", UserName="u")
        # With a profile the profile is the resource, and the role is passed.
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
        self.deny("iam:PassRole", Resource="arn:aws:iam::*:role/r")
        iam.create_instance_profile(InstanceProfileName="j")
        self.fails("AccessDenied", iam.add_role_to_instance_profile, InstanceProfileName="j", RoleName="r")

    def test_a_key_that_is_not_there_has_an_arn_too(self) -> None:
        self.deny("kms:ScheduleKeyDeletion", Resource="arn:aws:kms:*:*:key/*")
        kms = client("kms", self.member)
        self.fails("AccessDeniedException", kms.schedule_key_deletion, KeyId="1234abcd-12ab-34cd-56ef-1234567890ab")

    def test_what_a_call_is_about_is_a_gap_where_it_is_not_known_and_counts(self) -> None:
        self.deny("dynamodb:*", Resource="arn:aws:dynamodb:*:*:table/protected")
        self.deny("*", Resource="arn:aws:s3:::protected")
        dynamodb = client("dynamodb", self.member)
        self.fails("EmulatorLacksOperation", dynamodb.describe_table, TableName="protected")
        # A list is about no resource, and a bucket is no table.
        dynamodb.list_tables()
        client("ecr", self.member).describe_repositories()

    def assume(self, role: str) -> dict[str, str]:
        arn = f"arn:aws:iam::{self.member}:{role}"
        return client("sts", self.member).assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]

    def test_service_linked_roles_are_exempt(self) -> None:
        role = client("iam", self.member).create_service_linked_role(AWSServiceName="config.amazonaws.com")["Role"]
        linked, other = self.assume(role["Arn"].split(":", 5)[5]), self.assume("role/other")
        self.deny("*")
        session(linked, "iam").list_users()
        self.fails("AccessDenied", session(other, "iam").list_users)

    def test_allow_lists(self) -> None:
        allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}
        self.policy("SERVICE_CONTROL_POLICY", allow, self.member)
        self.org.detach_policy(PolicyId="p-FullAWSAccess", TargetId=self.member)
        client("iam", self.member).list_users()
        error = self.fails("AccessDeniedException", client("kms", self.member).list_keys)
        self.assertIn("because no service control policy allows the kms:ListKeys action", str(error))

    def test_a_key_that_cannot_be_told_is_a_gap(self) -> None:
        """A denial by the tags of a user would else let everybody through."""
        self.deny("iam:CreateUser", Condition={"StringEquals": {"aws:PrincipalTag/team": "x"}})
        self.deny(
            "sqs:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "x", "aws:RequestedRegion": "eu-west-1"}}
        )
        self.deny("sns:*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
        self.fails("EmulatorLacksOperation", client("iam", self.member).create_user, UserName="u")
        client("iam", self.member).list_users()
        # Where another condition does not hold it does not matter, and a call from here has no endpoint of a network.
        client("sqs", self.member).list_queues()
        self.fails("EmulatorLacksOperation", client("sqs", self.member, "eu-west-1").list_queues)
        client("sns", self.member).list_topics()

    def test_an_unknown_operator_is_a_gap(self) -> None:
        self.deny("iam:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
        self.fails("EmulatorLacksOperation", client("iam", self.member).list_users)


class ResourceControl(OrganizationTest):
    def test_who_owns_the_resource_counts(self) -> None:
        bucket = f"data-{self.member}"
        client("s3", self.member).create_bucket(Bucket=bucket)
        policy = statement("s3:*", Principal="*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-other"}})
        self.policy("RESOURCE_CONTROL_POLICY", policy, self.member)
        error = self.fails("AccessDenied", client("s3", self.member).get_bucket_versioning, Bucket=bucket)
        self.assertIn("with an explicit deny in a resource control policy: arn:aws:organizations::", str(error))
        # From outside as well; and not what other services hold.
        self.fails("AccessDenied", self.client("s3").get_bucket_versioning, Bucket=bucket)
        client("iam", self.member).list_users()


class RootSessions(OrganizationTest):
    TASK = "arn:aws:iam::aws:policy/root-task/"

    def setUp(self) -> None:
        super().setUp()
        self.trust("iam.amazonaws.com")
        self.client("iam").enable_organizations_root_sessions()

    def assume(self, task: str, caller: str | None = None, member: str | None = None) -> dict[str, Any]:
        return client("sts", caller or self.account).assume_root(
            TargetPrincipal=member or self.member, TaskPolicyArn={"arn": self.TASK + task}
        )

    def root(self, task: str) -> Any:
        return session(self.assume(task)["Credentials"], "iam")

    def test_who_may_open_one(self) -> None:
        task = "IAMAuditRootUserCredentials"
        self.assume(task)
        self.fails("AccessDenied", self.assume, task=task, caller=self.member)
        self.fails("AccessDenied", self.assume, task=task, member=self.account)
        self.fails("AccessDenied", self.assume, task=task, member="999999999999")
        self.fails("ValidationError", self.assume, task="AdministratorAccess")
        other = self.join()
        self.org.register_delegated_administrator(AccountId=other, ServicePrincipal="iam.amazonaws.com")
        self.assume(task, caller=other)
        self.client("iam").disable_organizations_root_sessions()
        self.fails("AccessDenied", self.assume, task=task)

    def test_the_root_users_own_credentials(self) -> None:
        control("POST", f"root?account={self.member}", {"mfa": True, "access_keys": True, "signing_certificates": True})
        credentials = self.assume("IAMDeleteRootUserCredentials")["Credentials"]
        iam, sts = session(credentials, "iam"), session(credentials, "sts")
        self.assertEqual(sts.get_caller_identity()["Arn"], f"arn:aws:iam::{self.member}:root")
        key = iam.list_access_keys()["AccessKeyMetadata"][0]["AccessKeyId"]
        self.fails("NoSuchEntity", iam.delete_access_key, AccessKeyId="AKIAUNKNOWNUNKNOWN12")
        iam.delete_access_key(AccessKeyId=key)
        self.assertEqual(iam.list_access_keys()["AccessKeyMetadata"], [])
        for one in iam.list_signing_certificates()["Certificates"]:
            iam.delete_signing_certificate(CertificateId=one["CertificateId"])
        for one in iam.list_mfa_devices()["MFADevices"]:
            iam.deactivate_mfa_device(SerialNumber=one["SerialNumber"])
        iam.delete_login_profile()
        self.fails("NoSuchEntity", iam.delete_login_profile)
        summary = client("iam", self.member).get_account_summary()["SummaryMap"]
        names = ("AccountAccessKeysPresent", "AccountMFAEnabled", "AccountPasswordPresent")
        self.assertEqual([summary[name] for name in names], [0, 0, 0])
        # Nothing beyond the task.
        error = self.fails("AccessDenied", iam.create_user, UserName="u")
        self.assertIn("with an explicit deny in a session policy", str(error))
        self.fails("AccessDenied", iam.list_access_keys, UserName="somebody")

    def test_each_task_has_its_own_calls(self) -> None:
        iam = self.root("IAMAuditRootUserCredentials")
        self.assertEqual(iam.list_mfa_devices()["MFADevices"], [])
        self.fails("AccessDenied", iam.delete_login_profile)
        iam = self.root("IAMCreateRootUserPassword")
        self.fails("EntityAlreadyExists", iam.create_login_profile)
        self.fails("AccessDenied", iam.list_access_keys)

    def test_service_control_policies_bind_it(self) -> None:
        self.policy("SERVICE_CONTROL_POLICY", statement("iam:DeleteLoginProfile"), self.root_id)
        iam = self.root("IAMDeleteRootUserCredentials")
        error = self.fails("AccessDenied", iam.delete_login_profile)
        self.assertIn("service control policy", str(error))

    def test_a_role_must_say_whom_it_means(self) -> None:
        made = self.client("sts").assume_role(RoleArn=f"arn:aws:iam::{self.account}:role/r", RoleSessionName="test")
        self.fails("ValidationError", session(made["Credentials"], "iam").list_access_keys)
