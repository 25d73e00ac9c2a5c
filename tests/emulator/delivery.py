"""Whether a service may write where it is told to: S3 buckets and KMS keys, by their policies alone.

Conditions and prefixes are not judged.
"""

from dataclasses import replace
from typing import Any

from emulator.policy import allows_service
from emulator.wire import Call


def bucket_of(partition: str, name: str) -> Any:
    """The bucket, of whatever account."""
    from moto.s3.models import s3_backends

    for partitions in list(s3_backends.values()):
        bucket = partitions[partition].buckets.get(name)
        if bucket:
            return bucket
    return None


def bucket_error(partition: str, name: str, service: str, *actions: str) -> str | None:
    """What S3 would answer to the service."""
    bucket = bucket_of(partition, name)
    if bucket is None:
        return "NoSuchBucket"
    policy = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    return None if all(allows_service(policy, service, action) for action in actions) else "AccessDenied"


def key_lets(call: Call, arn: str, service: str, action: str) -> bool:
    """Whether the KMS key of the call's account is enabled and its policy lets the service do this, in any Region."""
    from emulator.missing.kms import find_key

    region = [*arn.split(":"), "", "", "", ""][3] or call.region
    try:
        key = find_key(replace(call, region=region), arn)
    except Exception:
        return False
    return key.key_state == "Enabled" and allows_service(key.policy, service, action)
