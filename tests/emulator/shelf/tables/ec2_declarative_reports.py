"""Reports on what the accounts of an organization have of the settings that declarative policies can make.

The codes of the refusals and the names of the attributes are not in the API model; the summary is of the Region that
the report was asked for in.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handler_for, handles
from emulator.organization import structure
from emulator.policy import allows_service
from emulator.shelf import Collection, now
from emulator.wire import Call

WRITER = "report.declarative-policies-ec2.amazonaws.com"
# Attributes: the read that shows one, and where in its answer.
ATTRIBUTES: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "serial_console_access.status": ("GetSerialConsoleAccessStatus", lambda got: got["SerialConsoleAccessEnabled"]),
    "image_block_public_access.state": (
        "GetImageBlockPublicAccessState",
        lambda got: got["ImageBlockPublicAccessState"],
    ),
    "snapshot_block_public_access.state": ("GetSnapshotBlockPublicAccessState", lambda got: got["State"]),
    "allowed_images_settings.state": ("GetAllowedImagesSettings", lambda got: got["State"]),
    "instance_metadata_defaults.http_tokens": (
        "GetInstanceMetadataDefaults",
        lambda got: got["AccountLevel"].get("HttpTokens", "no-preference"),
    ),
    "vpc_block_public_access.internet_gateway_block.mode": (
        "DescribeVpcBlockPublicAccessOptions",
        lambda got: got["VpcBlockPublicAccessOptions"]["InternetGatewayBlockMode"],
    ),
}


def only_the_management(call: Call) -> None:
    found = structure.home_of(call.account, call.partition)
    allowed = found is not None and (
        structure.management(found) == call.account or "ec2.amazonaws.com" in structure.delegations(found, call.account)
    )
    if not allowed or not structure.trusted(found, "ec2.amazonaws.com"):
        raise AwsError(
            "UnauthorizedOperation",
            "Only the management account or a delegated administrator, with trusted access of ec2.amazonaws.com.",
        )


def ready(call: Call) -> None:
    found = structure.home_of(call.account, call.partition)
    structure.target(found, call.params["TargetId"])
    from moto.s3.models import s3_backends

    bucket = s3_backends[call.account][call.partition].buckets.get(call.params["S3Bucket"])
    if bucket is None or bucket.region_name != call.region:
        raise AwsError("InvalidParameterValue", f"There is no bucket {call.params['S3Bucket']} in the Region.")
    policy = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    if not allows_service(policy, WRITER, "s3:PutObject"):
        raise AwsError("InvalidParameterValue", f"The bucket's policy does not let {WRITER} write.")
    if any(row.reads for row in REPORTS.rows(call)):
        raise AwsError("IncorrectState", "Another report is being made.")


REPORTS = (
    Collection(
        "ec2",
        "declarative_policies_reports",
        key="ReportId",
        new_id=lambda _: f"p-{uuid.uuid4().hex[:17]}",
        made=lambda call: {"Status": "complete", "EndTime": now()},
        created="StartTime",
        absent=("InvalidParameterValue", "The report {id} does not exist."),
        check=only_the_management,
    )
    .create("StartDeclarativePoliciesReport", check=ready, middle={"Status": "running"})
    .list("DescribeDeclarativePoliciesReports", "Reports", ids="ReportIds")
)


@handles("ec2", "CancelDeclarativePoliciesReport")
def cancel(call: Call, _: Forward) -> dict[str, Any]:
    only_the_management(call)
    row = REPORTS.find(call, call.params["ReportId"])
    if not row.reads:
        raise AwsError("IncorrectState", "Only a report that is running can be cancelled.")
    row.reads, row.now = 0, row.now | {"Status": "cancelled"}
    return {"Return": True}


@handles("ec2", "GetDeclarativePoliciesReportSummary")
def summary(call: Call, _: Forward) -> dict[str, Any]:
    only_the_management(call)
    row = REPORTS.find(call, call.params["ReportId"])
    if row.reads or row.now["Status"] != "complete":
        raise AwsError("IncorrectState", "The report is not complete.")
    accounts = members(call, row.now["TargetId"])
    kept = ("ReportId", "S3Bucket", "S3Prefix", "TargetId", "StartTime", "EndTime")
    return {name: row.now[name] for name in kept if name in row.now} | {
        "NumberOfAccounts": len(accounts),
        "NumberOfFailedAccounts": 0,
        "AttributeSummaries": [attribute(call, name, accounts) for name in ATTRIBUTES],
    }


def members(call: Call, target: str) -> list[str]:
    """The accounts at or below the target."""
    found = structure.home_of(call.account, call.partition)
    return [account.id for account in found.accounts if target in [one.id for one in structure.path(found, account)]]


def attribute(call: Call, name: str, accounts: list[str]) -> dict[str, Any]:
    operation, value_of = ATTRIBUTES[name]
    model = call.model.service_model.operation_model(operation)
    reads = [replace(call, account=account, model=model) for account in accounts]
    values = [str(value_of(handler_for(read)(read, None))).lower() for read in reads]
    value, matched = Counter(values).most_common(1)[0]
    counts = {"NumberOfMatchedAccounts": matched, "NumberOfUnmatchedAccounts": len(values) - matched}
    regional = {"RegionName": call.region} | counts
    return {"AttributeName": name, "MostFrequentValue": value, "RegionalSummaries": [regional]} | counts
