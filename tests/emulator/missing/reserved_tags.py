"""Tags that are written in any way: no key begins with `aws:`, and none is there twice.

Services that are not in the table look at their tags themselves, or their API models have a pattern.
"""

from collections.abc import Iterator
from typing import Any

from emulator.answers import AwsError
from emulator.missing import guards
from emulator.wire import Call

# By service the code of the error.
CODES = {
    "accessanalyzer": "ValidationException",
    "backup": "InvalidParameterValueException",
    "cloudtrail": "InvalidTagParameterException",
    "config": "ValidationException",
    "ec2": "InvalidParameterValue",
    "efs": "ValidationException",
    "elasticache": "InvalidParameterValue",
    "elb": "ValidationError",
    "elbv2": "ValidationError",
    "events": "ValidationException",
    "iam": "InvalidInput",
    "inspector2": "ValidationException",
    "lambda": "InvalidParameterValueException",
    "macie2": "ValidationException",
    "network-firewall": "InvalidRequestException",
    "opensearch": "ValidationException",
    "rds": "InvalidParameterValue",
    "redshift": "InvalidTagFault",
    "shield": "InvalidParameterException",
    "sqs": "InvalidParameterValue",
    "ssm": "ValidationException",
    "wafv2": "WAFInvalidParameterException",
}
MEMBERS = ("Tags", "tags", "TagList", "TagsList", "BackupVaultTags", "TagSpecifications")
READS = ("Describe", "Get", "List", "Remove", "Search", "Untag")


@guards("*")
def tags(call: Call) -> None:
    code = CODES.get(call.service or "")
    if code is None or (call.operation or "").startswith(READS):
        return
    for name in MEMBERS:
        given = call.params.get(name)
        for keys in _keys(given) if given else ():
            for key in keys:
                if key.lower().startswith("aws:"):
                    raise AwsError(code, f"Tag keys that begin with aws: are reserved: {key}")
            # IAM has words of its own for it, and takes keys that differ by case for one.
            if len(keys) != len(set(keys)) and call.service != "iam":
                raise AwsError(code, "A tag key is there twice.")


def _keys(given: Any) -> Iterator[list[str]]:
    if isinstance(given, dict):
        yield list(given)
    elif isinstance(given, list) and given and "Tags" in given[0]:
        for one in given:
            yield from _keys(one["Tags"])
    elif isinstance(given, list):
        yield [str(one.get("Key", one.get("key", ""))) for one in given if isinstance(one, dict)]
