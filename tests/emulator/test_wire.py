"""Every request is recognised for what it is; the log tells it."""

import datetime
import gzip
import http.client
import json
import re
import struct
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import boto3
import botocore.session
from botocore.parsers import RpcV2CBORParser

from emulator import wire
from emulator.inside import environ_of
from emulator.testing import AccountTest, client, control, endpoint
from emulator.wire import AccountKeys, recognise

REST_SERVICES = ("s3", "s3control", "account", "accessanalyzer", "securityhub", "guardduty")
# Operations that cannot be told from another one on the wire, or whose input decides the host.
NOT_BY_WIRE = {("s3", "ListDirectoryBuckets"), ("s3", "WriteGetObjectResponse")}


def sample(shape: Any, name: str = "", depth: int = 0) -> Any:
    """The smallest input that the shape allows: required members only."""
    if shape.type_name == "structure":
        return {m: sample(shape.members[m], m, depth + 1) for m in shape.required_members} if depth < 6 else {}
    if shape.type_name == "list":
        return [sample(shape.member, name, depth + 1)] if depth < 6 else []
    if shape.type_name == "map":
        return {}
    if shape.type_name == "boolean":
        return True
    if shape.type_name in ("integer", "long", "float", "double"):
        return max(1, shape.metadata.get("min", 1))
    if shape.type_name == "timestamp":
        return "2026-01-01T00:00:00Z"
    if shape.type_name == "blob":
        return b"x"
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return {"Bucket": "some-bucket", "AccountId": "111122223333"}.get(name, "sample-name")


class Recognition(unittest.TestCase):
    def recognised(self, service: str, name: str, operation: Any, virtual_host: bool) -> None:
        params = sample(operation.input_shape) if operation.input_shape else {}
        environ, body = environ_of(operation, params, "AKIA111122223333TEST", "eu-west-1", virtual_host)
        call = recognise(environ, body, AccountKeys())
        self.assertEqual(
            (call.service, call.operation, call.region, call.account), (service, name, "eu-west-1", "111122223333")
        )

    def test_every_operation_of_the_rest_services(self) -> None:
        session = botocore.session.get_session()
        for service in REST_SERVICES:
            model = session.get_service_model(service)
            for name in model.operation_names:
                if (service, name) in NOT_BY_WIRE:
                    continue
                operation = model.operation_model(name)
                if operation.deprecated:
                    continue
                for virtual_host in (False, True) if service == "s3" else (False,):
                    with self.subTest(service=service, operation=name, virtual_host=virtual_host):
                        self.recognised(service, name, operation, virtual_host)


