"""Macie: a session in each Region, without which nothing else is there, its settings, jobs, identifiers and lists."""

import re
import secrets
import string
import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.delivery import bucket_error, bucket_of, key_lets
from emulator.missing import guards
from emulator.shelf import WHOLE, Collection, now, place, setting
from emulator.wire import Call

# What may be asked before Macie is on.
ALWAYS = {
    "DescribeOrganizationConfiguration",
    "DisableOrganizationAdminAccount",
    "EnableMacie",
    "EnableOrganizationAdminAccount",
    "ListInvitations",
    "ListOrganizationAdminAccounts",
    "UpdateOrganizationConfiguration",
}
KEPT = (
    "automated discovery",
    "export",
    "publication",
    "classification job",
    "custom data identifier",
    "allow list",
    "findings filter",
)


@guards("macie2")
def enabled(call: Call) -> None:
    if call.operation not in ALWAYS and not SESSION.rows(call):
        raise AwsError("AccessDeniedException", "Macie is not enabled.")


def enable(call: Call) -> dict[str, Any]:
    if SESSION.at(call) in SESSION.rows(call) and SESSION.rows(call)[()].now:
        raise AwsError("ConflictException", "Macie has already been enabled.")
    usual = {"status": "ENABLED", "findingPublishingFrequency": "FIFTEEN_MINUTES", "createdAt": now()}
    return usual | call.params | {"updatedAt": now()}


def administrator(call: Call) -> str | None:
    """The account that manages this one, by invitation or through the organization."""
    from moto.macie2.models import macie2_backends

    member = macie2_backends[call.account][call.region].administrator_account
    return member.administrator_account_id if member else None


def changed(call: Call) -> None:
    """With Macie goes all that it had, with a suspension every job; an administrator alone does either in a member."""
    stops = call.operation == "DisableMacie" or call.params.get("status") == "PAUSED"
    if call.operation in ("DisableMacie", "UpdateMacieSession") and stops and administrator(call):
        words = "disable" if call.operation == "DisableMacie" else "suspend"
        message = f"Cannot {words} Macie while associated with an administrator account."
        raise AwsError("ConflictException", message)
    if call.operation == "DisableMacie":
        for name in KEPT:
            place(call, name).clear()
    elif call.operation == "UpdateMacieSession" and stops:
        for row in place(call, "classification job").values():
            if row.now["jobStatus"] != "COMPLETE":
                row.now["jobStatus"] = "CANCELLED"


SESSION = setting(
    "macie2",
    "session",
    lambda call: {
        "serviceRole": f"arn:{call.partition}:iam::{call.account}:role/aws-service-role/macie.amazonaws.com/"
        "AWSServiceRoleForAmazonMacie"
    },
    get="GetMacieSession",
    put={
        "EnableMacie": enable,
        "UpdateMacieSession": lambda call: call.params | {"updatedAt": now()},
        "DisableMacie": None,
    },
    absent=("AccessDeniedException", "Macie is not enabled."),
    check=changed,
)


def discovers(call: Call) -> dict[str, Any]:
    if administrator(call):
        message = "Only the Macie administrator changes automated sensitive data discovery for a member account."
        raise AwsError("AccessDeniedException", message)
    return call.params | {"lastUpdatedAt": now()}


setting(
    "macie2",
    "automated discovery",
    {"status": "DISABLED", "autoEnableOrganizationMembers": "NONE"},
    get="GetAutomatedDiscoveryConfiguration",
    put={"UpdateAutomatedDiscoveryConfiguration": discovers},
)


def exported(call: Call) -> None:
    """The bucket and the key must be there and open to Macie before they are taken."""
    wanted = call.params.get("configuration", {}).get("s3Destination")
    if call.operation != "PutClassificationExportConfiguration" or not wanted:
        return
    name, service = wanted["bucketName"], "macie.amazonaws.com"
    error = bucket_error(call.partition, name, service, "s3:GetBucketLocation", "s3:PutObject")
    owner = wanted.get("expectedBucketOwner")
    if error is None and owner and bucket_of(call.partition, name).account_id != owner:
        error = "AccessDenied"
    if error is None and not key_lets(call, wanted["kmsKeyArn"], service, "kms:GenerateDataKey"):
        error = "KMS key"
    if error:
        message = f"Macie cannot write to the bucket {name} with the key {wanted['kmsKeyArn']}: {error}."
        raise AwsError("ValidationException" if error == "NoSuchBucket" else "AccessDeniedException", message)


setting(
    "macie2",
    "export",
    {},
    get="GetClassificationExportConfiguration",
    put={"PutClassificationExportConfiguration": WHOLE},
    check=exported,
)
setting(
    "macie2",
    "publication",
    {"securityHubConfiguration": {"publishPolicyFindings": True, "publishClassificationFindings": False}},
    get="GetFindingsPublicationConfiguration",
    put={"PutFindingsPublicationConfiguration": WHOLE},
)


