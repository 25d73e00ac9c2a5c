"""Security Hub."""

from emulator.probe.trial import Trial


def hub(t: Trial) -> None:
    t("securityhub.DescribeHub", expect=["InvalidAccessException", "ResourceNotFoundException"])
    t(
        "securityhub.EnableSecurityHub",
        EnableDefaultStandards=False,
        ControlFindingGenerator="SECURITY_CONTROL",
        Tags={"a": "b"},
    )
    got = t("securityhub.DescribeHub")
    t.check(
        "securityhub.EnableSecurityHub DescribeHub",
        "hub, generator, auto enable",
        lambda: (got.ControlFindingGenerator, got.AutoEnableControls) == ("SECURITY_CONTROL", True),
    )
    hub = got.get("HubArn") or f"arn:aws:securityhub:us-east-1:{t.acct}:hub/default"
    t("securityhub.EnableSecurityHub", expect="ResourceConflictException")
    t("securityhub.DescribeHub", region="eu-west-1", expect=["InvalidAccessException", "ResourceNotFoundException"])
    t("securityhub.UpdateSecurityHubConfiguration", AutoEnableControls=False)
    got = t("securityhub.DescribeHub")
    t.check(
        "securityhub.UpdateSecurityHubConfiguration",
        "partial",
        lambda: (got.AutoEnableControls, got.ControlFindingGenerator) == (False, "SECURITY_CONTROL"),
    )
    got = t("securityhub.ListTagsForResource", ResourceArn=hub)
    t.check("securityhub.ListTagsForResource", "tags at enable", lambda: got.Tags == {"a": "b"})
    t("securityhub.TagResource", ResourceArn=hub, Tags={"k": "v"})
    got = t("securityhub.ListTagsForResource", ResourceArn=hub)
    t.check("securityhub.TagResource", "kept", lambda: got.Tags.get("k") == "v")
    t("securityhub.UntagResource", ResourceArn=hub, TagKeys=["k"])
    got = t("securityhub.ListTagsForResource", ResourceArn=hub)
    t.check("securityhub.UntagResource", "gone", lambda: "k" not in got.Tags)
    prod = "arn:aws:securityhub:us-east-1::product/aws/guardduty"
    made = t("securityhub.EnableImportFindingsForProduct", ProductArn=prod)
    ps = (
        made.get("ProductSubscriptionArn")
        or f"arn:aws:securityhub:us-east-1:{t.acct}:product-subscription/aws/guardduty"
    )
    got = t("securityhub.ListEnabledProductsForImport")
    t.check(
        "securityhub.EnableImportFindingsForProduct ListEnabledProductsForImport",
        "listed",
        lambda: ps in got.ProductSubscriptions,
    )
    t("securityhub.DisableImportFindingsForProduct", ProductSubscriptionArn=ps)
    got = t("securityhub.ListEnabledProductsForImport")
    t.check("securityhub.DisableImportFindingsForProduct", "gone", lambda: ps not in got.ProductSubscriptions)
    got = t("securityhub.GetAdministratorAccount")
    t.check("securityhub.GetAdministratorAccount", "none", lambda: got.ok and (not got.get("Administrator")))
    got = t("securityhub.DescribeStandards")
    t.check(
        "securityhub.DescribeStandards",
        "FSBP and CIS 5.0.0 listed",
        lambda: (
            any(("aws-foundational-security-best-practices/v/1.0.0" in one["StandardsArn"] for one in got.Standards))
            and any(("cis-aws-foundations-benchmark/v/5.0.0" in one["StandardsArn"] for one in got.Standards))
        ),
    )
    t.made_fs = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"
    made = t("securityhub.BatchEnableStandards", StandardsSubscriptionRequests=[{"StandardsArn": t.made_fs}])
    got = t("securityhub.GetEnabledStandards")
    t.check(
        "securityhub.BatchEnableStandards GetEnabledStandards",
        "listed, INCOMPLETE without a recorder",
        lambda: (
            [(one["StandardsArn"], one["StandardsStatus"]) for one in got.StandardsSubscriptions]
            == [(t.made_fs, "INCOMPLETE")]
        ),
    )
    sub = (
        got["StandardsSubscriptions"][0]["StandardsSubscriptionArn"]
        if got.ok and got.get("StandardsSubscriptions")
        else f"arn:aws:securityhub:us-east-1:{t.acct}:subscription/aws-foundational-security-best-practices/v/1.0.0"
    )
    t("securityhub.ListSecurityControlDefinitions", StandardsArn=t.made_fs)
    pages = t.client("securityhub").get_paginator("list_security_control_definitions")
    t.check(
        "securityhub.ListSecurityControlDefinitions",
        "IAM.6 in the catalogue",
        lambda: (
            "IAM.6"
            in pages.paginate(StandardsArn=t.made_fs).search("SecurityControlDefinitions[].SecurityControlId")
        ),
    )
    got = t("securityhub.BatchGetSecurityControls", SecurityControlIds=["IAM.6", "NOPE.1"])
    t.check(
        "securityhub.BatchGetSecurityControls",
        "known with status, unknown in UnprocessedIds",
        lambda: (
            (got.SecurityControls[0]["SecurityControlStatus"], got.UnprocessedIds[0]["SecurityControlId"])
            == ("ENABLED", "NOPE.1")
        ),
    )
    made = t(
        "securityhub.BatchUpdateStandardsControlAssociations",
        StandardsControlAssociationUpdates=[
            {
                "StandardsArn": t.made_fs,
                "SecurityControlId": "IAM.6",
                "AssociationStatus": "DISABLED",
                "UpdatedReason": "r",
            }
        ],
    )
    got = t(
        "securityhub.BatchGetStandardsControlAssociations",
        StandardsControlAssociationIds=[{"StandardsArn": t.made_fs, "SecurityControlId": "IAM.6"}],
    )
    t.check(
        "securityhub.BatchUpdateStandardsControlAssociations BatchGetStandardsControlAssociations",
        "disabled with reason",
        lambda: (
            (
                got.StandardsControlAssociationDetails[0]["AssociationStatus"],
                got.StandardsControlAssociationDetails[0]["UpdatedReason"],
            )
            == ("DISABLED", "r")
        ),
    )
    got = t("securityhub.ListStandardsControlAssociations", SecurityControlId="IAM.6")
    t.check(
        "securityhub.ListStandardsControlAssociations",
        "listed",
        lambda: (
            [
                one["AssociationStatus"]
                for one in got.StandardsControlAssociationSummaries
                if one["StandardsArn"] == t.made_fs
            ]
            == ["DISABLED"]
        ),
    )
    t(
        "securityhub.UpdateSecurityControl",
        SecurityControlId="IAM.7",
        Parameters={"MinimumPasswordLength": {"ValueType": "CUSTOM", "Value": {"Integer": 14}}},
    )
    got = t("securityhub.BatchGetSecurityControls", SecurityControlIds=["IAM.7"])
    t.check(
        "securityhub.UpdateSecurityControl",
        "parameter kept",
        lambda: got.SecurityControls[0]["Parameters"]["MinimumPasswordLength"]["Value"]["Integer"] == 14,
    )
    made = t(
        "securityhub.UpdateStandardsControl",
        StandardsControlArn=f"arn:aws:securityhub:us-east-1:{t.acct}:control/aws-foundational-security-best-practices/v/1.0.0/IAM.6",
        ControlStatus="DISABLED",
        DisabledReason="r",
    )
    pages = t.client("securityhub").get_paginator("describe_standards_controls")
    controls = [one for page in pages.paginate(StandardsSubscriptionArn=sub) for one in page["Controls"]]
    t.check(
        "securityhub.UpdateStandardsControl",
        "disabled with reason",
        lambda: (
            made.ok
            and [
                (one["ControlStatus"], one["DisabledReason"]) for one in controls if one["ControlId"] == "IAM.6"
            ]
            == [("DISABLED", "r")]
        ),
    )
    t("securityhub.BatchDisableStandards", StandardsSubscriptionArns=[sub])
    got = t("securityhub.GetEnabledStandards")
    t.check(
        "securityhub.BatchDisableStandards",
        "gone or DELETING",
        lambda: [one["StandardsStatus"] for one in got.StandardsSubscriptions] in ([], ["DELETING"]),
    )
    made = t("securityhub.CreateFindingAggregator", RegionLinkingMode="SPECIFIED_REGIONS", Regions=["eu-west-1"])
    t.made_fa = (
        made.get("FindingAggregatorArn") or f"arn:aws:securityhub:us-east-1:{t.acct}:finding-aggregator/12345678"
    )
    got = t("securityhub.GetFindingAggregator", FindingAggregatorArn=t.made_fa)
    t.check(
        "securityhub.CreateFindingAggregator GetFindingAggregator",
        "mode, regions, home",
        lambda: (
            (got.RegionLinkingMode, got.Regions, got.FindingAggregationRegion)
            == ("SPECIFIED_REGIONS", ["eu-west-1"], "us-east-1")
        ),
    )
    t("securityhub.EnableSecurityHub", region="eu-west-1")
    got = t("securityhub.ListFindingAggregators", region="eu-west-1")
    t.check(
        "securityhub.ListFindingAggregators",
        "seen from another Region",
        lambda: [one["FindingAggregatorArn"] for one in got.FindingAggregators] == [t.made_fa],
    )
    t("securityhub.UpdateFindingAggregator", FindingAggregatorArn=t.made_fa, RegionLinkingMode="ALL_REGIONS")
    got = t("securityhub.GetFindingAggregator", FindingAggregatorArn=t.made_fa)
    t.check(
        "securityhub.UpdateFindingAggregator",
        "replaced",
        lambda: got.RegionLinkingMode == "ALL_REGIONS" and (not got.get("Regions")),
    )


