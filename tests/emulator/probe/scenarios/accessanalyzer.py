"""Access Analyzer."""

from emulator.probe.trial import Trial


def accessanalyzer(t: Trial) -> None:
    listed = t("accessanalyzer.ListAnalyzers", type="ACCOUNT")
    t.check("accessanalyzer.ListAnalyzers", "empty at first", lambda: listed.analyzers == [])
    made = t(
        "accessanalyzer.CreateAnalyzer",
        analyzerName="ext",
        type="ACCOUNT",
        tags={"a": "b"},
        archiveRules=[{"ruleName": "r0", "filter": {"isPublic": {"eq": ["false"]}}}],
    )
    read = t("accessanalyzer.GetAnalyzer", analyzerName="ext")
    t.check(
        "accessanalyzer.CreateAnalyzer GetAnalyzer",
        "back, active, tags",
        lambda: (
            (read.analyzer["type"], read.analyzer["status"], read.analyzer["tags"]) == ("ACCOUNT", "ACTIVE", {"a": "b"})
        ),
    )
    listed = t("accessanalyzer.ListAnalyzers", type="ACCOUNT")
    t.check(
        "accessanalyzer.ListAnalyzers", "listed by type", lambda: [made["name"] for made in listed.analyzers] == ["ext"]
    )
    listed = t("accessanalyzer.ListArchiveRules", analyzerName="ext")
    t.check(
        "accessanalyzer.CreateAnalyzer ListArchiveRules",
        "rules at create",
        lambda: [made["ruleName"] for made in listed.archiveRules] == ["r0"],
    )
    t(
        "accessanalyzer.CreateAnalyzer",
        analyzerName="ext2",
        type="ACCOUNT",
        expect=["ServiceQuotaExceededException", "ConflictException"],
    )
    t(
        "accessanalyzer.CreateAnalyzer",
        analyzerName="unused",
        type="ACCOUNT_UNUSED_ACCESS",
        configuration={"unusedAccess": {"unusedAccessAge": 90}},
    )
    read = t("accessanalyzer.GetAnalyzer", analyzerName="unused")
    t.check(
        "accessanalyzer.CreateAnalyzer GetAnalyzer",
        "configuration",
        lambda: read.analyzer["configuration"]["unusedAccess"]["unusedAccessAge"] == 90,
    )
    t(
        "accessanalyzer.UpdateAnalyzer",
        analyzerName="unused",
        configuration={
            "unusedAccess": {"unusedAccessAge": 90, "analysisRule": {"exclusions": [{"resourceTags": [{"a": "b"}]}]}}
        },
    )
    read = t("accessanalyzer.GetAnalyzer", analyzerName="unused")
    t.check(
        "accessanalyzer.UpdateAnalyzer",
        "exclusions kept",
        lambda: (
            read.analyzer["configuration"]["unusedAccess"]["analysisRule"]["exclusions"][0]["resourceTags"]
            == [{"a": "b"}]
        ),
    )
    t(
        "accessanalyzer.CreateArchiveRule",
        analyzerName="ext",
        ruleName="r1",
        filter={"resourceType": {"eq": ["AWS::S3::Bucket"]}},
    )
    listed = t("accessanalyzer.ListArchiveRules", analyzerName="ext")
    t.check(
        "accessanalyzer.CreateArchiveRule", "listed", lambda: "r1" in [made["ruleName"] for made in listed.archiveRules]
    )
    t(
        "accessanalyzer.UpdateArchiveRule",
        analyzerName="ext",
        ruleName="r1",
        filter={"resourceType": {"eq": ["AWS::IAM::Role"]}},
    )
    listed = t("accessanalyzer.ListArchiveRules", analyzerName="ext")
    t.check(
        "accessanalyzer.UpdateArchiveRule",
        "changed",
        lambda: (
            [made["filter"]["resourceType"]["eq"] for made in listed.archiveRules if made["ruleName"] == "r1"]
            == [["AWS::IAM::Role"]]
        ),
    )
    arn = (made.get("arn") if made.ok else None) or f"arn:aws:access-analyzer:us-east-1:{t.acct}:analyzer/ext"
    kinds = {"role": "AWS::IAM::Role", "bucket": "AWS::S3::Bucket"}
    t.plant("accessanalyzer:findings", *({"id": one, "resourceType": kind} for one, kind in kinds.items()))
    t("accessanalyzer.ApplyArchiveRule", analyzerArn=arn, ruleName="r1")
    listed = t("accessanalyzer.ListFindingsV2", analyzerArn=arn)
    t.check(
        "accessanalyzer.ApplyArchiveRule ListFindingsV2",
        "archives what fits",
        lambda: {one["id"]: one["status"] for one in listed.findings} == {"role": "ARCHIVED", "bucket": "ACTIVE"},
    )
    t("accessanalyzer.DeleteArchiveRule", analyzerName="ext", ruleName="r1")
    listed = t("accessanalyzer.ListArchiveRules", analyzerName="ext")
    t.check(
        "accessanalyzer.DeleteArchiveRule",
        "gone",
        lambda: "r1" not in [made["ruleName"] for made in listed.archiveRules],
    )
    t("accessanalyzer.TagResource", resourceArn=arn, tags={"k": "v"})
    read = t("accessanalyzer.GetAnalyzer", analyzerName="ext")
    t.check("accessanalyzer.TagResource", "kept", lambda: read.analyzer["tags"].get("k") == "v")
    t("accessanalyzer.UntagResource", resourceArn=arn, tagKeys=["k"])
    read = t("accessanalyzer.GetAnalyzer", analyzerName="ext")
    t.check("accessanalyzer.UntagResource", "gone", lambda: "k" not in read.analyzer["tags"])
    t("accessanalyzer.DeleteAnalyzer", analyzerName="ext")
    t("accessanalyzer.GetAnalyzer", analyzerName="ext", expect="ResourceNotFoundException")
    t.gone("accessanalyzer.DeleteAnalyzer", "accessanalyzer.GetAnalyzer")


SCENARIOS = [[accessanalyzer]]
