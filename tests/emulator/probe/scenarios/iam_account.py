"""IAM: what an account has once, and its root user."""

from emulator.probe.trial import Trial


def password_policy(t: Trial) -> None:
    t("iam.GetAccountPasswordPolicy", expect="NoSuchEntity")
    t(
        "iam.UpdateAccountPasswordPolicy",
        MinimumPasswordLength=14,
        RequireSymbols=True,
        RequireNumbers=True,
        PasswordReusePrevention=24,
        MaxPasswordAge=90,
    )
    read = t("iam.GetAccountPasswordPolicy")
    t.check(
        "iam.UpdateAccountPasswordPolicy GetAccountPasswordPolicy",
        "back",
        lambda: (
            (
                read.PasswordPolicy["MinimumPasswordLength"],
                read.PasswordPolicy["PasswordReusePrevention"],
                read.PasswordPolicy["ExpirePasswords"],
            )
            == (14, 24, True)
        ),
    )
    t("iam.UpdateAccountPasswordPolicy", MinimumPasswordLength=12)
    read = t("iam.GetAccountPasswordPolicy")
    t.check("iam.UpdateAccountPasswordPolicy", "whole replace", lambda: read.PasswordPolicy["RequireSymbols"] is False)
    t.check(
        "iam.GetAccountPasswordPolicy",
        "omits MaxPasswordAge when off",
        lambda: "MaxPasswordAge" not in read.PasswordPolicy,
    )
    t("iam.DeleteAccountPasswordPolicy")
    t("iam.GetAccountPasswordPolicy", expect="NoSuchEntity")
    t.gone("iam.DeleteAccountPasswordPolicy", "iam.GetAccountPasswordPolicy")


def alias(t: Trial) -> None:
    t("iam.CreateAccountAlias", AccountAlias="acme")
    listed = t("iam.ListAccountAliases")
    t.check("iam.CreateAccountAlias ListAccountAliases", "back", lambda: listed.AccountAliases == ["acme"])
    t("iam.CreateAccountAlias", AccountAlias="acme2")
    listed = t("iam.ListAccountAliases")
    t.check("iam.CreateAccountAlias", "replaces", lambda: listed.AccountAliases == ["acme2"])
    t("iam.DeleteAccountAlias", AccountAlias="acme2")
    listed = t("iam.ListAccountAliases")
    t.check("iam.DeleteAccountAlias", "gone", lambda: listed.AccountAliases == [])


def summary(t: Trial) -> None:
    read = t("iam.GetAccountSummary")
    t.check(
        "iam.GetAccountSummary",
        "root members",
        lambda: all(
            (
                k in read.SummaryMap
                for k in (
                    "AccountMFAEnabled",
                    "AccountAccessKeysPresent",
                    "AccountPasswordPresent",
                    "AccountSigningCertificatesPresent",
                    "GlobalEndpointTokenVersion",
                )
            )
        ),
    )
    t("iam.SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v2Token")
    read = t("iam.GetAccountSummary")
    t.check(
        "iam.SetSecurityTokenServicePreferences GetAccountSummary",
        "version 2",
        lambda: read.SummaryMap["GlobalEndpointTokenVersion"] == 2,
    )
    t("iam.SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v1Token")
    read = t("iam.GetAccountSummary")
    t.check(
        "iam.SetSecurityTokenServicePreferences",
        "version 1",
        lambda: read.SummaryMap["GlobalEndpointTokenVersion"] == 1,
    )


def organization_root(t: Trial) -> None:
    member = t.org_member
    t.client("organizations").enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    t("iam.EnableOrganizationsRootCredentialsManagement")
    listed = t("iam.ListOrganizationsFeatures")
    t.check(
        "iam.EnableOrganizationsRootCredentialsManagement ListOrganizationsFeatures",
        "listed",
        lambda: "RootCredentialsManagement" in listed.EnabledFeatures,
    )
    t("iam.EnableOrganizationsRootSessions")
    listed = t("iam.ListOrganizationsFeatures")
    t.check("iam.EnableOrganizationsRootSessions", "listed", lambda: "RootSessions" in listed.EnabledFeatures)
    answer = t(
        "sts.AssumeRoot",
        TargetPrincipal=member,
        TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"},
    )
    t.check("sts.AssumeRoot", "credentials", lambda: answer.Credentials["AccessKeyId"])
    t("iam.DisableOrganizationsRootSessions")
    listed = t("iam.ListOrganizationsFeatures")
    t.check("iam.DisableOrganizationsRootSessions", "gone", lambda: "RootSessions" not in listed.EnabledFeatures)
    t("iam.DisableOrganizationsRootCredentialsManagement")
    listed = t("iam.ListOrganizationsFeatures")
    t.check("iam.DisableOrganizationsRootCredentialsManagement", "gone", lambda: listed.EnabledFeatures == [])


SCENARIOS = [[password_policy, alias, summary], [organization_root]]
