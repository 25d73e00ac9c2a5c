"""What AWS refuses and moto takes, of services that have only a little of it."""

import ipaddress
import json
import re
from typing import Any

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.wire import Call

TAGS, KEY_POLICY = 50, 32768


# CloudWatch Logs.


@refuses("logs", "CreateLogGroup")
def name_of_a_log_group(call: Call) -> None:
    name = call.params["logGroupName"]
    if not re.fullmatch(r"[.\-_/#A-Za-z0-9]+", name):
        raise AwsError("InvalidParameterException", f"{name} is not a valid name of a log group.")


# Backup.


@refuses("backup", "CreateBackupVault")
def name_of_a_vault(call: Call) -> None:
    name = call.params["BackupVaultName"]
    if not re.fullmatch(r"[a-zA-Z0-9_-]{2,50}", name):
        raise AwsError("InvalidParameterValueException", f"{name} is not a valid name of a backup vault.")


# WAF.


@refuses(
    "wafv2",
    "CreateIPSet",
    "CreateRuleGroup",
    "CreateWebACL",
    "DeleteWebACL",
    "GetWebACL",
    "ListWebACLs",
    "UpdateWebACL",
)
def global_scope_in_one_region(call: Call) -> None:
    if call.params.get("Scope") == "CLOUDFRONT" and call.region != "us-east-1":
        message = "Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT"
        raise AwsError("WAFInvalidParameterException", message)


@refuses("wafv2", "CreateWebACL")
def a_web_acl_of_that_name(call: Call) -> None:
    from moto.wafv2.models import GLOBAL_REGION, wafv2_backends

    region = GLOBAL_REGION if call.params["Scope"] == "CLOUDFRONT" else call.region
    if call.params["Name"] in [acl.name for acl in wafv2_backends[call.account][region].wacls.values()]:
        raise AwsError("WAFDuplicateItemException", "AWS WAF has a resource of that name already.")


@refuses("wafv2", "PutLoggingConfiguration")
def destination_of_waf_logs(call: Call) -> None:
    """Bucket, log group and stream alike."""
    for arn in call.params["LoggingConfiguration"]["LogDestinationConfigs"]:
        name = arn.split(":", 5)[-1]
        if not re.match(r"(log-group:|deliverystream/)?aws-waf-logs-", name):
            message = f"Error reason: The ARN isn't valid., field: LOG_DESTINATION, parameter: {arn}"
            raise AwsError("WAFInvalidParameterException", message)


@refuses("wafv2", "CreateWebACL", "UpdateWebACL")
def rules_of_a_web_acl(call: Call) -> None:
    """One action when nothing matches, and no two rules of one priority or name."""
    rules = call.params.get("Rules") or []
    for what in ("Priority", "Name"):
        if len({rule[what] for rule in rules}) < len(rules):
            raise AwsError("WAFInvalidParameterException", f"Error reason: {what} is used twice., field: RULES")
    for rule in rules:
        groups = {"ManagedRuleGroupStatement", "RuleGroupReferenceStatement"} & set(rule["Statement"])
        for field, given, wanted in (
            ("STATEMENT", set(rule["Statement"]), None),
            ("RULE_ACTION", {"Action", "OverrideAction"} & set(rule), "OverrideAction" if groups else "Action"),
        ):
            if len(given) != 1 or wanted not in (None, *given):
                raise AwsError(
                    "WAFInvalidParameterException",
                    "Error reason: You have used none or multiple values for a field that requires exactly one value., "
                    f"field: {field}, parameter: {rule['Name']}",
                )
    if len(call.params["DefaultAction"]) != 1:
        message = "Error reason: You must specify exactly one action., field: DEFAULT_ACTION"
        raise AwsError("WAFInvalidParameterException", message)


# EventBridge.


@refuses("events", "PutRule")
def name_of_a_rule(call: Call) -> None:
    if not re.fullmatch(r"[.\-_A-Za-z0-9]+", call.params["Name"]):
        raise AwsError("ValidationException", f"{call.params['Name']} is not a valid name of a rule.")


@refuses("events", "PutTargets")
def input_of_a_target(call: Call) -> None:
    for target in call.params["Targets"]:
        if sum(name in target for name in ("Input", "InputPath", "InputTransformer")) > 1:
            message = f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
            raise AwsError("ValidationException", message)
        try:
            json.loads(target.get("Input") or "{}")
        except ValueError:
            message = f"JSON syntax error in input for target {target['Id']}."
            raise AwsError("ValidationException", message) from None
        _check_path(target["Id"], target.get("InputPath") or "$")
        if "InputTransformer" in target:
            _check_transformer(target["Id"], target["InputTransformer"])


