"""IAM: password policy, root user and roles, as the fact sheets have them."""

import csv
import io
import json
import unittest

from emulator.testing import AccountTest, control

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


class PasswordPolicy(AccountTest):
    def test_absent_then_defaults_then_everything_then_deleted(self) -> None:
        iam = self.client("iam")
        self.fails("NoSuchEntity", iam.get_account_password_policy)
        iam.update_account_password_policy()
        self.assertEqual(
            iam.get_account_password_policy()["PasswordPolicy"],
            {
                "MinimumPasswordLength": 6,
                "RequireSymbols": False,
                "RequireNumbers": False,
                "RequireUppercaseCharacters": False,
                "RequireLowercaseCharacters": False,
                "AllowUsersToChangePassword": False,
                "ExpirePasswords": False,
            },
        )
        full = {
            "MinimumPasswordLength": 14,
            "RequireSymbols": True,
            "RequireNumbers": True,
            "RequireUppercaseCharacters": True,
            "RequireLowercaseCharacters": True,
            "AllowUsersToChangePassword": True,
            "MaxPasswordAge": 90,
            "PasswordReusePrevention": 24,
            "HardExpiry": True,
        }
        iam.update_account_password_policy(**full)
        self.assertEqual(iam.get_account_password_policy()["PasswordPolicy"], full | {"ExpirePasswords": True})
        # A write replaces the whole policy.
        iam.update_account_password_policy(MinimumPasswordLength=8)
        got = iam.get_account_password_policy()["PasswordPolicy"]
        self.assertEqual(got["MinimumPasswordLength"], 8)
        self.assertNotIn("MaxPasswordAge", got)
        iam.delete_account_password_policy()
        self.fails("NoSuchEntity", iam.delete_account_password_policy)

    def test_values_outside_the_model_are_refused(self) -> None:
        iam = self.client("iam")
        for wrong in (
            {"MaxPasswordAge": 0},
            {"MaxPasswordAge": 1096},
            {"PasswordReusePrevention": 0},
            {"PasswordReusePrevention": 25},
            {"MinimumPasswordLength": 5},
            {"MinimumPasswordLength": 129},
        ):
            with self.subTest(wrong):
                self.fails("ValidationError", iam.update_account_password_policy, **wrong)


