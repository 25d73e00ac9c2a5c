"""Systems Manager."""

import json
from contextlib import suppress

from emulator.probe.trial import Trial


def settings_and_documents(t: Trial) -> None:
    for sid, dflt, new in (
        ("/ssm/documents/console/public-sharing-permission", "Enable", "Disable"),
        (
            "/ssm/managed-instance/default-ec2-instance-management-role",
            "$None",
            "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole",
        ),
        ("/ssm/automation/customer-script-log-destination", "", "CloudWatch"),
    ):
        got = t("ssm.GetServiceSetting", SettingId=sid)
        t.check(
            "ssm.GetServiceSetting",
            f"default of {sid.split('/')[-1]}",
            lambda: (
                got.ServiceSetting["Status"] == "Default" and (not dflt or got.ServiceSetting["SettingValue"] == dflt)
            ),
        )
        t("ssm.UpdateServiceSetting", SettingId=sid, SettingValue=new)
        got = t("ssm.GetServiceSetting", SettingId=sid)
        t.check(
            "ssm.UpdateServiceSetting GetServiceSetting",
            f"{sid.split('/')[-1]} kept, Customized",
            lambda: (got.ServiceSetting["SettingValue"], got.ServiceSetting["Status"]) == (new, "Customized"),
        )
        t("ssm.ResetServiceSetting", SettingId=sid)
        got = t("ssm.GetServiceSetting", SettingId=sid)
        t.check("ssm.ResetServiceSetting", "Default again", lambda: got.ServiceSetting["Status"] == "Default")

    def doc(i):
        return json.dumps(
            {
                "schemaVersion": "1.0",
                "description": "d",
                "sessionType": "Standard_Stream",
                "inputs": {"s3BucketName": "b", "idleSessionTimeout": i},
            }
        )

    t("ssm.GetDocument", Name="SSM-SessionManagerRunShell", DocumentFormat="JSON", expect="InvalidDocument")
    made = t(
        "ssm.CreateDocument",
        Name="SSM-SessionManagerRunShell",
        Content=doc("15"),
        DocumentType="Session",
        DocumentFormat="JSON",
    )
    got = t("ssm.GetDocument", Name="SSM-SessionManagerRunShell", DocumentFormat="JSON")
    t.check(
        "ssm.CreateDocument GetDocument",
        "content, type",
        lambda: json.loads(got.Content)["inputs"]["idleSessionTimeout"] == "15" and got.DocumentType == "Session",
    )
    made = t(
        "ssm.UpdateDocument",
        Name="SSM-SessionManagerRunShell",
        Content=doc("20"),
        DocumentFormat="JSON",
        DocumentVersion="$LATEST",
    )
    got = t("ssm.GetDocument", Name="SSM-SessionManagerRunShell", DocumentFormat="JSON")
    t.check(
        "ssm.UpdateDocument",
        "default version unchanged",
        lambda: json.loads(got.Content)["inputs"]["idleSessionTimeout"] == "15",
    )
    t(
        "ssm.UpdateDocument",
        Name="SSM-SessionManagerRunShell",
        Content=doc("20"),
        DocumentFormat="JSON",
        DocumentVersion="$LATEST",
        expect="DuplicateDocumentContent",
    )
    ver = (made.get("DocumentDescription") or {}).get("DocumentVersion", "2")
    t("ssm.UpdateDocumentDefaultVersion", Name="SSM-SessionManagerRunShell", DocumentVersion=ver)
    got = t("ssm.GetDocument", Name="SSM-SessionManagerRunShell", DocumentFormat="JSON")
    t.check(
        "ssm.UpdateDocumentDefaultVersion",
        "now 20",
        lambda: json.loads(got.Content)["inputs"]["idleSessionTimeout"] == "20",
    )
    got = t("ssm.DescribeDocument", Name="SSM-SessionManagerRunShell")
    t.check(
        "ssm.DescribeDocument",
        "default and latest version",
        lambda: (got.Document["DefaultVersion"], got.Document["LatestVersion"]) == (ver, ver),
    )
    got = t("ssm.ListDocuments", Filters=[{"Key": "Owner", "Values": ["Self"]}])
    t.check(
        "ssm.ListDocuments",
        "own only",
        lambda: [item["Name"] for item in got.DocumentIdentifiers] == ["SSM-SessionManagerRunShell"],
    )
    cd = json.dumps(
        {
            "schemaVersion": "2.2",
            "description": "d",
            "mainSteps": [{"action": "aws:runShellScript", "name": "x", "inputs": {"runCommand": ["true"]}}],
        }
    )
    t("ssm.CreateDocument", Name="acme-cmd", Content=cd, DocumentType="Command", DocumentFormat="JSON")
    t("ssm.ModifyDocumentPermission", Name="acme-cmd", PermissionType="Share", AccountIdsToAdd=["all"])
    got = t("ssm.DescribeDocumentPermission", Name="acme-cmd", PermissionType="Share")
    t.check("ssm.ModifyDocumentPermission DescribeDocumentPermission", "public", lambda: got.AccountIds == ["all"])
    t("ssm.ModifyDocumentPermission", Name="acme-cmd", PermissionType="Share", AccountIdsToRemove=["all"])
    got = t("ssm.DescribeDocumentPermission", Name="acme-cmd", PermissionType="Share")
    t.check("ssm.ModifyDocumentPermission", "removed", lambda: got.AccountIds == [])
    t("ssm.DeleteDocument", Name="acme-cmd")
    t("ssm.DescribeDocument", Name="acme-cmd", expect="InvalidDocument")
    t.gone("ssm.DeleteDocument", "ssm.DescribeDocument")


