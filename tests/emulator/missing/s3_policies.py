"""S3: bucket policies that it refuses. Which action is about what: Service Authorization Reference of 2026."""

import fnmatch
import re
from typing import Any

from emulator import grammar, policy
from emulator.answers import AwsError

LARGEST = 20 * 1024
OF_OBJECTS = set(
    "AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging DeleteObjectVersion "
    "DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention "
    "GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes "
    "GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent InitiateReplication "
    "ListMultipartUploadParts ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectLegalHold "
    "PutObjectRetention PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging ReplicateDelete ReplicateObject "
    "ReplicateTags RestoreObject UpdateObjectEncryption".lower().split()
)
OF_BUCKETS = set(
    "CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration "
    "DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac "
    "GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration "
    "GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy "
    "GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning "
    "GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration "
    "GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket "
    "ListBucketMultipartUploads ListBucketVersions ListTagsForResource PauseReplication PutAccelerateConfiguration "
    "PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification "
    "PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock "
    "PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration "
    "PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration "
    "PutReplicationConfiguration TagResource UntagResource UpdateBucketMetadataInventoryTableConfiguration "
    "UpdateBucketMetadataJournalTableConfiguration".lower().split()
)


# Condition keys of S3's own, besides those with the key of a tag behind a slash.
KEYS = set(
    "AccessGrantScope AccessGrantsInstanceArn AccessGrantsLocationScope AccessPointNetworkOrigin DataAccessPointAccount "
    "DataAccessPointArn InventoryAccessibleOptionalFields ObjectCreationOperation RequestObjectTagKeys ResourceAccount "
    "TlsVersion authType delimiter destinationRegion if-match if-none-match isReplicationPauseRequest "
    "LocationConstraint locationconstraint max-keys object-lock-legal-hold object-lock-mode "
    "object-lock-remaining-retention-days object-lock-retain-until-date prefix signatureAge signatureversion versionid "
    "x-amz-acl x-amz-bucket-namespace x-amz-content-sha256 x-amz-copy-source x-amz-grant-full-control x-amz-grant-read "
    "x-amz-grant-read-acp x-amz-grant-write x-amz-grant-write-acp x-amz-metadata-directive x-amz-object-ownership "
    "x-amz-server-side-encryption x-amz-server-side-encryption-aws-kms-key-id "
    "x-amz-server-side-encryption-customer-algorithm x-amz-storage-class x-amz-website-redirect-location".lower().split()
)
TAGS = ("accesspointtag/", "buckettag/", "existingobjecttag/", "requestobjecttag/")


def check(text: str, bucket: str) -> None:
    """Raises AwsError for a policy that the bucket, given by its ARN, cannot have."""
    found = grammar.problem(text, unique=False)
    found = found or next(filter(None, (_problem(one, bucket) for one in policy.statements(text))), None)
    if found is None and len(text.encode()) > LARGEST:
        found = "Policy exceeds the maximum allowed document size."
    if found:
        raise AwsError("MalformedPolicy", found, 400)


def _problem(statement: dict[str, Any], bucket: str) -> str | None:
    for keys in (statement.get("Condition") or {}).values():
        for key in keys:
            service, _, name = key.lower().partition(":")
            if service == "s3" and name not in KEYS and not name.startswith(TAGS):
                return "Policy has an invalid condition key"
    resources = [str(one) for one in policy.as_list(statement.get("Resource", statement.get("NotResource")))]
    if not all(re.fullmatch(rf"{re.escape(bucket)}(\*.*|/.*)?", one, re.DOTALL) for one in resources):
        return "Policy has invalid resource"
    actions = [str(one).lower() for one in policy.as_list(statement.get("Action", statement.get("NotAction")))]
    fitting = set()
    # What stands in NotResource is what the statement is not about.
    if "NotResource" in statement or any(one == bucket or one.startswith(f"{bucket}*") for one in resources):
        fitting |= OF_BUCKETS
    if "NotResource" in statement or any(one != bucket for one in resources):
        fitting |= OF_OBJECTS
    for action in actions:
        service, _, name = action.rpartition(":")
        known = fnmatch.filter(OF_BUCKETS | OF_OBJECTS, name) if service in ("s3", "") and action != "" else []
        if not known or (service == "" and action != "*"):
            return "Policy has invalid action"
        if "Action" in statement and not fitting & set(known):
            return "Action does not apply to any resource(s) in statement"
    return None
