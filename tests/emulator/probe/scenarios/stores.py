"""Data stores and their encryption; tags across services."""

import json
from contextlib import suppress

from emulator.probe.trial import Trial


def stores(t: Trial) -> None:
    t(
        "rds.CreateDBInstance",
        DBInstanceIdentifier="db1",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="u",
        MasterUserPassword="password1",
        StorageEncrypted=True,
        PubliclyAccessible=False,
        MultiAZ=True,
    )
    got = t("rds.DescribeDBInstances")
    t.check(
        "rds.CreateDBInstance DescribeDBInstances",
        "encrypted, not public, multi-AZ, AutoMinorVersionUpgrade",
        lambda: (
            (
                lambda item: (
                    item["StorageEncrypted"],
                    item["PubliclyAccessible"],
                    item["MultiAZ"],
                    item["AutoMinorVersionUpgrade"],
                )
            )(got.DBInstances[0])
            == (True, False, True, True)
        ),
    )
    t(
        "rds.CreateDBCluster",
        DBClusterIdentifier="cl1",
        Engine="aurora-postgresql",
        MasterUsername="u",
        MasterUserPassword="password1",
        StorageEncrypted=True,
    )
    got = t("rds.DescribeDBClusters")
    t.check(
        "rds.CreateDBCluster DescribeDBClusters", "encrypted", lambda: got.DBClusters[0]["StorageEncrypted"] is True
    )
    t("rds.CreateDBSnapshot", DBSnapshotIdentifier="s1", DBInstanceIdentifier="db1")
    got = t("rds.DescribeDBSnapshots", SnapshotType="manual")
    t.check(
        "rds.CreateDBSnapshot DescribeDBSnapshots",
        "Encrypted",
        lambda: [item["Encrypted"] for item in got.DBSnapshots if item["DBSnapshotIdentifier"] == "s1"] == [True],
    )
    plain = {"DBInstanceIdentifier": "db2", "DBInstanceClass": "db.t3.micro", "Engine": "postgres"}
    plain |= {"MasterUsername": "u", "MasterUserPassword": "password1"}
    t.client("rds").create_db_instance(AllocatedStorage=20, **plain)
    t("rds.CreateDBSnapshot", DBSnapshotIdentifier="s2", DBInstanceIdentifier="db2")
    t("rds.ModifyDBSnapshotAttribute", DBSnapshotIdentifier="s2", AttributeName="restore", ValuesToAdd=["all"])
    got = t("rds.DescribeDBSnapshotAttributes", DBSnapshotIdentifier="s2")
    t.check(
        "rds.ModifyDBSnapshotAttribute DescribeDBSnapshotAttributes",
        "public",
        lambda: (
            [
                item["AttributeValues"]
                for item in got.DBSnapshotAttributesResult["DBSnapshotAttributes"]
                if item["AttributeName"] == "restore"
            ]
            == [["all"]]
        ),
    )
    cluster = {"DBClusterIdentifier": "cl", "Engine": "aurora-postgresql"}
    rds = t.client("rds")
    rds.create_db_cluster(**cluster, MasterUsername="u", MasterUserPassword="password1", StorageEncrypted=True)
    rds.create_db_cluster_snapshot(DBClusterIdentifier="cl", DBClusterSnapshotIdentifier="cs")
    got = t("rds.DescribeDBClusterSnapshots", DBClusterIdentifier="cl")
    t.check(
        "rds.DescribeDBClusterSnapshots",
        "encrypted",
        lambda: (
            [item["StorageEncrypted"] for item in got.DBClusterSnapshots if item["DBClusterSnapshotIdentifier"] == "cs"]
            == [True]
        ),
    )
    t("rds.CreateDBParameterGroup", DBParameterGroupName="pg", DBParameterGroupFamily="postgres16", Description="d")
    t(
        "rds.ModifyDBParameterGroup",
        DBParameterGroupName="pg",
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}],
    )
    got = t("rds.DescribeDBParameters", DBParameterGroupName="pg")
    t.check(
        "rds.CreateDBParameterGroup ModifyDBParameterGroup DescribeDBParameters",
        "rds.force_ssl",
        lambda: (
            [item["ParameterValue"] for item in got.Parameters if item["ParameterName"] == "rds.force_ssl"] == ["1"]
        ),
    )
    t("efs.CreateFileSystem", CreationToken="1", Encrypted=True)
    got = t("efs.DescribeFileSystems")
    t.check("efs.CreateFileSystem DescribeFileSystems", "encrypted", lambda: got.FileSystems[0]["Encrypted"] is True)
    t(
        "dynamodb.CreateTable",
        TableName="tbl",
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": t.key},
    )
    got = t("dynamodb.DescribeTable", TableName="tbl")
    t.check(
        "dynamodb.CreateTable DescribeTable",
        "SSEDescription with the key",
        lambda: got.Table["SSEDescription"]["KMSMasterKeyArn"] == t.key,
    )
    got = t("dynamodb.ListTables")
    t.check("dynamodb.ListTables", "listed", lambda: got.TableNames == ["tbl"])
    item = t("sqs.CreateQueue", QueueName="enc", Attributes={"KmsMasterKeyId": t.key})
    got = t("sqs.GetQueueAttributes", QueueUrl=item.get("QueueUrl") or f"{t.url}/{t.acct}/enc", AttributeNames=["All"])
    t.check("sqs.CreateQueue GetQueueAttributes", "key", lambda: got.Attributes["KmsMasterKeyId"] == t.key)
    item = t("sqs.CreateQueue", QueueName="plain")
    got = t(
        "sqs.GetQueueAttributes", QueueUrl=item.get("QueueUrl") or f"{t.url}/{t.acct}/plain", AttributeNames=["All"]
    )
    t.check(
        "sqs.CreateQueue GetQueueAttributes",
        "SqsManagedSseEnabled true by default",
        lambda: got.Attributes["SqsManagedSseEnabled"] == "true",
    )
    got = t("sqs.ListQueues")
    t.check("sqs.ListQueues", "listed", lambda: len(got.QueueUrls) >= 2)
    t(
        "redshift.CreateCluster",
        ClusterIdentifier="rs",
        NodeType="ra3.large",
        MasterUsername="u",
        MasterUserPassword="Password1",
        Encrypted=True,
    )
    got = t("redshift.DescribeClusters")
    t.check("redshift.CreateCluster DescribeClusters", "Encrypted", lambda: got.Clusters[0]["Encrypted"] is True)
    t(
        "opensearch.CreateDomain",
        DomainName="dom",
        EncryptionAtRestOptions={"Enabled": True, "KmsKeyId": t.key},
        NodeToNodeEncryptionOptions={"Enabled": True},
        DomainEndpointOptions={"EnforceHTTPS": True},
    )
    got = t("opensearch.DescribeDomain", DomainName="dom")
    t.check(
        "opensearch.CreateDomain DescribeDomain",
        "encryption, HTTPS",
        lambda: (
            (
                got.DomainStatus["EncryptionAtRestOptions"]["Enabled"],
                got.DomainStatus["DomainEndpointOptions"]["EnforceHTTPS"],
            )
            == (True, True)
        ),
    )
    got = t("opensearch.ListDomainNames")
    t.check("opensearch.ListDomainNames", "listed", lambda: [one["DomainName"] for one in got.DomainNames] == ["dom"])
    t(
        "elasticache.CreateReplicationGroup",
        ReplicationGroupId="rg",
        ReplicationGroupDescription="d",
        AtRestEncryptionEnabled=True,
        TransitEncryptionEnabled=True,
        Engine="redis",
        CacheNodeType="cache.t3.micro",
    )
    got = t("elasticache.DescribeReplicationGroups")
    t.check(
        "elasticache.CreateReplicationGroup DescribeReplicationGroups",
        "both encryptions",
        lambda: (
            (got.ReplicationGroups[0]["AtRestEncryptionEnabled"], got.ReplicationGroups[0]["TransitEncryptionEnabled"])
            == (True, True)
        ),
    )
    t("kinesis.CreateStream", StreamName="st", ShardCount=1)
    got = t("kinesis.DescribeStreamSummary", StreamName="st")
    t.check(
        "kinesis.CreateStream DescribeStreamSummary",
        "EncryptionType",
        lambda: got.StreamDescriptionSummary["EncryptionType"] in ("NONE", "KMS"),
    )
    got = t("kinesis.ListStreams")
    t.check("kinesis.ListStreams", "listed", lambda: got.StreamNames == ["st"])
    t("ecr.CreateRepository", repositoryName="repo")
    got = t("ecr.DescribeRepositories")
    t.check(
        "ecr.CreateRepository DescribeRepositories",
        "listed",
        lambda: [one["repositoryName"] for one in got.repositories] == ["repo"],
    )
    t("ecr.GetRepositoryPolicy", repositoryName="repo", expect="RepositoryPolicyNotFoundException")
    t(
        "ecr.SetRepositoryPolicy",
        repositoryName="repo",
        policyText=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Sid": "p", "Effect": "Allow", "Principal": "*", "Action": "ecr:GetDownloadUrlForLayer"}
                ],
            }
        ),
    )
    got = t("ecr.GetRepositoryPolicy", repositoryName="repo")
    t.check(
        "ecr.SetRepositoryPolicy GetRepositoryPolicy",
        "back",
        lambda: json.loads(got.policyText)["Statement"][0]["Sid"] == "p",
    )


