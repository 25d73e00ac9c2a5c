"""Macie: a session in each Region, without which nothing else is there, and its settings."""

import uuid
from typing import Any

from emulator.answers import AwsError
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
KEPT = ("automated discovery", "export", "publication", "classification job")


@guards("macie2")
def enabled(call: Call) -> None:
    if call.operation not in ALWAYS and not SESSION.rows(call):
        raise AwsError("AccessDeniedException", "Macie is not enabled.")


def enable(call: Call) -> dict[str, Any]:
    if SESSION.at(call) in SESSION.rows(call) and SESSION.rows(call)[()].now:
        raise AwsError("ConflictException", "Macie has already been enabled.")
    usual = {"status": "ENABLED", "findingPublishingFrequency": "FIFTEEN_MINUTES", "createdAt": now()}
    return usual | call.params | {"updatedAt": now()}


def disabled(call: Call) -> None:
    """With Macie goes all that it had."""
    if call.operation == "DisableMacie":
        for name in KEPT:
            place(call, name).clear()


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
    check=disabled,
)
setting(
    "macie2",
    "automated discovery",
    {"status": "DISABLED", "autoEnableOrganizationMembers": "NONE"},
    get="GetAutomatedDiscoveryConfiguration",
    put={"UpdateAutomatedDiscoveryConfiguration": lambda call: call.params | {"lastUpdatedAt": now()}},
)
setting(
    "macie2",
    "export",
    {},
    get="GetClassificationExportConfiguration",
    put={"PutClassificationExportConfiguration": WHOLE},
)
setting(
    "macie2",
    "publication",
    {"securityHubConfiguration": {"publishPolicyFindings": True, "publishClassificationFindings": False}},
    get="GetFindingsPublicationConfiguration",
    put={"PutFindingsPublicationConfiguration": WHOLE},
)


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
)
