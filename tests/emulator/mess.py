"""Messy accounts: what an account looks like that nobody has looked after, the same one each time."""

import json
from typing import Any

from moto.moto_api._internal import mock_random

from emulator import copies
from emulator.inside import Inside

HOME, OTHER = "us-east-1", "eu-west-1"


# The accounts that are made by calls, all of it or the minimum: the others are copies of them.
PATTERNS = {False: "590184736201", True: "590184736202"}


def make(emulator: Any, account: str, minimal: bool = False) -> dict[str, Any]:
    """Makes the account messy and returns the names and ids of what was made.

    `minimal` leaves out what takes time or is of no use to most tests: the keys beyond one, the second VPC, the
    network interface, the role and the trail. An account that somebody used before gets the mess by calls, and so do
    the first of each sort, which the others are copies of.
    """
    # Ids come from moto's own generator: the same account gets the same ids in every run.
    if not copies.is_new(account):
        mock_random.seed(int(account))
        return _by_calls(emulator, account, minimal)
    state, made = _pattern(emulator, minimal)
    copies.put(state, PATTERNS[minimal], account)
    mock_random.seed(int(account))
    return json.loads(copies.renamed(made, PATTERNS[minimal], account))


def _pattern(emulator: Any, minimal: bool) -> tuple[bytes, bytes]:
    """A messy account that is made once, and the names and ids in it."""
    if minimal not in emulator.patterns:
        account = PATTERNS[minimal]
        mock_random.seed(int(account))
        made = json.dumps(_by_calls(emulator, account, minimal)).encode()
        emulator.patterns[minimal] = (copies.taken(account), made)
    return emulator.patterns[minimal]


def _by_calls(emulator: Any, account: str, minimal: bool) -> dict[str, Any]:
    inside = Inside(emulator, account)
    made: dict[str, Any] = {"account": account}
    _weak_passwords(inside)
    made["keys"] = _keys(inside, minimal)
    made["security_groups"] = _open_groups(inside)
    made["public_bucket"] = _public_bucket(inside)
    if not minimal:
        made["network_interface"] = _interface(inside, made["security_groups"][HOME])
        made["legacy_vpc"] = _legacy_vpc(inside)
        made["role"] = _role(inside)
        made["trail"] = _silent_trail(inside)
        made["log_groups"] = _log_groups(inside)
    return made


def _weak_passwords(inside: Inside) -> None:
    inside.call("iam", "UpdateAccountPasswordPolicy", MinimumPasswordLength=8, RequireNumbers=True)


def _keys(inside: Inside, minimal: bool) -> dict[str, str]:
    """One key of each sort that the sweep over rotation has to tell apart, by what is the matter with it."""

    def key(region: str, description: str, **more: Any) -> str:
        made = inside.call("kms", "CreateKey", region, Description=description, **more)
        return made["KeyMetadata"]["KeyId"]

    found = {"not_rotating": key(HOME, "orders database")}
    if minimal:
        return found
    found["rotating"] = key(HOME, "invoices")
    inside.call("kms", "EnableKeyRotation", KeyId=found["rotating"], RotationPeriodInDays=365)
    found["asymmetric"] = key(HOME, "partner signatures", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    found["hmac"] = key(OTHER, "session tokens", KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    found["not_rotating_eu"] = key(OTHER, "customer files")
    found["disabled"] = key(OTHER, "old backups")
    inside.call("kms", "DisableKey", OTHER, KeyId=found["disabled"])
    found["pending_deletion"] = key(OTHER, "proof of concept")
    inside.call("kms", "ScheduleKeyDeletion", OTHER, KeyId=found["pending_deletion"], PendingWindowInDays=30)
    inside.call("kms", "CreateAlias", AliasName="alias/orders", TargetKeyId=found["not_rotating"])
    return found


def _open_groups(inside: Inside) -> dict[str, str]:
    """The default group of the home region's default VPC lets the world in by SSH."""
    group = _default_group(inside, HOME, _default_vpc(inside, HOME))
    inside.call(
        "ec2",
        "AuthorizeSecurityGroupIngress",
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "temporary, remove after migration"}],
            }
        ],
    )
    return {HOME: group, OTHER: _default_group(inside, OTHER, _default_vpc(inside, OTHER))}


