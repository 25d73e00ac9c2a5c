"""GuardDuty around a detector: malware scans, where findings go, filters and lists that hide them.

Every error is BadRequestException; what is wrong is told by the message.
"""

from typing import Any

from emulator.answers import AwsError
from emulator.delivery import bucket_error, bucket_of, key_lets
from emulator.shelf import Collection, setting, short_id
from emulator.wire import Call

REJECTED = "BadRequestException"
SERVICE = "guardduty.amazonaws.com"
UNKNOWN = (REJECTED, "The request is rejected since no such resource found.")


def detector(call: Call) -> None:
    """The detector must be the account's own."""
    from moto.guardduty.models import guardduty_backends

    if call.params["DetectorId"] not in guardduty_backends[call.account][call.region].detectors:
        message = "The request is rejected because the input detectorId is not owned by the current account."
        raise AwsError(REJECTED, message)


setting(
    "guardduty",
    "malware_scans",
    {"EbsSnapshotPreservation": "NO_RETENTION"},
    get="GetMalwareScanSettings",
    put={"UpdateMalwareScanSettings": True},
    key=("DetectorId",),
    check=detector,
)


def may_publish(call: Call, properties: dict[str, Any]) -> bool:
    name = properties.get("DestinationArn", "").partition(":::")[2].partition("/")[0]
    lets = bucket_error(call.partition, name, SERVICE, "s3:GetBucketLocation", "s3:PutObject") is None
    owner = properties.get("ExpectedBucketOwner")
    if owner and lets and bucket_of(call.partition, name).account_id != owner:
        return False
    return lets and key_lets(call, properties.get("KmsKeyArn", ""), SERVICE, "kms:GenerateDataKey")


def check_destination(call: Call, _: Any = None) -> None:
    """The bucket, its folder and the key must be there and open to GuardDuty before the destination is taken."""
    properties = call.params.get("DestinationProperties", {})
    if not may_publish(call, properties):
        raise AwsError(
            REJECTED,
            "The request failed because the GuardDuty service principal does not have permission to the KMS key or "
            "the resource specified by the destinationArn parameter.",
        )
    name, _, folder = properties["DestinationArn"].partition(":::")[2].partition("/")
    if folder and f"{folder.rstrip('/')}/" not in bucket_of(call.partition, name).keys:
        raise AwsError(REJECTED, "The request is rejected because the resource folder does not exist.")


def changed_destination(call: Call) -> dict[str, Any]:
    """An owner of the bucket that is not sent stays."""
    sent = call.params.get("DestinationProperties", {})
    return {"DestinationProperties": DESTINATIONS.find(call, call.params["DestinationId"]).now["DestinationProperties"] | sent}


def health(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    able = may_publish(call, row["DestinationProperties"])
    return {"Status": "PUBLISHING" if able else "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY"}


DESTINATIONS = (
    Collection(
        "guardduty",
        "publishing destination",
        key="DestinationId",
        new_id=short_id,
        arn=("Arn", "arn:{partition}:guardduty:{region}:{account}:detector/{parent}/publishingdestination/{id}"),
        parent="DetectorId",
        made={"PublishingFailureStartTimestamp": 0},
        shown=health,
        absent=(
            REJECTED,
            "The request is rejected because the one or more input parameters have invalid values.",
        ),
        one=True,
        check=detector,
    )
    .create(
        "CreatePublishingDestination",
        exists=REJECTED,
        check=check_destination,
        middle={"Status": "PENDING_VERIFICATION"},
    )
    .get("DescribePublishingDestination", by="DestinationId")
    .list("ListPublishingDestinations", "Destinations")
    .update(
        "UpdatePublishingDestination", by="DestinationId", check=check_destination, changed=changed_destination
    )
    .delete("DeletePublishingDestination", by="DestinationId")
)

FILTERS = (
    Collection(
        "guardduty",
        "filter",
        key="Name",
        arn=("Arn", "arn:{partition}:guardduty:{region}:{account}:detector/{parent}/filter/{id}"),
        parent="DetectorId",
        defaults={"Action": "NOOP", "Rank": 1, "Description": ""},
        absent=UNKNOWN,
        limit=(100, REJECTED),
        check=detector,
    )
    .create("CreateFilter", exists=REJECTED)
    .get("GetFilter", by="FilterName")
    .list("ListFilters", "FilterNames", only="Name")
    .update("UpdateFilter", by="FilterName")
    .delete("DeleteFilter", by="FilterName")
)


def activated(call: Call) -> dict[str, Any]:
    if "Activate" not in call.params:
        return {}
    return {"Status": "ACTIVE" if call.params["Activate"] else "INACTIVE"}


def lists(kind: str, key: str, ids: str, arn: str, most: int, times: bool) -> Collection:
    """Lists of addresses or entities in S3: one kind of them, with its five operations."""
    return (
        Collection(
            "guardduty",
            kind,
            key=key,
            new_id=short_id,
            arn=("Arn", "arn:{partition}:guardduty:{region}:{account}:detector/{parent}/" + arn + "/{id}"),
            parent="DetectorId",
            made=activated,
            created="CreatedAt" if times else None,
            updated="UpdatedAt" if times else None,
            absent=UNKNOWN,
            limit=(most, REJECTED),
            check=detector,
        )
        .create(f"Create{kind}", exists=REJECTED, same=["Name"], middle={"Status": "ACTIVATING"})
        .get(f"Get{kind}", by=key)
        .list(f"List{kind}s", ids, only=key)
        .update(f"Update{kind}", by=key, changed=activated)
        .delete(f"Delete{kind}", by=key)
    )


IP_SETS = lists("IPSet", "IpSetId", "IpSetIds", "ipset", 1, False)
THREAT_INTEL_SETS = lists("ThreatIntelSet", "ThreatIntelSetId", "ThreatIntelSetIds", "threatintelset", 6, False)
TRUSTED_ENTITY_SETS = lists(
    "TrustedEntitySet", "TrustedEntitySetId", "TrustedEntitySetIds", "trustedentityset", 1, True
)
THREAT_ENTITY_SETS = lists("ThreatEntitySet", "ThreatEntitySetId", "ThreatEntitySetIds", "threatentityset", 6, True)
