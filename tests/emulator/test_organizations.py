"""Organizations: who may ask, invitations, policies of all types, effective policies, services."""

import json
import unittest.mock
from datetime import UTC, datetime
from typing import Any

from emulator import testing
from emulator.organization import invitations
from emulator.organization_testing import OrganizationTest
from emulator.testing import AccountTest, client, control

SCP = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}]}


class Outside(AccountTest):
    def test_an_account_in_no_organization(self) -> None:
        org = self.client("organizations")
        for call in (org.describe_organization, org.list_accounts, org.list_roots, org.leave_organization):
            self.fails("AWSOrganizationsNotInUseException", call)
        self.assertEqual(org.list_handshakes_for_account()["Handshakes"], [])

    def test_consolidated_billing_has_no_policies_and_no_services(self) -> None:
        org = self.client("organizations")
        org.create_organization(FeatureSet="CONSOLIDATED_BILLING")
        root = org.list_roots()["Roots"][0]["Id"]
        self.fails(
            "PolicyTypeNotAvailableForOrganizationException",
            org.enable_policy_type,
            RootId=root,
            PolicyType="TAG_POLICY",
        )
        self.fails(
            "ConstraintViolationException", org.enable_aws_service_access, ServicePrincipal="config.amazonaws.com"
        )


class Members(OrganizationTest):
    def test_what_a_member_may_ask(self) -> None:
        member = client("organizations", self.member)
        self.assertEqual(member.describe_organization()["Organization"]["MasterAccountId"], self.account)
        for name, arguments in {
            "list_accounts": {},
            "list_roots": {},
            "list_parents": {"ChildId": self.member},
            "list_policies": {"Filter": "SERVICE_CONTROL_POLICY"},
            "list_delegated_administrators": {},
            "list_aws_service_access_for_organization": {},
            "describe_account": {"AccountId": self.member},
            "create_organizational_unit": {"ParentId": self.root_id, "Name": "x"},
            "enable_aws_service_access": {"ServicePrincipal": "config.amazonaws.com"},
        }.items():
            self.fails("AccessDeniedException", getattr(member, name), **arguments)

    def test_a_delegated_administrator_reads_and_no_more(self) -> None:
        self.trust("config.amazonaws.com")
        self.org.register_delegated_administrator(AccountId=self.member, ServicePrincipal="config.amazonaws.com")
        member = client("organizations", self.member)
        self.assertEqual({a["Id"] for a in member.list_accounts()["Accounts"]}, {self.account, self.member})
        self.assertEqual(member.list_roots()["Roots"][0]["Id"], self.root_id)
        self.fails("AccessDeniedException", member.create_policy, **self.scp())

    def test_a_resource_policy_hands_work_on_policies_to_a_member(self) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{self.member}:root"},
            "Action": ["organizations:CreatePolicy", "organizations:ListPolicies"],
            "Resource": "*",
            "Condition": {"StringEquals": {"organizations:PolicyType": ["SERVICE_CONTROL_POLICY"]}},
        }
        self.org.put_resource_policy(Content=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        member = client("organizations", self.member)
        member.create_policy(**self.scp())
        self.fails("AccessDeniedException", member.create_policy, **self.scp() | {"Type": "TAG_POLICY"})
        self.fails("AccessDeniedException", member.list_accounts)
        self.org.delete_resource_policy()
        self.fails("ResourcePolicyNotFoundException", self.org.describe_resource_policy)
        self.fails("AccessDeniedException", member.list_policies, Filter="SERVICE_CONTROL_POLICY")

    def scp(self) -> dict[str, Any]:
        return {"Content": json.dumps(SCP), "Description": "", "Name": "n", "Type": "SERVICE_CONTROL_POLICY"}

    def test_state_beside_status(self) -> None:
        accounts = {one["Id"]: one for one in self.org.list_accounts()["Accounts"]}
        self.assertEqual({one["State"] for one in accounts.values()}, {"ACTIVE"})
        self.assertEqual({one["JoinedMethod"] for one in accounts.values()}, {"INVITED"})

    def test_tags(self) -> None:
        unit, tag = self.unit("one"), self.org.tag_resource
        tag(ResourceId=unit, Tags=[{"Key": "a", "Value": "1"}])
        twice = [{"Key": "b", "Value": "1"}, {"Key": "b", "Value": "2"}]
        for wrong in (twice, [{"Key": "aws:a", "Value": "1"}]):
            self.fails("InvalidInputException", tag, ResourceId=unit, Tags=wrong)
            made = {"ParentId": self.root_id, "Name": "two", "Tags": wrong}
            self.fails("InvalidInputException", self.org.create_organizational_unit, **made)
        many = [{"Key": str(number), "Value": ""} for number in range(50)]
        self.fails("ConstraintViolationException", tag, ResourceId=unit, Tags=many)
        tag(ResourceId=unit, Tags=many[1:])
        self.fails("TargetNotFoundException", tag, ResourceId="ou-abcd-12345678", Tags=many)
        absent = {"TargetId": "ou-abcd-12345678", "Filter": "SERVICE_CONTROL_POLICY"}
        self.fails("TargetNotFoundException", self.org.list_policies_for_target, **absent)

    def test_moves_and_units_are_checked(self) -> None:
        unit = self.unit("one")
        self.fails(
            "DuplicateOrganizationalUnitException",
            self.org.create_organizational_unit,
            ParentId=self.root_id,
            Name="one",
        )
        move = self.org.move_account
        self.fails(
            "SourceParentNotFoundException",
            move,
            AccountId=self.member,
            SourceParentId=unit,
            DestinationParentId=self.root_id,
        )
        move(AccountId=self.member, SourceParentId=self.root_id, DestinationParentId=unit)
        self.fails(
            "DuplicateAccountException", move, AccountId=self.member, SourceParentId=unit, DestinationParentId=unit
        )
        self.fails(
            "OrganizationalUnitNotEmptyException", self.org.delete_organizational_unit, OrganizationalUnitId=unit
        )
        self.fails("ConstraintViolationException", self.org.close_account, AccountId=self.account)


class Invitations(OrganizationTest):
    def invite(self, account: str) -> str:
        made = self.org.invite_account_to_organization(Target={"Id": account, "Type": "ACCOUNT"}, Notes="welcome")
        return made["Handshake"]["Id"]

    def test_who_is_invited_has_an_id_or_an_address(self) -> None:
        invite = self.org.invite_account_to_organization
        for target, reason in (
            ({"Id": "12", "Type": "ACCOUNT"}, "INVALID_PATTERN"),
            ({"Id": "nobody", "Type": "EMAIL"}, "INVALID_EMAIL_ADDRESS_TARGET"),
            ({"Id": "o-1234567890", "Type": "ORGANIZATION"}, "INVALID_PARTY_TYPE_TARGET"),
        ):
            error = self.fails("InvalidInputException", invite, Target=target)
            self.assertEqual(error.response["Reason"], reason)
        account = str(next(testing._accounts))
        self.invite(account)
        # By its address it is the same account.
        again = {"Id": f"root+{account}@example.com", "Type": "EMAIL"}
        self.fails("DuplicateHandshakeException", invite, Target=again)

    def test_an_invitation_expires(self) -> None:
        sent = datetime.now(UTC) - invitations.LIFE
        target, sender = {"Id": "111122223333", "Type": "ACCOUNT"}, "444455556666"
        old = invitations.Handshake("h-old", "o-1", sender, "a@example.com", target, None, [], "aws", requested=sent)
        with unittest.mock.patch.dict(invitations._HANDSHAKES, {"h-old": old}):
            self.assertEqual([one.state for one in invitations._all()], ["EXPIRED"])

    def test_from_open_to_accepted(self) -> None:
        account = str(next(testing._accounts))
        invited = client("organizations", account)
        handshake = self.invite(account)
        self.assertEqual(invited.list_handshakes_for_account()["Handshakes"][0]["State"], "OPEN")
        self.fails("DuplicateHandshakeException", self.invite, account=account)
        shown = invited.accept_handshake(HandshakeId=handshake)["Handshake"]
        self.assertEqual((shown["State"], shown["Action"]), ("ACCEPTED", "INVITE"))
        self.assertIn(account, [one["Id"] for one in self.org.list_accounts()["Accounts"]])
        self.fails("HandshakeAlreadyInStateException", invited.accept_handshake, HandshakeId=handshake)
        self.fails("InvalidHandshakeTransitionException", invited.decline_handshake, HandshakeId=handshake)
        self.fails("HandshakeConstraintViolationException", self.invite, account=account)
        policies = self.org.list_policies_for_target(TargetId=account, Filter="SERVICE_CONTROL_POLICY")["Policies"]
        self.assertEqual([one["Id"] for one in policies], ["p-FullAWSAccess"])
        self.assertEqual(policies[0]["Arn"], "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess")

    def test_declined_canceled_and_not_ones_own(self) -> None:
        account, other = str(next(testing._accounts)), str(next(testing._accounts))
        handshake = self.invite(account)
        self.fails("HandshakeNotFoundException", client("organizations", other).accept_handshake, HandshakeId=handshake)
        client("organizations", account).decline_handshake(HandshakeId=handshake)
        self.fails("InvalidHandshakeTransitionException", self.org.cancel_handshake, HandshakeId=handshake)
        again = self.invite(account)
        self.org.cancel_handshake(HandshakeId=again)
        self.assertEqual(
            sorted(one["State"] for one in self.org.list_handshakes_for_organization()["Handshakes"]),
            ["ACCEPTED", "CANCELED", "DECLINED"],
        )

    def test_an_address_is_good_for_one_account(self) -> None:
        made, other = (
            self.org.create_account(Email=address, AccountName="new")["CreateAccountStatus"]
            for address in ("new@example.com", "New@example.com")
        )
        self.assertEqual((made["State"], other["State"]), ("SUCCEEDED", "FAILED"))
        read = self.org.describe_create_account_status(CreateAccountRequestId=other["Id"])["CreateAccountStatus"]
        self.assertEqual((read["FailureReason"], "AccountId" in read), ("EMAIL_ALREADY_EXISTS", False))
        failed = self.org.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
        self.assertEqual([one["Id"] for one in failed], [other["Id"]])

    def test_an_account_takes_its_time(self) -> None:
        control("POST", f"settling?account={self.account}&reads=2")
        made = self.org.create_account(Email="new@example.com", AccountName="new")["CreateAccountStatus"]
        self.assertEqual((made["State"], "AccountId" in made), ("IN_PROGRESS", False))
        read = [
            self.org.describe_create_account_status(CreateAccountRequestId=made["Id"])["CreateAccountStatus"]
            for _ in range(3)
        ]
        self.assertEqual([one["State"] for one in read], ["IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"])
        self.assertIn("AccountId", read[2])

    def test_leaving(self) -> None:
        self.fails("MasterCannotLeaveOrganizationException", self.org.leave_organization)
        made = self.org.create_account(Email="new@example.com", AccountName="new")["CreateAccountStatus"]["AccountId"]
        error = self.fails("ConstraintViolationException", self.org.remove_account_from_organization, AccountId=made)
        self.assertEqual(error.response["Reason"], "WAIT_PERIOD_ACTIVE")
        self.trust("config.amazonaws.com")
        self.org.register_delegated_administrator(AccountId=self.member, ServicePrincipal="config.amazonaws.com")
        member = client("organizations", self.member)
        self.fails("ConstraintViolationException", member.leave_organization)
        self.org.deregister_delegated_administrator(AccountId=self.member, ServicePrincipal="config.amazonaws.com")
        member.leave_organization()
        self.assertNotIn(self.member, [one["Id"] for one in self.org.list_accounts()["Accounts"]])
        self.fails("AWSOrganizationsNotInUseException", member.describe_organization)


class Services(OrganizationTest):
    def test_any_service_can_be_trusted_and_delegated(self) -> None:
        principals = ["iam.amazonaws.com", "malware-protection.guardduty.amazonaws.com", "account.amazonaws.com"]
        for principal in principals:
            self.fails(
                "ConstraintViolationException",
                self.org.register_delegated_administrator,
                AccountId=self.member,
                ServicePrincipal=principal,
            )
            self.trust(principal)
            self.org.register_delegated_administrator(AccountId=self.member, ServicePrincipal=principal)
        found = self.org.list_delegated_services_for_account(AccountId=self.member)["DelegatedServices"]
        self.assertEqual(sorted(one["ServicePrincipal"] for one in found), sorted(principals))
        self.fails(
            "AccountAlreadyRegisteredException",
            self.org.register_delegated_administrator,
            AccountId=self.member,
            ServicePrincipal=principals[0],
        )
        self.fails("InvalidInputException", self.org.enable_aws_service_access, ServicePrincipal="iam.example.com")

    def test_a_service_has_only_so_many_administrators(self) -> None:
        """Whoever registers them: the service's own operations take no more either."""
        accounts = [self.member, self.join(), self.join(), self.join()]
        register = self.org.register_delegated_administrator
        one, three = "guardduty.amazonaws.com", "cloudtrail.amazonaws.com"
        self.trust(one, three, "config.amazonaws.com")
        for account in accounts[:3]:
            register(AccountId=account, ServicePrincipal=three)
        for account in accounts:
            register(AccountId=account, ServicePrincipal="config.amazonaws.com")
        register(AccountId=accounts[0], ServicePrincipal=one)
        for principal, account, reason in (
            (one, accounts[1], "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"),
            (three, accounts[3], "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"),
        ):
            error = self.fails("ConstraintViolationException", register, AccountId=account, ServicePrincipal=principal)
            self.assertEqual(error.response["Reason"], reason)
        self.org.deregister_delegated_administrator(AccountId=accounts[0], ServicePrincipal=one)
        register(AccountId=accounts[1], ServicePrincipal=one)

    def test_what_cannot_be_delegated(self) -> None:
        self.trust("iam.amazonaws.com")
        register = self.org.register_delegated_administrator
        self.fails(
            "ConstraintViolationException", register, AccountId=self.account, ServicePrincipal="iam.amazonaws.com"
        )
        self.fails("AccountNotFoundException", register, AccountId="999999999999", ServicePrincipal="iam.amazonaws.com")
        self.fails(
            "AccountNotRegisteredException",
            self.org.deregister_delegated_administrator,
            AccountId=self.member,
            ServicePrincipal="iam.amazonaws.com",
        )


class Policies(OrganizationTest):
    def test_all_types_of_the_api_model(self) -> None:
        self.trust("securityhub.amazonaws.com")
        kinds = self.org.meta.service_model.shape_for("PolicyType").enum
        self.assertEqual(len(kinds), 15)
        for kind in kinds:
            self.org.enable_policy_type(RootId=self.root_id, PolicyType=kind)
        enabled = {one["Type"]: one["Status"] for one in self.org.list_roots()["Roots"][0]["PolicyTypes"]}
        self.assertEqual(enabled, dict.fromkeys(kinds, "ENABLED"))
        self.fails(
            "PolicyTypeAlreadyEnabledException", self.org.enable_policy_type, RootId=self.root_id, PolicyType=kind
        )
        text = '{"plans":{"daily":{"regions":{"@@assign":["us-east-1"]}}}}'
        made = self.org.create_policy(Content=text, Description="", Name="backup", Type="BACKUP_POLICY")["Policy"]
        self.assertIn("/backup_policy/p-", made["PolicySummary"]["Arn"])
        self.fails(
            "ConstraintViolationException",
            self.org.disable_aws_service_access,
            ServicePrincipal="securityhub.amazonaws.com",
        )

    def test_a_new_organization_has_no_type_enabled(self) -> None:
        read = self.org.list_roots
        self.assertEqual(read()["Roots"][0]["PolicyTypes"], [])
        control("POST", f"settling?account={self.account}&reads=2")
        kind = "SERVICE_CONTROL_POLICY"
        made = self.org.enable_policy_type(RootId=self.root_id, PolicyType=kind)["Root"]["PolicyTypes"]
        self.assertEqual(made, [{"Type": kind, "Status": "PENDING_ENABLE"}])
        states = [read()["Roots"][0]["PolicyTypes"][0]["Status"] for _ in range(2)]
        self.assertEqual(states, ["PENDING_ENABLE", "ENABLED"])
        again = {"RootId": self.root_id, "PolicyType": kind}
        self.fails("PolicyTypeAlreadyEnabledException", self.org.enable_policy_type, **again)

    def test_types_that_are_not_enabled_and_second_attachments(self) -> None:
        made = self.org.create_policy(Content=json.dumps(SCP), Description="", Name="n", Type="SERVICE_CONTROL_POLICY")[
            "Policy"
        ]["PolicySummary"]["Id"]
        attach = self.org.attach_policy
        self.fails("PolicyTypeNotEnabledException", attach, PolicyId=made, TargetId=self.member)
        self.org.enable_policy_type(RootId=self.root_id, PolicyType="SERVICE_CONTROL_POLICY")
        self.fails("TargetNotFoundException", attach, PolicyId=made, TargetId="999999999999")
        attach(PolicyId=made, TargetId=self.member)
        self.fails("DuplicatePolicyAttachmentException", attach, PolicyId=made, TargetId=self.member)
        self.fails("PolicyInUseException", self.org.delete_policy, PolicyId=made)
        detach = self.org.detach_policy
        detach(PolicyId="p-FullAWSAccess", TargetId=self.member)
        error = self.fails("ConstraintViolationException", detach, PolicyId=made, TargetId=self.member)
        self.assertEqual(error.response["Reason"], "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
        self.fails("InvalidInputException", detach, PolicyId="p-RCPFullAWSAccess", TargetId=self.member)
        self.fails("PolicyNotAttachedException", detach, PolicyId=made, TargetId=self.root_id)
        self.fails("InvalidInputException", self.org.update_policy, PolicyId="p-FullAWSAccess", Name="x")
        self.org.disable_policy_type(RootId=self.root_id, PolicyType="SERVICE_CONTROL_POLICY")
        self.org.delete_policy(PolicyId=made)

    def test_no_more_than_five_service_control_policies(self) -> None:
        for _ in range(4):
            self.policy("SERVICE_CONTROL_POLICY", SCP, self.member)
        sixth = self.policy("SERVICE_CONTROL_POLICY", SCP)
        error = self.fails("ConstraintViolationException", self.org.attach_policy, PolicyId=sixth, TargetId=self.member)
        self.assertEqual(error.response["Reason"], "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")

    def test_contents_that_are_refused(self) -> None:
        deny = SCP["Statement"][0]
        resource = deny | {"Principal": "*", "Action": "s3:*"}
        bad: dict[str, list[Any]] = {
            "SERVICE_CONTROL_POLICY": [
                "no json",
                [],
                {"Version": "2012-10-17"},
                {"Statement": deny | {"Principal": "*"}},
                {"Statement": deny | {"NotAction": "s3:*"}},
                {"Statement": {"Effect": "Deny", "Action": "ec2:*"}},
                {"Statement": deny | {"Effect": "deny"}},
            ],
            "RESOURCE_CONTROL_POLICY": [
                {"Version": "2012-10-17", "Statement": resource | {"Effect": "Allow"}},
                {"Version": "2012-10-17", "Statement": resource | {"Action": "*"}},
                {"Version": "2012-10-17", "Statement": deny},
                {"Version": "2012-10-17", "Statement": resource | {"Principal": {"AWS": "111122223333"}}},
            ],
            "TAG_POLICY": [
                {"tag": {}},
                {"tags": {"team": {"tag_key": "team"}}},
                {"tags": {"team": {"tag_key": {"@@set": "team"}}}},
                {"tags": {"team": {"tag_value": {"@@append": "one"}}}},
                {"tags": {"team": {"@@assign": "x", "tag_key": {"@@assign": "y"}}}},
            ],
            "DECLARATIVE_POLICY_EC2": [
                {"ec2_attributes": {"unknown": {"@@assign": "x"}}},
                {"ec2_attributes": {"serial_console_access": {"status": {"@@assign": "off"}}}},
            ],
            "S3_POLICY": [{"s3_attributes": {"public_access_block_configuration": {"@@assign": "some"}}}],
        }
        for kind, documents in bad.items():
            for document in documents:
                text = document if isinstance(document, str) else json.dumps(document)
                self.fails(
                    "MalformedPolicyDocumentException",
                    self.org.create_policy,
                    Content=text,
                    Description="",
                    Name="n",
                    Type=kind,
                )

    def test_sizes(self) -> None:
        for kind, limit in {
            "SERVICE_CONTROL_POLICY": 5120,
            "AISERVICES_OPT_OUT_POLICY": 2500,
            "TAG_POLICY": 10000,
        }.items():
            arguments = {"Content": "x" * (limit + 1), "Description": "", "Name": "n", "Type": kind}
            error = self.fails("ConstraintViolationException", self.org.create_policy, **arguments)
            self.assertEqual(error.response["Reason"], "POLICY_CONTENT_LIMIT_EXCEEDED")


class Effective(OrganizationTest):
    """The examples of the Organizations User Guide, "Inheritance examples"."""

    def setUp(self) -> None:
        super().setUp()
        self.ou = self.unit("one")
        self.org.move_account(AccountId=self.member, SourceParentId=self.root_id, DestinationParentId=self.ou)

    def tags(self, document: Any, *targets: str) -> str:
        return self.policy("TAG_POLICY", {"tags": document}, *targets)

    def effective(self, kind: str = "TAG_POLICY", account: str | None = None) -> Any:
        made = self.org.describe_effective_policy(PolicyType=kind, TargetId=account or self.member)["EffectivePolicy"]
        self.assertEqual((made["TargetId"], made["PolicyType"]), (account or self.member, kind))
        return json.loads(made["PolicyContent"])

    def test_assign_append_and_remove(self) -> None:
        self.tags(
            {
                "costcenter": {
                    "tag_key": {"@@assign": "CostCenter"},
                    "tag_value": {"@@assign": ["Development", "Support"]},
                }
            },
            self.root_id,
        )
        self.tags({"costcenter": {"tag_value": {"@@append": ["Marketing"]}}}, self.ou)
        self.tags({"costcenter": {"tag_value": {"@@remove": ["Development"], "@@append": ["Sales"]}}}, self.member)
        self.assertEqual(
            self.effective(),
            {"tags": {"costcenter": {"tag_key": "CostCenter", "tag_value": ["Support", "Marketing", "Sales"]}}},
        )
        self.assertEqual(
            self.effective(account=self.account),
            {"tags": {"costcenter": {"tag_key": "CostCenter", "tag_value": ["Development", "Support"]}}},
        )

    def test_keys_of_tag_policies_know_no_case(self) -> None:
        none = {"@@operators_allowed_for_child_policies": ["@@none"]}
        self.tags({"CostCenter": {"tag_key": {"@@assign": "CostCenter"} | none, "tag_value": {"@@assign": ["A"]}}}, self.root_id)
        self.tags({"costcenter": {"tag_key": {"@@assign": "costcenter"}, "tag_value": {"@@append": ["B"]}}}, self.ou)
        wanted = {"tags": {"CostCenter": {"tag_key": "CostCenter", "tag_value": ["A", "B"]}}}
        self.assertEqual(self.effective(), wanted)

    def test_assign_below_replaces(self) -> None:
        self.tags({"cc": {"tag_value": {"@@assign": ["Development", "Support"]}}}, self.root_id)
        self.tags({"cc": {"tag_value": {"@@assign": ["Sandbox"]}}}, self.ou)
        self.assertEqual(self.effective(), {"tags": {"cc": {"tag_value": ["Sandbox"]}}})

    def test_child_control_operators(self) -> None:
        self.tags(
            {
                "project": {
                    "tag_key": {"@@operators_allowed_for_child_policies": ["@@none"], "@@assign": "PROJECT"},
                    "tag_value": {
                        "@@operators_allowed_for_child_policies": ["@@append"],
                        "@@assign": ["Maintenance", "Escalations"],
                    },
                }
            },
            self.root_id,
        )
        self.tags(
            {
                "project": {
                    "tag_key": {"@@operators_allowed_for_child_policies": ["@@all"], "@@assign": "project"},
                    "tag_value": {"@@append": ["Escalations - research"], "@@remove": ["Maintenance"]},
                }
            },
            self.ou,
        )
        self.tags({"project": {"tag_key": {"@@assign": "Project"}, "tag_value": {"@@assign": []}}}, self.member)
        values = ["Maintenance", "Escalations", "Escalations - research"]
        self.assertEqual(self.effective(), {"tags": {"project": {"tag_key": "PROJECT", "tag_value": values}}})

    def test_at_one_level_the_policy_that_was_attached_first_wins(self) -> None:
        self.tags({"project": {"tag_key": {"@@assign": "PROJECT"}, "tag_value": {"@@append": ["a"]}}}, self.member)
        self.tags({"project": {"tag_key": {"@@assign": "project"}, "tag_value": {"@@append": ["b"]}}}, self.member)
        self.assertEqual(self.effective(), {"tags": {"project": {"tag_key": "PROJECT", "tag_value": ["a", "b"]}}})

    def test_none_and_not_for_everybody(self) -> None:
        member = client("organizations", self.member)
        self.fails("EffectivePolicyNotFoundException", member.describe_effective_policy, PolicyType="TAG_POLICY")
        self.tags({"cc": {"tag_key": {"@@assign": "CC"}}}, self.root_id)
        self.assertEqual(
            member.describe_effective_policy(PolicyType="TAG_POLICY")["EffectivePolicy"]["TargetId"], self.member
        )
        other = {"PolicyType": "TAG_POLICY", "TargetId": self.account}
        self.fails("AccessDeniedException", member.describe_effective_policy, **other)
        self.fails(
            "InvalidInputException", self.org.describe_effective_policy, PolicyType="TAG_POLICY", TargetId=self.ou
        )
        self.org.disable_policy_type(RootId=self.root_id, PolicyType="TAG_POLICY")
        self.fails("EffectivePolicyNotFoundException", member.describe_effective_policy, PolicyType="TAG_POLICY")

    def test_validation_errors(self) -> None:
        kind = "DECLARATIVE_POLICY_EC2"

        def criteria(prefix: str) -> Any:
            rules = {f"{prefix}{n}": {"allowed_image_providers": {"@@assign": ["amazon"]}} for n in range(6)}
            return {"ec2_attributes": {"allowed_images_settings": {"image_criteria": rules}}}

        self.policy(kind, criteria("criteria_1"), self.root_id)
        arguments = {"AccountId": self.member, "PolicyType": kind}
        found = self.org.list_effective_policy_validation_errors(**arguments)
        self.assertEqual(found["EffectivePolicyValidationErrors"], [])
        self.assertTrue(found["Path"].endswith(f"/{self.root_id}/{self.ou}/{self.member}/"))
        self.policy(kind, criteria("criteria_2"), self.member)
        errors = self.org.list_effective_policy_validation_errors(**arguments)["EffectivePolicyValidationErrors"]
        self.assertEqual([one["ErrorCode"] for one in errors], ["ELEMENTS_TOO_MANY"])
        self.assertEqual(len(errors[0]["ContributingPolicies"]), 2)
        invalid = self.org.list_accounts_with_invalid_effective_policy(PolicyType=kind)["Accounts"]
        self.assertEqual([one["Id"] for one in invalid], [self.member])
