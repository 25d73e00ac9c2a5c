"""S3: who may touch a bucket and from where, and the settings that moto drops or keeps in part.

moto lets every account use every bucket in every region, knows none of the defaults of a new bucket and forgets
members that it does not know (blocked encryption types, log key format, size limits in lifecycle rules).
"""

import copy
import json
import re
import uuid
from typing import Any

from emulator import policy
from emulator.answers import Answer, AwsError
from emulator.missing import Forward, from_moto, guards, handles, s3_lifecycle, s3_policies
from emulator.wire import Call

DEFAULT_ENCRYPTION = {
    "Rules": [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
            "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
        }
    ]
}
MAX_TAGS = 50
LONGEST_RETENTION = {"Days": 36_500, "Years": 100}
DEFAULT_MINIMUM_SIZE = "all_storage_classes_128K"
PUBLIC_CANNED = ("public-read", "public-read-write", "authenticated-read")
PUBLIC_GROUPS = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
# What moto calls the owner of every bucket.
EVERYBODYS_ID = b"75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
NAMED = re.compile(rb"\s*<DisplayName>webfile</DisplayName>")
ANY_REGION = {"CreateBucket", "GetBucketLocation", "ListBuckets"}


def find_bucket(call: Call, name: str) -> Any:
    """The bucket, whichever account it belongs to; None when there is none."""
    from moto.s3.models import s3_backends

    owner = s3_backends.bucket_accounts.get(name)
    return s3_backends[owner[1]][owner[0]].buckets.get(name) if owner else None


def extras(bucket: Any) -> dict[str, Any]:
    """What is kept of a bucket beside moto's own fields."""
    if not hasattr(bucket, "evenkeel_extras"):
        bucket.evenkeel_extras = {}
    return bucket.evenkeel_extras


@guards("s3")
def owner_and_region(call: Call) -> None:
    name = call.params.get("Bucket") if call.operation != "CreateBucket" else None
    bucket = find_bucket(call, name) if name else None
    if bucket is None:
        return
    expected = call.params.get("ExpectedBucketOwner")
    if expected and expected != bucket.account_id:
        raise AwsError("AccessDenied", "Access Denied", 403)
    if call.access_key and bucket.account_id != call.account and not _lets_in(bucket, call.account):
        raise AwsError("AccessDenied", "Access Denied", 403, {"x-amz-bucket-region": bucket.region_name})
    if call.access_key and bucket.region_name != call.region and call.operation not in ANY_REGION:
        raise AwsError(
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all "
            "future requests to this endpoint.",
            301,
            {"x-amz-bucket-region": bucket.region_name},
        )


# What stands in the address of operations that moto lacks; it would list the bucket, make it or delete it.
UNKNOWN_TO_MOTO = {
    "analytics",
    "annotation",
    "intelligent-tiering",
    "metadataAnnotationTable",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "renameObject",
    "requestPayment",
    "session",
    "torrent",
}


@guards("s3")
def what_moto_takes_for_something_else(call: Call) -> None:
    query = call.model.http["requestUri"].partition("?")[2] if call.model else ""
    if query and re.split("[&=]", query)[0] in UNKNOWN_TO_MOTO:
        raise NotImplementedError("moto has no such sub-resource")


