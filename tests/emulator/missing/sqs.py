"""SQS: names and attributes of queues, and messages, that it refuses and moto takes."""

import json
import re
import time
from typing import Any

from emulator import grammar, policy
from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.partial import judges
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
MOST_ATTRIBUTES = 10
# Ids of groups and of duplicates.
OF_A_MESSAGE = re.compile(r"[\x21-\x7e]{1,128}")
MOST_ENTRIES = 10
GONE_SECONDS = 60
ERRORS = "AWS.SimpleQueueService."
NOT_ALLOWED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    _check_fifo(call, name, attributes)
    if attributes.get("KmsMasterKeyId") and attributes.get("SqsManagedSseEnabled") == "true":
        raise AwsError("InvalidAttributeValue", "You can use one type of server-side encryption (SSE) at one time.")


# What attributes of FIFO queues say.
OF_FIFO_VALUES = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}


def _check_fifo(call: Call, name: str, attributes: dict[str, str]) -> None:
    for attribute, values in OF_FIFO_VALUES.items():
        if attributes.get(attribute, values[0]) not in values:
            raise _invalid(attribute)
    if call.operation == "SetQueueAttributes" and attributes.get("FifoQueue", "true") != "true":
        message = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
        raise AwsError("InvalidAttributeValue", message)
    there = _queue(call, name) if call.operation == "SetQueueAttributes" else None
    limit = attributes.get("FifoThroughputLimit") or getattr(there, "fifo_throughput_limit", None)
    scope = attributes.get("DeduplicationScope") or getattr(there, "deduplication_scope", None)
    # High throughput needs both ("High throughput for FIFO queues").
    if limit == "perMessageGroupId" and scope != "messageGroup":
        raise _invalid("FifoThroughputLimit")


def _queue(call: Call, name: str) -> Any:
    from moto.sqs.models import sqs_backends

    return sqs_backends[call.owner or call.account][call.region].queues.get(name)


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
    letters = queue_of(target)
    if letters is None:
        raise refused("Dead letter target does not exist.")
    if not _lets(letters, f"arn:{call.partition}:sqs:{call.region}:{call.account}:{name}"):
        raise refused("Dead letter target does not allow this source queue.")
    if target.endswith(".fifo") != name.endswith(".fifo"):
        raise refused("Dead-letter queue must be same type of queue as the source.")


def _lets(letters: Any, source: str) -> bool:
    """Whether a queue for dead letters takes those of the source, which without a word it does."""
    said = getattr(letters, "redrive_allow_policy", None) or {}
    said = json.loads(said) if isinstance(said, str) else said
    kind = said.get("redrivePermission", "allowAll")
    return kind == "allowAll" or (kind == "byQueue" and source in said.get("sourceQueueArns", []))


# Numbers of a call: the lowest, the highest, and how SQS says it.
OF_CALLS = {
    "MaxNumberOfMessages": (1, 10, "Must be between 1 and 10, if provided."),
    "VisibilityTimeout": (0, 43200, "Must be between 0 and 43200, if provided."),
    "WaitTimeSeconds": (0, 20, "Must be >= 0 and <= 20, if provided."),
}


@refuses("sqs", "ReceiveMessage", "ChangeMessageVisibility")
def numbers_of_a_call(call: Call) -> None:
    for name, (low, high, reason) in OF_CALLS.items():
        value = call.params.get(name, low)
        if not low <= value <= high:
            message = f"Value {value} for parameter {name} is invalid. Reason: {reason}"
            raise AwsError("InvalidParameterValue", message)


@refuses("sqs", "SendMessage")
def what_a_message_is(call: Call) -> None:
    _check_message(call, call.params)


