"""Tags that no service takes, when something is made and when it is tagged."""

import json
import unittest

from emulator.missing.reserved_tags import CODES
from emulator.testing import AccountTest

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
DOCUMENT = json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream"})
VISIBILITY = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
ACL = {"Name": "w", "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": VISIBILITY}
POLICY = {"StatelessDefaultActions": ["aws:pass"], "StatelessFragmentDefaultActions": ["aws:drop"]}
SCAN = {
    "scanName": "a",
    "securityLevel": "LEVEL_1",
    "schedule": {"oneTime": {}},
    "targets": {"accountIds": ["SELF"], "targetResourceTags": {"a": ["b"]}},
}
DATABASE = {
    "DBInstanceIdentifier": "d",
    "DBInstanceClass": "db.t3.micro",
    "Engine": "postgres",
    "MasterUsername": "abc",
    "MasterUserPassword": "abcdefghij",
    "AllocatedStorage": 20,
}
CLUSTER = {"ClusterIdentifier": "c", "NodeType": "ra3.large", "MasterUsername": "abc", "MasterUserPassword": "Abcdefgh1"}
JOB = {"clientToken": "x", "jobType": "ONE_TIME", "name": "n", "s3JobDefinition": {"bucketDefinitions": []}}
FUNCTION = {"FunctionName": "f", "Role": "arn:aws:iam::ACCOUNT:role/r", "Runtime": "python3.12", "Handler": "a.b"}
LISTENER = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
GROUP = {"ReplicationGroupId": "g", "ReplicationGroupDescription": "x"}
PROTECTION = {"Name": "x", "ResourceArn": "arn:aws:ec2:us-east-1:ACCOUNT:eip-allocation/x"}
PATTERN = json.dumps({"source": ["a"]})
AGGREGATOR = {
    "ConfigurationAggregatorName": "a",
    "AccountAggregationSources": [{"AccountIds": ["111122223333"], "AllAwsRegions": True}],
}
# By service: an operation, what it needs besides, and the member with the tags; a dict for tags that are a map.
CALLS = (
    ("accessanalyzer", "create_analyzer", {"analyzerName": "a", "type": "ACCOUNT"}, "tags", {}),
    ("backup", "create_backup_vault", {"BackupVaultName": "vault"}, "BackupVaultTags", {}),
    ("backup", "tag_resource", {"ResourceArn": "arn:aws:backup:us-east-1:ACCOUNT:backup-vault:vault"}, "Tags", {}),
    ("cloudtrail", "create_trail", {"Name": "trail", "S3BucketName": "none-such"}, "TagsList", []),
    ("cloudtrail", "add_tags", {"ResourceId": "arn:aws:cloudtrail:us-east-1:ACCOUNT:trail/none"}, "TagsList", []),
    ("config", "put_configuration_aggregator", AGGREGATOR, "Tags", []),
    ("efs", "create_file_system", {"CreationToken": "x"}, "Tags", []),
    ("elasticache", "create_replication_group", GROUP, "Tags", []),
    ("elb", "create_load_balancer", {"LoadBalancerName": "l", "Listeners": [LISTENER]}, "Tags", []),
    ("elbv2", "create_load_balancer", {"Name": "l"}, "Tags", []),
    ("events", "put_rule", {"Name": "r", "EventPattern": PATTERN}, "Tags", []),
    ("events", "create_event_bus", {"Name": "b"}, "Tags", []),
    ("events", "tag_resource", {"ResourceARN": "arn:aws:events:us-east-1:ACCOUNT:rule/r"}, "Tags", []),
    ("iam", "create_user", {"UserName": "u"}, "Tags", []),
    ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}, "Tags", []),
    ("iam", "create_instance_profile", {"InstanceProfileName": "i"}, "Tags", []),
    ("iam", "create_virtual_mfa_device", {"VirtualMFADeviceName": "m"}, "Tags", []),
    ("inspector2", "create_cis_scan_configuration", SCAN, "tags", {}),
    ("lambda", "create_function", FUNCTION | {"Code": {"ZipFile": b"x"}}, "Tags", {}),
    ("macie2", "create_classification_job", JOB, "tags", {}),
    ("network-firewall", "create_firewall_policy", {"FirewallPolicyName": "p", "FirewallPolicy": POLICY}, "Tags", []),
    ("opensearch", "create_domain", {"DomainName": "abc"}, "TagList", []),
    ("rds", "create_db_instance", DATABASE, "Tags", []),
    ("redshift", "create_cluster", CLUSTER, "Tags", []),
    ("shield", "create_protection", PROTECTION, "Tags", []),
    ("sqs", "create_queue", {"QueueName": "q"}, "tags", {}),
    ("ssm", "put_parameter", {"Name": "/a", "Type": "String", "Value": "x"}, "Tags", []),
    ("ssm", "create_document", {"Name": "abc", "Content": DOCUMENT, "DocumentType": "Session"}, "Tags", []),
    ("ssm", "create_patch_baseline", {"Name": "abc"}, "Tags", []),
    ("wafv2", "create_web_acl", ACL, "Tags", []),
)