# What every template may name besides its own variables.
OF_ALL_EVENTS = {"rule-arn", "rule-name", "event", "event.json", "event.ingestion-time"}


def _check_path(target: str, path: str) -> None:
    """A path begins at the event, and its names stand behind dots ("Target", API reference)."""
    if not path.startswith("$") or re.search(r"\[\s*['\"]", path):
        raise AwsError("ValidationException", f"Invalid InputPath for target {target}.")


def _check_transformer(target: str, transformer: dict[str, Any]) -> None:
    paths, template = transformer.get("InputPathsMap") or {}, transformer["InputTemplate"]
    for name, path in paths.items():
        _check_path(target, path)
        if name.lower().startswith("aws"):
            raise AwsError("ValidationException", f"InputPathsMap for target {target} has a reserved name: {name}.")
    known = {*paths, *(f"aws.events.{name}" for name in OF_ALL_EVENTS)}
    for name in re.findall(r"<([\w.-]+)>", template):
        if name not in known:
            message = f"InputTemplate for target {target} contains invalid placeholder {name}."
            raise AwsError("ValidationException", message)
    # JSON, or lines that are each a text in quotes.
    if not _is_json(template) and not all(_is_json(line) for line in template.splitlines() if line.strip()):
        raise AwsError("ValidationException", f"Invalid InputTemplate for target {target}.")


def _is_json(template: str) -> bool:
    """Whether the text is JSON once its variables have values."""
    made, quoted = "", False
    for part in re.split(r'(\\.|"|<[\w.-]+>)', template):
        if part == '"':
            quoted = not quoted
        made += "0" if re.fullmatch(r"<[\w.-]+>", part) and not quoted else part
    try:
        json.loads(made, strict=False)
    except ValueError:
        return False
    return True


# Config.


@refuses("config", "TagResource")
def tags_have_keys(call: Call) -> None:
    if not all(one.get("Key") for one in call.params["Tags"]):
        raise AwsError("ValidationException", "1 validation error detected: Value at 'tags.key' must not be null")


@refuses("config", "PutConfigurationAggregator")
def an_aggregator_of_an_organization(call: Call) -> None:
    from emulator.organization import structure

    if "OrganizationAggregationSource" not in call.params:
        return
    if structure.home_of(call.account, call.partition) is None:
        raise AwsError("NoAvailableOrganizationException", "The account is not in an organization.")
    if not structure.may_administer(call, "config.amazonaws.com"):
        message = "This action can only be performed by the management account or a delegated administrator."
        raise AwsError("OrganizationAccessDeniedException", message)


# Secrets Manager.


@refuses("secretsmanager", "PutSecretValue", "CreateSecret")
def a_secret_on_its_way_out(call: Call) -> None:
    from moto.secretsmanager.models import secretsmanager_backends

    named = call.params.get("SecretId") or call.params["Name"]
    secret = secretsmanager_backends[call.account][call.region].secrets.get(named)
    if secret is not None and secret.is_deleted():
        does = "create this secret" if call.operation == "CreateSecret" else "perform the operation on the secret"
        message = f"You can't {does} because a secret of this name is scheduled for deletion."
        raise AwsError("InvalidRequestException", message)


@refuses("secretsmanager", "CreateSecret")
def what_a_secret_is(call: Call) -> None:
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@!-]+", call.params["Name"]):
        message = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        raise AwsError("ValidationException", message)
    if "SecretString" in call.params and "SecretBinary" in call.params:
        raise AwsError("InvalidParameterException", "You can't specify both a binary secret value and a string secret value.")


@refuses("secretsmanager", "CreateSecret", "TagResource")
def tags_of_a_secret(call: Call) -> None:
    from moto.secretsmanager.models import secretsmanager_backends

    secrets = secretsmanager_backends[call.account][call.region].secrets
    named = call.params.get("SecretId")
    there = secrets[named].tags or [] if named and named in secrets else []
    tags = {one["Key"] for one in [*(call.params.get("Tags") or []), *there]}
    if len(tags) > TAGS or any(one.lower().startswith("aws:") for one in tags):
        message = f"A secret may have {TAGS} tags, whose keys do not begin with aws:."
        raise AwsError("InvalidParameterException", message)


# S3.

