"""Does what it is told to an account: a line of JSON in, `{"code": "..."}`, a line of JSON out.

The names below are there for the fragments in the lists beside this file.
"""
import json
import os
import re
import socket
import sys
import time
import urllib.request

import boto3

HERE = os.environ["AWS_REGION"]
ELSEWHERE = "us-east-1"
FOREIGN = "999988887777"

# S3 Control puts the account in front of the host, and no name resolver knows the result.
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **named: resolve(re.sub(r"^\d{12}\.", "", host), *more, **named)


def client(service, region=HERE, **more):
    return boto3.client(service, region_name=region, **more)


def foreign(service, region=HERE):
    """A client of another account."""
    return client(service, region, aws_access_key_id=f"AKIA{FOREIGN}TEST", aws_secret_access_key="x", aws_session_token="x")


ACCOUNT = client("sts").get_caller_identity()["Account"]
iam, s3, s3control, kms = client("iam"), client("s3"), client("s3control"), client("kms")
trails, config, ec2, sns = client("cloudtrail"), client("config"), client("ec2"), client("sns")
logs, events, watch = client("logs"), client("events"), client("cloudwatch")
analyzers, guardduty, hub = client("accessanalyzer"), client("guardduty"), client("securityhub")
resolver, detective = client("route53resolver"), client("detective")
macie, inspector, ecr = client("macie2"), client("inspector2"), client("ecr")

BUCKET, TRAIL, ALIAS, ROLE = f"evenkeel-audit-{ACCOUNT}", "evenkeel-audit", "alias/evenkeel-audit", "aws-support"
GROUP = "/evenkeel/audit"
RULE = "evenkeel-findings"
ALARM, TRAIL_GROUP = "evenkeel-root-use", "/evenkeel/trail"
ROOT_USE = '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }'
TOPIC = f"arn:aws:sns:{HERE}:{ACCOUNT}:evenkeel-alerts"


def control(route, **body):
    """A control route of the emulator, for what no API does."""
    url = f"{os.environ['AWS_ENDPOINT_URL']}/_evenkeel/{route}?account={ACCOUNT}"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}))


def role_at(path):
    """Makes the role anew under a path, with all that it has."""
    there = iam.get_role(RoleName=ROLE)["Role"]
    attached = [one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]]
    for arn in attached:
        iam.detach_role_policy(RoleName=ROLE, PolicyArn=arn)
    iam.delete_role(RoleName=ROLE)
    trust = json.dumps(there["AssumeRolePolicyDocument"])
    kept = {name: there[name] for name in ("Description", "MaxSessionDuration") if name in there}
    iam.create_role(RoleName=ROLE, Path=path, AssumeRolePolicyDocument=trust, **kept)
    for arn in attached:
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)


def scan_images(kind, **rules):
    """Has images scanned by rules: the filters of repositories, by frequency."""
    ecr.put_registry_scanning_configuration(
        scanType=kind,
        rules=[
            {"scanFrequency": often, "repositoryFilters": [{"filter": one, "filterType": "WILDCARD"} for one in filters]}
            for often, filters in rules.items()
        ],
    )


def detector():
    return guardduty.list_detectors()["DetectorIds"][0]


def destination():
    """The detector and its publishing destination."""
    there = guardduty.list_publishing_destinations(DetectorId=detector())["Destinations"][0]
    return {"DetectorId": detector(), "DestinationId": there["DestinationId"]}


def lead_findings(**changed):
    """The publishing destination with some of it changed."""
    there = guardduty.describe_publishing_destination(**destination())["DestinationProperties"]
    guardduty.update_publishing_destination(**destination(), DestinationProperties=there | changed)


def standard(name):
    return f"arn:aws:securityhub:{HERE}::standards/{name}"


def switch(control, status, reason, *standards):
    """Switches a control on or off, in all standards if none are named."""
    there = hub.list_standards_control_associations(SecurityControlId=control)["StandardsControlAssociationSummaries"]
    arns = [standard(name) for name in standards] or [one["StandardsArn"] for one in there]
    entries = [
        {"StandardsArn": arn, "SecurityControlId": control, "AssociationStatus": status, "UpdatedReason": reason} for arn in arns
    ]
    assert not hub.batch_update_standards_control_associations(StandardsControlAssociationUpdates=entries)["UnprocessedAssociationUpdates"]


