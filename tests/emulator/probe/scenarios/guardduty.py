"""GuardDuty."""

from emulator.probe.trial import Trial


def detector(t: Trial) -> None:
    t.log_buckets("guardduty")
    made = t("guardduty.ListDetectors")
    t.check("guardduty.ListDetectors", "empty at first", lambda: made.DetectorIds == [])
    t("guardduty.GetDetector", DetectorId="a" * 32, expect="BadRequestException")
    feats = [
        {"Name": "S3_DATA_EVENTS", "Status": "ENABLED"},
        {"Name": "EKS_AUDIT_LOGS", "Status": "DISABLED"},
        {"Name": "EBS_MALWARE_PROTECTION", "Status": "ENABLED"},
        {"Name": "RDS_LOGIN_EVENTS", "Status": "ENABLED"},
        {"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"},
        {
            "Name": "RUNTIME_MONITORING",
            "Status": "ENABLED",
            "AdditionalConfiguration": [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}],
        },
    ]
    made = t(
        "guardduty.CreateDetector",
        Enable=True,
        FindingPublishingFrequency="FIFTEEN_MINUTES",
        Features=feats,
        Tags={"a": "b"},
    )
    t.made_d = made.get("DetectorId") or "a" * 32
    got = t("guardduty.GetDetector", DetectorId=t.made_d)
    t.check(
        "guardduty.CreateDetector GetDetector",
        "status, frequency, tags",
        lambda: (got.Status, got.FindingPublishingFrequency, got.Tags) == ("ENABLED", "FIFTEEN_MINUTES", {"a": "b"}),
    )

    def fm(one):
        return {f["Name"]: f["Status"] for f in one.Features}

    t.check(
        "guardduty.CreateDetector GetDetector",
        "six features with status",
        lambda: all((fm(got)[f["Name"]] == f["Status"] for f in feats)),
    )
    t.check(
        "guardduty.CreateDetector",
        "additional configuration",
        lambda: (
            [
                agent["Status"]
                for f in got.Features
                for agent in f.get("AdditionalConfiguration", [])
                if (f["Name"], agent["Name"]) == ("RUNTIME_MONITORING", "EC2_AGENT_MANAGEMENT")
            ]
            == ["ENABLED"]
        ),
    )
    t.check(
        "guardduty.GetDetector",
        "foundational features CLOUD_TRAIL, DNS_LOGS, FLOW_LOGS",
        lambda: {"CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"} <= set(fm(got)),
    )
    made = t("guardduty.ListDetectors")
    t.check("guardduty.ListDetectors", "one", lambda: made.DetectorIds == [t.made_d])
    t("guardduty.CreateDetector", Enable=True, expect="BadRequestException")
    t("guardduty.UpdateDetector", DetectorId=t.made_d, Features=[{"Name": "EKS_AUDIT_LOGS", "Status": "ENABLED"}])
    got = t("guardduty.GetDetector", DetectorId=t.made_d)
    t.check(
        "guardduty.UpdateDetector",
        "partial: others unchanged",
        lambda: (
            (fm(got)["EKS_AUDIT_LOGS"], fm(got)["S3_DATA_EVENTS"], got.FindingPublishingFrequency, got.Status)
            == ("ENABLED", "ENABLED", "FIFTEEN_MINUTES", "ENABLED")
        ),
    )
    t("guardduty.UpdateDetector", DetectorId=t.made_d, Enable=False, FindingPublishingFrequency="ONE_HOUR")
    got = t("guardduty.GetDetector", DetectorId=t.made_d)
    t.check(
        "guardduty.UpdateDetector",
        "suspend, frequency",
        lambda: (got.Status, got.FindingPublishingFrequency) == ("DISABLED", "ONE_HOUR"),
    )
    y2 = t("guardduty.CreateDetector", Enable=True, region="eu-west-1")
    t.made_d2 = y2.get("DetectorId") or "b" * 32
    got = t("guardduty.GetDetector", DetectorId=t.made_d2, region="eu-west-1")
    t.check(
        "guardduty.CreateDetector",
        "unlisted features are switched on by AWS",
        lambda: fm(got)["S3_DATA_EVENTS"] == "ENABLED",
    )
    arn = f"arn:aws:guardduty:us-east-1:{t.acct}:detector/{t.made_d}"
    t("guardduty.TagResource", ResourceArn=arn, Tags={"k": "v"})
    got = t("guardduty.ListTagsForResource", ResourceArn=arn)
    t.check("guardduty.TagResource ListTagsForResource", "kept", lambda: got.Tags == {"a": "b", "k": "v"})
    t("guardduty.UntagResource", ResourceArn=arn, TagKeys=["k"])
    got = t("guardduty.ListTagsForResource", ResourceArn=arn)
    t.check("guardduty.UntagResource", "gone", lambda: "k" not in got.Tags)
    got = t("guardduty.GetAdministratorAccount", DetectorId=t.made_d)
    t.check(
        "guardduty.GetAdministratorAccount", "none: no administrator", lambda: not got.get("Administrator") and got.ok
    )
    got = t("guardduty.GetMalwareScanSettings", DetectorId=t.made_d)
    t.check(
        "guardduty.GetMalwareScanSettings",
        "NO_RETENTION at first",
        lambda: got.EbsSnapshotPreservation == "NO_RETENTION",
    )
    t(
        "guardduty.UpdateMalwareScanSettings",
        DetectorId=t.made_d,
        EbsSnapshotPreservation="RETENTION_WITH_FINDING",
        ScanResourceCriteria={"Include": {"EC2_INSTANCE_TAG": {"MapEquals": [{"Key": "k", "Value": "v"}]}}},
    )
    got = t("guardduty.GetMalwareScanSettings", DetectorId=t.made_d)
    t.check(
        "guardduty.UpdateMalwareScanSettings",
        "back",
        lambda: (
            (
                got.EbsSnapshotPreservation,
                got.ScanResourceCriteria["Include"]["EC2_INSTANCE_TAG"]["MapEquals"][0]["Key"],
            )
            == ("RETENTION_WITH_FINDING", "k")
        ),
    )
    made = t(
        "guardduty.CreatePublishingDestination",
        DetectorId=t.made_d,
        DestinationType="S3",
        DestinationProperties={"DestinationArn": f"arn:aws:s3:::acme-log-1-{t.acct}/gd", "KmsKeyArn": t.key},
        Tags={"a": "b"},
    )
    pid = made.get("DestinationId") or "c" * 32
    got = t("guardduty.DescribePublishingDestination", DetectorId=t.made_d, DestinationId=pid)
    t.check(
        "guardduty.CreatePublishingDestination DescribePublishingDestination",
        "properties, PUBLISHING",
        lambda: (got.DestinationProperties["KmsKeyArn"], got.Status) == (t.key, "PUBLISHING"),
    )
    got = t("guardduty.ListPublishingDestinations", DetectorId=t.made_d)
    t.check(
        "guardduty.ListPublishingDestinations",
        "one",
        lambda: [one["DestinationId"] for one in got.Destinations] == [pid],
    )
    t(
        "guardduty.UpdatePublishingDestination",
        DetectorId=t.made_d,
        DestinationId=pid,
        DestinationProperties={"DestinationArn": f"arn:aws:s3:::acme-log-2-{t.acct}", "KmsKeyArn": t.key},
    )
    got = t("guardduty.DescribePublishingDestination", DetectorId=t.made_d, DestinationId=pid)
    t.check(
        "guardduty.UpdatePublishingDestination",
        "changed",
        lambda: got.DestinationProperties["DestinationArn"] == f"arn:aws:s3:::acme-log-2-{t.acct}",
    )
    t("guardduty.DeletePublishingDestination", DetectorId=t.made_d, DestinationId=pid)
    got = t("guardduty.ListPublishingDestinations", DetectorId=t.made_d)
    t.check("guardduty.DeletePublishingDestination", "gone", lambda: got.Destinations == [])


