"""Delegated administrators of services, and what they set for the organization."""

from typing import Any

from emulator import testing
from emulator.organization_testing import OrganizationTest
from emulator.testing import client, control

# Service: enable, disable, list, the list's member, the input's member, error of a second account, of somebody else.
CASES = {
    "guardduty": (
        "organization_admin_account",
        "AdminAccounts",
        "AdminAccountId",
        "BadRequestException",
        "BadRequestException",
    ),
    "securityhub": (
        "organization_admin_account",
        "AdminAccounts",
        "AdminAccountId",
        "InvalidInputException",
        "InvalidAccessException",
    ),
    "detective": (
        "organization_admin_account",
        "Administrators",
        "AccountId",
        "ValidationException",
        "AccessDeniedException",
    ),
    "macie2": (
        "organization_admin_account",
        "adminAccounts",
        "adminAccountId",
        "ConflictException",
        "AccessDeniedException",
    ),
    "inspector2": (
        "delegated_admin_account",
        "delegatedAdminAccounts",
        "delegatedAdminAccountId",
        "ConflictException",
        "AccessDeniedException",
    ),
}
PRINCIPALS = {"macie2": "macie.amazonaws.com"}


class Administrators(OrganizationTest):
    def principals(self, account: str) -> set[str]:
        try:
            found = self.org.list_delegated_services_for_account(AccountId=account)["DelegatedServices"]
        except self.org.exceptions.AccountNotRegisteredException:
            return set()
        return {one["ServicePrincipal"] for one in found}

    def test_one_account_in_each_region_and_the_same_everywhere(self) -> None:
        other = self.join()
        for service, (noun, under, member, second, denied) in CASES.items():
            with self.subTest(service):
                principal = PRINCIPALS.get(service, f"{service}.amazonaws.com")
                here, there = self.client(service), self.client(service, "eu-west-1")

                def named(of: Any) -> list[str]:
                    found = getattr(of, f"list_{noun}s")()[under]
                    return [row.get(member) or row.get("accountId") or row["AccountId"] for row in found]

                enable, disable = getattr(here, f"enable_{noun}"), getattr(here, f"disable_{noun}")
                self.fails(denied, getattr(client(service, self.member), f"enable_{noun}"), **{member: other})
                enable(**{member: self.member})
                self.assertEqual((named(here), named(there)), ([self.member], []))
                self.assertIn(principal, self.principals(self.member))
                trusted = self.org.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
                self.assertIn(principal, [one["ServicePrincipal"] for one in trusted])
                self.fails(second, enable, **{member: other})
                self.fails(second, getattr(there, f"enable_{noun}"), **{member: other})
                getattr(there, f"enable_{noun}")(**{member: self.member})
                self.assertEqual(named(there), [self.member])
                gone = {} if service == "detective" else {member: self.member}
                disable(**gone)
                self.assertEqual((named(here), named(there)), ([], [self.member]))
                self.assertIn(principal, self.principals(self.member))
                getattr(there, f"disable_{noun}")(**gone)
                self.assertEqual(principal in self.principals(self.member), service == "detective")
                if service != "detective":
                    enable(**{member: other})
                    # The end of the registration ends it everywhere.
                    self.org.deregister_delegated_administrator(AccountId=other, ServicePrincipal=principal)
                    self.assertEqual(named(here), [])

    def test_an_account_outside(self) -> None:
        self.fails(
            "BadRequestException",
            self.client("guardduty").enable_organization_admin_account,
            AdminAccountId="999999999999",
        )
        lonely = client("guardduty", str(next(testing._accounts)))
        self.fails("BadRequestException", lonely.list_organization_admin_accounts)

    def test_both_kinds_of_security_hub(self) -> None:
        hub = self.client("securityhub")
        hub.enable_organization_admin_account(AdminAccountId=self.member, Feature="SecurityHubV2")
        self.assertEqual(hub.list_organization_admin_accounts()["AdminAccounts"], [])
        found = hub.list_organization_admin_accounts(Feature="SecurityHubV2")
        self.assertEqual((found["Feature"], len(found["AdminAccounts"])), ("SecurityHubV2", 1))

    def test_inspector_tells_every_account(self) -> None:
        inspector = client("inspector2", self.member)
        self.fails("ResourceNotFoundException", inspector.get_delegated_admin_account)
        self.client("inspector2").enable_delegated_admin_account(delegatedAdminAccountId=self.member)
        got = inspector.get_delegated_admin_account()["delegatedAdmin"]
        self.assertEqual(got, {"accountId": self.member, "relationshipStatus": "ENABLED"})

    def test_cloudtrail_has_three_and_wants_access_first(self) -> None:
        trail, members = self.client("cloudtrail"), [self.member, self.join(), self.join(), self.join()]
        register = trail.register_organization_delegated_admin
        self.fails("CloudTrailAccessNotEnabledException", register, MemberAccountId=self.member)
        self.trust("cloudtrail.amazonaws.com")
        self.fails("CannotDelegateManagementAccountException", register, MemberAccountId=self.account)
        self.fails("AccountNotFoundException", register, MemberAccountId="999999999999")
        for account in members[:3]:
            register(MemberAccountId=account)
        self.fails("AccountRegisteredException", register, MemberAccountId=self.member)
        self.fails("DelegatedAdminAccountLimitExceededException", register, MemberAccountId=members[3])
        self.assertEqual(self.principals(self.member), {"cloudtrail.amazonaws.com"})
        deregister = trail.deregister_organization_delegated_admin
        deregister(DelegatedAdminAccountId=self.member)
        self.fails("AccountNotRegisteredException", deregister, DelegatedAdminAccountId=self.member)
        self.assertEqual(self.principals(self.member), set())
        member = client("cloudtrail", self.member)
        self.fails(
            "NotOrganizationManagementAccountException",
            member.register_organization_delegated_admin,
            MemberAccountId=members[3],
        )

    def test_firewall_manager(self) -> None:
        fms = self.client("fms")
        self.fails("ResourceNotFoundException", fms.get_admin_account)
        fms.associate_admin_account(AdminAccount=self.member)
        self.assertEqual(fms.get_admin_account()["AdminAccount"], self.member)
        self.fails("InvalidOperationException", fms.associate_admin_account, AdminAccount=self.join())
        client("fms", self.member).disassociate_admin_account()
        self.fails("ResourceNotFoundException", fms.get_admin_account)