def identifier(name):
    return next(one["id"] for one in macie.list_custom_data_identifiers()["items"] if one["name"] == name)


def cis_scan(name):
    there = inspector.list_cis_scan_configurations()["scanConfigurations"]
    return next(one["scanConfigurationArn"] for one in there if one["scanName"] == name)


def allow_list(name):
    return next(one["id"] for one in macie.list_allow_lists()["allowLists"] if one["name"] == name)


def data_store():
    return trails.list_event_data_stores()["EventDataStores"][0]["EventDataStoreArn"]


def insight(name):
    there = hub.get_paginator("get_insights").paginate().search("Insights[]")
    return next(one for one in there if one["Name"] == name)


def refilter(name, **changed):
    """The insight with some of its filters changed."""
    there = insight(name)
    hub.update_insight(InsightArn=there["InsightArn"], Filters=there["Filters"] | changed)


def aggregator(**collected):
    """Replaces what the aggregator collects."""
    config.put_configuration_aggregator(ConfigurationAggregatorName="all", **collected)


def pack(name):
    return config.describe_conformance_packs(ConformancePackNames=[name])["ConformancePackDetails"][0]


def config_rule(name):
    return config.describe_config_rules(ConfigRuleNames=[name])["ConfigRules"][0]


def rule(name, **changed):
    """The rule with some of it changed."""
    kept = ("ConfigRuleName", "Description", "Scope", "Source", "InputParameters", "MaximumExecutionFrequency", "EvaluationModes")
    there = config_rule(name)
    config.put_config_rule(ConfigRule={one: there[one] for one in kept if one in there} | changed)


def policy_source(text):
    details = [{"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}]
    return {"Owner": "CUSTOM_POLICY", "SourceDetails": details, "CustomPolicyDetails": {"PolicyRuntime": "guard-2.x.x", "PolicyText": text}}


def key():
    return kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]


def trail_key():
    """The key that the trail uses, wherever the alias points."""
    return trails.get_trail(Name=TRAIL)["Trail"]["KmsKeyId"]


def key_policy(edit):
    policy = json.loads(kms.get_key_policy(KeyId=key(), PolicyName="default")["Policy"])
    kms.put_key_policy(KeyId=key(), PolicyName="default", Policy=json.dumps(edit(policy) or policy))


def bucket_policy(edit):
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(edit(policy) or policy))


def topic_of_a_trail(at):
    """A topic to which CloudTrail may publish."""
    topic = at.create_topic(Name="audit")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    at.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return topic


def elsewhere(policy):
    """Lets log files be written below another prefix too."""
    objects = f":::{BUCKET}/AWSLogs/"
    more = json.loads(json.dumps(policy["Statement"]).replace(objects, f":::{BUCKET}/elsewhere/AWSLogs/"))
    policy["Statement"] += [one for one in more if one not in policy["Statement"]]


def topic_policy(edit):
    policy = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])
    text = json.dumps(edit(policy) or policy)
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=text)


def logs_policy(edit):
    """Changes the statement of the resource policy."""
    policies = {one["policyName"]: one["policyDocument"] for one in logs.describe_resource_policies()["resourcePolicies"]}
    policy = json.loads(policies["evenkeel-events"])
    edit(policy["Statement"][0])
    logs.put_resource_policy(policyName="evenkeel-events", policyDocument=json.dumps(policy))


def rule_target(edit):
    """Changes the target of the rule."""
    target = events.list_targets_by_rule(Rule=RULE)["Targets"][0]
    edit(target)
    events.put_targets(Rule=RULE, Targets=[target])


def metric_filter(metric={}, **changed):
    """The metric filter with some of it changed."""
    there = logs.describe_metric_filters(logGroupName=TRAIL_GROUP, filterNamePrefix=ALARM)["metricFilters"][0]
    kept = {one: there[one] for one in ("logGroupName", "filterName", "filterPattern")}
    transformation = {**there["metricTransformations"][0], **metric}
    logs.put_metric_filter(**{**kept, "metricTransformations": [transformation], **changed})


