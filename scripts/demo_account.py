"""The people in the demo: `mess` makes an untidy account, `break` is somebody who means well.

Usage: demo_account.py URL mess|break. Uses boto3 only, as anybody with the console would.
"""

import json
import sys

import boto3

REGION = "eu-west-1"


def client(url: str, service: str, region: str = REGION):
    return boto3.client(
        service, endpoint_url=url, region_name=region, aws_access_key_id="test", aws_secret_access_key="test"
    )


def default_group(url: str, region: str) -> tuple[str, str]:
    """The default VPC's default security group, and one of its subnets."""
    ec2 = client(url, "ec2", region)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    groups = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return groups["SecurityGroups"][0]["GroupId"], subnets["Subnets"][0]["SubnetId"]


def open_ssh(url: str, region: str) -> None:
    group, _ = default_group(url, region)
    client(url, "ec2", region).authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "just for a minute"}],
            }
        ],
    )


def mess(url: str) -> None:
    client(url, "iam").update_account_password_policy(MinimumPasswordLength=8)
    print("  a password policy of 8 characters")
    open_ssh(url, "us-east-1")
    group, subnet = default_group(url, "us-east-1")
    client(url, "ec2", "us-east-1").create_network_interface(
        SubnetId=subnet, Groups=[group], Description="old NAT instance"
    )
    print("  SSH from anywhere in the default security group of us-east-1, and something that uses it")
    kms = client(url, "kms")
    kms.create_key(Description="payments")
    kms.create_key(Description="token signing", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    print("  two KMS keys: one that never rotates, one that cannot")
    s3 = client(url, "s3")
    s3.create_bucket(Bucket="acme-website", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.delete_public_access_block(Bucket="acme-website")
    s3.put_bucket_policy(
        Bucket="acme-website",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "s3:GetObject",
                        "Resource": "arn:aws:s3:::acme-website/*",
                    }
                ],
            }
        ),
    )
    print("  a public bucket, and no public access block")
    print("  no CloudTrail trail, no AWS Config recorder, no default EBS encryption")


def somebody(url: str) -> None:
    open_ssh(url, REGION)
    print("  they opened SSH to the world in eu-west-1")
    trail = client(url, "cloudtrail")
    name = trail.describe_trails()["trailList"][0]["Name"]
    trail.stop_logging(Name=name)
    print(f"  and stopped the trail {name}")


if __name__ == "__main__":
    {"mess": mess, "break": somebody}[sys.argv[2]](sys.argv[1])