OVER = ("CANCELLED", "COMPLETE")


def running(_: Call, row: dict[str, Any]) -> None:
    if row["jobStatus"] in OVER:
        raise AwsError("ValidationException", f"The job is {row['jobStatus']} and cannot be changed.")


def identifier(call: Call) -> None:
    """What is tried in Macie's own engine: here the lengths, and that it is a pattern that fits something."""
    given = call.params
    try:
        fits_all = re.compile(given["regex"]).fullmatch("") is not None
    except re.error as error:
        raise AwsError("ValidationException", f"The regular expression is not valid: {error}.") from None
    limits = {"name": 128, "regex": 512, "description": 512}
    long = any(len(given.get(name, "")) > most for name, most in limits.items())
    keywords, ignored = given.get("keywords") or [], given.get("ignoreWords") or []
    least = [(word, 3) for word in keywords] + [(word, 4) for word in ignored]
    wrong_words = any(not most <= len(word) <= 90 for word, most in least)
    too_many = len(keywords) > 50 or len(ignored) > 10
    levels = given.get("severityLevels") or []
    ordered = sorted(levels, key=lambda one: ("LOW", "MEDIUM", "HIGH").index(one["severity"]))
    thresholds = [one["occurrencesThreshold"] for one in ordered]
    wrong_levels = thresholds != sorted(set(thresholds)) or any(one < 1 for one in thresholds)
    far = not 1 <= given.get("maximumMatchDistance", 50) <= 300
    if fits_all or long or wrong_words or too_many or wrong_levels or far:
        raise AwsError("ValidationException", "The custom data identifier is not valid.")


def criteria(call: Call) -> None:
    if len(call.params["criteria"]) != 1:
        raise AwsError("ValidationException", "An allow list has either a regex or an s3WordsList.")


def same_type(call: Call, row: dict[str, Any]) -> None:
    criteria(call)
    if set(call.params["criteria"]) != set(row["criteria"]):
        raise AwsError("ValidationException", "The type of an allow list cannot be changed.")


def definition(_: Call, row: dict[str, Any]) -> dict[str, Any]:
    names = ("bucketDefinitions", "bucketCriteria")
    return {name: row["s3JobDefinition"][name] for name in names if name in row["s3JobDefinition"]}


(
    Collection(
        "macie2",
        "classification job",
        key="jobId",
        new_id=lambda _: uuid.uuid4().hex,
        arn=("jobArn", "arn:{partition}:macie2:{region}:{account}:classification-job/{id}"),
        made=lambda call: {"jobStatus": "RUNNING" if call.params["jobType"] == "ONE_TIME" else "IDLE"},
        shown=definition,
        created="createdAt",
    )
    .create("CreateClassificationJob")
    .get("DescribeClassificationJob")
    .list("ListClassificationJobs", "items")
    .update("UpdateClassificationJob", check=running)
)
(
    Collection(
        "macie2",
        "custom data identifier",
        key="id",
        new_id=lambda _: str(uuid.uuid4()),
        arn=("arn", "arn:{partition}:macie2:{region}:{account}:custom-data-identifier/{id}"),
        defaults={"maximumMatchDistance": 50},
        made={"deleted": False},
        shown=lambda _, row: {"customDataIdentifierId": row["id"]},
        created="createdAt",
    )
    .create("CreateCustomDataIdentifier", check=identifier)
    .get("GetCustomDataIdentifier")
    .list("ListCustomDataIdentifiers", "items")
    .delete("DeleteCustomDataIdentifier")
)
(
    Collection(
        "macie2",
        "allow list",
        key="id",
        new_id=lambda _: "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(22)),
        arn=("arn", "arn:{partition}:macie2:{region}:{account}:allow-list/{id}"),
        made={"status": {"code": "OK"}},
        created="createdAt",
        updated="updatedAt",
        limit=(10, "ServiceQuotaExceededException"),
    )
    .create("CreateAllowList", check=criteria)
    .get("GetAllowList")
    .list("ListAllowLists", "allowLists")
    .update("UpdateAllowList", changed=lambda call: {"description": call.params.get("description")}, check=same_type)
    .delete("DeleteAllowList")
)
(
    Collection(
        "macie2",
        "findings filter",
        key="id",
        new_id=lambda _: str(uuid.uuid4()),
        arn=("arn", "arn:{partition}:macie2:{region}:{account}:findings-filter/{id}"),
        defaults={"position": 1},
    )
    .create("CreateFindingsFilter", exists="ConflictException", same=["name"])
    .get("GetFindingsFilter")
    .list("ListFindingsFilters", "findingsFilterListItems")
    .update("UpdateFindingsFilter")
    .delete("DeleteFindingsFilter")
)
