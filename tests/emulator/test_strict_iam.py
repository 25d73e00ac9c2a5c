"""Where IAM and KMS are strict: names, quotas, what is not deleted while something hangs on it."""

import json
import unittest

from emulator.testing import AccountTest, client

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
ASSUME = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [ASSUME]})


class Iam(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.iam = self.client("iam")

    def policy(self, name: str = "Policy") -> str:
        return self.iam.create_policy(PolicyName=name, PolicyDocument=ALLOW, Description="d")["Policy"]["Arn"]

    def test_names_know_no_case(self) -> None:
        self.policy()
        self.iam.create_user(UserName="User")
        self.iam.create_group(GroupName="Group")
        for name in ("Policy", "POLICY"):
            self.fails("EntityAlreadyExists", self.iam.create_policy, PolicyName=name, PolicyDocument=ALLOW)
        self.fails("EntityAlreadyExists", self.iam.create_user, UserName="user")
        self.fails("EntityAlreadyExists", self.iam.create_group, GroupName="group")
        self.iam.create_instance_profile(InstanceProfileName="Profile")
        self.fails("EntityAlreadyExists", self.iam.create_instance_profile, InstanceProfileName="profile")
        self.assertEqual(self.iam.get_user(UserName="user")["User"]["UserName"], "User")
        profile = self.iam.get_instance_profile(InstanceProfileName="PROFILE")["InstanceProfile"]
        self.assertEqual(profile["InstanceProfileName"], "Profile")
        self.iam.add_user_to_group(GroupName="GROUP", UserName="USER")
        group = self.iam.get_group(GroupName="group")
        self.assertEqual((group["Group"]["GroupName"], group["Users"][0]["UserName"]), ("Group", "User"))
        self.fails("DeleteConflict", self.iam.delete_group, GroupName="group")
        self.fails("DeleteConflict", self.iam.delete_user, UserName="user")
        self.iam.remove_user_from_group(GroupName="group", UserName="user")
        self.iam.delete_user(UserName="user")
        self.fails("NoSuchEntity", self.iam.get_user, UserName="User")

    def test_ids_begin_with_what_they_are_of(self) -> None:
        role = self.iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]
        for prefix, made in (
            ("AIDA", self.iam.create_user(UserName="u")["User"]["UserId"]),
            ("AGPA", self.iam.create_group(GroupName="g")["Group"]["GroupId"]),
            ("AIPA", self.iam.create_instance_profile(InstanceProfileName="i")["InstanceProfile"]["InstanceProfileId"]),
            ("ANPA", self.iam.create_policy(PolicyName="p", PolicyDocument=ALLOW)["Policy"]["PolicyId"]),
            ("AROA", role["RoleId"]),
        ):
            with self.subTest(prefix):
                self.assertRegex(made, f"^{prefix}[A-Z0-9]{{17}}$")

    def test_trust_policies(self) -> None:
        account = f"arn:aws:iam::{self.account}"
        self.iam.create_role(RoleName="there", AssumeRolePolicyDocument=TRUST)
        for change in (
            {"Principal": None},
            {"Resource": "*"},
            {"NotResource": "*"},
            {"Action": "s3:GetObject"},
            {"Action": "*"},
            {"Action": "sts:InvalidAction"},
            {"Sid": "two words"},
            {"Effect": "allow"},
            {"Condition": {"StringEqual": {"aws:x": "y"}}},
            {"Principal": {"AWS": "12345678901"}},
            {"Principal": {"AWS": f"{account}:group/g"}},
            {"Principal": {"AWS": f"{account}:role/*"}},
            {"Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}},
            {"Principal": {"Service": "nope"}},
            {"Principal": {"CanonicalUser": "a" * 64}},
            {"Principal": {"Federated": f"{account}:role/there"}},
            {"Principal": {"Federated": "nope"}},
        ):
            statement = {name: value for name, value in (ASSUME | change).items() if value is not None}
            text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            with self.subTest(change):
                code = "MalformedPolicyDocument"
                self.fails(code, self.iam.create_role, RoleName="r", AssumeRolePolicyDocument=text)
                self.fails(code, self.iam.update_assume_role_policy, RoleName="there", PolicyDocument=text)
        twice = json.dumps({"Version": "2012-10-17", "Statement": [ASSUME | {"Sid": "A"}] * 2})
        self.fails("MalformedPolicyDocument", self.iam.create_role, RoleName="r", AssumeRolePolicyDocument=twice)
        federated = {"Federated": "token.actions.githubusercontent.com"}
        for number, change in enumerate(
            (
                {"Principal": federated, "Action": "sts:AssumeRoleWithWebIdentity"},
                {"Principal": {"Federated": f"{account}:saml-provider/s"}, "Action": "sts:AssumeRoleWithSAML"},
                {"Principal": "*"},
                {"Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/r/s"}},
                {"Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]},
            )
        ):
            text = json.dumps({"Version": "2008-10-17", "Statement": [ASSUME | change]})
            with self.subTest(change):
                self.iam.create_role(RoleName=f"ok-{number}", AssumeRolePolicyDocument=text)
                self.iam.update_assume_role_policy(RoleName="there", PolicyDocument=text)

    def test_policies_of_identities(self) -> None:
        self.iam.create_user(UserName="u")
        for change in ({"Principal": "*"}, {"NotPrincipal": "*"}, {"Sid": "two words"}):
            [statement] = json.loads(ALLOW)["Statement"]
            text = json.dumps({"Version": "2012-10-17", "Statement": [statement | change]})
            with self.subTest(change):
                self.fails("MalformedPolicyDocument", self.iam.create_policy, PolicyName="p", PolicyDocument=text)
                inline = {"UserName": "u", "PolicyName": "p", "PolicyDocument": text}
                self.fails("MalformedPolicyDocument", self.iam.put_user_policy, **inline)

    def test_inline_policies_are_small_and_names_are_not_taken_twice(self) -> None:
        for name in ("u", "other"):
            self.iam.create_user(UserName=name)
            self.iam.create_group(GroupName=name)
        wide = {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::" + "b" * 900]}
        text = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
        for number in range(6):
            put = {"PolicyName": str(number), "PolicyDocument": text}
            if number < 2:
                self.iam.put_user_policy(UserName="u", **put)
            else:
                self.fails("LimitExceeded", self.iam.put_user_policy, UserName="u", **put)
            if number < 5:
                self.iam.put_group_policy(GroupName="u", **put)
            else:
                self.fails("LimitExceeded", self.iam.put_group_policy, GroupName="u", **put)
        self.iam.put_user_policy(UserName="u", PolicyName="0", PolicyDocument=text)
        self.fails("EntityAlreadyExists", self.iam.update_user, UserName="u", NewUserName="Other")
        self.fails("EntityAlreadyExists", self.iam.update_group, GroupName="u", NewGroupName="Other")
        self.iam.update_user(UserName="u", NewUserName="U")
        self.assertEqual(self.iam.get_user(UserName="u")["User"]["UserName"], "U")

    def test_devices_and_aliases(self) -> None:
        self.iam.create_user(UserName="u")
        serial = f"arn:aws:iam::{self.account}:mfa/none"
        codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
        self.fails("NoSuchEntity", self.iam.enable_mfa_device, UserName="u", SerialNumber=serial, **codes)
        self.fails("InvalidInput", self.iam.create_account_alias, AccountAlias="123456789012")
        for address in ("http://a.example.com", "https://a.example.com:8443", "https://a.example.com?b=c"):
            self.fails("InvalidInput", self.iam.create_open_id_connect_provider, Url=address, ThumbprintList=["a" * 40])

    def test_a_policy_is_small_and_has_five_versions(self) -> None:
        arn = self.policy()
        [listed] = self.iam.list_policies(Scope="Local")["Policies"]
        self.assertNotIn("Description", listed, "which the list leaves out")
        statement = {"Effect": "Allow", "Action": ["s3:" + "a" * 60 + str(n) for n in range(100)], "Resource": "*"}
        big = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.fails("LimitExceeded", self.iam.create_policy, PolicyName="big", PolicyDocument=big)
        self.fails("LimitExceeded", self.iam.create_policy_version, PolicyArn=arn, PolicyDocument=big)
        self.iam.create_policy(PolicyName="wide", PolicyDocument=ALLOW + " " * 7000)
        for _ in range(4):
            self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW, SetAsDefault=True)
        self.fails("LimitExceeded", self.iam.create_policy_version, PolicyArn=arn, PolicyDocument=ALLOW)
        self.fails("DeleteConflict", self.iam.delete_policy_version, PolicyArn=arn, VersionId="v5")
        self.fails("DeleteConflict", self.iam.delete_policy, PolicyArn=arn)
        for number in range(1, 5):
            self.iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
        self.iam.delete_policy(PolicyArn=arn)

    def test_what_hangs_on_a_role_keeps_it(self) -> None:
        arn = self.policy()
        self.iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
        for _ in range(2):
            self.iam.attach_role_policy(RoleName="role", PolicyArn=arn)
        self.assertEqual(len(self.iam.list_attached_role_policies(RoleName="role")["AttachedPolicies"]), 1)
        self.fails("DeleteConflict", self.iam.delete_role, RoleName="role")
        self.fails("DeleteConflict", self.iam.delete_policy, PolicyArn=arn)
        self.iam.detach_role_policy(RoleName="role", PolicyArn=arn)
        self.fails("NoSuchEntity", self.iam.detach_role_policy, RoleName="role", PolicyArn=arn)
        self.iam.put_role_permissions_boundary(RoleName="role", PermissionsBoundary=arn)
        self.fails("DeleteConflict", self.iam.delete_policy, PolicyArn=arn)
        self.iam.delete_role_permissions_boundary(RoleName="role")
        self.iam.put_role_policy(RoleName="role", PolicyName="inline", PolicyDocument=ALLOW)
        self.fails("DeleteConflict", self.iam.delete_role, RoleName="role")
        self.iam.delete_role_policy(RoleName="role", PolicyName="inline")
        self.iam.create_instance_profile(InstanceProfileName="profile")
        add = self.iam.add_role_to_instance_profile
        add(InstanceProfileName="profile", RoleName="role")
        self.fails("DeleteConflict", self.iam.delete_role, RoleName="role")
        self.iam.create_role(RoleName="other", AssumeRolePolicyDocument=TRUST)
        self.fails("LimitExceeded", add, InstanceProfileName="profile", RoleName="other")

    def test_quotas_and_belongings_of_a_user(self) -> None:
        self.iam.create_user(UserName="user")
        key = self.iam.create_access_key(UserName="user")["AccessKey"]["AccessKeyId"]
        self.iam.create_access_key(UserName="user")
        self.fails("LimitExceeded", self.iam.create_access_key, UserName="user")
        used = self.iam.get_access_key_last_used(AccessKeyId=key)["AccessKeyLastUsed"]
        self.assertEqual((used["ServiceName"], used["Region"]), ("N/A", "N/A"))
        for number in range(11):
            self.iam.create_group(GroupName=f"group-{number}")
        for number in (*range(10), 0):
            self.iam.add_user_to_group(GroupName=f"group-{number}", UserName="user")
        self.fails("LimitExceeded", self.iam.add_user_to_group, GroupName="group-10", UserName="user")
        self.fails("DeleteConflict", self.iam.delete_user, UserName="user")
        self.iam.create_login_profile(UserName="user", Password="Abcdef12!x")
        self.fails("EntityAlreadyExists", self.iam.create_login_profile, UserName="user", Password="Abcdef12!x")
        unknown = {"UserName": "user", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Inactive"}
        self.fails("NoSuchEntity", self.iam.update_access_key, **unknown)

    def test_fifty_tags(self) -> None:
        self.iam.create_user(UserName="user")
        self.iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
        fifty = [{"Key": f"key-{number}", "Value": ""} for number in range(50)]
        more = [{"Key": "more", "Value": ""}]
        for tag, name in ((self.iam.tag_user, {"UserName": "user"}), (self.iam.tag_role, {"RoleName": "role"})):
            tag(**name, Tags=fifty)
            tag(**name, Tags=fifty[:1])
            self.fails("LimitExceeded", tag, **name, Tags=more)
            self.fails("ValidationError", tag, **name, Tags=fifty + more)

    def test_the_alias_of_an_account_is_replaced_and_nobody_elses(self) -> None:
        one, two = f"one-{self.account}", f"two-{self.account}"
        self.iam.create_account_alias(AccountAlias=one)
        self.iam.create_account_alias(AccountAlias=two)
        self.assertEqual(self.iam.list_account_aliases()["AccountAliases"], [two])
        self.fails("NoSuchEntity", self.iam.delete_account_alias, AccountAlias=one)
        other = client("iam", str(int(self.account) + 100000))
        self.fails("EntityAlreadyExists", other.create_account_alias, AccountAlias=two)

    def test_an_openid_provider_has_no_scheme(self) -> None:
        asked = {"Url": "https://example.com/x", "ClientIDList": ["a"], "ThumbprintList": ["a" * 40]}
        arn = self.iam.create_open_id_connect_provider(**asked)["OpenIDConnectProviderArn"]
        got = self.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        self.assertEqual(got["Url"], "example.com/x")
        self.fails("EntityAlreadyExists", self.iam.create_open_id_connect_provider, **asked)


class Kms(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.kms = self.client("kms")

    def key(self, **more: str) -> str:
        return self.kms.create_key(**more)["KeyMetadata"]["KeyId"]

    def test_aliases(self) -> None:
        first, second = self.key(), self.key()
        signs = self.key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
        self.kms.create_alias(AliasName="alias/A", TargetKeyId=first)
        self.kms.create_alias(AliasName="alias/a", TargetKeyId=first)
        self.fails("AlreadyExistsException", self.kms.create_alias, AliasName="alias/A", TargetKeyId=second)
        self.fails("InvalidAliasNameException", self.kms.create_alias, AliasName="alias/aws/x", TargetKeyId=first)
        self.fails("ValidationException", self.kms.create_alias, AliasName="x", TargetKeyId=first)
        self.fails("NotFoundException", self.kms.update_alias, AliasName="alias/none", TargetKeyId=first)
        self.fails("NotFoundException", self.kms.delete_alias, AliasName="alias/none")
        self.kms.update_alias(AliasName="alias/A", TargetKeyId=second)
        self.fails("ValidationException", self.kms.update_alias, AliasName="alias/A", TargetKeyId=signs)

    def test_what_a_key_is_for_fits_its_spec(self) -> None:
        for spec, usage in (
            ("HMAC_256", "ENCRYPT_DECRYPT"),
            ("SYMMETRIC_DEFAULT", "SIGN_VERIFY"),
            ("ECC_SECG_P256K1", "KEY_AGREEMENT"),
        ):
            self.fails("ValidationException", self.kms.create_key, KeySpec=spec, KeyUsage=usage)
        self.fails("ValidationException", self.kms.schedule_key_deletion, KeyId=self.key(), PendingWindowInDays=6)

    def test_tags(self) -> None:
        key = self.key()
        fifty = [{"TagKey": f"key-{number}", "TagValue": ""} for number in range(50)]
        self.kms.tag_resource(KeyId=key, Tags=fifty)
        self.kms.tag_resource(KeyId=key, Tags=fifty[:1])
        more = [{"TagKey": "more", "TagValue": ""}]
        self.fails("LimitExceededException", self.kms.tag_resource, KeyId=key, Tags=more)
        self.fails("TagException", self.kms.tag_resource, KeyId=key, Tags=[{"TagKey": "aws:x", "TagValue": ""}])


if __name__ == "__main__":
    unittest.main()