def filters_and_sets(t: Trial) -> None:
    made = t(
        "guardduty.CreateFilter",
        DetectorId=t.made_d,
        Name="flt",
        Action="ARCHIVE",
        FindingCriteria={"Criterion": {"severity": {"Gte": 4}}},
    )
    got = t("guardduty.GetFilter", DetectorId=t.made_d, FilterName="flt")
    t.check("guardduty.CreateFilter GetFilter", "back", lambda: (got.Action, got.Name) == ("ARCHIVE", "flt"))
    got = t("guardduty.ListFilters", DetectorId=t.made_d)
    t.check("guardduty.ListFilters", "listed", lambda: got.FilterNames == ["flt"])
    t("guardduty.UpdateFilter", DetectorId=t.made_d, FilterName="flt", Action="NOOP")
    got = t("guardduty.GetFilter", DetectorId=t.made_d, FilterName="flt")
    t.check("guardduty.UpdateFilter", "changed", lambda: got.Action == "NOOP")
    t("guardduty.DeleteFilter", DetectorId=t.made_d, FilterName="flt")
    t("guardduty.GetFilter", DetectorId=t.made_d, FilterName="flt", expect="BadRequestException")
    t.gone("guardduty.DeleteFilter", "guardduty.GetFilter")
    made = t(
        "guardduty.CreateIPSet",
        DetectorId=t.made_d,
        Name="ips",
        Format="TXT",
        Location="https://s3.amazonaws.com/b/ips.txt",
        Activate=True,
    )
    i = made.get("IpSetId") or "d" * 32
    got = t("guardduty.GetIPSet", DetectorId=t.made_d, IpSetId=i)
    t.check(
        "guardduty.CreateIPSet GetIPSet",
        "back",
        lambda: (got.Name, got.Location) == ("ips", "https://s3.amazonaws.com/b/ips.txt"),
    )
    got = t("guardduty.ListIPSets", DetectorId=t.made_d)
    t.check("guardduty.ListIPSets", "listed", lambda: got.IpSetIds == [i])
    t("guardduty.UpdateIPSet", DetectorId=t.made_d, IpSetId=i, Name="ips2", Activate=False)
    got = t("guardduty.GetIPSet", DetectorId=t.made_d, IpSetId=i)
    t.check("guardduty.UpdateIPSet", "changed", lambda: (got.Name, got.Status) == ("ips2", "INACTIVE"))
    made = t(
        "guardduty.CreateTrustedEntitySet",
        DetectorId=t.made_d,
        Name="te",
        Format="TXT",
        Location="https://s3.amazonaws.com/b/x.txt",
        Activate=True,
    )
    i = made.get("TrustedEntitySetId") or "e" * 32
    got = t("guardduty.GetTrustedEntitySet", DetectorId=t.made_d, TrustedEntitySetId=i)
    t.check("guardduty.CreateTrustedEntitySet GetTrustedEntitySet", "back", lambda: got.Name == "te")
    got = t("guardduty.ListTrustedEntitySets", DetectorId=t.made_d)
    t.check("guardduty.ListTrustedEntitySets", "listed", lambda: got.TrustedEntitySetIds == [i])