class Configuration(OrganizationTest):
    def admin(self, service: str) -> Any:
        noun, _, member, *_ = CASES[service]
        getattr(self.client(service), f"enable_{noun}")(**{member: self.member})
        return client(service, self.member)

    def test_only_the_administrator_reads_and_writes_it(self) -> None:
        for service, (*_, denied) in CASES.items():
            arguments = {"guardduty": {"DetectorId": "x"}, "detective": {"GraphArn": f"arn:aws:detective:us-east-1:111122223333:graph:{'a' * 32}"}}
            call = self.client(service).describe_organization_configuration
            self.fails(denied, call, **arguments.get(service, {}))

    def test_guardduty(self) -> None:
        admin = self.admin("guardduty")
        detector = admin.create_detector(Enable=True)["DetectorId"]
        update = admin.update_organization_configuration
        self.fails("BadRequestException", update, DetectorId=detector)
        self.fails(
            "BadRequestException", update, DetectorId=detector, AutoEnable=True, AutoEnableOrganizationMembers="ALL"
        )
        self.fails("BadRequestException", update, DetectorId="f" * 32, AutoEnableOrganizationMembers="ALL")
        features = [{"Name": "S3_DATA_EVENTS", "AutoEnable": "ALL"}]
        update(DetectorId=detector, AutoEnableOrganizationMembers="ALL", Features=features)
        update(DetectorId=detector, AutoEnableOrganizationMembers="NEW")
        got = admin.describe_organization_configuration(DetectorId=detector)
        self.assertEqual((got["AutoEnable"], got["AutoEnableOrganizationMembers"]), (True, "NEW"))
        modes = {one["Name"]: one["AutoEnable"] for one in got["Features"]}
        self.assertEqual((modes["S3_DATA_EVENTS"], modes["RUNTIME_MONITORING"]), ("ALL", "NONE"))

    def test_security_hub(self) -> None:
        admin = self.admin("securityhub")
        update, central = admin.update_organization_configuration, {"ConfigurationType": "CENTRAL"}
        self.fails("InvalidInputException", update, AutoEnable=True, OrganizationConfiguration=central)
        control("POST", f"settling?account={self.member}&reads=1")
        update(AutoEnable=False, AutoEnableStandards="NONE", OrganizationConfiguration=central)
        got = [admin.describe_organization_configuration()["OrganizationConfiguration"] for _ in range(2)]
        self.assertEqual([one["Status"] for one in got], ["PENDING", "ENABLED"])

    def test_inspector_macie_and_detective(self) -> None:
        inspector = self.admin("inspector2")
        wanted = {"ec2": True, "ecr": True, "lambda": True}
        inspector.update_organization_configuration(autoEnable=wanted)
        inspector.update_organization_configuration(autoEnable={"ec2": True, "ecr": False})
        got = inspector.describe_organization_configuration()["autoEnable"]
        self.assertEqual((got["ec2"], got["ecr"], got["lambda"]), (True, False, False))
        macie = self.admin("macie2")
        macie.update_organization_configuration(autoEnable=True)
        self.assertTrue(macie.describe_organization_configuration()["autoEnable"])
        detective = self.admin("detective")
        graph = self.client("detective").list_organization_admin_accounts()["Administrators"][0]["GraphArn"]
        detective.update_organization_configuration(GraphArn=graph, AutoEnable=True)
        self.assertTrue(detective.describe_organization_configuration(GraphArn=graph)["AutoEnable"])
