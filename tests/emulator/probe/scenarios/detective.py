"""Detective."""

from emulator.probe.trial import Trial


def graph(t: Trial) -> None:
    got = t("detective.ListGraphs")
    t.check("detective.ListGraphs", "empty at first", lambda: got.GraphList == [])
    made = t("detective.CreateGraph", Tags={"a": "b"})
    ga = made.get("GraphArn") or f"arn:aws:detective:us-east-1:{t.acct}:graph:" + "a" * 32
    made = t("detective.CreateGraph")
    t.check("detective.CreateGraph", "idempotent", lambda: made.GraphArn == ga)
    got = t("detective.ListGraphs")
    t.check("detective.CreateGraph ListGraphs", "one", lambda: [one["Arn"] for one in got.GraphList] == [ga])
    t("detective.UpdateDatasourcePackages", GraphArn=ga, DatasourcePackages=["EKS_AUDIT"])
    got = t("detective.ListDatasourcePackages", GraphArn=ga)
    t.check(
        "detective.UpdateDatasourcePackages ListDatasourcePackages",
        "core and EKS_AUDIT started",
        lambda: (
            {k for k, v in got.DatasourcePackages.items() if v["DatasourcePackageIngestState"] == "STARTED"}
            == {"DETECTIVE_CORE", "EKS_AUDIT"}
        ),
    )
    got = t("detective.ListInvitations")
    t.check("detective.ListInvitations", "none at first", lambda: got.Invitations == [])
    t.plant("detective:invitations", {"AdministratorId": t.member, "GraphArn": ga})
    got = t("detective.ListInvitations")
    t.check(
        "detective.ListInvitations",
        "whose it is",
        lambda: [(one["AdministratorId"], one["Status"]) for one in got.Invitations] == [(t.member, "INVITED")],
    )
    got = t("detective.ListTagsForResource", ResourceArn=ga)
    t.check("detective.ListTagsForResource", "tags", lambda: got.Tags == {"a": "b"})
    t("detective.TagResource", ResourceArn=ga, Tags={"k": "v"})
    got = t("detective.ListTagsForResource", ResourceArn=ga)
    t.check("detective.TagResource", "kept", lambda: got.Tags.get("k") == "v")
    t("detective.UntagResource", ResourceArn=ga, TagKeys=["k"])
    got = t("detective.ListTagsForResource", ResourceArn=ga)
    t.check("detective.UntagResource", "gone", lambda: "k" not in got.Tags)
    t("detective.EnableOrganizationAdminAccount", AccountId=t.org_member)
    got = t("detective.ListOrganizationAdminAccounts")
    t.check(
        "detective.EnableOrganizationAdminAccount ListOrganizationAdminAccounts",
        "listed",
        lambda: [one["AccountId"] for one in got.Administrators] == [t.org_member],
    )
    theirs = t("detective.CreateGraph", acct=t.org_member).get("GraphArn") or ga
    t("detective.UpdateOrganizationConfiguration", acct=t.org_member, GraphArn=theirs, AutoEnable=True)
    got = t("detective.DescribeOrganizationConfiguration", acct=t.org_member, GraphArn=theirs)
    t.check(
        "detective.UpdateOrganizationConfiguration DescribeOrganizationConfiguration",
        "true",
        lambda: got.AutoEnable is True,
    )
    t("detective.DisableOrganizationAdminAccount")
    got = t("detective.ListOrganizationAdminAccounts")
    t.check("detective.DisableOrganizationAdminAccount", "none", lambda: got.ok and not got.get("Administrators"))
    t("detective.DeleteGraph", GraphArn=ga)
    got = t("detective.ListGraphs")
    t.check("detective.DeleteGraph", "gone", lambda: got.GraphList == [])


SCENARIOS = [[graph]]
