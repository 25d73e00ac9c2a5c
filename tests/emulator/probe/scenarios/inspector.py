"""Inspector."""

from emulator.probe.trial import Trial


def inspector(t: Trial) -> None:
    got = t("inspector2.BatchGetAccountStatus")
    t.check(
        "inspector2.BatchGetAccountStatus",
        "own account, DISABLED at first",
        lambda: (got.accounts[0]["accountId"], got.accounts[0]["state"]["status"]) == (t.acct, "DISABLED"),
    )
    made = t("inspector2.Enable", resourceTypes=["EC2", "ECR", "LAMBDA"])
    if not made.ok:
        t("inspector2.Enable", accountIds=[t.acct], resourceTypes=["EC2", "ECR", "LAMBDA"])
    got = t("inspector2.BatchGetAccountStatus")
    got = got if got.get("accounts") else t("inspector2.BatchGetAccountStatus", accountIds=[t.acct])
    t.check(
        "inspector2.Enable BatchGetAccountStatus",
        "three types on, the others off",
        lambda: (
            (
                lambda answer: (
                    answer["ec2"]["status"],
                    answer["ecr"]["status"],
                    answer["lambda"]["status"],
                    answer["lambdaCode"]["status"],
                )
            )(got.accounts[0]["resourceState"])
            == ("ENABLED", "ENABLED", "ENABLED", "DISABLED")
        ),
    )
    made = t("inspector2.Enable", resourceTypes=["EC2"])
    t.check("inspector2.Enable", "second time: failedAccounts ALREADY_ENABLED or accounts", lambda: made.ok)
    made = t("inspector2.Disable", resourceTypes=["LAMBDA"])
    if not made.ok:
        t("inspector2.Disable", accountIds=[t.acct], resourceTypes=["LAMBDA"])
    got = t("inspector2.BatchGetAccountStatus", accountIds=[t.acct])
    t.check(
        "inspector2.Disable",
        "one type off",
        lambda: (
            (lambda answer: (answer["ec2"]["status"], answer["lambda"]["status"]))(got.accounts[0]["resourceState"])
            == ("ENABLED", "DISABLED")
        ),
    )
    got = t("inspector2.GetConfiguration")
    t.check(
        "inspector2.GetConfiguration",
        "rescan duration",
        lambda: got.ecrConfiguration["rescanDurationState"]["rescanDuration"],
    )
    t(
        "inspector2.UpdateConfiguration",
        ecrConfiguration={
            "rescanDuration": "DAYS_30",
            "pullDateRescanDuration": "DAYS_90",
            "pullDateRescanMode": "LAST_IN_USE_AT",
        },
    )
    t("inspector2.UpdateConfiguration", ec2Configuration={"scanMode": "EC2_HYBRID"})
    got = t("inspector2.GetConfiguration")
    t.check(
        "inspector2.UpdateConfiguration GetConfiguration",
        "partial by section",
        lambda: (
            (
                got.ecrConfiguration["rescanDurationState"]["rescanDuration"],
                got.ecrConfiguration["rescanDurationState"]["pullDateRescanMode"],
                got.ec2Configuration["scanModeState"]["scanMode"],
            )
            == ("DAYS_30", "LAST_IN_USE_AT", "EC2_HYBRID")
        ),
    )
    t("inspector2.UpdateEc2DeepInspectionConfiguration", activateDeepInspection=True, packagePaths=["/opt/x"])
    got = t("inspector2.GetEc2DeepInspectionConfiguration")
    t.check(
        "inspector2.UpdateEc2DeepInspectionConfiguration GetEc2DeepInspectionConfiguration",
        "paths",
        lambda: got.packagePaths == ["/opt/x"],
    )
    made = t(
        "inspector2.CreateCisScanConfiguration",
        scanName="cis",
        securityLevel="LEVEL_1",
        schedule={"monthly": {"day": "MON", "startTime": {"timeOfDay": "01:00", "timezone": "UTC"}}},
        targets={"accountIds": ["SELF"], "targetResourceTags": {"a": ["b"]}},
    )
    ca = (
        made.get("scanConfigurationArn")
        or f"arn:aws:inspector2:us-east-1:{t.acct}:owner/{t.acct}/cis-configuration/12345678"
    )
    got = t("inspector2.ListCisScanConfigurations")
    t.check(
        "inspector2.CreateCisScanConfiguration ListCisScanConfigurations",
        "back",
        lambda: (
            (got.scanConfigurations[0]["scanName"], got.scanConfigurations[0]["securityLevel"]) == ("cis", "LEVEL_1")
        ),
    )
    t("inspector2.UpdateCisScanConfiguration", scanConfigurationArn=ca, securityLevel="LEVEL_2")
    got = t("inspector2.ListCisScanConfigurations")
    t.check(
        "inspector2.UpdateCisScanConfiguration",
        "changed",
        lambda: (
            (got.scanConfigurations[0]["scanName"], got.scanConfigurations[0]["securityLevel"]) == ("cis", "LEVEL_2")
        ),
    )
    t("inspector2.DeleteCisScanConfiguration", scanConfigurationArn=ca)
    got = t("inspector2.ListCisScanConfigurations")
    t.check("inspector2.DeleteCisScanConfiguration", "gone", lambda: got.scanConfigurations == [])
    got = t("inspector2.ListAccountPermissions")
    t.check(
        "inspector2.ListAccountPermissions",
        "both for each",
        lambda: {"ENABLE_SCANNING", "DISABLE_SCANNING"}
        == {one["operation"] for one in got.permissions if one["service"] == "EC2"},
    )
    t("inspector2.EnableDelegatedAdminAccount", delegatedAdminAccountId=t.org_member)
    got = t("inspector2.ListDelegatedAdminAccounts")
    t.check(
        "inspector2.EnableDelegatedAdminAccount ListDelegatedAdminAccounts",
        "listed",
        lambda: [one["accountId"] for one in got.delegatedAdminAccounts] == [t.org_member],
    )
    got = t("inspector2.GetDelegatedAdminAccount")
    t.check(
        "inspector2.GetDelegatedAdminAccount", "the account", lambda: got.delegatedAdmin["accountId"] == t.org_member
    )
    t(
        "inspector2.UpdateOrganizationConfiguration",
        acct=t.org_member,
        autoEnable={"ec2": True, "ecr": True, "lambda": True, "codeRepository": False},
    )
    got = t("inspector2.DescribeOrganizationConfiguration", acct=t.org_member)
    t.check(
        "inspector2.UpdateOrganizationConfiguration DescribeOrganizationConfiguration",
        "back",
        lambda: (got.autoEnable["ec2"], got.autoEnable["lambda"]) == (True, True),
    )
    t.check(
        "inspector2.UpdateOrganizationConfiguration",
        "codeRepository kept",
        lambda: got.autoEnable["codeRepository"] is False,
    )
    t("inspector2.DisableDelegatedAdminAccount", delegatedAdminAccountId=t.org_member)
    got = t("inspector2.ListDelegatedAdminAccounts")
    t.check("inspector2.DisableDelegatedAdminAccount", "gone", lambda: got.delegatedAdminAccounts == [])


SCENARIOS = [[inspector]]