@judges("sqs", "SendMessageBatch")
def _check_message(call: Call, message: dict[str, Any]) -> None:
    if not message["MessageBody"]:
        raise AwsError("MissingParameter", "The request must contain the parameter MessageBody.")
    if NOT_ALLOWED.search(message["MessageBody"]):
        raise AwsError("InvalidMessageContents", "Message contains characters outside the allowed set.")
    if message.get("DelaySeconds", 0) < 0:
        value = message["DelaySeconds"]
        raise _wrong(value, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        if name in message and not OF_A_MESSAGE.fullmatch(message[name]):
            rule = "can only include alphanumeric and punctuation characters. 1 to 128 in length."
            raise _wrong(message[name], name, f"{name} {rule}")
    # Groups are also for the fair queues among the standard ones.
    if "MessageDeduplicationId" in message and not call.params["QueueUrl"].endswith(".fifo"):
        reason = "The request include parameter that is not valid for this queue type."
        raise _wrong(message["MessageDeduplicationId"], "MessageDeduplicationId", reason)
    _check_attributes(message)
    most = int(getattr(_queue(call, call.params["QueueUrl"].rpartition("/")[2]), "maximum_message_size", 0))
    if most and _size(message) > most:
        text = f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        raise AwsError("InvalidParameterValue", text)


def _size(message: dict[str, Any]) -> int:
    """The bytes of a message, in which those of its attributes count: names, types and values."""
    size = len(message["MessageBody"].encode())
    for name, value in (message.get("MessageAttributes") or {}).items():
        binary = value.get("BinaryValue") or b""
        parts = [name, value.get("DataType", ""), value.get("StringValue") or ""]
        size += sum(len(part.encode()) for part in parts) + len(binary)
    return size


def _check_attributes(message: dict[str, Any]) -> None:
    attributes = message.get("MessageAttributes") or {}
    if len(attributes) > MOST_ATTRIBUTES:
        text = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        raise AwsError("InvalidParameterValue", text)
    for name, value in attributes.items():
        reserved = name.lower().startswith(("aws.", "amazon."))
        if reserved or not re.fullmatch(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)", name):
            raise AwsError("InvalidParameterValue", f"Invalid message (user) attribute name '{name}'.")
        kind = str(value.get("DataType", "")).partition(".")[0]
        said = value.get("BinaryValue" if kind == "Binary" else "StringValue")
        if kind in ("String", "Number", "Binary") and not said:
            text = f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
            raise AwsError("InvalidParameterValue", text)
        if kind == "Number" and not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", said):
            text = f"Can't cast the value of message (user) attribute '{name}' to a number."
            raise AwsError("InvalidParameterValue", text)
    unknown = next((name for name in message.get("MessageSystemAttributes") or {} if name != "AWSTraceHeader"), None)
    if unknown:
        raise AwsError("InvalidParameterValue", f"Message system attribute name '{unknown}' is invalid.")


def _wrong(value: Any, name: str, reason: str) -> AwsError:
    return AwsError("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}")


@refuses("sqs", "ChangeMessageVisibilityBatch", "DeleteMessageBatch")
def entries_of_a_batch(call: Call) -> None:
    ids = [entry["Id"] for entry in call.params["Entries"]]
    twice = next((one for number, one in enumerate(ids) if one in ids[:number]), None)
    if not ids:
        raise AwsError(f"{ERRORS}EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(ids) > MOST_ENTRIES:
        message = f"Maximum number of entries per request are {MOST_ENTRIES}. You have sent {len(ids)}."
        raise AwsError(f"{ERRORS}TooManyEntriesInBatchRequest", message)
    if not all(re.fullmatch(r"[\w-]{1,80}", one, re.ASCII) for one in ids):
        raise AwsError(
            f"{ERRORS}InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        )
    if twice:
        raise AwsError(f"{ERRORS}BatchEntryIdsNotDistinct", f"Id {twice} repeated.")


@judges("sqs", "ChangeMessageVisibilityBatch")
def not_in_flight(call: Call, entry: dict[str, Any]) -> None:
    message = _received(call, entry)
    if message and message.visible:
        raise AwsError(f"{ERRORS}MessageNotInflight", "The message referred to isn't in flight.")


@judges("sqs", "DeleteMessageBatch")
def expired(call: Call, entry: dict[str, Any]) -> None:
    message = _received(call, entry)
    if message and message.visible and call.params["QueueUrl"].endswith(".fifo"):
        raise AwsError(
            "InvalidParameterValue",
            f"Value {entry['ReceiptHandle']} for parameter ReceiptHandle is invalid. "
            "Reason: The receipt handle has expired.",
        )


def _received(call: Call, entry: dict[str, Any]) -> Any:
    """The message that was once received with the entry's receipt."""
    queue = _queue(call, call.params["QueueUrl"].rpartition("/")[2])
    messages = queue._messages if queue else []
    return next((one for one in messages if one.had_receipt_handle(entry["ReceiptHandle"])), None)


# When queues were deleted that were there, by account, Region and name.
_DELETED: dict[tuple[str, str, str], float] = {}


@refuses("sqs", "DeleteQueue")
def remember_deleted(call: Call) -> None:
    from moto.sqs.models import sqs_backends

    name = call.params["QueueUrl"].rpartition("/")[2]
    account = call.owner or call.account
    if name in sqs_backends[account][call.region].queues:
        _DELETED[account, call.region, name] = time.monotonic()


@refuses("sqs", "CreateQueue")
def deleted_recently(call: Call) -> None:
    when = _DELETED.get((call.account, call.region, call.params["QueueName"]))
    if when is not None and time.monotonic() - when < GONE_SECONDS:
        raise AwsError(
            "QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        )


def _invalid(attribute: str) -> AwsError:
    return AwsError("InvalidAttributeValue", f"Invalid value for the parameter {attribute}.")
