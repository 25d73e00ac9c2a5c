"""CloudTrail Lake: event data stores, as far as an inventory reads them."""

import re
import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.shelf import Collection
from emulator.wire import Call

LONGEST = {"EXTENDABLE_RETENTION_PRICING": 3653, "FIXED_RETENTION_PRICING": 2557}
ARN = re.compile(r"(arn:[^:]+:cloudtrail:[^:]+:\d{12}:eventdatastore/)?[0-9a-f-]{36}")
EVERYTHING = {
    "Name": "Default management events",
    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
}


def named_rightly(call: Call) -> None:
    named = call.params.get("EventDataStore")
    if named and not ARN.fullmatch(named):
        raise AwsError("EventDataStoreARNInvalidException", f"The event data store ARN {named} is not valid.")


def retention(call: Call) -> None:
    mode = call.params.get("BillingMode", "EXTENDABLE_RETENTION_PRICING")
    if call.params.get("RetentionPeriod", 7) > LONGEST[mode]:
        raise AwsError("InvalidParameterException", f"The longest retention period of {mode} is {LONGEST[mode]} days.")


def made(call: Call) -> dict[str, Any]:
    mode = call.params.get("BillingMode", "EXTENDABLE_RETENTION_PRICING")
    return {
        "Status": "ENABLED" if call.params.get("StartIngestion", True) else "STOPPED_INGESTION",
        "BillingMode": mode,
        "RetentionPeriod": call.params.get("RetentionPeriod", 366 if mode.startswith("EXT") else 2557),
        "FederationStatus": "DISABLED",
    }


def alive(_: Call, row: dict[str, Any]) -> None:
    if row["Status"] == "PENDING_DELETION":
        raise AwsError("InactiveEventDataStoreException", "The event data store is inactive.")


def unprotected(call: Call, row: dict[str, Any]) -> None:
    alive(call, row)
    if row["TerminationProtectionEnabled"]:
        raise AwsError("EventDataStoreTerminationProtectedException", "The event data store is protected.")


def in_state(*states: str) -> Any:
    def check(_: Call, row: dict[str, Any]) -> None:
        if row["Status"] not in states:
            raise AwsError("InvalidEventDataStoreStatusException", f"The status is {row['Status']}.")

    return check


def status(value: str) -> dict[str, Any]:
    return {"changed": {"Status": value}, "by": "EventDataStore"}


(
    Collection(
        "cloudtrail",
        "event_data_stores",
        key="Id",
        new_id=lambda _: str(uuid.uuid4()),
        arn=("EventDataStoreArn", "arn:{partition}:cloudtrail:{region}:{account}:eventdatastore/{id}"),
        defaults={
            "AdvancedEventSelectors": [EVERYTHING],
            "MultiRegionEnabled": True,
            "OrganizationEnabled": False,
            "TerminationProtectionEnabled": True,
        },
        made=made,
        created="CreatedTimestamp",
        updated="UpdatedTimestamp",
        absent=("EventDataStoreNotFoundException", "The event data store {id} does not exist."),
        limit=(5, "EventDataStoreMaxLimitExceededException"),
        check=named_rightly,
    )
    .create("CreateEventDataStore", exists="EventDataStoreAlreadyExistsException", same=("Name",), check=retention)
    .get("GetEventDataStore", by="EventDataStore")
    .list(
        "ListEventDataStores",
        "EventDataStores",
        hides=(
            "TerminationProtectionEnabled",
            "Status",
            "AdvancedEventSelectors",
            "MultiRegionEnabled",
            "OrganizationEnabled",
            "RetentionPeriod",
            "CreatedTimestamp",
            "UpdatedTimestamp",
        ),
    )
    .update("UpdateEventDataStore", by="EventDataStore", check=alive)
    .update("DeleteEventDataStore", check=unprotected, **status("PENDING_DELETION"))
    .update("RestoreEventDataStore", check=in_state("PENDING_DELETION"), **status("ENABLED"))
    .update("StartEventDataStoreIngestion", check=in_state("STOPPED_INGESTION"), **status("ENABLED"))
    .update("StopEventDataStoreIngestion", check=in_state("ENABLED"), **status("STOPPED_INGESTION"))
)
