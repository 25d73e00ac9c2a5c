"""What moto has but gets wrong in a member, a default or an error: IAM, EC2, S3, Secrets Manager."""

import json
import unittest
from typing import Any

from emulator.probe.material import LIST_BUCKETS, SAML, certificate
from emulator.testing import AccountTest, control


class Principals(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.iam = self.client("iam")
        self.iam.create_user(UserName="u")
        self.iam.create_group(GroupName="g")

    def test_a_group_is_deleted_when_it_is_empty(self) -> None:
        group = {"GroupName": "g"}
        steps: list[tuple[Any, Any, dict[str, str]]] = [
            (self.iam.add_user_to_group, self.iam.remove_user_from_group, {"UserName": "u"}),
            (
                self.iam.attach_group_policy,
                self.iam.detach_group_policy,
                {"PolicyArn": "arn:aws:iam::aws:policy/SecurityAudit"},
            ),
        ]
        for do, undo, more in steps:
            do(**group, **more)
            self.fails("DeleteConflict", self.iam.delete_group, **group)
            undo(**group, **more)
        self.iam.put_group_policy(**group, PolicyName="p", PolicyDocument=LIST_BUCKETS)
        self.fails("DeleteConflict", self.iam.delete_group, **group)
        self.iam.delete_group_policy(**group, PolicyName="p")
        self.iam.delete_group(**group)
        self.fails("NoSuchEntity", self.iam.delete_group, **group)

    def test_ten_policies_are_attached_and_no_more(self) -> None:
        for number in range(10):
            arn = self.iam.create_policy(PolicyName=f"p{number}", PolicyDocument=LIST_BUCKETS)["Policy"]["Arn"]
            self.iam.attach_user_policy(UserName="u", PolicyArn=arn)
        self.iam.attach_user_policy(UserName="u", PolicyArn=arn)
        more = {"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
        self.fails("LimitExceeded", self.iam.attach_user_policy, UserName="u", **more)
        self.fails("NoSuchEntity", self.iam.attach_group_policy, GroupName="g", PolicyArn=f"{arn}x")

    def test_credentials_for_a_single_service(self) -> None:
        create = self.iam.create_service_specific_credential
        wanted = {"UserName": "u", "ServiceName": "codecommit.amazonaws.com"}
        made = create(**wanted)["ServiceSpecificCredential"]
        self.assertEqual(made["ServiceUserName"], f"u-at-{self.account}")
        self.assertTrue(made["ServicePassword"])
        create(**wanted)
        self.fails("LimitExceeded", create, **wanted)
        self.fails("NotSupportedService", create, UserName="u", ServiceName="s3.amazonaws.com")
        self.fails("NoSuchEntity", create, UserName="none", ServiceName="codecommit.amazonaws.com")
        listed = self.iam.list_service_specific_credentials(UserName="u")["ServiceSpecificCredentials"]
        self.assertNotIn("ServicePassword", listed[0])
        named = {"UserName": "u", "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
        self.iam.update_service_specific_credential(**named, Status="Inactive")
        listed = self.iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
        self.assertEqual([one["Status"] for one in listed], ["Inactive", "Active"])
        self.iam.delete_service_specific_credential(**named)
        self.fails("NoSuchEntity", self.iam.delete_service_specific_credential, **named)

    def test_services_that_an_entity_may_use(self) -> None:
        self.iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=LIST_BUCKETS)
        control("POST", f"settling?account={self.account}&reads=1")
        arn = f"arn:aws:iam::{self.account}:user/u"
        job = self.iam.generate_service_last_accessed_details(Arn=arn)
        self.assertEqual(
            self.iam.get_service_last_accessed_details(**{"JobId": job["JobId"]})["JobStatus"], "IN_PROGRESS"
        )
        got = self.iam.get_service_last_accessed_details(JobId=job["JobId"])
        services = [(one["ServiceNamespace"], one["ServiceName"]) for one in got["ServicesLastAccessed"]]
        self.assertEqual((got["JobStatus"], services), ("COMPLETED", [("s3", "Amazon S3")]))
        self.fails("NoSuchEntity", self.iam.generate_service_last_accessed_details, Arn=f"{arn}x")

    def test_a_password_that_must_be_changed(self) -> None:
        self.iam.create_login_profile(UserName="u", Password="correct horse", PasswordResetRequired=True)
        self.assertTrue(self.iam.get_login_profile(UserName="u")["LoginProfile"]["PasswordResetRequired"])


class Providers(AccountTest):
    def test_a_saml_provider_is_changed_in_part(self) -> None:
        iam = self.client("iam")
        tags = [{"Key": "a", "Value": "b"}]
        made = iam.create_saml_provider(Name="idp", SAMLMetadataDocument=SAML, Tags=tags)
        arn = {"SAMLProviderArn": f"arn:aws:iam::{self.account}:saml-provider/idp"}
        self.assertEqual((made["SAMLProviderArn"], made["Tags"]), (arn["SAMLProviderArn"], tags))
        self.fails("EntityAlreadyExists", iam.create_saml_provider, Name="idp", SAMLMetadataDocument=SAML)
        self.fails("InvalidInput", iam.update_saml_provider, **arn, SAMLMetadataDocument="x" * 1000)
        for _ in range(2):
            iam.update_saml_provider(**arn, AssertionEncryptionMode="Allowed", AddPrivateKey="secret")
        self.fails("LimitExceeded", iam.update_saml_provider, **arn, AddPrivateKey="secret")
        got = iam.get_saml_provider(**arn)
        self.assertEqual((got["SAMLMetadataDocument"], got["AssertionEncryptionMode"]), (SAML, "Allowed"))
        self.assertEqual(got["ValidUntil"].year, 2099)
        self.assertEqual([set(key) for key in got["PrivateKeyList"]], [{"KeyId", "Timestamp"}] * 2)
        iam.update_saml_provider(**arn, RemovePrivateKey=got["PrivateKeyList"][0]["KeyId"])
        self.assertEqual(len(iam.get_saml_provider(**arn)["PrivateKeyList"]), 1)
        iam.untag_saml_provider(**arn, TagKeys=["a"])
        self.assertEqual(iam.list_saml_provider_tags(**arn)["Tags"], [])

    def test_clients_of_an_openid_provider(self) -> None:
        iam = self.client("iam")
        made = iam.create_open_id_connect_provider(Url="https://token.example.com", ClientIDList=["a"])
        arn = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
        for client in ("b", "b"):
            iam.add_client_id_to_open_id_connect_provider(**arn, ClientID=client)
        iam.remove_client_id_from_open_id_connect_provider(**arn, ClientID="a")
        got = iam.get_open_id_connect_provider(**arn)
        self.assertEqual((got["ClientIDList"], [len(one) for one in got["ThumbprintList"]]), (["b"], [40]))
        wrong = {"OpenIDConnectProviderArn": f"{arn['OpenIDConnectProviderArn']}x", "ClientID": "b"}
        self.fails("NoSuchEntity", iam.add_client_id_to_open_id_connect_provider, **wrong)

    def test_a_server_certificate_ends_when_it_says(self) -> None:
        iam, (body, key) = self.client("iam"), certificate()
        wanted = {"ServerCertificateName": "www", "CertificateBody": body, "PrivateKey": key}
        made = iam.upload_server_certificate(**wanted)["ServerCertificateMetadata"]
        listed = iam.list_server_certificates()["ServerCertificateMetadataList"][0]
        self.assertEqual(listed["Expiration"], made["Expiration"])
        self.assertLess((made["Expiration"] - made["UploadDate"]).days, 31)
        self.fails("EntityAlreadyExists", iam.upload_server_certificate, **wanted)


class Network(AccountTest):
    def test_default_subnets_are_those_of_the_default_vpc(self) -> None:
        ec2 = self.client("ec2")
        [default] = ec2.describe_vpcs()["Vpcs"]
        first = ec2.describe_subnets()["Subnets"]
        self.assertTrue(all(one["DefaultForAz"] and one["MapPublicIpOnLaunch"] for one in first))
        for one in first:
            ec2.delete_subnet(SubnetId=one["SubnetId"])
        other = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
        for vpc, block in ((other, "10.8.1.0/24"), (default["VpcId"], "172.31.0.0/20")):
            made = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone="us-east-1a")["Subnet"]
            self.assertEqual((made["DefaultForAz"], made["MapPublicIpOnLaunch"]), (False, False))
        again = ec2.create_default_subnet(AvailabilityZone="us-east-1a")["Subnet"]
        self.assertEqual((again["CidrBlock"], again["DefaultForAz"]), ("172.31.16.0/20", True))
        found = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
        self.assertEqual([one["SubnetId"] for one in found], [again["SubnetId"]])

    def test_a_default_vpc_has_a_gateway(self) -> None:
        ec2 = self.client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        gateway = ec2.describe_internet_gateways()["InternetGateways"][0]
        self.assertEqual(gateway["Attachments"], [{"State": "available", "VpcId": vpc}])
        routes = ec2.describe_route_tables()["RouteTables"][0]["Routes"]
        self.assertIn(
            ("0.0.0.0/0", gateway["InternetGatewayId"]), [(r["DestinationCidrBlock"], r["GatewayId"]) for r in routes]
        )
        for subnet in ec2.describe_subnets()["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        self.fails("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
        ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
        self.assertEqual(ec2.describe_internet_gateways()["InternetGateways"], [])
        ec2.delete_vpc(VpcId=vpc)

    def test_a_default_subnet_takes_the_first_free_block(self) -> None:
        ec2 = self.client("ec2")
        first = min(ec2.describe_subnets()["Subnets"], key=lambda one: one["CidrBlock"])
        ec2.delete_subnet(SubnetId=first["SubnetId"])
        made = ec2.create_default_subnet(AvailabilityZone=first["AvailabilityZone"])["Subnet"]
        self.assertEqual((made["CidrBlock"], made["DefaultForAz"]), (first["CidrBlock"], True))

    def test_flow_logs_that_are_there_are_told_one_by_one(self) -> None:
        ec2 = self.client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        wanted = {
            "ResourceIds": [vpc],
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::logs",
            "DestinationOptions": {"FileFormat": "parquet"},
        }
        self.client("s3").create_bucket(Bucket="logs")
        ec2.create_flow_logs(**wanted)
        again = ec2.create_flow_logs(**wanted)
        self.assertEqual(again["Unsuccessful"][0]["Error"]["Code"], "FlowLogAlreadyExists")
        options = ec2.describe_flow_logs()["FlowLogs"][0]["DestinationOptions"]
        self.assertEqual((options["FileFormat"], options["PerHourPartition"]), ("parquet", False))
        folder = ec2.create_flow_logs(**wanted | {"LogDestination": "arn:aws:s3:::logs/vpc"})
        self.assertEqual((len(folder["FlowLogIds"]), folder["Unsuccessful"]), (1, []), "a folder is another destination")


class Public(AccountTest):
    def test_conditions_narrow_or_do_not(self) -> None:
        s3, bucket = self.client("s3"), f"public-{self.account}"
        s3.create_bucket(Bucket=bucket)
        s3.delete_public_access_block(Bucket=bucket)
        for condition, public in (
            (None, True),
            ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
            ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, True),
            ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, False),
            ({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}, True),
            ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, True),
            ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ):
            statement = {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
            }
            if condition:
                statement["Condition"] = condition
            s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
            got = s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
            self.assertEqual(got, public, condition)


class Secrets(AccountTest):
    def test_a_secret_rotates_by_its_schedule(self) -> None:
        secrets = self.client("secretsmanager")
        secrets.create_secret(Name="db", SecretString="x")
        rotate = secrets.rotate_secret
        self.fails("InvalidRequestException", rotate, SecretId="db", RotationRules={"AutomaticallyAfterDays": 30})
        missing = {"RotationLambdaARN": f"arn:aws:lambda:us-east-1:{self.account}:function:none"}
        self.fails("ResourceNotFoundException", rotate, SecretId="db", **missing)
        self.fails("ResourceNotFoundException", rotate, SecretId="none", **missing)

    def test_a_public_policy_is_refused_where_that_is_asked_for(self) -> None:
        secrets = self.client("secretsmanager")
        secrets.create_secret(Name="db", SecretString="x")
        statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        wanted = {"SecretId": "db", "ResourcePolicy": policy}
        self.fails("PublicPolicyException", secrets.put_resource_policy, **wanted, BlockPublicPolicy=True)
        secrets.put_resource_policy(**wanted)
        self.fails("MalformedPolicyDocumentException", secrets.put_resource_policy, SecretId="db", ResourcePolicy="x")


if __name__ == "__main__":
    unittest.main()