def rust_cbor(value: Any) -> bytes:
    """The value as the codec of aws-sdk-rust writes it: structures and lists of indefinite length."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, dict):
        return b"\xbf" + b"".join(rust_cbor(name) + rust_cbor(item) for name, item in value.items()) + b"\xff"
    if isinstance(value, list):
        return b"\x9f" + b"".join(map(rust_cbor, value)) + b"\xff"
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    return _head(3, len(value.encode())) + value.encode()


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes([major << 5 | size])
    return bytes([major << 5 | 24, size]) if size < 256 else bytes([major << 5 | 25]) + size.to_bytes(2, "big")


SERVICE = "GraniteServiceVersion20100801"


class Protocols(AccountTest):
    """The request tells its protocol, whatever botocore takes first for the service."""

    def cbor(self, operation: str, **params: Any) -> tuple[int, dict[str, str], Any]:
        """A request of aws-sdk-cloudwatch: status, headers and body of the answer."""
        return self.cbor_bytes(operation, rust_cbor(params))

    def cbor_bytes(self, operation: str, body: bytes, service: str = SERVICE, **more: str) -> Any:
        return self.sent(
            "monitoring",
            f"/service/{service}/operation/{operation}",
            body,
            more
            | {
                "smithy-protocol": "rpc-v2-cbor",
                "x-amzn-query-mode": "true",
                "accept": "application/cbor",
                "content-type": "application/cbor",
            },
        )

    def sent(self, signing: str, path: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Any:
        connection = http.client.HTTPConnection(endpoint().removeprefix("http://"))
        credential = f"AKIA{self.account}TEST/20260101/us-east-1/{signing}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
        connection.request(method, path, body, headers | {"Authorization": signed})
        answer = connection.getresponse()
        raw, named = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        if named.get("content-type") != "application/cbor":
            return answer.status, named, json.loads(raw)
        parser = RpcV2CBORParser()
        return answer.status, named, parser.parse_data_item(parser.get_peekable_stream_from_bytes(raw))

    def test_bodies_that_are_no_cbor_or_no_map(self) -> None:
        for body in (b"\x80", b"\xff\x00", b"\xa1", rust_cbor({"MaxRecords": "x"})):
            with self.subTest(body):
                status, _, told = self.cbor_bytes("DescribeAlarms", body)
                self.assertEqual((status, told["__type"]), (400, "SerializationException"))

    def test_text_for_a_list_and_json_that_is_none(self) -> None:
        headers = {"x-amz-target": "StarlingDoveService.DescribeConfigRules"}
        headers["content-type"] = "application/x-amz-json-1.1"
        for body in (b'{"ConfigRuleNames": "x"}', b'{"ConfigRuleNames": [5]}', b"[]", b"{", b'"x"'):
            with self.subTest(body):
                status, _, told = self.sent("config", "/", body, headers)
                self.assertEqual((status, told["__type"]), (400, "SerializationException"))
        self.assertEqual(self.sent("config", "/", b"", headers)[0], 200)

    def test_the_target_of_cloudtrail_with_and_without_its_name_space(self) -> None:
        for space in ("", "com.amazonaws.cloudtrail.v20131101."):
            headers = {"x-amz-target": f"{space}CloudTrail_20131101.DescribeTrails"}
            headers["content-type"] = "application/x-amz-json-1.1"
            self.assertEqual(self.sent("cloudtrail", "/", b"{}", headers)[0], 200)

    def test_another_service_in_the_path(self) -> None:
        self.assertEqual(self.cbor_bytes("DescribeAlarms", rust_cbor({}), "Nope")[0], 501)

    def test_a_compressed_body(self) -> None:
        data = rust_cbor({"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5}]})
        status, _, told = self.cbor_bytes("PutMetricData", gzip.compress(data), **{"content-encoding": "gzip"})
        self.assertEqual(status, 200, told)

    def test_cloudwatch_speaks_cbor(self) -> None:
        self.assertEqual(self.cbor("DescribeAlarms")[2], {"MetricAlarms": [], "CompositeAlarms": []})
        alarm = {
            "AlarmName": "Root user",
            "OKActions": [],
            "AlarmActions": [f"arn:aws:sns:us-east-1:{self.account}:alerts"],
            "ActionsEnabled": True,
            "MetricName": "RootAccountUsage",
            "Namespace": "CISBenchmark",
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 1.5,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Tags": [{"Key": "by", "Value": "evenkeel"}],
        }
        self.assertEqual(self.cbor("PutMetricAlarm", **alarm)[::2], (200, {}))
        status, headers, got = self.cbor("DescribeAlarms", AlarmNames=["Root user"])
        self.assertEqual((status, headers["smithy-protocol"]), (200, "rpc-v2-cbor"))
        there = got["MetricAlarms"][0]
        self.assertEqual({name: there.get(name) for name in alarm if name != "Tags"}, {k: alarm[k] for k in alarm if k != "Tags"})
        self.assertIsInstance(there["AlarmConfigurationUpdatedTimestamp"], datetime.datetime)
        self.assertEqual(there["AlarmArn"], f"arn:aws:cloudwatch:us-east-1:{self.account}:alarm:Root user")
        log = control("GET", f"calls?account={self.account}")
        self.assertEqual([entry["operation"] for entry in log], ["DescribeAlarms", "PutMetricAlarm", "DescribeAlarms"])
        self.assertEqual(log[2]["args"], {"AlarmNames": ["Root user"]})

    def test_errors_in_cbor(self) -> None:
        status, headers, got = self.cbor("SetAlarmState", AlarmName="none", StateValue="OK", StateReason="r")
        self.assertEqual((status, got["__type"]), (404, "ResourceNotFound"))
        self.assertEqual(headers["x-amzn-query-error"], "ResourceNotFound;Sender")
        self.assertTrue(got["message"])
        status, _, got = self.cbor("SetAlarmState", AlarmName="none", StateValue="FINE", StateReason="r")
        self.assertEqual((status, got["__type"]), (400, "ValidationException"))
        control("POST", "faults", {"service": "cloudwatch", "kind": "throttle", "account": self.account, "count": 1})
        status, headers, got = self.cbor("DescribeAlarms")
        self.assertEqual((status, got["__type"]), (400, "ThrottlingException"))
        control(
            "POST",
            "faults",
            {"service": "cloudwatch", "account": self.account, "kind": "replace", "find": "[]", "replace": '[{"AlarmName": "x"}]'},
        )
        self.assertEqual(self.cbor("DescribeAlarms")[2]["MetricAlarms"], [{"AlarmName": "x"}])

    def test_a_gap_in_cbor_is_a_gap(self) -> None:
        status, _, got = self.cbor("DescribeNothing")
        self.assertEqual((status, got["__type"]), (501, "EmulatorLacksOperation"))

    def test_boto3_speaks_cbor(self) -> None:
        cloudwatch, shield = self.client("cloudwatch"), self.client("shield")
        self.assertEqual(cloudwatch.describe_alarms()["MetricAlarms"], [])
        shield.create_subscription()
        self.assertEqual(shield.describe_subscription()["Subscription"]["AutoRenew"], "ENABLED")
        self.assertEqual(self.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"], [])

    def test_json_to_services_that_offer_cbor(self) -> None:
        for signing, target, key in (
            ("shield", "AWSShield_20160616.ListProtections", "Protections"),
            ("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources", "ResourceTagMappingList"),
            ("network-firewall", "NetworkFirewall_20201112.ListFirewalls", "Firewalls"),
        ):
            headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
            status, _, got = self.sent(signing, "/", b"{}", headers)
            self.assertEqual((status, got[key]), (200, []), target)

    def test_services_that_moto_lacks_are_a_gap(self) -> None:
        for signing, target, service in (
            ("fms", "AWSFMS_20180101.ListPolicies", "fms"),
            ("cloudcontrolapi", "CloudApiService.GetResource", "cloudcontrol"),
        ):
            headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.0"}
            body = b'{"TypeName": "AWS::EC2::Instance", "Identifier": "i"}'
            status, _, got = self.sent(signing, "/", body, headers)
            self.assertEqual((status, got["__type"]), (501, "EmulatorLacksOperation"), target)
            last = control("GET", f"calls?account={self.account}")[-1]
            self.assertEqual((last["service"], last["operation"]), (service, target.partition(".")[2]))
        # moto has it, with a package that is not installed.
        self.fails("EmulatorLacksOperation", self.client("xray").get_groups)
        usage = {"DetectorId": "d", "UsageStatisticType": "TOP_RESOURCES", "UsageCriteria": {}}
        error = self.fails("EmulatorLacksOperation", self.client("guardduty").get_usage_statistics, **usage)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 501)

    def test_services_that_sign_with_another_name(self) -> None:
        self.assertEqual(self.client("opensearch").list_domain_names()["DomainNames"], [])
        self.assertEqual(self.client("es").list_domain_names()["DomainNames"], [])
        self.client("efs").describe_file_systems()
        self.client("service-quotas").list_aws_default_service_quotas(ServiceCode="vpc")
        self.assertEqual(
            self.calls(),
            [
                "opensearch:ListDomainNames",
                "es:ListDomainNames",
                "efs:DescribeFileSystems",
                "service-quotas:ListAWSDefaultServiceQuotas",
            ],
        )


    def test_names_that_are_not_botocores_or_that_several_services_sign_with(self) -> None:
        asked = [
            ("emr", "ListClusters"),
            ("opensearchserverless", "ListCollections"),
            ("timestream-write", "ListDatabases"),
            ("pinpoint", "GetApps"),
            ("sesv2", "ListContactLists"),
            ("ses", "ListIdentities"),
            ("dynamodbstreams", "ListStreams"),
            ("dynamodb", "ListTables"),
            ("kinesisanalyticsv2", "ListApplications"),
            ("apigatewayv2", "GetApis"),
            ("servicecatalog-appregistry", "ListApplications"),
            ("lexv2-models", "ListBots"),
        ]
        for service, operation in asked:
            client = self.client(service)
            getattr(client, re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower())()
        self.assertEqual(self.calls(), [f"{service}:{operation}" for service, operation in asked])

    def test_whoever_is_recognised_is_bound(self) -> None:
        """A call that goes past the recogniser would also go past faults and policies."""
        deny = {"Effect": "Deny", "Action": "elasticmapreduce:*", "Resource": "*"}
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        control("POST", f"policy?account={self.account}", {"Version": "2012-10-17", "Statement": [allow, deny]})
        emr = self.client("emr")
        self.fails("AccessDeniedException", emr.list_clusters)
        control("DELETE", f"policy?account={self.account}")
        fault = {"service": "emr", "operation": "ListClusters", "account": self.account, "code": "InternalServerException"}
        control("POST", "faults", fault)
        self.fails("InternalServerException", emr.list_clusters)

    def test_a_gap_is_a_gap_whatever_moto_makes_of_it(self) -> None:
        gaps = {
            # moto needs a package that is not installed.
            "glue": ("get_databases", {}),
            "cognito-idp": ("list_user_pools", {"MaxResults": 5}),
            # moto has no such service, and takes one of them for S3.
            "mwaa": ("list_environments", {}),
            "s3outposts": ("list_endpoints", {}),
            # The name that it signs with is none of botocore's.
            "iot-data": ("list_retained_messages", {}),
        }
        for service, (operation, arguments) in gaps.items():
            with self.subTest(service=service):
                error = self.fails("EmulatorLacksOperation", getattr(self.client(service), operation), **arguments)
                self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 501)
        self.assertEqual([call.partition(":")[0] for call in self.calls()], list(gaps))
        status, _, got = self.sent("nobodys-name", "/", b"{}", {"x-amz-target": "X.Y"})
        self.assertEqual((status, got["__type"]), (501, "EmulatorLacksOperation"))


    def test_an_unsigned_call_of_nobodys_is_a_gap(self) -> None:
        connection = http.client.HTTPConnection(endpoint().removeprefix("http://"))
        # RegisterClient of the OIDC service of IAM Identity Center.
        body = b'{"clientName": "x", "clientType": "public"}'
        connection.request("POST", "/client/register", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 501)
        self.assertIn(b"EmulatorLacksOperation", answer.read())
        connection.close()


class OnTheWire(AccountTest):
    def test_the_log_names_service_operation_region_and_error(self) -> None:
        self.client("iam").get_account_summary()
        self.client("ec2", "eu-west-1").describe_vpcs()
        self.fails("NotFoundException", self.client("kms").describe_key, KeyId="alias/none")
        self.fails("404", self.client("s3").head_bucket, Bucket=f"nothing-{self.account}")
        log = control("GET", f"calls?account={self.account}")
        self.assertEqual(
            [(c["service"], c["operation"], c["region"], c["status"], c["error_code"]) for c in log],
            [
                ("iam", "GetAccountSummary", "us-east-1", 200, None),
                ("ec2", "DescribeVpcs", "eu-west-1", 200, None),
                ("kms", "DescribeKey", "us-east-1", 400, "NotFoundException"),
                ("s3", "HeadBucket", "us-east-1", 404, None),
            ],
        )
        self.assertEqual(log[2]["args"], {"KeyId": "alias/none"})
        control("DELETE", f"calls?account={self.account}")
        self.assertEqual(self.calls(), [])

    def test_an_assumed_role_is_in_its_own_account(self) -> None:
        other = "7" + self.account[1:]
        got = self.client("sts").assume_role(RoleArn=f"arn:aws:iam::{other}:role/auditor", RoleSessionName="session-1")
        keys = got["Credentials"]
        sts = boto3.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=endpoint(),
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        who = sts.get_caller_identity()
        self.assertEqual(who["Account"], other)
        self.assertEqual(who["Arn"], f"arn:aws:sts::{other}:assumed-role/auditor/session-1")
        self.assertEqual([c["operation"] for c in control("GET", f"calls?account={other}")], ["GetCallerIdentity"])

    def test_s3control_is_served_under_the_account_in_the_host_name(self) -> None:
        s3control = self.client("s3control")
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        block = dict.fromkeys(names, True)
        s3control.put_public_access_block(AccountId=self.account, PublicAccessBlockConfiguration=block)
        got = s3control.get_public_access_block(AccountId=self.account)
        self.assertEqual(got["PublicAccessBlockConfiguration"], block)
        self.assertEqual(self.calls(), ["s3control:PutPublicAccessBlock", "s3control:GetPublicAccessBlock"])

    def test_paths_as_other_clients_write_them(self) -> None:
        bucket = f"paths-{self.account}"
        self.client("s3").create_bucket(Bucket=bucket)
        control("DELETE", f"calls?account={self.account}")
        host = endpoint().removeprefix("http://")
        credential = f"AKIA{self.account}TEST/20260101/us-east-1/s3/aws4_request"
        cases = [
            ("GET", host, f"/{bucket}/?encryption", "GetBucketEncryption"),
            ("GET", host, f"/{bucket}?versioning&x-id=GetBucketVersioning", "GetBucketVersioning"),
            ("GET", f"{bucket}.{host}", "/?publicAccessBlock", "GetPublicAccessBlock"),
            ("GET", f"{bucket}.s3.us-east-1.amazonaws.com", "/?ownershipControls", "GetBucketOwnershipControls"),
            ("GET", host, "/?x-id=ListBuckets", "ListBuckets"),
            ("HEAD", f"{bucket}.{host}", "/", "HeadBucket"),
        ]
        connection = http.client.HTTPConnection(host)
        for method, name, path, operation in cases:
            authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
            connection.request(method, path, headers={"Host": name, "Authorization": authorization})
            answer = connection.getresponse()
            self.assertEqual((answer.status, operation), (200, operation), answer.read())
            answer.read()
        connection.close()
        self.assertEqual(self.calls(), [f"s3:{case[3]}" for case in cases])

    def test_many_clients_at_once(self) -> None:
        clients = [client("kms", str(690000000000 + number)) for number in range(4)]

        def work(kms: Any) -> int:
            for _ in range(10):
                kms.create_key()
            return len(kms.list_keys()["Keys"])

        with ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(work, clients)), [10] * 4)

    def test_many_first_calls_load_a_model_once(self) -> None:
        loads = []

        def load(service: str) -> None:
            loads.append(service)
            time.sleep(0.05)

        wire._is_known.cache_clear()
        with patch.object(wire, "get_service_model", load), ThreadPoolExecutor(8) as pool:
            self.assertTrue(all(pool.map(wire._exists, ["backup"] * 8)))
        self.assertEqual(loads, ["backup"])

    def test_one_connection_serves_many_calls(self) -> None:
        connection = http.client.HTTPConnection(endpoint().removeprefix("http://"))
        for _ in range(3):
            connection.request("GET", "/_evenkeel/health")
            self.assertEqual(connection.getresponse().read(), b'{"ok": true}')
            self.assertIsNotNone(connection.sock)
        connection.close()


if __name__ == "__main__":
    unittest.main()