@handles("s3", "CreateBucket")
def create_bucket(call: Call, forward: Forward) -> Answer:
    params, existed = call.params, find_bucket(call, call.params["Bucket"])
    ownership = params.get("ObjectOwnership", "BucketOwnerEnforced")
    if not existed and ownership == "BucketOwnerEnforced" and params.get("ACL") in PUBLIC_CANNED:
        raise _acl_with_ownership("Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
    answer = forward()
    bucket = find_bucket(call, params["Bucket"])
    if answer.status == 200 and not existed:
        from moto.s3.models import PublicAccessBlock

        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
        extras(bucket)["ownership"] = ownership
        for tag in (params.get("CreateBucketConfiguration") or {}).get("Tags", []):
            extras(bucket).setdefault("tags", []).append(tag)
    return answer


@handles("s3", "ListBuckets")
def list_buckets(call: Call, _: Forward) -> dict[str, Any]:
    from moto.s3.models import s3_backends

    params = call.params
    asked = any(name in params for name in ("MaxBuckets", "Prefix", "BucketRegion", "ContinuationToken"))
    buckets = sorted(s3_backends[call.account][call.partition].buckets.values(), key=lambda b: b.name)
    buckets = [
        b
        for b in buckets
        if b.name.startswith(params.get("Prefix", ""))
        and params.get("BucketRegion") in (None, b.region_name)
        and b.name > params.get("ContinuationToken", "")
    ]
    page = buckets[: params.get("MaxBuckets", 10_000)]
    made: dict[str, Any] = {
        "Owner": {"ID": _canonical_id(call.account)},
        "Buckets": [
            {"Name": b.name, "CreationDate": b.creation_date} | ({"BucketRegion": b.region_name} if asked else {})
            for b in page
        ],
    }
    if len(page) < len(buckets):
        made["ContinuationToken"] = page[-1].name
    if "Prefix" in params:
        made["Prefix"] = params["Prefix"]
    return made


@handles("s3", "PutBucketPolicy")
def put_bucket_policy(call: Call, forward: Forward) -> Answer | None:
    bucket, text = _bucket(call), call.params.get("Policy") or ""
    own = f"arn:{call.partition}:s3:::{bucket.name}"
    s3_policies.check(text, own)
    if policy.unknown_principals(text, call.account, call.partition):
        raise AwsError("MalformedPolicy", "Invalid principal in policy", 400)
    if policy.is_public(text) and _blocks(call, bucket).block_public_policy:
        raise AwsError(
            "AccessDenied",
            f'User is not authorized to perform: s3:PutBucketPolicy on resource: "{own}" because public policies are '
            "prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            403,
        )
    answer = forward()
    if answer.status < 300:
        bucket.policy = policy.stored(_with_arns(text), call.partition, collapse=True).encode()
    return answer


@handles("s3", "GetBucketEncryption")
def get_bucket_encryption(call: Call, _: Forward) -> dict[str, Any]:
    return {"ServerSideEncryptionConfiguration": extras(_bucket(call)).get("encryption", DEFAULT_ENCRYPTION)}


@handles("s3", "PutBucketEncryption")
def put_bucket_encryption(call: Call, forward: Forward) -> Answer:
    given = copy.deepcopy(call.params["ServerSideEncryptionConfiguration"])
    if len(given["Rules"]) != 1:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate", 400)
    for rule in given["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm") == "AES256" and default.get("KMSMasterKeyID"):
            raise AwsError(
                "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms", 400
            )
        rule.setdefault("BucketKeyEnabled", False)
    answer = forward()
    if answer.status < 300:
        extras(_bucket(call))["encryption"] = given
    return answer


@handles("s3", "DeleteBucketEncryption")
def delete_bucket_encryption(call: Call, forward: Forward) -> Answer:
    extras(_bucket(call)).pop("encryption", None)
    return forward()


@handles("s3", "PutBucketVersioning")
def put_bucket_versioning(call: Call, _: Forward) -> None:
    if call.params["VersioningConfiguration"].get("MFADelete") == "Enabled" and "MFA" not in call.params:
        raise AwsError("AccessDenied", "Mfa Authentication must be used for this request", 403)
    if "Status" not in call.params["VersioningConfiguration"]:
        raise AwsError("IllegalVersioningConfigurationException", "The Versioning element must be specified", 400)
    if call.params["VersioningConfiguration"]["Status"] == "Suspended" and _bucket(call).object_lock_enabled:
        raise AwsError(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            409,
        )


@handles("s3", "GetBucketLifecycleConfiguration")
def get_lifecycle(call: Call, _: Forward) -> dict[str, Any]:
    kept = extras(_bucket(call)).get("lifecycle")
    if kept is None:
        raise AwsError("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", 404)
    return kept


@handles("s3", "PutBucketLifecycleConfiguration")
def put_lifecycle(call: Call, forward: Forward) -> dict[str, Any] | Answer:
    if not call.params.get("LifecycleConfiguration"):
        raise AwsError("MissingRequestBodyError", "Request Body is empty", 400)
    rules = copy.deepcopy(call.params["LifecycleConfiguration"]["Rules"])
    s3_lifecycle.check(rules)
    for rule in rules:
        rule.setdefault("ID", str(uuid.uuid4()))
    if len({rule["ID"] for rule in rules}) < len(rules):
        raise AwsError("InvalidArgument", "Rule ID must be unique. Found same ID for one or more rules", 400)
    size = call.params.get("TransitionDefaultMinimumObjectSize") or DEFAULT_MINIMUM_SIZE
    answer = forward()
    if answer.status >= 300:
        return answer
    extras(_bucket(call))["lifecycle"] = {"Rules": rules, "TransitionDefaultMinimumObjectSize": size}
    return {"TransitionDefaultMinimumObjectSize": size}


@handles("s3", "DeleteBucketLifecycle")
def delete_lifecycle(call: Call, forward: Forward) -> Answer:
    extras(_bucket(call)).pop("lifecycle", None)
    return forward()


@handles("s3", "GetObjectLockConfiguration")
def get_object_lock(call: Call, _: Forward) -> dict[str, Any]:
    bucket = _bucket(call)
    if not bucket.object_lock_enabled:
        raise AwsError(
            "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", 404
        )
    made: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if "lock_rule" in extras(bucket):
        made["Rule"] = extras(bucket)["lock_rule"]
    return {"ObjectLockConfiguration": made}


@handles("s3", "PutObjectLockConfiguration")
def put_object_lock(call: Call, _: Forward) -> dict[str, Any]:
    bucket, given = _bucket(call), call.params.get("ObjectLockConfiguration") or {}
    if given.get("ObjectLockEnabled") != "Enabled":
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate", 400)
    if bucket.versioning_status != "Enabled":
        raise AwsError(
            "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", 409
        )
    retention = (given.get("Rule") or {}).get("DefaultRetention")
    if retention and (("Days" in retention) == ("Years" in retention) or "Mode" not in retention):
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate", 400)
    for unit, most in LONGEST_RETENTION.items():
        if not 0 < (retention or {}).get(unit, 1) <= most:
            raise AwsError("InvalidArgument", f"Default retention period must be between 1 and {most} {unit.lower()}", 400)
    bucket.object_lock_enabled = True
    if retention:
        bucket.default_lock_mode = retention["Mode"]
        bucket.default_lock_days, bucket.default_lock_years = retention.get("Days", 0), retention.get("Years", 0)
        extras(bucket)["lock_rule"] = {"DefaultRetention": retention}
    else:
        bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = "", 0, 0
        extras(bucket).pop("lock_rule", None)
    return {}


@handles("s3", "PutBucketLogging")
def put_logging(call: Call, forward: Forward) -> Answer:
    answer = forward()
    if answer.status < 300:
        enabled = (call.params.get("BucketLoggingStatus") or {}).get("LoggingEnabled")
        extras(_bucket(call))["logging"] = {"LoggingEnabled": {"TargetPrefix": ""} | enabled} if enabled else {}
    return answer


@handles("s3", "GetBucketLogging")
def get_logging(call: Call, _: Forward) -> dict[str, Any]:
    return extras(_bucket(call)).get("logging", {})


@handles("s3", "GetBucketOwnershipControls")
def get_ownership(call: Call, _: Forward) -> dict[str, Any]:
    ownership = extras(_bucket(call)).get("ownership")
    if ownership is None:
        raise AwsError("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", 404)
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": ownership}]}}


@handles("s3", "PutBucketOwnershipControls")
def put_ownership(call: Call, _: Forward) -> dict[str, Any]:
    bucket = _bucket(call)
    ownership = call.params["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
    if ownership == "BucketOwnerEnforced" and len(bucket.acl.grants) > 1:
        raise _acl_with_ownership("Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
    extras(bucket)["ownership"] = ownership
    return {}


@handles("s3", "DeleteBucketOwnershipControls")
def delete_ownership(call: Call, _: Forward) -> Answer:
    extras(_bucket(call)).pop("ownership", None)
    return Answer(204)


@handles("s3", "GetBucketAcl", "GetObjectAcl")
def get_acl(call: Call, forward: Forward) -> Answer:
    """moto has one canonical user for all accounts, with a name, which S3 shows no more."""
    answer = forward()
    if answer.status < 300:
        own = _canonical_id(_bucket(call).account_id).encode()
        answer.body = NAMED.sub(b"", answer.body.replace(EVERYBODYS_ID, own))
    return answer


@handles("s3", "PutBucketAcl")
def put_acl(call: Call, _: Forward) -> None:
    bucket, params = _bucket(call), call.params
    grants = [str(value) for name, value in params.items() if name.startswith("Grant")]
    listed = (params.get("AccessControlPolicy") or {}).get("Grants", [])
    if not grants and "ACL" not in params and "AccessControlPolicy" not in params:
        raise AwsError("MissingSecurityHeader", "Your request was missing a required header", 400)
    granting = params.get("ACL", "private") != "private" or bool(grants)
    if extras(bucket).get("ownership") == "BucketOwnerEnforced" and granting:
        raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)
    to = [*grants, *((one.get("Grantee") or {}).get("URI", "") for one in listed)]
    public = params.get("ACL") in PUBLIC_CANNED or any(group in one for group in PUBLIC_GROUPS for one in to)
    if public and _blocks(call, bucket).block_public_acls:
        raise AwsError("AccessDenied", "Access Denied", 403)


@handles("s3", "GetBucketTagging")
def get_tagging(call: Call, forward: Forward) -> dict[str, Any]:
    first = extras(_bucket(call)).get("tags")
    return {"TagSet": first} if first else from_moto(call, forward)


@handles("s3", "PutBucketTagging", "DeleteBucketTagging")
def change_tagging(call: Call, _: Forward) -> None:
    tags = (call.params.get("Tagging") or {}).get("TagSet", [])
    if len(tags) > MAX_TAGS:
        raise AwsError("BadRequest", "Bucket tag count cannot be greater than 50", 400)
    extras(_bucket(call)).pop("tags", None)


@handles("s3control", "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock")
def account_block(call: Call, _: Forward) -> dict[str, Any] | None:
    """Of the own account alone; an S3 policy of the organization is read in its place, and cannot be written."""
    from emulator.organization.owned import public_access_block

    if call.params.get("AccountId") != call.account:
        raise AwsError("AccessDenied", "Access Denied", 403)
    decided = public_access_block(call.account, call.partition)
    if decided is None:
        return None
    if call.operation != "GetPublicAccessBlock":
        raise AwsError("AccessDenied", "Access Denied", 403)
    return {"PublicAccessBlockConfiguration": decided}


def _bucket(call: Call) -> Any:
    bucket = find_bucket(call, call.params["Bucket"])
    if bucket is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
    return bucket


def _lets_in(bucket: Any, account: str) -> bool:
    """Whether the bucket's policy allows something to the other account; which action it is is not judged."""
    for statement in policy.statements(bucket.policy.decode() if bucket.policy else None):
        principal = statement.get("Principal")
        names = policy.as_list(principal.get("AWS")) if isinstance(principal, dict) else [principal]
        if statement.get("Effect") == "Allow" and any(name == "*" or account in str(name) for name in names):
            return True
    return False


def _with_arns(text: str) -> str:
    """S3 keeps canonical users by their ARN; all that are not known are taken for CloudFront's identities."""
    document = json.loads(text)
    for statement in policy.as_list(document["Statement"]):
        principal = statement.get("Principal")
        users = policy.as_list(principal.pop("CanonicalUser", None)) if isinstance(principal, dict) else []
        if users:
            name = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E"
            arns = [name + user[:13].upper() for user in users]
            principal["AWS"] = [*policy.as_list(principal.get("AWS")), *arns]
    return json.dumps(document)


@handles("s3", "GetBucketPolicyStatus")
def policy_status(call: Call, _: Forward) -> dict[str, Any] | None:
    found = _bucket(call)
    if not found.policy:
        return None
    text = found.policy.decode() if isinstance(found.policy, bytes) else found.policy
    return {"PolicyStatus": {"IsPublic": policy.is_public(text)}}


def _blocks(call: Call, bucket: Any) -> Any:
    """The account's and the bucket's public access blocks together."""
    from moto.s3.models import PublicAccessBlock
    from moto.s3control.models import s3control_backends

    from emulator.organization.owned import public_access_block

    account = s3control_backends[bucket.account_id][call.partition].public_access_block
    decided = public_access_block(bucket.account_id, call.partition)
    if decided is not None:
        account = PublicAccessBlock(*decided.values())
    both = [block for block in (account, bucket.public_access_block) if block]
    return PublicAccessBlock(
        any(b.block_public_acls for b in both),
        any(b.ignore_public_acls for b in both),
        any(b.block_public_policy for b in both),
        any(b.restrict_public_buckets for b in both),
    )


def _acl_with_ownership(message: str) -> AwsError:
    return AwsError("InvalidBucketAclWithObjectOwnership", message, 400)


def _canonical_id(account: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, account).hex * 2
