"""Values that AWS refuses and moto takes, though the API models allow them; from the services' API references."""

import re
from typing import Any

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.missing.kms import KEY_MEMBERS, refuse_managed
from emulator.wire import Call

RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)")
CRON = re.compile(r"cron\(\S+( \S+){5}\)")
STATELESS = ("aws:pass", "aws:drop", "aws:forward_to_sfe")


# S3.


@refuses("s3", "PutBucketOwnershipControls")
def one_rule_of_ownership(call: Call) -> None:
    if len(call.params["OwnershipControls"]["Rules"]) != 1:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate", 400)


# KMS.


@refuses("kms", *KEY_MEMBERS, "DisableKey", "EnableKey", "PutKeyPolicy", "ScheduleKeyDeletion", "UpdateKeyDescription")
def keys_that_aws_manages(call: Call) -> None:
    refuse_managed(call)


@refuses("kms", "PutKeyPolicy")
def name_of_a_key_policy(call: Call) -> None:
    if call.params.get("PolicyName", "default") != "default":
        raise AwsError("NotFoundException", "No such policy exists")


@refuses("kms", "CreateKey", "TagResource")
def tags_that_are_there_twice(call: Call) -> None:
    names = [tag["TagKey"] for tag in call.params.get("Tags", [])]
    if len(set(names)) < len(names):
        raise AwsError("TagException", "Duplicate tag keys")


# CloudWatch Logs.


@refuses("logs", "TagResource", "CreateLogGroup")
def tags_of_aws(call: Call) -> None:
    if any(name.lower().startswith("aws:") for name in call.params.get("tags") or {}):
        raise AwsError("InvalidParameterException", "Tag keys that begin with aws: are reserved.")


# Others.


@refuses("dynamodb", "CreateTable")
def name_of_a_table(call: Call) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9_.-]{3,255}", call.params["TableName"]):
        raise AwsError(
            "ValidationException",
            "Invalid table/index name. Table/index names must be between 3 and 255 characters long, and may contain "
            "only the characters a-z, A-Z, 0-9, '_', '-', and '.'",
        )


@refuses("events", "PutRule")
def schedule_of_a_rule(call: Call) -> None:
    """A day is given by the month or by the week, and the other one left open with `?`."""
    text = call.params.get("ScheduleExpression")
    if text and not RATE.fullmatch(text) and not _is_cron(text):
        raise AwsError("ValidationException", "Parameter ScheduleExpression is not valid.")


def _is_cron(text: str) -> bool:
    """Of the days of the month and of the week one is left open ("Cron expressions", User Guide)."""
    if not CRON.fullmatch(text):
        return False
    _, _, of_month, _, of_week, _ = text[5:-1].split()
    return (of_month == "?") != (of_week == "?")


@refuses("macie2", "CreateClassificationJob")
def what_a_job_looks_at(call: Call) -> None:
    where = call.params["s3JobDefinition"]
    if ("bucketDefinitions" in where) == ("bucketCriteria" in where):
        raise AwsError("ValidationException", "Specify buckets or criteria for them.")
    if (call.params["jobType"] == "SCHEDULED") != ("scheduleFrequency" in call.params):
        raise AwsError("ValidationException", "A frequency is for scheduled jobs, which need one.")


@refuses("accessanalyzer", "CreateAnalyzer", "UpdateAnalyzer")
def age_of_unused_access(call: Call) -> None:
    age = (call.params.get("configuration") or {}).get("unusedAccess", {}).get("unusedAccessAge")
    if age is not None and not 1 <= age <= 365:
        raise AwsError("ValidationException", "The age of unused access is between 1 and 365 days.")


@refuses("network-firewall", "CreateFirewallPolicy", "UpdateFirewallPolicy")
def actions_of_a_firewall(call: Call) -> None:
    given = call.params["FirewallPolicy"]
    own = [one["ActionName"] for one in given.get("StatelessCustomActions", [])]
    for member in ("StatelessDefaultActions", "StatelessFragmentDefaultActions"):
        if sum(action in STATELESS for action in given[member]) != 1 or set(given[member]) - {*STATELESS, *own}:
            raise AwsError("InvalidRequestException", f"{member} must have one of {', '.join(STATELESS)}.")


@refuses("backup", "ListTags", "TagResource", "UntagResource")
def tags_of_a_vault_that_is_not_there(call: Call) -> None:
    from moto.backup.models import backup_backends

    arn = call.params["ResourceArn"]
    vaults = backup_backends[call.account][call.region].vaults.values()
    if ":backup-vault:" in arn and arn not in [one.backup_vault_arn for one in vaults]:
        raise AwsError("ResourceNotFoundException", f"Backup vault {arn.rpartition(':')[2]} does not exist.")


@refuses("ssm", "CreateDocument")
def name_of_a_document(call: Call) -> None:
    if call.params["Name"].lower().startswith(("aws", "amazon", "amzn")):
        raise AwsError("ValidationException", "Names that begin with aws, amazon or amzn are reserved.")


@refuses("ssm", "ModifyDocumentPermission")
def who_reads_a_document(call: Call) -> None:
    """Everybody only where the Region does not block that."""
    from emulator.shelf.tables import ssm_settings

    added = [one.lower() for one in call.params.get("AccountIdsToAdd") or []]
    if "all" in added and ssm_settings.may_not_be_shared(call):
        raise AwsError("DocumentPermissionLimit", "Block public sharing is on: the document cannot be shared publicly.")
