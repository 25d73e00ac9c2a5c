"""The people in the demos: `mess` makes an untidy account, `break` is somebody who means well; `empty` makes an
account whose root user has MFA and nothing else, `confirm` reads the team's mail, `blind` wants to stay unseen.

Usage: demo_account.py URL mess|break|empty|confirm|blind. Uses boto3 only, as anybody with the console would, but for
what nobody does by an API: a device for the root user, and a click in a mail.
"""

import json
import sys
import urllib.request

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


def control(url: str, path: str, body: dict | None = None) -> None:
    data = None if body is None else json.dumps(body).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/_evenkeel/{path}", data=data)).close()


def account_id(url: str) -> str:
    return client(url, "sts").get_caller_identity()["Account"]


def empty(url: str) -> None:
    control(url, f"root?account={account_id(url)}", {"mfa": True})
    print("  its root user has MFA, and that is all")


def confirm(url: str) -> None:
    control(url, f"confirm?account={account_id(url)}&endpoint=security@acme.example", {})
    print("  the team has clicked on the links in its mails")


def blind(url: str) -> None:
    here, away = (lambda service, region=region: client(url, service, region) for region in (REGION, "us-east-1"))
    own = account_id(url)

    here("cloudtrail").stop_logging(Name=here("cloudtrail").describe_trails()["trailList"][0]["Name"])
    print("  CloudTrail: the trail is stopped")
    alarms = here("cloudwatch").describe_alarms()["MetricAlarms"]
    here("cloudwatch").disable_alarm_actions(AlarmNames=[alarms[0]["AlarmName"]])
    print(f"  CloudWatch: the alarm {alarms[0]['AlarmName']} tells nobody")
    here("logs").put_retention_policy(logGroupName="/evenkeel/audit", retentionInDays=1)
    print("  CloudWatch Logs: what the trail delivers is forgotten after a day")
    recorder = away("config").describe_configuration_recorders()["ConfigurationRecorders"][0]["name"]
    away("config").stop_configuration_recorder(ConfigurationRecorderName=recorder)
    print("  AWS Config: the recorder of us-east-1 is stopped")
    here("events").disable_rule(Name="evenkeel-threats")
    print("  EventBridge: the rule that tells of threats is disabled")
    here("sns").set_topic_attributes(
        TopicArn=f"arn:aws:sns:{REGION}:{own}:evenkeel-findings", AttributeName="KmsMasterKeyId", AttributeValue=""
    )
    print("  SNS: the topic of findings has lost its key")
    guardduty = away("guardduty")
    guardduty.update_detector(DetectorId=guardduty.list_detectors()["DetectorIds"][0], Enable=False)
    print("  GuardDuty: the detector of us-east-1 is suspended")
    hub = away("securityhub")
    standard = hub.get_enabled_standards()["StandardsSubscriptions"][0]["StandardsSubscriptionArn"]
    hub.batch_disable_standards(StandardsSubscriptionArns=[standard])
    print("  Security Hub: a standard of us-east-1 is switched off")
    here("macie2").update_macie_session(status="PAUSED")
    print("  Macie: paused")
    away("inspector2").disable(resourceTypes=["EC2"])
    print("  Inspector: hosts of us-east-1 are not scanned")
    here("accessanalyzer").delete_analyzer(analyzerName="evenkeel-external")
    print("  IAM Access Analyzer: the analyzer is deleted")
    logs = [one["FlowLogId"] for one in away("ec2").describe_flow_logs()["FlowLogs"]]
    away("ec2").delete_flow_logs(FlowLogIds=logs)
    print("  VPC: the flow logs of us-east-1 are deleted")
    key = here("kms").describe_key(KeyId="alias/evenkeel-findings")["KeyMetadata"]["KeyId"]
    here("kms").disable_key_rotation(KeyId=key)
    print("  KMS: the key of findings is not rotated any more")
    here("s3").delete_bucket_policy(Bucket=f"evenkeel-audit-{own}")
    print("  S3: the bucket of the trail has lost its policy")


if __name__ == "__main__":
    people = {"mess": mess, "break": somebody, "empty": empty, "confirm": confirm, "blind": blind}
    people[sys.argv[2]](sys.argv[1])