def tags(t: Trial) -> None:
    B = t.log_buckets()
    arns = [
        f"arn:aws:s3:::{B}",
        f"arn:aws:sqs:us-east-1:{t.acct}:plain",
        f"arn:aws:dynamodb:us-east-1:{t.acct}:table/tbl",
        f"arn:aws:rds:us-east-1:{t.acct}:db:db1",
    ]
    with suppress(Exception):
        vol = t.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        arns.append(f"arn:aws:ec2:us-east-1:{t.acct}:volume/{vol}")
    with suppress(Exception):
        fs = t.client("efs").describe_file_systems()["FileSystems"][0]["FileSystemArn"]
        arns.append(fs)
    with suppress(Exception):
        sec = t.client("secretsmanager").create_secret(Name="s2", SecretString="x")["ARN"]
        arns.append(sec)
    for ar in arns:
        made = t("resourcegroupstaggingapi.TagResources", ResourceARNList=[ar], Tags={"DataClassification": "Private"})
        got = t(
            "resourcegroupstaggingapi.GetResources", TagFilters=[{"Key": "DataClassification", "Values": ["Private"]}]
        )
        t.check(
            "resourcegroupstaggingapi.TagResources GetResources",
            f"{ar.split(':')[2]}: tagged and found",
            lambda: (
                ar in [one["ResourceARN"] for one in got.ResourceTagMappingList]
                and (not made.get("FailedResourcesMap"))
            ),
        )
    made = t("resourcegroupstaggingapi.TagResources", ResourceARNList=["arn:aws:s3:::none-such"], Tags={"a": "b"})
    t.check(
        "resourcegroupstaggingapi.TagResources",
        "unknown resource in FailedResourcesMap",
        lambda: made.FailedResourcesMap,
    )
    got = t("resourcegroupstaggingapi.GetResources", ResourceTypeFilters=["s3"])
    t.check(
        "resourcegroupstaggingapi.GetResources",
        "filter s3",
        lambda: (
            got.ResourceTagMappingList and all((":s3:" in one["ResourceARN"] for one in got.ResourceTagMappingList))
        ),
    )
    got = t("resourcegroupstaggingapi.GetTagKeys")
    t.check("resourcegroupstaggingapi.GetTagKeys", "key", lambda: "DataClassification" in got.TagKeys)
    t("resourcegroupstaggingapi.UntagResources", ResourceARNList=arns[:1], TagKeys=["DataClassification"])
    got = t("resourcegroupstaggingapi.GetResources", TagFilters=[{"Key": "DataClassification", "Values": ["Private"]}])
    t.check(
        "resourcegroupstaggingapi.UntagResources",
        "gone",
        lambda: (
            arns[0] not in [one["ResourceARN"] for one in got.ResourceTagMappingList]
            and t.went("resourcegroupstaggingapi.UntagResources")
        ),
    )
    t("resourcegroupstaggingapi.GetComplianceSummary", expect="ConstraintViolationException")
    _tag_policy(t)
    got = t("resourcegroupstaggingapi.GetComplianceSummary", GroupBy=["TARGET_ID"])
    t.check(
        "resourcegroupstaggingapi.GetComplianceSummary",
        "counts what does not comply",
        lambda: [one["TargetId"] for one in got.SummaryList if one["NonCompliantResources"]] == [t.acct],
    )
    got = t("resourcegroupstaggingapi.ListRequiredTags")
    t.check(
        "resourcegroupstaggingapi.ListRequiredTags",
        "what the policy asks for",
        lambda: [(one["ResourceType"], one["ReportingTagKeys"]) for one in got.RequiredTags] == [("sqs:queue", ["Stage"])],
    )


def _tag_policy(t: Trial) -> None:
    """An organization whose tag policy the queue of the account does not meet."""
    organizations = t.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    organizations.enable_aws_service_access(ServicePrincipal="tagpolicies.tag.amazonaws.com")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="TAG_POLICY")
    node = {"tag_key": {"@@assign": "Stage"}, "tag_value": {"@@assign": ["prod"]}}
    node |= {"report_required_tag_for": {"@@assign": ["sqs:queue"]}}
    made = organizations.create_policy(
        Name="stages", Description="", Type="TAG_POLICY", Content=json.dumps({"tags": {"stage": node}})
    )
    organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=root)
    t.client("sqs").create_queue(QueueName="unstaged", tags={"Stage": "dev"})


SCENARIOS = [[stores, tags]]
