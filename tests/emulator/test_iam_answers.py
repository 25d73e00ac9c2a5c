"""Answers of IAM have the members, the order and the errors of recorded ones."""

import json

from emulator.testing import AccountTest

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a:B", "Resource": "*"}]})


def trust(**more: object) -> str:
    usual = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [usual | more]})


class Answers(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.iam = self.client("iam")

    def policy(self, name: str = "p") -> str:
        return self.iam.create_policy(PolicyName=name, PolicyDocument=ALLOW)["Policy"]["Arn"]

    def test_roles(self) -> None:
        boundary, tags = self.policy(), [{"Key": "a", "Value": "b"}]
        role = {"RoleName": "r", "AssumeRolePolicyDocument": trust(), "Description": "d", "MaxSessionDuration": 7200}
        made = self.iam.create_role(**role, PermissionsBoundary=boundary, Tags=tags)["Role"]
        members = {"Arn", "AssumeRolePolicyDocument", "CreateDate", "Path", "PermissionsBoundary", "RoleId", "RoleName"}
        self.assertEqual(set(made), members | {"Tags"})
        got = self.iam.get_role(RoleName="r")["Role"]
        self.assertEqual(set(got), set(made) | {"Description", "MaxSessionDuration", "RoleLastUsed"})
        [listed] = self.iam.list_roles()["Roles"]
        self.assertEqual(set(listed), members - {"PermissionsBoundary"} | {"Description", "MaxSessionDuration"})

    def test_users_and_policies(self) -> None:
        tags = [{"Key": "a", "Value": "b"}]
        self.iam.create_user(UserName="u", Tags=tags)
        self.assertEqual(self.iam.get_user(UserName="u")["User"]["Tags"], tags)
        [user] = self.iam.list_users()["Users"]
        self.assertEqual(set(user), {"Arn", "CreateDate", "Path", "UserId", "UserName"})
        made = self.iam.create_policy(PolicyName="p", PolicyDocument=ALLOW, Description="d", Tags=tags)["Policy"]
        self.assertEqual(self.iam.get_policy(PolicyArn=made["Arn"])["Policy"]["Description"], "d")
        [listed] = self.iam.list_policies(Scope="Local")["Policies"]
        self.assertEqual({"Description", "Tags"} & set(listed), set())
        other = self.policy("q")
        self.assertEqual(self.iam.get_policy(PolicyArn=other)["Policy"]["Tags"], [])

    def test_versions_of_a_policy_come_newest_first_without_their_text(self) -> None:
        arn = self.policy()
        made = self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW, SetAsDefault=True)["PolicyVersion"]
        self.assertEqual(set(made), {"CreateDate", "IsDefaultVersion", "VersionId"})
        versions = self.iam.list_policy_versions(PolicyArn=arn)["Versions"]
        self.assertEqual([one["VersionId"] for one in versions], ["v2", "v1"])
        self.assertNotIn("Document", versions[0])
        self.fails("DeleteConflict", self.iam.delete_policy_version, PolicyArn=arn, VersionId="v2")
        self.fails("NoSuchEntity", self.iam.get_policy_version, PolicyArn=arn, VersionId="v9")

    def test_arns_and_trust_of_another_form(self) -> None:
        self.iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
        attach, put = self.iam.attach_role_policy, self.iam.put_role_permissions_boundary
        self.fails("ValidationError", attach, RoleName="r", PolicyArn="longpolicynamebutnoarn")
        wrong = f"arn:aws:iam::{self.account}:not_a_policy/invalid"
        self.fails("InvalidInput", put, RoleName="r", PermissionsBoundary=wrong)
        new = {"RoleName": "s", "AssumeRolePolicyDocument": trust()}
        self.fails("InvalidInput", self.iam.create_role, **new, PermissionsBoundary=wrong)
        arn = self.policy()
        self.fails("NoSuchEntity", put, RoleName="none", PermissionsBoundary=arn)
        self.fails("NoSuchEntity", self.iam.detach_role_policy, RoleName="r", PolicyArn=arn)
        for document in (trust(Action="sts:InvalidAction"), trust(Resource="*"), "not json"):
            update = {"RoleName": "r", "PolicyDocument": document}
            self.fails("MalformedPolicyDocument", self.iam.update_assume_role_policy, **update)
        for tags in ([("a", "1"), ("a", "2")], [("a", "1"), ("A", "2")]):
            twice = [{"Key": key, "Value": value} for key, value in tags]
            self.fails("InvalidInput", self.iam.tag_role, RoleName="r", Tags=twice)
            self.fails("InvalidInput", self.iam.create_role, **new, Tags=twice)

    def test_providers(self) -> None:
        create = self.iam.create_open_id_connect_provider
        many = [str(number) * 40 for number in range(6)]
        self.fails("InvalidInput", create, Url="https://a.example.com", ThumbprintList=many)
        arn = create(Url="https://a.example.com", ThumbprintList=many[:5])["OpenIDConnectProviderArn"]
        self.fails("EntityAlreadyExists", create, Url="https://a.example.com", ThumbprintList=many[:1])
        self.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        self.fails("NoSuchEntity", self.iam.delete_open_id_connect_provider, OpenIDConnectProviderArn=arn)
        text = "<EntityDescriptor></EntityDescriptor>" + " " * 1000
        saml = self.iam.create_saml_provider(Name="s", SAMLMetadataDocument=text)["SAMLProviderArn"]
        got = self.iam.get_saml_provider(SAMLProviderArn=saml)
        self.assertEqual((got["AssertionEncryptionMode"], got["PrivateKeyList"], got["Tags"]), ("Allowed", [], []))

    def test_keys(self) -> None:
        self.iam.create_user(UserName="u")
        key = self.iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
        used = self.iam.get_access_key_last_used(AccessKeyId=key)
        self.assertEqual((used["AccessKeyLastUsed"], used["UserName"]), ({"Region": "N/A", "ServiceName": "N/A"}, "u"))
        other = "AKIAIOSFODNN7EXAMPLE"
        self.fails("AccessDenied", self.iam.get_access_key_last_used, AccessKeyId=other)
        update = {"UserName": "u", "AccessKeyId": other, "Status": "Inactive"}
        self.fails("NoSuchEntity", self.iam.update_access_key, **update)
        self.fails("NoSuchEntity", self.iam.get_login_profile, UserName="u")
        self.fails("NoSuchEntity", self.iam.delete_account_password_policy)

    def test_who_is_deleted_leaves_an_id_in_policies(self) -> None:
        role = self.iam.create_role(RoleName="gone", AssumeRolePolicyDocument=trust())["Role"]
        user = self.iam.create_user(UserName="u")["User"]
        named = {"AWS": [role["Arn"], user["Arn"]]}
        self.iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(Principal=named))
        kms, sns, s3, bucket = self.client("kms"), self.client("sns"), self.client("s3"), f"deleted-{self.account}"
        everything = {"Version": "2012-10-17"}
        statement = {"Effect": "Allow", "Principal": {"AWS": role["Arn"]}, "Resource": "*"}
        own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}, "Resource": "*"}
        text = json.dumps(everything | {"Statement": [own | {"Action": "kms:*"}, statement | {"Action": "kms:Decrypt"}]})
        key = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
        topic = sns.create_topic(Name="t")["TopicArn"]
        text = json.dumps(everything | {"Statement": [statement | {"Action": "SNS:Publish", "Resource": topic}]})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)
        s3.create_bucket(Bucket=bucket)
        arn = f"arn:aws:s3:::{bucket}/*"
        text = json.dumps(everything | {"Statement": [statement | {"Action": "s3:GetObject", "Resource": arn}]})
        s3.put_bucket_policy(Bucket=bucket, Policy=text)
        self.iam.delete_role(RoleName="gone")
        self.iam.delete_user(UserName="u")
        document = self.iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]
        self.assertEqual(document["Statement"][0]["Principal"], {"AWS": [role["RoleId"], user["UserId"]]})
        texts = [
            kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"],
            sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"],
            s3.get_bucket_policy(Bucket=bucket)["Policy"],
        ]
        for text in texts:
            self.assertIn(role["RoleId"], text)
            self.assertNotIn(role["Arn"], text)
        self.iam.create_role(RoleName="gone", AssumeRolePolicyDocument=trust())
        self.assertIn(role["RoleId"], s3.get_bucket_policy(Bucket=bucket)["Policy"])


class Ids(AccountTest):
    def test_an_id_begins_with_what_it_is_of(self) -> None:
        iam = self.client("iam")
        made = {
            "AIDA": iam.create_user(UserName="u")["User"]["UserId"],
            "AGPA": iam.create_group(GroupName="g")["Group"]["GroupId"],
            "AROA": iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())["Role"]["RoleId"],
            "ANPA": iam.create_policy(PolicyName="p", PolicyDocument=ALLOW)["Policy"]["PolicyId"],
            "AIPA": iam.create_instance_profile(InstanceProfileName="i")["InstanceProfile"]["InstanceProfileId"],
        }
        for start, one in made.items():
            self.assertRegex(one, rf"^{start}[A-Z0-9]{{17}}$")
        self.assertEqual(iam.get_user(UserName="u")["User"]["UserId"], made["AIDA"])
        self.assertEqual(iam.get_group(GroupName="g")["Group"]["GroupId"], made["AGPA"])
