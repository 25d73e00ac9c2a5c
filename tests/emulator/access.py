"""Whether policies let a call through: identity policies on demand, and the session policies of AssumeRole always.

What a call demands (action, resources, condition keys) is written down here from the Service Authorization Reference,
independently of what evenkeel believes. A policy that holds an operator that is not known here is a gap, never a yes.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from emulator.actions import iam_action
from emulator.answers import AwsError
from emulator.catalogue import catalogue
from emulator.faults import USUAL_CODES
from emulator.identity import caller_arn, linked_role, s3_arn, spoken
from emulator.policy import as_list, statements
from emulator.wire import Call

# Reads and session calls that AWS lets everybody make, whatever the policies say.
ALWAYS = {"sts:GetCallerIdentity"}
# A policy that allows nothing else.
NOTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}}'


@dataclass
class Demand:
    """One permission that a call needs."""

    action: str
    resource: str = "*"
    context: dict[str, list[str]] = field(default_factory=dict)
    # False where what the call is about is not written down here.
    is_known: bool = True


# What calls of further services demand, by service; other files add to it.
MORE_DEMANDS: dict[str, Callable[[Call, str], list[Demand]]] = {}


class Access:
    """The policies by account, and those of sessions by access key."""

    def __init__(self) -> None:
        self._accounts: dict[str, str] = {}
        self._sessions: dict[str, str] = {}

    def put(self, account: str, document: str) -> None:
        statements_of(document)
        self._accounts[account] = document

    def clear(self, account: str) -> None:
        self._accounts.pop(account, None)

    def remember(self, access_key: str, document: str) -> None:
        self._sessions[access_key] = document

    def judge(self, call: Call) -> None:
        """Raises AccessDenied when a policy does not allow all that the call demands."""
        policies = {
            "identity-based": self._accounts.get(call.account),
            "session": self._sessions.get(call.access_key or ""),
        }
        for kind, document in policies.items():
            if document is None:
                continue
            for demand in demands(call):
                problem = refusal(document, demand)
                if problem:
                    article = "an" if kind == "identity-based" else "a"
                    code, status, *_ = USUAL_CODES.get(call.service or "") or USUAL_CODES[call.protocol]
                    raise AwsError(
                        code,
                        f"User: {caller_arn(call)} is not authorized to perform: {spoken(demand.action)} on resource: "
                        f"{demand.resource} {problem.format(article=article, kind=kind, action=spoken(demand.action))}",
                        status,
                    )


def statements_of(document: str) -> list[dict[str, Any]]:
    found = statements(document)
    if not found:
        raise ValueError("the policy has no statements")
    return found


def refusal(document: str, demand: Demand) -> str | None:
    """Why the policy does not let the demand through, in AWS's words; None when it does."""
    allowed = False
    for statement in statements_of(document):
        if not applies(statement, demand):
            continue
        if statement["Effect"] == "Deny":
            return "with an explicit deny in {article} {kind} policy"
        allowed = True
    return None if allowed else "because no {kind} policy allows the {action} action"


def applies(statement: dict[str, Any], demand: Demand) -> bool:
    if "NotAction" in statement:
        action = not any(glob(one.lower(), demand.action.lower()) for one in as_list(statement["NotAction"]))
    else:
        action = any(glob(one.lower(), demand.action.lower()) for one in as_list(statement.get("Action")))
    conditions = [
        (key.lower(), holds(operator, values(expected), demand.context.get(key.lower())))
        for operator, keys in (statement.get("Condition", {}) if action else {}).items()
        for key, expected in keys.items()
    ]
    if statement["Effect"] == "Deny" and action:
        return _denies(statement, demand, conditions)
    return action and all(held for _, held in conditions) and _about(statement, demand.resource)


# Keys that a call has only where the emulator says so; without them a condition is as at AWS for a call without the key.
ABSENT = {
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:federatedprovider",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceidentity",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpcsourceip",
    "iam:awsservicename",
    "iam:passedtoservice",
    "iam:permissionsboundary",
    "iam:policyarn",
    "kms:viaservice",
}


def _denies(statement: dict[str, Any], demand: Demand, conditions: list[tuple[str, bool]]) -> bool:
    """Whether a denial of the action strikes; what it asks for and the emulator cannot tell is a gap, never let through."""
    told = [held for key, held in conditions if key in demand.context or key in ABSENT]
    if not all(told) or (demand.is_known and not _about(statement, demand.resource)):
        return False
    unknown = next((key for key, _ in conditions if key not in demand.context and key not in ABSENT), None)
    if unknown:
        raise NotImplementedError(f"the condition key {unknown} of {demand.action}")
    if not demand.is_known:
        _must_be_judged(statement, demand)
    return _about(statement, demand.resource)


