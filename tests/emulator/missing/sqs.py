"""SQS: names and attributes of queues that it refuses and moto takes."""

import json
import re
from typing import Any

from emulator import grammar, policy
from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.wire import Call

NUMBERS = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
    "MaximumMessageSize": (1024, 1048576),
    "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43200),
}
OF_FIFO = {"ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit"}
OTHERS = {"KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", *OF_FIFO}
MOST_RECEIVES = 1000


@refuses("sqs", "CreateQueue")
def name_of_a_queue(call: Call) -> None:
    fifo = "FifoQueue" in (call.params.get("Attributes") or {})
    if call.params["QueueName"].endswith(".fifo") and not fifo:
        raise AwsError(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )


@refuses("sqs", "CreateQueue", "SetQueueAttributes")
def attributes_of_a_queue(call: Call) -> None:
    attributes = call.params.get("Attributes") or {}
    name = call.params.get("QueueName") or call.params["QueueUrl"].rpartition("/")[2]
    for attribute, value in attributes.items():
        known = attribute in NUMBERS or attribute in OTHERS
        # A standard queue does not even know the attributes of the others; but for one that is to be a FIFO queue by
        # a name that does not say so, which moto refuses.
        if not known or (attribute in OF_FIFO and not name.endswith(".fifo") and attributes.get("FifoQueue") != "true"):
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {attribute}.")
        low, high = NUMBERS.get(attribute, (0, 0))
        if attribute in NUMBERS and not (value.isdigit() and low <= int(value) <= high):
            raise _invalid(attribute)
    if attributes.get("Policy"):
        _check_policy(attributes["Policy"])
    if attributes.get("RedrivePolicy"):
        _check_redrive(call, name, attributes["RedrivePolicy"])
    if attributes.get("KmsMasterKeyId") and attributes.get("SqsManagedSseEnabled") == "true":
        raise AwsError("InvalidAttributeValue", "You can use one type of server-side encryption (SSE) at one time.")


def _check_policy(text: str) -> None:
    # A policy of a queue need not name it.
    if grammar.problem(text, ("Principal", "Action")):
        raise _invalid("Policy")
    for statement in policy.statements(text):
        for action in policy.as_list(statement.get("Action", statement.get("NotAction"))):
            if not re.fullmatch(r"\*|sqs:[a-z*?]+", action, re.IGNORECASE):
                raise _invalid("Policy")


def _check_redrive(call: Call, name: str, text: str) -> None:
    from emulator.events.queues import queue_of

    def refused(reason: str) -> AwsError:
        message = f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}"
        return AwsError("InvalidParameterValue", message)

    try:
        given: Any = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise refused("Redrive policy is not a valid JSON map.")
    for member in ("maxReceiveCount", "deadLetterTargetArn"):
        if member not in given:
            raise refused(f"Redrive policy does not contain mandatory attribute: {member}.")
    count, target = str(given["maxReceiveCount"]), str(given["deadLetterTargetArn"])
    if not count.isdigit() or not 1 <= int(count) <= MOST_RECEIVES:
        raise refused(
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to {MOST_RECEIVES} both inclusive."
        )
    if queue_of(target) is None:
        raise refused("Dead letter target does not exist.")
    if target.endswith(".fifo") != name.endswith(".fifo"):
        raise refused("Dead-letter queue must be same type of queue as the source.")


def _invalid(attribute: str) -> AwsError:
    return AwsError("InvalidAttributeValue", f"Invalid value for the parameter {attribute}.")