def members(t: Trial) -> None:
    made = t(
        "guardduty.CreateMembers",
        DetectorId=t.made_d,
        AccountDetails=[{"AccountId": t.org_member, "Email": "m@example.com"}],
    )
    got = t("guardduty.ListMembers", DetectorId=t.made_d, OnlyAssociated="false")
    t.check(
        "guardduty.CreateMembers ListMembers",
        "listed",
        lambda: [one["AccountId"] for one in got.Members] == [t.org_member],
    )
    made = t("guardduty.InviteMembers", DetectorId=t.made_d, AccountIds=[t.org_member])
    t.check("guardduty.InviteMembers", "none unprocessed", lambda: made.UnprocessedAccounts == [])
    dm = t("guardduty.CreateDetector", Enable=True, acct=t.org_member)
    dmid = dm.get("DetectorId") or "f" * 32
    invited = t("guardduty.ListInvitations", acct=t.org_member).get("Invitations") or [{"InvitationId": "1" * 32}]
    t.check("guardduty.ListInvitations", "of the administrator", lambda: invited[0]["AccountId"] == t.acct)
    t(
        "guardduty.AcceptAdministratorInvitation",
        acct=t.org_member,
        DetectorId=dmid,
        AdministratorId=t.acct,
        InvitationId=invited[0]["InvitationId"],
    )
    got = t("guardduty.GetAdministratorAccount", acct=t.org_member, DetectorId=dmid)
    t.check(
        "guardduty.AcceptAdministratorInvitation GetAdministratorAccount",
        "member sees its administrator",
        lambda: got.Administrator["AccountId"] == t.acct,
    )
    made = t(
        "guardduty.UpdateMemberDetectors",
        DetectorId=t.made_d,
        AccountIds=[t.org_member],
        Features=[{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}],
    )
    t.check("guardduty.UpdateMemberDetectors", "none unprocessed", lambda: made.UnprocessedAccounts == [])
    t("guardduty.EnableOrganizationAdminAccount", AdminAccountId=t.org_member)
    got = t("guardduty.ListOrganizationAdminAccounts")
    t.check(
        "guardduty.EnableOrganizationAdminAccount ListOrganizationAdminAccounts",
        "listed",
        lambda: (
            [(one["AdminAccountId"], one["AdminStatus"]) for one in got.AdminAccounts] == [(t.org_member, "ENABLED")]
        ),
    )
    got = t("guardduty.ListOrganizationAdminAccounts", region="eu-west-1")
    t.check(
        "guardduty.EnableOrganizationAdminAccount", "per Region: not in another one", lambda: got.AdminAccounts == []
    )
    o = t("organizations.ListDelegatedAdministrators", ServicePrincipal="guardduty.amazonaws.com")
    t.check(
        "guardduty.EnableOrganizationAdminAccount",
        "registers the delegated administrator with Organizations",
        lambda: [one["Id"] for one in o.DelegatedAdministrators] == [t.org_member],
    )
    dd, kw = (dmid, dict(acct=t.org_member))
    t(
        "guardduty.UpdateOrganizationConfiguration",
        DetectorId=dd,
        AutoEnableOrganizationMembers="ALL",
        Features=[{"Name": "S3_DATA_EVENTS", "AutoEnable": "ALL"}],
        **kw,
    )
    got = t("guardduty.DescribeOrganizationConfiguration", DetectorId=dd, **kw)
    t.check(
        "guardduty.UpdateOrganizationConfiguration DescribeOrganizationConfiguration",
        "mode and features",
        lambda: (
            (
                got.AutoEnableOrganizationMembers,
                [f["AutoEnable"] for f in got.Features if f["Name"] == "S3_DATA_EVENTS"],
            )
            == ("ALL", ["ALL"])
        ),
    )
    t("guardduty.DisableOrganizationAdminAccount", AdminAccountId=t.org_member)
    got = t("guardduty.ListOrganizationAdminAccounts")
    t.check("guardduty.DisableOrganizationAdminAccount", "gone", lambda: got.AdminAccounts == [])
    t("guardduty.DeleteDetector", DetectorId=t.made_d2, region="eu-west-1")
    got = t("guardduty.ListDetectors", region="eu-west-1")
    t.check("guardduty.DeleteDetector", "gone", lambda: got.DetectorIds == [])


SCENARIOS = [[detector, filters_and_sets, members]]