def organization(t: Trial) -> None:
    t("securityhub.EnableOrganizationAdminAccount", AdminAccountId=t.org_member)
    got = t("securityhub.ListOrganizationAdminAccounts")
    t.check(
        "securityhub.EnableOrganizationAdminAccount ListOrganizationAdminAccounts",
        "listed",
        lambda: [(one["AccountId"], one["Status"]) for one in got.AdminAccounts] == [(t.org_member, "ENABLED")],
    )
    t("securityhub.EnableSecurityHub", acct=t.org_member)
    t("securityhub.UpdateOrganizationConfiguration", acct=t.org_member, AutoEnable=True, AutoEnableStandards="NONE")
    got = t("securityhub.DescribeOrganizationConfiguration", acct=t.org_member)
    t.check(
        "securityhub.UpdateOrganizationConfiguration DescribeOrganizationConfiguration",
        "auto enable",
        lambda: (got.AutoEnable, got.AutoEnableStandards) == (True, "NONE"),
    )
    t("securityhub.CreateFindingAggregator", acct=t.org_member, RegionLinkingMode="ALL_REGIONS")
    t(
        "securityhub.UpdateOrganizationConfiguration",
        acct=t.org_member,
        AutoEnable=False,
        AutoEnableStandards="NONE",
        OrganizationConfiguration={"ConfigurationType": "CENTRAL"},
    )
    got = t("securityhub.DescribeOrganizationConfiguration", acct=t.org_member)
    t.check(
        "securityhub.UpdateOrganizationConfiguration",
        "CENTRAL",
        lambda: got.OrganizationConfiguration["ConfigurationType"] == "CENTRAL",
    )
    made = t(
        "securityhub.CreateConfigurationPolicy",
        acct=t.org_member,
        Name="p",
        ConfigurationPolicy={
            "SecurityHub": {
                "ServiceEnabled": True,
                "EnabledStandardIdentifiers": [t.made_fs],
                "SecurityControlsConfiguration": {"DisabledSecurityControlIdentifiers": []},
            }
        },
    )
    t.check("securityhub.CreateConfigurationPolicy", "id", lambda: made.Id)
    made = t(
        "securityhub.StartConfigurationPolicyAssociation",
        acct=t.org_member,
        ConfigurationPolicyIdentifier=made.get("Id") or "1" * 8,
        Target={"AccountId": t.acct},
    )
    got = t("securityhub.GetConfigurationPolicyAssociation", acct=t.org_member, Target={"AccountId": t.acct})
    t.check(
        "securityhub.StartConfigurationPolicyAssociation GetConfigurationPolicyAssociation",
        "associated",
        lambda: got.TargetId == t.acct,
    )
    t("securityhub.DisableOrganizationAdminAccount", AdminAccountId=t.org_member)
    got = t("securityhub.ListOrganizationAdminAccounts")
    t.check("securityhub.DisableOrganizationAdminAccount", "gone", lambda: got.AdminAccounts == [])
    t("securityhub.DeleteFindingAggregator", FindingAggregatorArn=t.made_fa)
    got = t("securityhub.ListFindingAggregators")
    t.check("securityhub.DeleteFindingAggregator", "gone", lambda: got.FindingAggregators == [])