def _must_be_judged(statement: dict[str, Any], demand: Demand) -> None:
    """A denial that depends on what the call is about, where that is not known, is a gap and never let through."""
    patterns = as_list(statement.get("NotResource") or statement.get("Resource"))
    for pattern in patterns:
        parts = str(pattern).split(":", 5)
        if len(parts) == 6 and any(glob(parts[2], service) for service in _services_of_resources(demand.action)):
            raise NotImplementedError(f"what {demand.action} is about, which the policy's {pattern} asks for")


@functools.cache
def _services_of_resources(action: str) -> set[str]:
    """The services in the ARNs of the resources that an action can be about; none when it is about nothing."""
    prefix, _, name = action.partition(":")
    known = catalogue().get(prefix, {"privileges": {}, "resources": {}})
    kinds = known["privileges"].get(name, {"resource_types": {}})["resource_types"]
    return {known["resources"][kind]["arn"].split(":")[2] for kind in kinds if kind in known["resources"]}


def _about(statement: dict[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not any(glob(one, resource) for one in as_list(statement["NotResource"]))
    return any(glob(one, resource) for one in as_list(statement.get("Resource")))


def holds(operator: str, expected: list[str], actual: list[str] | None) -> bool:
    """One condition; `actual` is None when the request has no such key (IAM User Guide, "Condition operators")."""
    quantifier, _, plain = operator.rpartition(":")
    if quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise NotImplementedError(f"condition operator {operator}")
    if plain == "Null":
        return (actual is None) == (expected == ["true"])
    if plain.endswith("IfExists"):
        if actual is None:
            return True
        plain = plain.removesuffix("IfExists")
    positive = plain.replace("Not", "")
    compare = {
        "StringEquals": lambda want, have: want == have,
        "StringEqualsIgnoreCase": lambda want, have: want.lower() == have.lower(),
        "StringLike": glob,
        "ArnLike": glob,
        "ArnEquals": glob,
        "Bool": lambda want, have: want.lower() == have.lower(),
    }.get(positive)
    if compare is None:
        raise NotImplementedError(f"condition operator {operator}")
    matching = [any(compare(want, have) for want in expected) for have in actual or []]
    if quantifier == "ForAllValues":
        return all(matching) if positive == plain else not any(matching)
    if quantifier == "ForAnyValue" and positive != plain:
        return not all(matching)
    return any(matching) if positive == plain else not any(matching)


def glob(pattern: str, text: str) -> bool:
    """IAM's wildcards; `${*}`, `${?}` and `${$}` stand for the characters themselves."""
    if re.search(r"\$\{[^*?$]", pattern):
        raise NotImplementedError(f"the policy variable in {pattern}")
    parts = re.split(r"(\$\{[*?$]\}|\*|\?)", pattern)
    regex = "".join({"*": ".*", "?": "."}.get(part) or re.escape(part[2] if part[:2] == "${" else part) for part in parts if part)
    return re.fullmatch(regex, text, re.DOTALL) is not None


def values(value: Any) -> list[str]:
    return [str(one) for one in as_list(value)]


def demands(call: Call) -> list[Demand]:
    """All that the call needs."""
    action = iam_action(call)
    if action in ALWAYS:
        return []
    service = call.service or ""
    made = {
        "iam": _iam,
        "kms": _kms,
        "cloudtrail": _cloudtrail,
        "config": _config,
        "ec2": _ec2,
        "logs": _logs,
        "s3": _s3,
    }.get(service)
    made = made or MORE_DEMANDS.get(service)
    if made is not None:
        return made(call, action)
    if service == "sts":
        return [Demand(action, call.params.get("RoleArn") or "*")]
    if service == "apigateway":
        return [Demand(action, f"arn:{call.partition}:apigateway:{call.region}::{call.environ['PATH_INFO']}")]
    return [Demand(action, is_known=False)]


def _arn(call: Call, service: str, resource: str) -> str:
    return f"arn:{call.partition}:{service}:{call.region}:{call.account}:{resource}"


def _role_arn(call: Call, path_and_name: str) -> str:
    return f"arn:{call.partition}:iam::{call.account}:role{path_and_name}"


# What calls of IAM are about: the input's member that names it, and the kind of resource. The first one counts.
_IAM_RESOURCES = {
    "InstanceProfileName": "instance-profile",
    "RoleName": "role",
    "GroupName": "group",
    "UserName": "user",
    "ServerCertificateName": "server-certificate",
    "VirtualMFADeviceName": "mfa",
}
# Members that are the ARN of what the call is about, when none of those above is there.
_IAM_ARNS = ("PolicyArn", "OpenIDConnectProviderArn", "SAMLProviderArn", "SerialNumber", "PolicySourceArn", "Arn")


def _iam(call: Call, action: str) -> list[Demand]:
    params = call.params
    if call.operation == "CreateServiceLinkedRole":
        service = params["AWSServiceName"]
        role = _role_arn(call, f"/aws-service-role/{service}/{linked_role(service) or '?'}")
        return [Demand(action, role, {"iam:awsservicename": [service]})]
    resource, there = _iam_resource(call)
    context: dict[str, list[str]] = {}
    boundary = params.get("PermissionsBoundary") or getattr(there, "permissions_boundary", None)
    if boundary:
        context["iam:permissionsboundary"] = [boundary]
    if "PolicyArn" in params and resource != params["PolicyArn"]:
        context["iam:policyarn"] = [params["PolicyArn"]]
    found = [Demand(action, resource, context)]
    if call.operation == "CreateRole":
        if params.get("Tags"):
            found.append(Demand("iam:TagRole", resource, context))
        if params.get("PermissionsBoundary"):
            found.append(Demand("iam:PutRolePermissionsBoundary", resource, context))
    if call.operation == "AddRoleToInstanceProfile":
        passed = {"iam:passedtoservice": ["ec2.amazonaws.com"]}
        found.append(Demand("iam:PassRole", _role_arn(call, f"/{params['RoleName']}"), passed))
    return found


def _iam_resource(call: Call) -> tuple[str, Any]:
    """The ARN of what a call of IAM is about, with its path, and moto's object when it is there."""
    params, start = call.params, f"arn:{call.partition}:iam::{call.account}:"
    for member, kind in _IAM_RESOURCES.items():
        name = params.get(member)
        if name:
            there = next((one for one in _iam_objects(call, kind) if one.name.lower() == name.lower()), None)
            return there.arn if there else f"{start}{kind}{params.get('Path') or '/'}{name}", there
    if call.operation == "CreatePolicy":
        return f"{start}policy{params.get('Path') or '/'}{params['PolicyName']}", None
    if call.operation == "CreateSAMLProvider":
        return f"{start}saml-provider/{params['Name']}", None
    if call.operation == "CreateOpenIDConnectProvider":
        return f"{start}oidc-provider/{params['Url'].partition('://')[2] or params['Url']}", None
    return next((params[member] for member in _IAM_ARNS if params.get(member)), "*"), None


def _iam_objects(call: Call, kind: str) -> list[Any]:
    from moto.iam.models import iam_backends

    backend = iam_backends[call.account][call.partition]
    kept = {"role": backend.roles, "group": backend.groups, "user": backend.users}
    kept["instance-profile"] = backend.instance_profiles
    return list(kept.get(kind, {}).values())


def _kms(call: Call, action: str) -> list[Demand]:
    from moto.kms.models import kms_backends

    params, backend = call.params, kms_backends[call.account][call.region]
    if call.operation == "CreateKey":
        asked = {f"aws:requesttag/{tag['TagKey']}".lower(): [tag["TagValue"]] for tag in params.get("Tags") or []}
        new = _arn(call, "kms", "key/00000000-0000-0000-0000-000000000000")
        found = [Demand(action, "*", asked)]
        if asked:
            found.append(Demand("kms:TagResource", new, asked))
        return found
    if call.operation == "ReEncrypt":
        return [Demand(action, params.get("SourceKeyId", "*")), Demand("kms:ReEncryptTo", params["DestinationKeyId"])]
    target = params.get("TargetKeyId") or params.get("KeyId")
    if call.operation == "DeleteAlias":
        target = params["AliasName"]
    found = []
    if call.operation in ("CreateAlias", "UpdateAlias", "DeleteAlias"):
        found.append(Demand(action, _arn(call, "kms", params["AliasName"])))
    if target is None:
        return found or [Demand(action)]
    try:
        key = backend.keys[backend.any_id_to_key_id(target)]
    except (KeyError, AttributeError):
        named = target if target.startswith("arn:") else _arn(call, "kms", target if "/" in target else f"key/{target}")
        return found or [Demand(action, named)]
    context = {"kms:resourcealiases": sorted(key.aliases)}
    for tag in backend.tagger.list_tags_for_resource(key.id)["Tags"]:
        context[f"aws:resourcetag/{tag['TagKey']}".lower()] = [tag["TagValue"]]
    # Also where a key is tagged that is there already (Service Authorization Reference, AWS KMS, TagResource).
    if call.operation == "TagResource":
        for tag in params.get("Tags") or []:
            context[f"aws:requesttag/{tag['TagKey']}".lower()] = [tag["TagValue"]]
    return [*found, Demand(action, key.arn, context)]


def _cloudtrail(call: Call, action: str) -> list[Demand]:
    params = call.params
    name = params.get("Name") or params.get("TrailName") or params.get("ResourceId")
    names = [name] if name else list(params.get("ResourceIdList") or [])
    found = [
        Demand(action, one if one.startswith("arn:") else _arn(call, "cloudtrail", f"trail/{one}")) for one in names
    ] or [Demand(action)]
    role = params.get("CloudWatchLogsRoleArn")
    if role:
        found.append(Demand("iam:PassRole", role, {"iam:passedtoservice": ["cloudtrail.amazonaws.com"]}))
    return found


def _config(call: Call, action: str) -> list[Demand]:
    params = call.params
    recorder = params.get("ConfigurationRecorder") or {}
    name = recorder.get("name") or params.get("ConfigurationRecorderName")
    # The ids of rules, packs and aggregators are AWS's own, so a policy can only name all of them, or a pack by its name.
    account, region = params.get("AuthorizedAccountId"), params.get("AuthorizedAwsRegion")
    ours = {
        "configuration-recorder": f"configuration-recorder/{name}/id" if name else None,
        "rule": "config-rule/config-rule-000000",
        "pack": f"conformance-pack/{params.get('ConformancePackName')}/conformance-pack-000000",
        "aggregator": "config-aggregator/config-aggregator-000000",
        "authorization": f"aggregation-authorization/{account}/{region}",
    }
    of = {"PutConfigRule": "rule", "DeleteConfigRule": "rule", "GetComplianceDetailsByConfigRule": "rule"}
    of |= {"PutConformancePack": "pack", "DeleteConformancePack": "pack"}
    of |= {"PutConfigurationAggregator": "aggregator", "DeleteConfigurationAggregator": "aggregator"}
    of |= {"DescribeConfigurationAggregatorSourcesStatus": "aggregator"}
    of |= {"PutAggregationAuthorization": "authorization", "DeleteAggregationAuthorization": "authorization"}
    resource = ours[of.get(str(call.operation), "configuration-recorder")]
    found = [Demand(action, _arn(call, "config", resource) if resource else params.get("ResourceArn", "*"))]
    if params.get("Tags") and call.operation in of:
        found.append(Demand("config:TagResource", found[0].resource))
    passed = {"iam:passedtoservice": ["config.amazonaws.com"]}
    if recorder.get("roleARN"):
        found.append(Demand("iam:PassRole", recorder["roleARN"], passed))
    organization = params.get("OrganizationAggregationSource")
    if organization:
        found.append(Demand("iam:PassRole", organization["RoleArn"], passed))
        service = {"organizations:serviceprincipal": ["config.amazonaws.com"]}
        found.append(Demand("organizations:EnableAWSServiceAccess", "*", service))
    if params.get("TemplateS3Uri"):
        path = params["TemplateS3Uri"].removeprefix("s3://")
        found.append(Demand("s3:GetObject", f"arn:{call.partition}:s3:::{path}"))
    document = (params.get("TemplateSSMDocumentDetails") or {}).get("DocumentName")
    if document:
        arn = document if document.startswith("arn:") else _arn(call, "ssm", f"document/{document}")
        found.append(Demand("ssm:GetDocument", arn))
    return found


def _ec2(call: Call, action: str) -> list[Demand]:
    from moto.ec2.models import ec2_backends

    if call.operation in ("CreateFlowLogs", "DeleteFlowLogs"):
        return _flow_logs(call, action)
    if "VpcBlockPublicAccessExclusion" in action:
        return _exclusion(call, action)
    group_id = call.params.get("GroupId")
    if not group_id:
        return [Demand(action, is_known=False)]
    group = ec2_backends[call.account][call.region].get_security_group_from_id(group_id)
    vpc = {"ec2:vpc": [_arn(call, "ec2", f"vpc/{group.vpc_id}")]} if group else {}
    return [Demand(action, _arn(call, "ec2", f"security-group/{group_id}"), vpc)]


def _exclusion(call: Call, action: str) -> list[Demand]:
    """Lists of exclusions have no resource; a new one is made of a VPC or a subnet."""
    params = call.params
    if call.operation == "DescribeVpcBlockPublicAccessExclusions":
        return [Demand(action, is_known=False)]
    found = [Demand(action, _arn(call, "ec2", f"vpc-block-public-access-exclusion/{params.get('ExclusionId', '*')}"))]
    for member, kind in (("VpcId", "vpc"), ("SubnetId", "subnet")):
        if member in params:
            found.append(Demand(action, _arn(call, "ec2", f"{kind}/{params[member]}")))
    if params.get("TagSpecifications"):
        made = _arn(call, "ec2", "vpc-block-public-access-exclusion/*")
        found.append(Demand("ec2:CreateTags", made, {"ec2:createaction": [call.operation]}))
    return found


def _flow_logs(call: Call, action: str) -> list[Demand]:
    # VPC User Guide, "Publish flow logs to ...": a delivery is made, and deleted, of those that do not go to a log group.
    from moto.ec2.models import ec2_backends

    params, any_log = call.params, _arn(call, "ec2", "vpc-flow-log/*")
    if call.operation == "DeleteFlowLogs":
        there = ec2_backends[call.account][call.region].flow_logs
        kinds = [there[one].log_destination_type for one in params["FlowLogIds"] if one in there]
        found = [Demand(action, _arn(call, "ec2", f"vpc-flow-log/{one}")) for one in params["FlowLogIds"]]
        return found + [Demand("logs:DeleteLogDelivery")] * any(one != "cloud-watch-logs" for one in kinds)
    found = [Demand(action, any_log)]
    for vpc in params["ResourceIds"] if params["ResourceType"] == "VPC" else []:
        found.append(Demand(action, _arn(call, "ec2", f"vpc/{vpc}"), {"ec2:vpcid": [vpc]}))
    if params.get("TagSpecifications"):
        found.append(Demand("ec2:CreateTags", any_log, {"ec2:createaction": ["CreateFlowLogs"]}))
    passed = {"iam:passedtoservice": ["vpc-flow-logs.amazonaws.com"]}
    roles = [params.get("DeliverLogsPermissionArn"), params.get("DeliverCrossAccountRole")]
    found += [Demand("iam:PassRole", role, passed) for role in roles if role]
    to = params.get("LogDestinationType", "cloud-watch-logs")
    if to != "cloud-watch-logs":
        found.append(Demand("logs:CreateLogDelivery"))
    if to == "kinesis-data-firehose":
        found.append(Demand("firehose:TagDeliveryStream", params["LogDestination"]))
    return found


def _logs(call: Call, action: str) -> list[Demand]:
    # A group's ARN has two forms: tags take the plain one, all other actions the one that ends with ":*" (CloudWatch
    # Logs User Guide, "Managing access permissions").
    params = call.params
    if "resourceArn" in params:
        return [Demand(action, params["resourceArn"])]
    name = params.get("logGroupName") or params.get("logGroupIdentifier")
    if not name:
        return [Demand(action)]
    return [Demand(action, name if name.startswith("arn:") else _arn(call, "logs", f"log-group:{name}:*"))]


def _s3(call: Call, action: str) -> list[Demand]:
    # Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
    params = call.params
    if not params.get("Bucket"):
        return [Demand(action)]
    found = [Demand(action, s3_arn(call))]
    if call.operation == "DeleteObjects":
        objects = params.get("Delete", {}).get("Objects", [])
        kinds = {True: "s3:DeleteObjectVersion", False: action}
        found = [Demand(kinds[bool(one.get("VersionId"))], s3_arn(call, one["Key"])) for one in objects]
    source = params.get("CopySource")
    if source:
        name, _, version = unquote(str(source)).removeprefix("/").partition("?versionId=")
        read = "s3:GetObjectVersion" if version else "s3:GetObject"
        found.append(Demand(read, name if name.startswith("arn:") else f"arn:{call.partition}:s3:::{name}"))
    if call.operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        more = {"PutObjectTagging": "Tagging", "PutObjectAcl": "ACL"}
        more |= {"PutObjectRetention": "ObjectLockMode", "PutObjectLegalHold": "ObjectLockLegalHoldStatus"}
        found += [Demand(f"s3:{name}", s3_arn(call)) for name, given in more.items() if params.get(given)]
    return found
