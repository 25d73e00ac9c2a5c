"""S3: whether tags of a bucket count in policies (attribute-based access control)."""

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.missing.s3 import find_bucket
from emulator.shelf import setting
from emulator.wire import Call


def bucket(call: Call) -> None:
    if find_bucket(call, call.params["Bucket"]) is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)


ABAC = setting(
    "s3",
    "abac",
    {"AbacStatus": {"Status": "Disabled"}},
    get="GetBucketAbac",
    put={"PutBucketAbac": True},
    key=("Bucket",),
    everywhere=True,
    check=bucket,
)


@refuses("s3", "PutBucketTagging", "DeleteBucketTagging")
def tags_that_count_are_changed_by_the_control_plane(call: Call) -> None:
    if find_bucket(call, call.params["Bucket"]) and ABAC.now(call)["AbacStatus"]["Status"] == "Enabled":
        message = "Attribute based access control is enabled for the bucket: use TagResource and UntagResource."
        raise AwsError("InvalidRequest", message, 400)
