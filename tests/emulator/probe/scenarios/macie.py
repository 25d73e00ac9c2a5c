"""Macie."""

from emulator.probe.trial import Trial


def session(t: Trial) -> None:
    t.log_buckets("macie")
    t("macie2.GetMacieSession", expect=["ResourceNotFoundException", "AccessDeniedException"])
    t("macie2.EnableMacie", status="ENABLED", findingPublishingFrequency="ONE_HOUR")
    got = t("macie2.GetMacieSession")
    t.check(
        "macie2.EnableMacie GetMacieSession",
        "back",
        lambda: (got["status"], got.findingPublishingFrequency) == ("ENABLED", "ONE_HOUR"),
    )
    t("macie2.UpdateMacieSession", findingPublishingFrequency="FIFTEEN_MINUTES")
    got = t("macie2.GetMacieSession")
    t.check(
        "macie2.UpdateMacieSession",
        "partial",
        lambda: (got["status"], got.findingPublishingFrequency) == ("ENABLED", "FIFTEEN_MINUTES"),
    )
    t("macie2.UpdateMacieSession", status="PAUSED")
    got = t("macie2.GetMacieSession")
    t.check("macie2.UpdateMacieSession", "paused", lambda: got["status"] == "PAUSED")
    t("macie2.UpdateAutomatedDiscoveryConfiguration", status="ENABLED")
    got = t("macie2.GetAutomatedDiscoveryConfiguration")
    t.check(
        "macie2.UpdateAutomatedDiscoveryConfiguration GetAutomatedDiscoveryConfiguration",
        "ENABLED",
        lambda: got["status"] == "ENABLED",
    )
    t(
        "macie2.PutClassificationExportConfiguration",
        configuration={"s3Destination": {"bucketName": f"acme-log-1-{t.acct}", "keyPrefix": "m", "kmsKeyArn": t.key}},
    )
    got = t("macie2.GetClassificationExportConfiguration")
    t.check(
        "macie2.PutClassificationExportConfiguration GetClassificationExportConfiguration",
        "back",
        lambda: got.configuration["s3Destination"]["keyPrefix"] == "m",
    )
    t(
        "macie2.PutFindingsPublicationConfiguration",
        securityHubConfiguration={"publishClassificationFindings": True, "publishPolicyFindings": True},
    )
    got = t("macie2.GetFindingsPublicationConfiguration")
    t.check(
        "macie2.PutFindingsPublicationConfiguration GetFindingsPublicationConfiguration",
        "both",
        lambda: got.securityHubConfiguration == {"publishClassificationFindings": True, "publishPolicyFindings": True},
    )
    t(
        "macie2.CreateClassificationJob",
        clientToken="t",
        jobType="ONE_TIME",
        name="j",
        s3JobDefinition={"bucketDefinitions": [{"accountId": t.acct, "buckets": ["b"]}]},
    )
    got = t("macie2.ListClassificationJobs")
    t.check(
        "macie2.CreateClassificationJob ListClassificationJobs",
        "listed",
        lambda: [one["name"] for one in got["items"]] == ["j"],
    )
    made = t(
        "macie2.CreateCustomDataIdentifier",
        name="orders",
        regex="[A-Z]{2}-[0-9]{8}",
        keywords=["order"],
        severityLevels=[{"occurrencesThreshold": 1, "severity": "LOW"}],
        tags={"a": "b"},
    )
    got = t("macie2.GetCustomDataIdentifier", id=made.get("customDataIdentifierId") or "x")
    t.check(
        "macie2.CreateCustomDataIdentifier GetCustomDataIdentifier",
        "back",
        lambda: (got.regex, got.keywords, got.maximumMatchDistance, got.tags) == ("[A-Z]{2}-[0-9]{8}", ["order"], 50, {"a": "b"}),
    )
    got = t("macie2.ListCustomDataIdentifiers")
    t.check("macie2.ListCustomDataIdentifiers", "listed", lambda: [one["name"] for one in got["items"]] == ["orders"])
    t("macie2.DeleteCustomDataIdentifier", id=made.get("customDataIdentifierId") or "x")
    got = t("macie2.ListCustomDataIdentifiers")
    t.check("macie2.DeleteCustomDataIdentifier", "gone", lambda: got.ok and not got["items"])
    made = t("macie2.CreateAllowList", clientToken="t", name="samples", criteria={"regex": "EX-[0-9]+"}, description="d")
    t("macie2.UpdateAllowList", id=made.get("id") or "x" * 22, name="samples", criteria={"regex": "EX-[0-9]{4}"})
    got = t("macie2.GetAllowList", id=made.get("id") or "x" * 22)
    t.check(
        "macie2.CreateAllowList UpdateAllowList GetAllowList",
        "replaced",
        lambda: (got.criteria, got.get("description"), got["status"]["code"]) == ({"regex": "EX-[0-9]{4}"}, None, "OK"),
    )
    got = t("macie2.ListAllowLists")
    t.check("macie2.ListAllowLists", "listed", lambda: [one["name"] for one in got.allowLists] == ["samples"])
    t("macie2.DeleteAllowList", id=made.get("id") or "x" * 22)
    got = t("macie2.ListAllowLists")
    t.check("macie2.DeleteAllowList", "gone", lambda: got.ok and not got.allowLists)
    made = t("macie2.CreateFindingsFilter", name="quiet", action="ARCHIVE", findingCriteria={"criterion": {"region": {"eq": ["x"]}}})
    got = t("macie2.ListFindingsFilters")
    t.check(
        "macie2.CreateFindingsFilter ListFindingsFilters",
        "listed",
        lambda: [(one["name"], one["action"]) for one in got.findingsFilterListItems] == [("quiet", "ARCHIVE")],
    )
    t("macie2.DeleteFindingsFilter", id=made.get("id") or "x")
    got = t("macie2.ListFindingsFilters")
    t.check("macie2.DeleteFindingsFilter", "gone", lambda: got.ok and not got.findingsFilterListItems)
    got = t("macie2.GetAdministratorAccount")
    t.check("macie2.GetAdministratorAccount", "none", lambda: got.ok and not got.get("administrator"))
    t("macie2.EnableOrganizationAdminAccount", adminAccountId=t.org_member)
    got = t("macie2.ListOrganizationAdminAccounts")
    t.check(
        "macie2.EnableOrganizationAdminAccount ListOrganizationAdminAccounts",
        "listed",
        lambda: [one["accountId"] for one in got.adminAccounts] == [t.org_member],
    )
    t("macie2.EnableMacie", acct=t.org_member)
    t("macie2.UpdateOrganizationConfiguration", acct=t.org_member, autoEnable=True)
    got = t("macie2.DescribeOrganizationConfiguration", acct=t.org_member)
    t.check(
        "macie2.UpdateOrganizationConfiguration DescribeOrganizationConfiguration",
        "true",
        lambda: got.autoEnable is True,
    )
    t("macie2.DisableOrganizationAdminAccount", adminAccountId=t.org_member)
    got = t("macie2.ListOrganizationAdminAccounts")
    t.check("macie2.DisableOrganizationAdminAccount", "gone", lambda: got.adminAccounts == [])
    t("macie2.DisableMacie")
    t("macie2.GetMacieSession", expect=["ResourceNotFoundException", "AccessDeniedException"])
    t.gone("macie2.DisableMacie", "macie2.GetMacieSession")


SCENARIOS = [[session]]
