"""Who calls, and the permission a call needs: for error messages that read as AWS's own."""

from emulator.actions import iam_action
from emulator.wire import Call

# Sessions of root users: access key to ARN.
root_keys: dict[str, str] = {}
# Sessions of federated users: access key to ARN.
federated_keys: dict[str, str] = {}
# Sessions of users: access key to the key that it was asked for with.
user_keys: dict[str, str] = {}
# The service-linked roles of AWS's services, whose names follow no rule.
LINKED_ROLES = {
    "access-analyzer": "AccessAnalyzer",
    "agentless.inspector2": "AmazonInspector2Agentless",
    "backup": "Backup",
    "cloudtrail": "CloudTrail",
    "config": "Config",
    "config-conforms": "ConfigConforms",
    "detective": "Detective",
    "fms": "FMS",
    "guardduty": "AmazonGuardDuty",
    "inspector2": "AmazonInspector2",
    "macie": "AmazonMacie",
    "malware-protection.guardduty": "AmazonGuardDutyMalwareProtection",
    "organizations": "Organizations",
    "route53resolver": "Route53Resolver",
    "securityhub": "SecurityHub",
    "sso": "SSO",
    "wafv2": "WAFV2Logging",
}


def linked_role(principal: str) -> str | None:
    """The name of the service's linked role, where it is known."""
    name = LINKED_ROLES.get(principal.removesuffix(".amazonaws.com"))
    return f"AWSServiceRoleFor{name}" if name else None


def caller_arn(call: Call) -> str:
    """The caller as GetCallerIdentity names it."""
    for known in (root_keys, federated_keys):
        if call.access_key in known:
            return known[call.access_key]
    from moto.sts.models import sts_backends

    role = sts_backends[call.account][call.partition].get_assumed_role_from_access_key(call.access_key or "")
    if role:
        return role.arn
    from moto.iam.models import iam_backends

    key = user_keys.get(call.access_key or "", call.access_key or "")
    user = iam_backends[call.account][call.partition].get_user_from_access_key_id(key)
    return user.arn if user else f"arn:{call.partition}:iam::{call.account}:user/evenkeel-test"


def spoken(action: str) -> str:
    """A permission as the errors of its service spell it."""
    prefix, _, name = action.partition(":")
    return {"sns": f"SNS:{name}", "sqs": action.lower()}.get(prefix, action)


def access_denied_message(call: Call) -> str:
    """What AWS says when no policy of the caller allows the call."""
    action = spoken(iam_action(call))
    return (
        f"User: {caller_arn(call)} is not authorized to perform: {action} on resource: {resource_of(call)} "
        f"because no identity-based policy allows the {action} action"
    )


def resource_of(call: Call) -> str:
    """The resource as an error message names it; `*` where the input has no name of one."""
    params = call.params
    if call.service == "s3" and params.get("Bucket"):
        return s3_arn(call)
    if call.service == "iam" and params.get("RoleName"):
        return f"arn:{call.partition}:iam::{call.account}:role/{params['RoleName']}"
    if call.service == "kms" and params.get("KeyId", "").startswith("arn:"):
        return params["KeyId"]
    return "*"


def s3_arn(call: Call, key: str | None = None) -> str:
    """The ARN of the object that the call is about, or of the bucket."""
    key = key or call.params.get("Key")
    return f"arn:{call.partition}:s3:::{call.params['Bucket']}{f'/{key}' if key else ''}"
