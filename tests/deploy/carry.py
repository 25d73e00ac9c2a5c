"""A hub and a member account, made from the templates; what the member does is read from the hub's queue."""

import json
from typing import Any

import boto3

from deploy.stack import Stack

REGIONS = ["us-east-1", "eu-west-1"]
HUB_REGION = "eu-west-1"


def session(account: str, region: str) -> boto3.Session:
    """A session in an account of the emulator."""
    return boto3.Session(f"AKIA{account}TEST", "x", region_name=region)


def make(templates: dict[str, Any]) -> dict[str, str]:
    """Makes hub and member; the account of the environment is the hub."""
    here = boto3.Session(region_name=HUB_REGION)
    organizations = here.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    status = organizations.create_account(Email="m@example.com", AccountName="member")["CreateAccountStatus"]
    member = status["AccountId"]
    hub = Stack(here, templates["hub"], OrganizationId=organization)
    bus = hub.outputs["BusArn"]
    role = Stack(session(member, "us-east-1"), templates["member-role"], HubBusArn=bus, ExternalId="ours",
                 ControllerArn=controller(here))
    for region in REGIONS:
        Stack(session(member, region), templates["member-events"], HubBusArn=bus)
    trail(member)
    return {"member": member, **hub.outputs, **role.outputs}


def controller(here: boto3.Session) -> str:
    """The controller's own role, which trust policies name: AWS refuses one that is not there."""
    made = here.client("iam").create_role(RoleName="controller", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    return made["Role"]["Arn"]


def make_alone(templates: dict[str, Any]) -> dict[str, Any]:
    """Makes all of it in one account that is in no organization, with no external id; says who may take the role, what
    the controller may do, and the bus's policy, if it has one."""
    here = boto3.Session(region_name=HUB_REGION)
    own = here.client("sts").get_caller_identity()["Account"]
    hub = Stack(here, templates["hub"])
    iam = here.client("iam")
    role = Stack(here, templates["member-role"], HubBusArn=hub.outputs["BusArn"],
                 ControllerArn=controller(here))
    for region in REGIONS:
        Stack(session(own, region), templates["member-events"], HubBusArn=hub.outputs["BusArn"])
    trail(own)
    made = iam.get_role(RoleName=role.outputs["RoleArn"].rsplit("/", 1)[1])["Role"]
    policy = hub.outputs["ControllerPolicyArn"]
    version = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
    may = iam.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]["Document"]
    bus = here.client("events").describe_event_bus(Name="evenkeel")
    return {"member": own, "trust": made["AssumeRolePolicyDocument"], "role": made["Arn"],
            "may": may, "bus_policy": bus.get("Policy"), **hub.outputs}


def trail(account: str) -> None:
    """A trail that logs management events: without one, EventBridge has none."""
    there = session(account, "us-east-1")
    bucket = f"trail-{account}"
    s3 = there.client("s3")
    s3.create_bucket(Bucket=bucket)
    service = {"Service": "cloudtrail.amazonaws.com"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
        {"Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
         "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{account}/*",
         "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}}]}))
    cloudtrail = there.client("cloudtrail")
    cloudtrail.create_trail(Name="all", S3BucketName=bucket, IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="all")


def touch(member: str) -> None:
    """Calls that touch a kind, one that does not, one that is refused, and the controller's heartbeat."""
    session(member, "us-east-1").client("iam").update_account_password_policy(MinimumPasswordLength=8)
    ec2 = session(member, "eu-west-1").client("ec2")
    ec2.enable_ebs_encryption_by_default()
    ec2.create_key_pair(KeyName="of-no-kind")
    try:
        ec2.create_tags(DryRun=True, Resources=["vpc-00000000000000000"], Tags=[{"Key": "evenkeel-heartbeat", "Value": "m"}])
    except ec2.exceptions.ClientError as refused:
        if refused.response["Error"]["Code"] != "DryRunOperation":
            raise
    try:
        session(member, "us-east-1").client("iam").delete_role(RoleName="nobody")
    except Exception as refused:
        if "NoSuchEntity" not in str(refused):
            raise


def heard(url: str) -> list[str]:
    """The names of the calls that came to the hub's queue."""
    sqs = boto3.client("sqs", region_name=HUB_REGION)
    names = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            names.append(json.loads(message["Body"])["detail"]["eventName"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(names)
