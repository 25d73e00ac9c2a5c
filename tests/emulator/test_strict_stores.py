"""What DynamoDB, Kinesis, Firehose, ECR, Lambda, API Gateway and CloudFront refuse."""

import copy
import io
import json
import unittest
import zipfile
from typing import Any

from emulator.testing import AccountTest

MANY = [str(number) for number in range(51)]
NO_KEY = "11111111-2222-3333-4444-555555555555"


def zipped() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("h.py", "def h(*_): pass")
    return written.getvalue()


class Refusing(AccountTest):
    def refused(self, call: Any, of: dict[str, Any], *cases: tuple[str, dict[str, Any]]) -> None:
        """The call fails with each code when these members, None for one that is left out, are changed."""
        for code, changes in cases:
            with self.subTest(changes=changes):
                self.fails(code, call, **{name: item for name, item in (of | changes).items() if item is not None})

    def trusted(self, name: str, service: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])


class Tables(Refusing):
    def test_a_new_table(self) -> None:
        table = {
            "TableName": "table",
            "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        invalid = [
            {"KeySchema": [{"AttributeName": "a", "KeyType": "RANGE"}]},
            {"KeySchema": table["KeySchema"] * 2},
            {"SSESpecification": {"Enabled": True, "SSEType": "AES256"}},
            {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": NO_KEY}},
            {"SSESpecification": {"Enabled": False, "KMSMasterKeyId": "alias/aws/dynamodb"}},
            {"StreamSpecification": {"StreamEnabled": True}},
            {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
            {"ResourcePolicy": "none"},
            {"Tags": [{"Key": "a", "Value": "b"}] * 2},
            {"Tags": [{"Key": "aws:a", "Value": "b"}]},
        ]
        dynamo = self.client("dynamodb")
        self.refused(dynamo.create_table, table, *(("ValidationException", one) for one in invalid))
        self.assertEqual(dynamo.list_tables()["TableNames"], [])
        arn = dynamo.create_table(**table)["TableDescription"]["TableArn"]
        many = [{"Key": name, "Value": ""} for name in MANY]
        dynamo.tag_resource(ResourceArn=arn, Tags=many[:50])
        self.fails("ValidationException", dynamo.tag_resource, ResourceArn=arn, Tags=many[50:])
        self.fails("ResourceNotFoundException", dynamo.tag_resource, ResourceArn=arn + "s", Tags=many[:1])


class Streams(Refusing):
    def test_streams(self) -> None:
        kinesis = self.client("kinesis")
        self.refused(
            kinesis.create_stream,
            {"StreamName": "one"},
            ("InvalidArgumentException", {}),
            ("InvalidArgumentException", {"ShardCount": 1, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
            ("InvalidArgumentException", {"ShardCount": 1, "Tags": {"aws:a": "b"}}),
            ("LimitExceededException", {"ShardCount": 20001}),
        )
        for name in ("two", "one", "six"):
            kinesis.create_stream(StreamName=name, ShardCount=1)
        kinesis.create_stream(StreamName="any", StreamModeDetails={"StreamMode": "ON_DEMAND"})
        self.assertEqual(kinesis.list_streams()["StreamNames"], ["any", "one", "six", "two"])
        self.assertEqual(kinesis.list_streams(ExclusiveStartStreamName="pig")["StreamNames"], ["six", "two"])
        first = kinesis.list_streams(Limit=3)
        self.assertEqual((first["HasMoreStreams"], len(first["StreamSummaries"])), (True, 3))
        rest = kinesis.list_streams(Limit=3, NextToken=first["NextToken"])
        self.assertEqual((rest["StreamNames"], rest["HasMoreStreams"]), (["two"], False))
        self.fails("InvalidArgumentException", kinesis.describe_stream_summary)
        self.fails("InvalidArgumentException", kinesis.add_tags_to_stream, StreamName="one", Tags=dict.fromkeys(MANY, ""))
        encrypt = {"StreamName": "one", "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
        self.refused(
            kinesis.start_stream_encryption,
            encrypt,
            ("InvalidArgumentException", {"EncryptionType": "NONE"}),
            ("KMSNotFoundException", {"KeyId": NO_KEY}),
        )
        arn = f"arn:aws:kinesis:us-east-1:{self.account}:stream/one"
        self.fails("ValidationException", kinesis.put_resource_policy, ResourceARN=arn, Policy="none")

    def test_delivery_streams(self) -> None:
        firehose = self.client("firehose")
        other, own = (self.trusted(name, f"{name}.amazonaws.com") for name in ("ec2", "firehose"))
        to = {"RoleARN": own, "BucketARN": "arn:aws:s3:::bucket"}
        stream = {"DeliveryStreamName": "one", "ExtendedS3DestinationConfiguration": to}
        self.refused(
            firehose.create_delivery_stream,
            stream,
            ("InvalidArgumentException", {"ExtendedS3DestinationConfiguration": to | {"RoleARN": other}}),
            ("InvalidArgumentException", {"ExtendedS3DestinationConfiguration": to | {"RoleARN": own + "s"}}),
            ("InvalidArgumentException", {"DeliveryStreamType": "KinesisStreamAsSource"}),
        )
        firehose.create_delivery_stream(**stream)


class Repositories(Refusing):
    def test_repositories(self) -> None:
        ecr = self.client("ecr")
        kms = {"encryptionType": "KMS", "kmsKey": f"arn:aws:kms:us-east-1:{self.account}:key/{NO_KEY}"}
        self.refused(
            ecr.create_repository,
            {"repositoryName": "one"},
            ("KmsException", {"encryptionConfiguration": kms}),
            ("InvalidParameterException", {"encryptionConfiguration": kms | {"encryptionType": "AES256"}}),
            ("InvalidTagParameterException", {"tags": [{"Key": "aws:a", "Value": "b"}]}),
            ("TooManyTagsException", {"tags": [{"Key": name, "Value": ""} for name in MANY]}),
            ("AccessDeniedException", {"registryId": "111122223333"}),
        )
        ecr.create_repository(repositoryName="one")
        self.fails("InvalidParameterException", ecr.describe_repositories, repositoryNames=["one"], maxResults=1)
        allow = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
        for wrong in (
            {"Action": "s3:GetObject"},
            {"Effect": "Perhaps"},
            {"Principal": {"AWS": f"arn:aws:iam::{self.account}:role/none"}},
        ):
            text = json.dumps({"Version": "2012-10-17", "Statement": [allow | wrong]})
            self.fails("InvalidParameterException", ecr.set_repository_policy, repositoryName="one", policyText=text)
        text = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        ecr.set_repository_policy(repositoryName="one", policyText=text)


class Functions(Refusing):
    def test_a_new_function(self) -> None:
        functions = self.client("lambda")
        role, other = self.trusted("lambda", "lambda.amazonaws.com"), self.trusted("ec2", "ec2.amazonaws.com")
        function = {
            "FunctionName": "one",
            "Runtime": "python3.12",
            "Handler": "h.h",
            "Role": role,
            "Code": {"ZipFile": zipped()},
        }
        invalid = [
            {"FunctionName": "x" * 65},
            {"Role": other},
            {"Runtime": None},
            {"Handler": None},
            {"Timeout": 901},
            {"MemorySize": 10241},
            {"Code": {}},
            {"Code": {"ZipFile": b"none"}},
            {"Environment": {"Variables": {"AWS_REGION": "x"}}},
            {"Environment": {"Variables": {"LONG": "x" * 4096}}},
            {"KMSKeyArn": f"arn:aws:kms:us-east-1:{self.account}:key/{NO_KEY}"},
            {"VpcConfig": {"SubnetIds": ["subnet-0123456789abcdef0"], "SecurityGroupIds": []}},
            {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": ["sg-0123456789abcdef0"]}},
            {"Tags": {"aws:a": "b"}},
        ]
        code = "InvalidParameterValueException"
        self.refused(functions.create_function, function, *((code, one) for one in invalid))
        functions.create_function(**function)
        self.fails(code, functions.update_function_configuration, FunctionName="one", Role=other)
        allow = {
            "FunctionName": "one",
            "StatementId": "s",
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
        }
        functions.add_permission(**allow)
        self.refused(
            functions.add_permission,
            allow | {"StatementId": "t"},
            ("ResourceConflictException", {"StatementId": "s"}),
            (code, {"Principal": "nobody"}),
            (code, {"Principal": f"arn:aws:iam::{self.account}:role/none"}),
            (code, {"FunctionUrlAuthType": "NONE"}),
            ("ResourceNotFoundException", {"FunctionName": "none"}),
        )
        policy = json.loads(functions.get_policy(FunctionName="one")["Policy"])
        self.assertEqual([one["Sid"] for one in policy["Statement"]], ["s"])


class Apis(Refusing):
    def test_apis(self) -> None:
        gateway = self.client("apigateway")
        invalid = [
            {"name": " "},
            {"endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}},
            {"minimumCompressionSize": -1},
            {"policy": "none"},
            {"cloneFrom": "none"},
            {"tags": {"aws:a": "b"}},
        ]
        self.refused(gateway.create_rest_api, {"name": "one"}, *(("BadRequestException", one) for one in invalid))
        self.assertEqual(gateway.get_rest_apis()["items"], [])
        made = gateway.create_rest_api(name="one")["id"]
        self.fails("NotFoundException", gateway.delete_rest_api, restApiId="none")
        self.fails("NotFoundException", gateway.create_stage, restApiId=made, stageName="s", deploymentId="none")


class Distributions(Refusing):
    def test_distributions(self) -> None:
        front = self.client("cloudfront")
        good = {
            "CallerReference": "r",
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "o",
                        "DomainName": "example.com",
                        "CustomOriginConfig": {
                            "HTTPPort": 80,
                            "HTTPSPort": 443,
                            "OriginProtocolPolicy": "https-only",
                        },
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "redirect-to-https",
                "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            },
        }
        certificate = f"arn:aws:acm:us-east-1:{self.account}:certificate/{NO_KEY}"
        secure = {"ACMCertificateArn": certificate, "SSLSupportMethod": "sni-only"}
        for code, *path, value in (
            ("InconsistentQuantities", "Origins", "Quantity", 2),
            ("InvalidArgument", "Comment", "x" * 129),
            ("InvalidDefaultRootObject", "DefaultRootObject", "/index.html"),
            ("InvalidArgument", "Origins", "Items", 0, "DomainName", "no domain"),
            ("InvalidOrigin", "Origins", "Items", 0, "CustomOriginConfig", None),
            ("InvalidArgument", "DefaultCacheBehavior", "CachePolicyId", None),
            ("NoSuchCachePolicy", "DefaultCacheBehavior", "CachePolicyId", "none"),
            ("NoSuchResponseHeadersPolicy", "DefaultCacheBehavior", "ResponseHeadersPolicyId", "none"),
            ("InvalidViewerCertificate", "ViewerCertificate", secure),
            ("InvalidViewerCertificate", "Aliases", {"Quantity": 1, "Items": ["a.example.com"]}),
            ("InvalidWebACLId", "WebACLId", f"arn:aws:wafv2:us-east-1:{self.account}:global/webacl/x/{NO_KEY}"),
        ):
            wrong: Any = copy.deepcopy(good)
            inner = wrong
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = value
            if value is None:
                del inner[path[-1]]
            with self.subTest(path=path):
                self.fails(code, front.create_distribution, DistributionConfig=wrong)
        made = front.create_distribution(DistributionConfig=good)
        one, first = {"Id": made["Distribution"]["Id"]}, made["ETag"]
        config = front.get_distribution_config(**one)["DistributionConfig"]
        update, other = front.update_distribution, config | {"CallerReference": "s"}
        self.fails("PreconditionFailed", update, **one, IfMatch="other", DistributionConfig=config)
        self.fails("IllegalUpdate", update, **one, IfMatch=first, DistributionConfig=other)
        second = update(**one, IfMatch=first, DistributionConfig=config)["ETag"]
        self.assertNotEqual(first, second)
        self.fails("PreconditionFailed", update, **one, IfMatch=first, DistributionConfig=config)
        self.fails("DistributionNotDisabled", front.delete_distribution, **one, IfMatch=second)
        third = update(**one, IfMatch=second, DistributionConfig=config | {"Enabled": False})["ETag"]
        front.delete_distribution(**one, IfMatch=third)


if __name__ == "__main__":
    unittest.main()
