"""Resource Groups Tagging: each service's own operations that tag a resource, called in the caller's name."""

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.resource_tagging import iter_taggable_backends
from moto.core.utils import get_service_model

from emulator.answers import AwsError
from emulator.ask import ask
from emulator.wire import Call

# Services whose TagResource and UntagResource name one resource, by the namespace of their ARNs.
PLAIN = {
    "access-analyzer": "accessanalyzer",
    "backup": "backup",
    "cloudwatch": "cloudwatch",
    "config": "config",
    "detective": "detective",
    "dynamodb": "dynamodb",
    "ecr": "ecr",
    "elasticfilesystem": "efs",
    "events": "events",
    "guardduty": "guardduty",
    "inspector2": "inspector2",
    "kms": "kms",
    "lambda": "lambda",
    "logs": "logs",
    "network-firewall": "network-firewall",
    "route53resolver": "route53resolver",
    "secretsmanager": "secretsmanager",
    "securityhub": "securityhub",
    "sns": "sns",
    "wafv2": "wafv2",
}
RESOURCE = ("ResourceArn", "resourceArn", "ResourceARN", "resourceARN", "Resource", "ResourceId", "SecretId", "KeyId")
TAGS = ("Tags", "tags")
KEYS = ("TagKeys", "tagKeys")
SSM = {"parameter": "Parameter", "document": "Document", "maintenancewindow": "MaintenanceWindow"}
Change = tuple[dict[str, str], list[str]]


def change(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    """Adds the tags and takes the keys away, at the service that the ARN is of; raises the AwsError of the service."""
    namespace = arn.split(":")[2]
    if namespace in SPECIAL:
        SPECIAL[namespace](call, arn, tags, keys)
    elif namespace in PLAIN:
        _plain(call, PLAIN[namespace], arn, tags, keys)
    else:
        _by_moto(call, arn, tags, keys)


def _plain(call: Call, service: str, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    operation = "TagResource" if tags else "UntagResource"
    members = get_service_model(service).operation_model(operation).input_shape.members
    name = next(name for name in RESOURCE if name in members)
    given = next(name for name in (TAGS if tags else KEYS) if name in members)
    # EFS takes ids too, and ARNs have a slash that its path would have to keep apart.
    resource = _last(arn) if service == "efs" else arn
    ask(call, service, operation, **{name: resource, given: _in_form(tags, members[given]) if tags else keys})


def _in_form(tags: dict[str, str], shape: Any) -> Any:
    """A map, or a list of `Key` and `Value` however the service spells them."""
    if shape.type_name == "map":
        return tags
    key, value = sorted(shape.member.members, key=lambda name: "value" in name.lower())
    return [{key: name, value: text} for name, text in tags.items()]


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _last(arn: str) -> str:
    return arn.rpartition(":")[2].partition("/")[2] or arn.rpartition(":")[2]


def _sqs(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    url = ask(call, "sqs", "GetQueueUrl", QueueName=_last(arn))["QueueUrl"]
    if tags:
        ask(call, "sqs", "TagQueue", QueueUrl=url, Tags=tags)
    else:
        ask(call, "sqs", "UntagQueue", QueueUrl=url, TagKeys=keys)


def _s3(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    """A bucket's tags are one document: read, changed, and written as a whole."""
    bucket = _last(arn)
    try:
        there = {one["Key"]: one["Value"] for one in ask(call, "s3", "GetBucketTagging", Bucket=bucket)["TagSet"]}
    except AwsError as error:
        if error.code != "NoSuchTagSet":
            raise
        there = {}
    now = {key: value for key, value in (there | tags).items() if key not in keys}
    if now:
        ask(call, "s3", "PutBucketTagging", Bucket=bucket, Tagging={"TagSet": _pairs(now)})
    elif there:
        ask(call, "s3", "DeleteBucketTagging", Bucket=bucket)


def _two(service: str, add: str, remove: str, resource: Callable[[str], dict[str, Any]]) -> Callable[..., None]:
    """A service with two operations: tags as pairs, keys as TagKeys."""

    def call_it(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
        if tags:
            ask(call, service, add, **resource(arn), Tags=_pairs(tags))
        else:
            ask(call, service, remove, **resource(arn), TagKeys=keys)

    return call_it


def _ec2(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    if tags:
        ask(call, "ec2", "CreateTags", Resources=[_last(arn)], Tags=_pairs(tags))
    else:
        ask(call, "ec2", "DeleteTags", Resources=[_last(arn)], Tags=[{"Key": key} for key in keys])


def _elb(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    """Classic load balancers go by name, the others by ARN."""
    name = arn.partition(":loadbalancer/")[2]
    classic = name and "/" not in name
    service, named = ("elb", {"LoadBalancerNames": [name]}) if classic else ("elbv2", {"ResourceArns": [arn]})
    if tags:
        ask(call, service, "AddTags", **named, Tags=_pairs(tags))
    else:
        gone = {"Tags": [{"Key": key} for key in keys]} if classic else {"TagKeys": keys}
        ask(call, service, "RemoveTags", **named, **gone)


def _ssm(arn: str) -> dict[str, Any]:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind not in SSM:
        raise unsupported()
    return {"ResourceType": SSM[kind], "ResourceId": f"/{name}" if kind == "parameter" and "/" in name else name}


def _cloudtrail(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    if tags:
        ask(call, "cloudtrail", "AddTags", ResourceId=arn, TagsList=_pairs(tags))
    else:
        ask(call, "cloudtrail", "RemoveTags", ResourceId=arn, TagsList=[{"Key": key} for key in keys])


def _es(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    if tags:
        ask(call, "opensearch", "AddTags", ARN=arn, TagList=_pairs(tags))
    else:
        ask(call, "opensearch", "RemoveTags", ARN=arn, TagKeys=keys)


def _acm(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    if tags:
        ask(call, "acm", "AddTagsToCertificate", CertificateArn=arn, Tags=_pairs(tags))
    else:
        there = ask(call, "acm", "ListTagsForCertificate", CertificateArn=arn)["Tags"]
        gone = [one for one in there if one["Key"] in keys]
        if gone:
            ask(call, "acm", "RemoveTagsFromCertificate", CertificateArn=arn, Tags=gone)


SPECIAL: dict[str, Callable[[Call, str, dict[str, str], list[str]], None]] = {
    "acm": _acm,
    "cloudtrail": _cloudtrail,
    "ec2": _ec2,
    "elasticloadbalancing": _elb,
    "es": _es,
    "rds": _two("rds", "AddTagsToResource", "RemoveTagsFromResource", lambda arn: {"ResourceName": arn}),
    "s3": _s3,
    "sqs": _sqs,
    "ssm": _two("ssm", "AddTagsToResource", "RemoveTagsFromResource", _ssm),
}


def _by_moto(call: Call, arn: str, tags: dict[str, str], keys: list[str]) -> None:
    """What moto alone knows how to tag."""
    backends = iter_taggable_backends(call.account, call.region)
    backend = next((one for one in backends if one.owns_arn(arn)), None)
    try:
        if backend is None:
            raise unsupported()
        if tags:
            backend.tag_resource(arn, tags)
        else:
            backend.untag_resource(arn, keys)
    except NotImplementedError:
        raise unsupported() from None
    except ServiceException as error:
        raise AwsError(error.code, error.message) from None


def unsupported() -> AwsError:
    return AwsError("InternalServiceException", "The resource type is not supported.", 500)