def alarm(without=(), **changed):
    """The alarm with some of it changed."""
    of_state = ("AlarmArn", "AlarmConfigurationUpdatedTimestamp", *without)
    there = watch.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]
    kept = {one: value for one, value in there.items() if one not in of_state and not one.startswith("State")}
    watch.put_metric_alarm(**{**kept, **changed})


def subscription():
    return sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"][0]["SubscriptionArn"]


def without(policy, keep):
    """The policy without the statements for which `keep` is false."""
    return {**policy, "Statement": [one for one in policy["Statement"] if keep(one)]}


def lifecycle(edit):
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    edit(rules)
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})


def blocks(**changed):
    return {**dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True), **changed}


def block_account(**changed):
    s3control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=blocks(**changed))


def selectors(**selector):
    trails.put_event_selectors(TrailName=TRAIL, EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, **selector}])


def advanced(*fields):
    trails.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=[{"FieldSelectors": [{"Field": name, **words} for name, words in fields]}])


def recorder(**group):
    now = config.describe_configuration_recorders()["ConfigurationRecorders"][0]
    now.pop("arn", None)
    config.put_configuration_recorder(ConfigurationRecorder={**now, "recordingGroup": group})


def recording_mode(**mode):
    now = config.describe_configuration_recorders()["ConfigurationRecorders"][0]
    now.pop("arn", None)
    config.put_configuration_recorder(ConfigurationRecorder={**now, "recordingMode": mode})


def channel(**changed):
    now = config.describe_delivery_channels()["DeliveryChannels"][0]
    config.put_delivery_channel(DeliveryChannel={**now, **changed})


def password_policy(**changed):
    now = iam.get_account_password_policy()["PasswordPolicy"]
    now.pop("ExpirePasswords", None)
    iam.update_account_password_policy(**{**now, **changed})


def trust(edit):
    policy = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(edit(policy) or policy))


def flow_log():
    return ec2.describe_flow_logs()["FlowLogs"][0]


def make_flow_log(vpc=None, **changed):
    """A flow log of the first VPC, as it is declared but for what is changed."""
    vpc = vpc or ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    fields = "version vpc-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status".split()
    asked = {"ResourceIds": [vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogDestinationType": "s3"}
    asked |= {"LogDestination": f"arn:aws:s3:::evenkeel-flows-{ACCOUNT}", "MaxAggregationInterval": 60}
    asked["LogFormat"] = " ".join("${" + one + "}" for one in fields)
    made = ec2.create_flow_logs(**asked | changed)
    assert not made["Unsuccessful"], made


def behavior_graph():
    return detective.list_graphs()["GraphList"][0]["Arn"]


def query_log():
    return next(one for one in resolver.list_resolver_query_log_configs()["ResolverQueryLogConfigs"] if one["Name"] == "dns")


def unlog(vpcs=None):
    """Takes VPCs out of query logging, all if none are named."""
    there = resolver.list_resolver_query_log_config_associations()["ResolverQueryLogConfigAssociations"]
    for vpc in vpcs or [one["ResourceId"] for one in there]:
        resolver.disassociate_resolver_query_log_config(ResolverQueryLogConfigId=query_log()["Id"], ResourceId=vpc)


def unmake_query_log():
    unlog()
    resolver.delete_resolver_query_log_config(ResolverQueryLogConfigId=query_log()["Id"])


def other_flow_log(**changed):
    """Replaces a flow log by one with some of it changed."""
    there = flow_log()
    ec2.delete_flow_logs(FlowLogIds=[there["FlowLogId"]])
    make_flow_log(there["ResourceId"], **changed)


def default_group(vpc=None):
    filters = [{"Name": "group-name", "Values": ["default"]}] + ([{"Name": "vpc-id", "Values": [vpc]}] if vpc else [])
    return ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]


def open_group(group=None, **peer):
    ec2.authorize_security_group_ingress(GroupId=group or default_group(), IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **peer}])


for line in sys.stdin:
    try:
        exec(json.loads(line)["code"], globals())
        print("{}", flush=True)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