NOT_BEGINNING = ("xn--", "sthree-", "amzn-s3-demo-")
NOT_ENDING = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@refuses("s3", "CreateBucket")
def name_of_a_bucket(call: Call) -> None:
    """S3 User Guide, "General purpose bucket naming rules"."""
    name = call.params["Bucket"]
    good = re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name) and ".." not in name
    if not good or _is_address(name) or name.startswith(NOT_BEGINNING) or name.endswith(NOT_ENDING):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400)


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


@refuses("s3", "PutBucketLogging")
def logs_of_a_bucket_elsewhere(call: Call) -> None:
    from emulator.missing.s3 import find_bucket

    target = ((call.params.get("BucketLoggingStatus") or {}).get("LoggingEnabled") or {}).get("TargetBucket")
    there = find_bucket(call, target) if target else None
    if there is not None and there.account_id != call.account:
        message = "The owner for the bucket to be logged and the target bucket must be the same."
        raise AwsError("InvalidTargetBucketForLogging", message, 400)
    if there is not None and there.region_name != find_bucket(call, call.params["Bucket"]).region_name:
        raise AwsError("CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed.", 403)


# Account Management.


@refuses("account", "DeleteAlternateContact")
def a_contact_that_is_not_there(call: Call) -> None:
    from emulator.ask import ask

    kind = call.params["AlternateContactType"]
    own = {"AccountId": call.params["AccountId"]} if "AccountId" in call.params else {}
    ask(call, "account", "GetAlternateContact", AlternateContactType=kind, **own)


# KMS.

# CreateKey's text on KeyUsage, by the beginning of the key spec.
USAGES = {
    "SYMMETRIC_DEFAULT": {"ENCRYPT_DECRYPT"},
    "HMAC_": {"GENERATE_VERIFY_MAC"},
    "RSA_": {"ENCRYPT_DECRYPT", "SIGN_VERIFY"},
    "ECC_SECG_": {"SIGN_VERIFY"},
    "ECC_NIST_EDWARDS": {"SIGN_VERIFY"},
    "ECC_NIST_P": {"SIGN_VERIFY", "KEY_AGREEMENT"},
    "ML_DSA_": {"SIGN_VERIFY"},
    "SM2": {"ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"},
}


@refuses("kms", "CreateKey")
def usage_of_a_key(call: Call) -> None:
    spec = call.params.get("KeySpec") or call.params.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    usage = call.params.get("KeyUsage")
    fitting = next((usages for begin, usages in USAGES.items() if spec.startswith(begin)), None)
    if usage and fitting and usage not in fitting:
        raise AwsError("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")


@refuses("kms", "CreateAlias", "UpdateAlias")
def aliases_of_aws(call: Call) -> None:
    name = call.params["AliasName"]
    if name.startswith("alias/aws/"):
        raise AwsError("InvalidAliasNameException", f"{name} begins with alias/aws/, which is reserved.")


@refuses("kms", "UpdateAlias")
def an_alias_stays_with_its_kind_of_key(call: Call) -> None:
    keys = _keys(call)
    name, target = call.params["AliasName"], call.params["TargetKeyId"].rpartition("/")[2]
    now = next((key for key in keys.values() if name in key.aliases), None)
    new = keys.get(target)
    if now is not None and new is not None and (now.key_usage, _kind(now)) != (new.key_usage, _kind(new)):
        raise AwsError("ValidationException", "The alias must stay with a key of the same type and usage.")


def _kind(key: Any) -> str:
    return key.key_spec.partition("_")[0] if key.key_spec != "SYMMETRIC_DEFAULT" else key.key_spec


@refuses("kms", "CreateKey", "PutKeyPolicy")
def size_of_a_key_policy(call: Call) -> None:
    if len(call.params.get("Policy", "")) > KEY_POLICY:
        raise AwsError("LimitExceededException", f"A key policy may have {KEY_POLICY} characters.")


@refuses("kms", "CreateKey", "TagResource")
def tags_of_a_key(call: Call) -> None:
    key = _keys(call).get(call.params["KeyId"].rpartition("/")[2]) if "KeyId" in call.params else None
    tags = {one["TagKey"] for one in call.params.get("Tags") or []}
    if any(one.lower().startswith("aws:") for one in tags):
        raise AwsError("TagException", "Tag keys that begin with aws: are reserved.")
    there = _backend(call).tagger.get_tag_dict_for_resource(key.id) if key is not None else {}
    if len(tags | set(there)) > TAGS:
        raise AwsError("LimitExceededException", f"A key may have {TAGS} tags.")


def _backend(call: Call) -> Any:
    from moto.kms.models import kms_backends

    return kms_backends[call.account][call.region]


def _keys(call: Call) -> Any:
    return _backend(call).keys