class ReservedTags(AccountTest):
    def test_keys_of_aws_and_keys_that_are_there_twice(self) -> None:
        one, reserved = {"Key": "a", "Value": "b"}, {"Key": "aws:a", "Value": "b"}
        for service, operation, needed, member, kind in CALLS:
            own = json.loads(json.dumps(needed, default=bytes.decode).replace("ACCOUNT", self.account))
            call = getattr(self.client(service), operation)
            with self.subTest(service=service, operation=operation):
                if isinstance(kind, dict):
                    self.fails(CODES[service], call, **own, **{member: {"aws:a": "b"}})
                else:
                    self.fails(CODES[service], call, **own, **{member: [reserved]})
                    self.fails(CODES[service], call, **own, **{member: [one, one]})
        self.assertEqual({call[0] for call in CALLS} | {"ec2"}, set(CODES))

    def test_what_is_made_by_ec2(self) -> None:
        ec2 = self.client("ec2")
        for tags in ([{"Key": "aws:a", "Value": ""}], [{"Key": "a", "Value": ""}] * 2):
            of_vpc = [{"ResourceType": "vpc", "Tags": tags}]
            self.fails("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.0.0.0/16", TagSpecifications=of_vpc)
            [vpc] = ec2.describe_vpcs()["Vpcs"]
            self.fails("InvalidParameterValue", ec2.create_tags, Resources=[vpc["VpcId"]], Tags=tags)

    def test_keys_of_iam_that_differ_by_case(self) -> None:
        iam, twice = self.client("iam"), [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]
        self.fails("InvalidInput", iam.create_user, UserName="u", Tags=twice)
        self.fails("InvalidInput", iam.create_instance_profile, InstanceProfileName="i", Tags=twice)
        self.fails("InvalidInput", iam.create_virtual_mfa_device, VirtualMFADeviceName="m", Tags=twice)
        iam.create_user(UserName="u")
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        policy = {"PolicyArn": iam.create_policy(PolicyName="p", PolicyDocument=text)["Policy"]["Arn"]}
        metadata = "<EntityDescriptor></EntityDescriptor>" + " " * 1000
        made = iam.create_saml_provider(Name="s", SAMLMetadataDocument=metadata)
        saml = {"SAMLProviderArn": made["SAMLProviderArn"]}
        address = {"Url": "https://a.example.com", "ThumbprintList": ["a" * 40]}
        made = iam.create_open_id_connect_provider(**address)
        openid = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
        for name, what in (
            ("user", {"UserName": "u"}),
            ("role", {"RoleName": "r"}),
            ("policy", policy),
            ("saml_provider", saml),
            ("open_id_connect_provider", openid),
        ):
            tag, untag, listed = (getattr(iam, text.format(name)) for text in ("tag_{}", "untag_{}", "list_{}_tags"))
            with self.subTest(name):
                self.fails("InvalidInput", tag, **what, Tags=twice)
                tag(**what, Tags=[{"Key": "Team", "Value": "1"}, {"Key": "other", "Value": ""}])
                tag(**what, Tags=[{"Key": "team", "Value": "2"}])
                found = {one["Key"]: one["Value"] for one in listed(**what)["Tags"]}
                self.assertEqual(found, {"team": "2", "other": ""})
                untag(**what, TagKeys=["TEAM"])
                self.assertEqual([one["Key"] for one in listed(**what)["Tags"]], ["other"])


if __name__ == "__main__":
    unittest.main()