class RootUser(AccountTest):
    def test_a_new_account_has_a_password_and_nothing_else(self) -> None:
        summary = self.client("iam").get_account_summary()["SummaryMap"]
        names = (
            "AccountMFAEnabled",
            "AccountAccessKeysPresent",
            "AccountPasswordPresent",
            "AccountSigningCertificatesPresent",
        )
        self.assertEqual([summary[name] for name in names], [0, 0, 1, 0])
        self.assertEqual(
            self.client("iam").list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"], []
        )

    def test_the_state_that_a_test_sets_is_seen_everywhere(self) -> None:
        iam = self.client("iam")
        control(
            "POST",
            f"root?account={self.account}",
            {"virtual_mfa": True, "access_keys": True, "last_used": "2026-11-01T10:00:00+00:00"},
        )
        self.assertEqual(iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"], 1)
        device = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"][0]
        self.assertEqual(device["User"]["Arn"], f"arn:aws:iam::{self.account}:root")
        self.fails("ReportNotPresent", iam.get_credential_report)
        self.assertEqual(iam.generate_credential_report()["State"], "STARTED")
        self.assertEqual(iam.generate_credential_report()["State"], "COMPLETE")
        iam.create_user(UserName="someone")
        report = iam.get_credential_report()
        rows = list(csv.DictReader(io.StringIO(report["Content"].decode())))
        self.assertEqual([row["user"] for row in rows], ["<root_account>"])
        self.assertEqual(rows[0]["password_last_used"], "2026-11-01T10:00:00+00:00")
        self.assertEqual(rows[0]["access_key_1_active"], "true")
        self.assertEqual(report["ReportFormat"], "text/csv")

    def test_features_of_the_organization(self) -> None:
        iam = self.client("iam")
        self.fails("OrganizationNotFoundException", iam.list_organizations_features)
        organizations = self.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        self.fails("ServiceAccessNotEnabledException", iam.list_organizations_features)
        organizations.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
        self.assertEqual(iam.list_organizations_features()["EnabledFeatures"], [])
        iam.enable_organizations_root_sessions()
        iam.enable_organizations_root_credentials_management()
        got = iam.list_organizations_features()
        self.assertEqual(got["EnabledFeatures"], ["RootCredentialsManagement", "RootSessions"])


class Role(AccountTest):
    def role(self, **more: object) -> object:
        iam = self.client("iam")
        return iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST), **more)["Role"]

    def test_round_trip_of_everything(self) -> None:
        iam = self.client("iam")
        self.role(
            Path="/team/",
            Description="first",
            MaxSessionDuration=7200,
            Tags=[{"Key": "owner", "Value": "me"}],
            PermissionsBoundary=ADMIN,
        )
        got = iam.get_role(RoleName="auditor")["Role"]
        self.assertEqual(got["Arn"], f"arn:aws:iam::{self.account}:role/team/auditor")
        self.assertEqual(got["AssumeRolePolicyDocument"], TRUST)
        self.assertEqual((got["Description"], got["MaxSessionDuration"]), ("first", 7200))
        self.assertEqual(got["PermissionsBoundary"]["PermissionsBoundaryArn"], ADMIN)
        self.assertEqual(got["Tags"], [{"Key": "owner", "Value": "me"}])
        iam.delete_role_permissions_boundary(RoleName="auditor")
        iam.untag_role(RoleName="auditor", TagKeys=["owner"])
        iam.tag_role(RoleName="auditor", Tags=[{"Key": "a", "Value": "1"}])
        self.assertEqual(iam.list_role_tags(RoleName="auditor")["Tags"], [{"Key": "a", "Value": "1"}])
        self.assertNotIn("PermissionsBoundary", iam.get_role(RoleName="auditor")["Role"])

    def test_update_role_keeps_what_is_not_sent(self) -> None:
        iam = self.client("iam")
        self.role(Description="first", MaxSessionDuration=7200)
        iam.update_role(RoleName="auditor")
        got = iam.get_role(RoleName="auditor")["Role"]
        self.assertEqual((got["Description"], got["MaxSessionDuration"]), ("first", 7200))
        self.fails("ValidationError", iam.update_role, RoleName="auditor", MaxSessionDuration=3599)

    def test_policies(self) -> None:
        iam = self.client("iam")
        self.role()
        iam.attach_role_policy(RoleName="auditor", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
        iam.attach_role_policy(RoleName="auditor", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
        iam.attach_role_policy(RoleName="auditor", PolicyArn="arn:aws:iam::aws:policy/job-function/ViewOnlyAccess")
        got = iam.list_attached_role_policies(RoleName="auditor")["AttachedPolicies"]
        self.assertEqual(sorted(p["PolicyName"] for p in got), ["SecurityAudit", "ViewOnlyAccess"])
        self.fails(
            "NoSuchEntity", iam.attach_role_policy, RoleName="auditor", PolicyArn="arn:aws:iam::aws:policy/Nothing"
        )
        inline = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}]}
        iam.put_role_policy(RoleName="auditor", PolicyName="more", PolicyDocument=json.dumps(inline))
        self.assertEqual(iam.list_role_policies(RoleName="auditor")["PolicyNames"], ["more"])
        self.assertEqual(iam.get_role_policy(RoleName="auditor", PolicyName="more")["PolicyDocument"], inline)
        self.fails("DeleteConflict", iam.delete_role, RoleName="auditor")
        iam.delete_role_policy(RoleName="auditor", PolicyName="more")
        self.fails("NoSuchEntity", iam.get_role_policy, RoleName="auditor", PolicyName="more")
        for policy in got:
            iam.detach_role_policy(RoleName="auditor", PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName="auditor")
        self.fails("NoSuchEntity", iam.get_role, RoleName="auditor")

    def test_limits(self) -> None:
        iam = self.client("iam")
        self.role()
        for number in range(11):
            document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
            made = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=json.dumps(document))
            arn = made["Policy"]["Arn"]
            if number < 10:
                iam.attach_role_policy(RoleName="auditor", PolicyArn=arn)
            else:
                self.fails("LimitExceeded", iam.attach_role_policy, RoleName="auditor", PolicyArn=arn)
        long = json.loads(json.dumps(TRUST))
        long["Statement"][0]["Sid"] = "x" * 2048
        self.fails("LimitExceeded", iam.update_assume_role_policy, RoleName="auditor", PolicyDocument=json.dumps(long))

    def test_trust(self) -> None:
        iam = self.client("iam")
        self.role()
        self.fails(
            "EntityAlreadyExists", iam.create_role, RoleName="AUDITOR", AssumeRolePolicyDocument=json.dumps(TRUST)
        )
        by_account = json.loads(json.dumps(TRUST))
        by_account["Statement"][0]["Principal"] = {"AWS": "111122223333"}
        iam.update_assume_role_policy(RoleName="auditor", PolicyDocument=json.dumps(by_account))
        got = iam.get_role(RoleName="auditor")["Role"]["AssumeRolePolicyDocument"]
        self.assertEqual(got["Statement"][0]["Principal"], {"AWS": "arn:aws:iam::111122223333:root"})
        by_account["Statement"][0]["Principal"] = {"AWS": f"arn:aws:iam::{self.account}:role/nobody"}
        self.fails(
            "MalformedPolicyDocument",
            iam.update_assume_role_policy,
            RoleName="auditor",
            PolicyDocument=json.dumps(by_account),
        )

    def test_keys_of_tags_know_no_case(self) -> None:
        iam = self.client("iam")
        iam.create_role(
            RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "Team", "Value": "core"}]
        )
        iam.tag_role(RoleName="r", Tags=[{"Key": "team", "Value": "x"}, {"Key": "other", "Value": "1"}])
        self.assertEqual(
            {tag["Key"]: tag["Value"] for tag in iam.get_role(RoleName="r")["Role"]["Tags"]}, {"team": "x", "other": "1"}
        )
        iam.untag_role(RoleName="r", TagKeys=["TEAM"])
        self.assertEqual(iam.get_role(RoleName="r")["Role"]["Tags"], [{"Key": "other", "Value": "1"}])

    def test_service_linked_roles_are_protected(self) -> None:
        iam = self.client("iam")
        name = iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")["Role"]["RoleName"]
        self.assertEqual(name, "AWSServiceRoleForConfig")
        self.fails("InvalidInput", iam.create_service_linked_role, AWSServiceName="config.amazonaws.com")
        for service, role in {
            "access-analyzer": "AccessAnalyzer",
            "malware-protection.guardduty": "AmazonGuardDutyMalwareProtection",
            "wafv2": "WAFV2Logging",
        }.items():
            made = iam.create_service_linked_role(AWSServiceName=f"{service}.amazonaws.com")["Role"]
            self.assertEqual(made["RoleName"], f"AWSServiceRoleFor{role}")
        self.fails("UnmodifiableEntity", iam.update_role, RoleName=name, MaxSessionDuration=7200)
        self.fails("UnmodifiableEntity", iam.attach_role_policy, RoleName=name, PolicyArn=ADMIN)


if __name__ == "__main__":
    unittest.main()