def patch_baselines(t: Trial) -> None:
    got = t("ssm.GetDefaultPatchBaseline", OperatingSystem="AMAZON_LINUX_2")
    t.check(
        "ssm.GetDefaultPatchBaseline",
        "AWS default comes as ARN",
        lambda: got.BaselineId.startswith("arn:") and got.OperatingSystem == "AMAZON_LINUX_2",
    )
    dfl = got.get("BaselineId") or "arn:aws:ssm:us-east-1:075727635805:patchbaseline/pb-0be8c61cde3be63f3"
    ru = {
        "PatchRules": [
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]},
                "ComplianceLevel": "CRITICAL",
                "ApproveAfterDays": 7,
                "EnableNonSecurity": False,
            }
        ]
    }
    made = t(
        "ssm.CreatePatchBaseline",
        Name="base",
        OperatingSystem="AMAZON_LINUX_2",
        ApprovalRules=ru,
        ApprovedPatches=["a"],
        RejectedPatches=["b"],
        RejectedPatchesAction="BLOCK",
        Description="d",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    if not made.ok:
        made = t(
            "ssm.CreatePatchBaseline",
            Name="base",
            OperatingSystem="AMAZON_LINUX_2",
            ApprovalRules=ru,
            ApprovedPatches=["a"],
            RejectedPatches=["b"],
            RejectedPatchesAction="BLOCK",
            Description="d",
        )
    pb = made.get("BaselineId") or f"pb-{t.acct}34567"
    got = t("ssm.GetPatchBaseline", BaselineId=pb)
    t.check(
        "ssm.CreatePatchBaseline GetPatchBaseline",
        "rules, lists, action",
        lambda: (
            (
                got.ApprovalRules,
                got.ApprovedPatches,
                got.RejectedPatches,
                got.RejectedPatchesAction,
                got.OperatingSystem,
            )
            == (ru, ["a"], ["b"], "BLOCK", "AMAZON_LINUX_2")
        ),
    )
    got = t(
        "ssm.DescribePatchBaselines",
        Filters=[{"Key": "OWNER", "Values": ["Self"]}, {"Key": "NAME_PREFIX", "Values": ["base"]}],
    )
    t.check(
        "ssm.DescribePatchBaselines",
        "own by prefix",
        lambda: [item["BaselineName"] for item in got.BaselineIdentities] == ["base"],
    )
    got = t("ssm.DescribePatchBaselines", Filters=[{"Key": "OWNER", "Values": ["AWS"]}])
    t.check("ssm.DescribePatchBaselines", "predefined ones", lambda: len(got.BaselineIdentities) > 5)
    t("ssm.UpdatePatchBaseline", BaselineId=pb, Description="e")
    got = t("ssm.GetPatchBaseline", BaselineId=pb)
    t.check(
        "ssm.UpdatePatchBaseline",
        "without Replace omitted ones stay",
        lambda: (got.Description, got.ApprovedPatches) == ("e", ["a"]),
    )
    t("ssm.UpdatePatchBaseline", BaselineId=pb, Name="base", ApprovalRules=ru, Replace=True)
    got = t("ssm.GetPatchBaseline", BaselineId=pb)
    t.check("ssm.UpdatePatchBaseline", "Replace clears", lambda: not got.get("ApprovedPatches"))
    t("ssm.RegisterDefaultPatchBaseline", BaselineId=pb)
    got = t("ssm.GetDefaultPatchBaseline", OperatingSystem="AMAZON_LINUX_2")
    t.check("ssm.RegisterDefaultPatchBaseline", "default is ours, as id", lambda: got.BaselineId == pb)
    t("ssm.RegisterPatchBaselineForPatchGroup", BaselineId=pb, PatchGroup="prod")
    got = t("ssm.DescribePatchGroups")
    t.check(
        "ssm.RegisterPatchBaselineForPatchGroup DescribePatchGroups",
        "mapped",
        lambda: [item["PatchGroup"] for item in got.Mappings] == ["prod"],
    )
    with suppress(Exception):
        c2 = t.client("ssm")
        pb2 = c2.create_patch_baseline(Name="base2", OperatingSystem="AMAZON_LINUX_2")["BaselineId"]
        c2.register_patch_baseline_for_patch_group(BaselineId=pb2, PatchGroup="x2")
        t("ssm.DeletePatchBaseline", BaselineId=pb2, expect="ResourceInUseException")
        c2.deregister_patch_baseline_for_patch_group(BaselineId=pb2, PatchGroup="x2")
        c2.delete_patch_baseline(BaselineId=pb2)
    t("ssm.DeregisterPatchBaselineForPatchGroup", BaselineId=pb, PatchGroup="prod")
    got = t("ssm.DescribePatchGroups")
    t.check("ssm.DeregisterPatchBaselineForPatchGroup", "gone", lambda: got.Mappings == [])
    t("ssm.RegisterDefaultPatchBaseline", BaselineId=dfl)
    got = t("ssm.GetDefaultPatchBaseline", OperatingSystem="AMAZON_LINUX_2")
    t.check(
        "ssm.RegisterDefaultPatchBaseline",
        "back to the predefined one by ARN",
        lambda: got.BaselineId == dfl and t.went("ssm.RegisterDefaultPatchBaseline"),
    )
    got = t("ssm.ListTagsForResource", ResourceType="PatchBaseline", ResourceId=pb)
    t.check("ssm.ListTagsForResource", "tags at create", lambda: got.TagList == [{"Key": "a", "Value": "b"}])
    t("ssm.AddTagsToResource", ResourceType="PatchBaseline", ResourceId=pb, Tags=[{"Key": "k", "Value": "v"}])
    got = t("ssm.ListTagsForResource", ResourceType="PatchBaseline", ResourceId=pb)
    t.check("ssm.AddTagsToResource", "kept", lambda: {"Key": "k", "Value": "v"} in got.TagList)
    t("ssm.RemoveTagsFromResource", ResourceType="PatchBaseline", ResourceId=pb, TagKeys=["k"])
    got = t("ssm.ListTagsForResource", ResourceType="PatchBaseline", ResourceId=pb)
    t.check("ssm.RemoveTagsFromResource", "gone", lambda: "k" not in [item["Key"] for item in got.TagList])
    t("ssm.DeletePatchBaseline", BaselineId=pb)
    got = t("ssm.DescribePatchBaselines", Filters=[{"Key": "OWNER", "Values": ["Self"]}])
    t.check("ssm.DeletePatchBaseline", "gone", lambda: got.BaselineIdentities == [])
    ids = ["i-12345678", "i-87654321"]
    t.plant("ssm:instances", *({"InstanceId": one, "PingStatus": "Online"} for one in ids))
    got = t("ssm.DescribeInstanceInformation")
    t.check(
        "ssm.DescribeInstanceInformation",
        "listed",
        lambda: [one["InstanceId"] for one in got.InstanceInformationList] == ids,
    )
    state = {"PatchGroup": "", "BaselineId": "pb-0123456789abcdef0", "Operation": "Scan", "MissingCount": 2}
    state |= {"OperationStartTime": 0, "OperationEndTime": 0}
    t.plant("ssm:patch_states", *(state | {"InstanceId": one} for one in ids))
    got = t("ssm.DescribeInstancePatchStates", InstanceIds=ids[:1])
    t.check(
        "ssm.DescribeInstancePatchStates",
        "of the one",
        lambda: [(one["InstanceId"], one["MissingCount"]) for one in got.InstancePatchStates] == [(ids[0], 2)],
    )
    made = t(
        "ssm.PutComplianceItems",
        ResourceId=f"i-{t.acct}34567",
        ResourceType="ManagedInstance",
        ComplianceType="Patch",
        ExecutionSummary={"ExecutionTime": "2026-01-01T00:00:00Z"},
        Items=[{"Id": "1", "Severity": "CRITICAL", "Status": "NON_COMPLIANT"}],
    )
    got = t("ssm.ListComplianceSummaries")
    t.check(
        "ssm.PutComplianceItems ListComplianceSummaries",
        "one non-compliant",
        lambda: got.ComplianceSummaryItems[0]["NonCompliantSummary"]["NonCompliantCount"] == 1,
    )
    t("ssm.PutParameter", Name="/db/password", Value="x", Type="String")
    got = t("ssm.DescribeParameters")
    t.check(
        "ssm.PutParameter DescribeParameters",
        "name and type",
        lambda: [(item["Name"], item["Type"]) for item in got.Parameters] == [("/db/password", "String")],
    )


SCENARIOS = [[settings_and_documents], [patch_baselines]]
