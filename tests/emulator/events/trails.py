"""Whether a trail logs a record, by its selectors, and what it writes into its bucket."""

import gzip
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from emulator.events.names import GLOBAL


def logging_trails(record: dict[str, Any], trails: list[Any] | None = None) -> list[Any]:
    """The trails, the account's own and its organization's, that log the record; `trails` are those of another time."""
    from emulator.missing.cloudtrail import all_trails

    account, region = record["recipientAccountId"], record["awsRegion"]
    return [
        trail
        for trail in (all_trails() if trails is None else trails)
        if trail.logging and trail.visible_to(account, region) and _wanted(trail, record)
    ]


def _wanted(trail: Any, record: dict[str, Any]) -> bool:
    if not trail.settings["IncludeGlobalServiceEvents"] and record["eventSource"].partition(".")[0] in GLOBAL:
        return False
    if trail.advanced is not None:
        return any(_advanced(selector["FieldSelectors"], record) for selector in trail.advanced)
    return any(_basic(selector, record) for selector in trail.selectors or [{}])


def _basic(selector: dict[str, Any], record: dict[str, Any]) -> bool:
    if not selector.get("IncludeManagementEvents", True):
        return False
    if record["eventSource"] in selector.get("ExcludeManagementEventSources", []):
        return False
    kind = selector.get("ReadWriteType", "All")
    return kind == "All" or record["readOnly"] == (kind == "ReadOnly")


TESTS = {
    "Equals": lambda have, want: have == want,
    "StartsWith": lambda have, want: have.startswith(want),
    "EndsWith": lambda have, want: have.endswith(want),
}


def _advanced(fields: list[dict[str, Any]], record: dict[str, Any]) -> bool:
    for field in fields:
        have = _field(field["Field"], record)
        for name, test in TESTS.items():
            if field.get(name) and not any(test(have, want) for want in field[name]):
                return False
            if field.get("Not" + name) and any(test(have, want) for want in field["Not" + name]):
                return False
    return True


def _field(name: str, record: dict[str, Any]) -> str:
    if name == "readOnly":
        return str(record["readOnly"]).lower()
    if name.startswith("userIdentity."):
        return str(record["userIdentity"].get(name.partition(".")[2], ""))
    if name == "sessionCredentialFromConsole":
        return ""
    return str(record.get(name, ""))


def write(trail: Any, record: dict[str, Any]) -> None:
    """The record to where the trail keeps its records: a file in its bucket, a line in its log group."""
    _write_file(trail, record)
    if trail.settings.get("CloudWatchLogsLogGroupArn"):
        _write_line(trail, record)


def _write_line(trail: Any, record: dict[str, Any]) -> None:
    from moto.logs.models import logs_backends

    _, _, _, region, account, _, group, *_ = trail.settings["CloudWatchLogsLogGroupArn"].split(":")
    backend = logs_backends[account][region]
    if group not in backend.groups:
        return
    stream = f"{_organization(trail).replace('/', '_')}{record['recipientAccountId']}_CloudTrail_{record['awsRegion']}"
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    backend.put_log_events(group, stream, [{"timestamp": int(time.time() * 1000), "message": json.dumps(record)}])


def _write_file(trail: Any, record: dict[str, Any]) -> None:
    """One log file for the one record, named as CloudTrail names its files."""
    from moto.s3.models import s3_backends

    from emulator.missing.cloudtrail import delivered

    bucket = trail.settings["S3BucketName"]
    backend = next((b["aws"] for b in list(s3_backends.values()) if bucket in b["aws"].buckets), None)
    if backend is None:
        return
    account, region, now = record["recipientAccountId"], record["awsRegion"], datetime.now(UTC)
    folder = f"AWSLogs/{_organization(trail)}{account}/CloudTrail/{region}/{now:%Y/%m/%d}"
    if trail.settings.get("S3KeyPrefix"):
        folder = f"{trail.settings['S3KeyPrefix']}/{folder}"
    name = f"{account}_CloudTrail_{region}_{now:%Y%m%dT%H%MZ}_{uuid.uuid4().hex[:16]}.json.gz"
    body = gzip.compress(json.dumps({"Records": [record]}).encode())
    backend.put_object(bucket, f"{folder}/{name}", body)
    delivered(trail.arn)


def _organization(trail: Any) -> str:
    if not trail.settings["IsOrganizationTrail"]:
        return ""
    from moto.organizations.models import organizations_backends

    organization = organizations_backends[trail.account]["aws"].org
    return f"{organization.id}/" if organization else ""