def _log_groups(inside: Inside) -> list[str]:
    """Groups that forget what they hold, and that anybody may delete."""
    group = "/app/orders"
    for region, days in ((HOME, 30), (OTHER, 7)):
        inside.call("logs", "CreateLogGroup", region, logGroupName=group)
        inside.call("logs", "PutRetentionPolicy", region, logGroupName=group, retentionInDays=days)
    return [group]


def _interface(inside: Inside, group: str) -> str:
    """Something that uses the open group, so that emptying it has a victim."""
    subnets = inside.call(
        "ec2", "DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [_default_vpc(inside, HOME)]}]
    )
    subnet = sorted(s["SubnetId"] for s in subnets["Subnets"])[0]
    made = inside.call(
        "ec2",
        "CreateNetworkInterface",
        SubnetId=subnet,
        Groups=[group],
        Description="build agent",
    )
    return made["NetworkInterface"]["NetworkInterfaceId"]


def _legacy_vpc(inside: Inside) -> str:
    made = inside.call("ec2", "CreateVpc", OTHER, CidrBlock="10.20.0.0/16")
    vpc = made["Vpc"]["VpcId"]
    tags = [{"Key": "legacy", "Value": "true"}, {"Key": "Name", "Value": "old-datacentre"}]
    inside.call("ec2", "CreateTags", OTHER, Resources=[vpc], Tags=tags)
    return vpc


def _public_bucket(inside: Inside) -> str:
    bucket = f"downloads-{inside.account}"
    inside.call("s3", "CreateBucket", Bucket=bucket)
    inside.call("s3", "DeletePublicAccessBlock", Bucket=bucket)
    _policy(inside, bucket, [_statement("PublicRead", "*", "s3:GetObject", f"arn:aws:s3:::{bucket}/*")])
    return bucket


def _role(inside: Inside) -> str:
    """A role that a whole foreign account may assume, with more rights than it needs."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}],
    }
    inside.call(
        "iam",
        "CreateRole",
        RoleName="contractor",
        AssumeRolePolicyDocument=json.dumps(trust),
        Description="for the 2019 project",
        MaxSessionDuration=43200,
    )
    inside.call(
        "iam", "AttachRolePolicy", RoleName="contractor", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    return "contractor"


def _silent_trail(inside: Inside) -> str:
    """A trail of one region that was created and never started."""
    bucket = f"old-trail-{inside.account}"
    inside.call("s3", "CreateBucket", Bucket=bucket)
    service = {"Service": "cloudtrail.amazonaws.com"}
    _policy(
        inside,
        bucket,
        [
            _statement("Check", service, "s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"),
            _statement("Write", service, "s3:PutObject", f"arn:aws:s3:::{bucket}/AWSLogs/{inside.account}/*"),
        ],
    )
    inside.call("cloudtrail", "CreateTrail", Name="old-trail", S3BucketName=bucket)
    return "old-trail"


def _policy(inside: Inside, bucket: str, statements: list[dict[str, Any]]) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    inside.call("s3", "PutBucketPolicy", Bucket=bucket, Policy=text)


def _statement(sid: str, principal: Any, action: str, resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}


def _default_vpc(inside: Inside, region: str) -> str:
    found = inside.call("ec2", "DescribeVpcs", region, Filters=[{"Name": "is-default", "Values": ["true"]}])
    return found["Vpcs"][0]["VpcId"]


def _default_group(inside: Inside, region: str, vpc: str) -> str:
    filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
    return inside.call("ec2", "DescribeSecurityGroups", region, Filters=filters)["SecurityGroups"][0]["GroupId"]