def insights(t: Trial) -> None:
    fl = {"SeverityLabel": [{"Value": "CRITICAL", "Comparison": "EQUALS"}]}
    made = t("securityhub.CreateInsight", Name="i", GroupByAttribute="ResourceId", Filters=fl)
    ia = made.get("InsightArn") or f"arn:aws:securityhub:us-east-1:{t.acct}:insight/{t.acct}/custom/1"
    got = t("securityhub.GetInsights", InsightArns=[ia])
    t.check(
        "securityhub.CreateInsight GetInsights",
        "back",
        lambda: (got.Insights[0]["Name"], got.Insights[0]["Filters"]) == ("i", fl),
    )
    got = t("securityhub.GetInsights")
    t.check("securityhub.GetInsights", "lists all, managed ones too", lambda: len(got.Insights) > 1)
    t("securityhub.UpdateInsight", InsightArn=ia, Name="j")
    got = t("securityhub.GetInsights", InsightArns=[ia])
    t.check(
        "securityhub.UpdateInsight",
        "partial",
        lambda: (got.Insights[0]["Name"], got.Insights[0]["Filters"]) == ("j", fl),
    )
    t("securityhub.DeleteInsight", InsightArn=ia)
    t("securityhub.GetInsights", InsightArns=[ia], expect="ResourceNotFoundException")
    t.gone("securityhub.DeleteInsight", "securityhub.GetInsights")
    t("securityhub.DescribeSecurityHubV2", expect="ResourceNotFoundException")
    t("securityhub.EnableSecurityHubV2", Tags={"a": "b"})
    got = t("securityhub.DescribeSecurityHubV2")
    t.check("securityhub.EnableSecurityHubV2 DescribeSecurityHubV2", "ARN", lambda: "hubv2" in got.HubV2Arn)
    made = t("securityhub.CreateAggregatorV2", RegionLinkingMode="ALL_REGIONS")
    got = t("securityhub.ListAggregatorsV2")
    t.check("securityhub.CreateAggregatorV2 ListAggregatorsV2", "listed", lambda: len(got.AggregatorsV2) == 1)
    t("securityhub.DisableSecurityHubV2")
    t("securityhub.DescribeSecurityHubV2", expect="ResourceNotFoundException")
    t.gone("securityhub.DisableSecurityHubV2", "securityhub.DescribeSecurityHubV2")
    t("securityhub.DisableSecurityHub")
    t("securityhub.DescribeHub", expect=["InvalidAccessException", "ResourceNotFoundException"])
    t.gone("securityhub.DisableSecurityHub", "securityhub.DescribeHub")


SCENARIOS = [[hub, organization, insights]]
