"""SQS as a real queue: order and exclusion of FIFO groups, deduplication, dead letters, receipts, long polling.

moto keeps the queues and checks the parameters. What happens to messages is done here, on moto's own objects:

- moto waits for messages while nobody else may call, and looks for a free group at the start of the wait only;
- it forgets a deduplication id with the message, AWS after five minutes;
- it takes every receipt that a message ever had, AWS the last one (of a FIFO queue only while it is hidden);
- it counts all messages of a queue three times for each one that is sent to it.
"""

import copy
import functools
import itertools
import time
from collections.abc import Callable
from typing import Any

from emulator.answers import AwsError
from emulator.events.permission import account_may
from emulator.missing import guards
from emulator.turn import TURN
from emulator.wire import Call

DEDUPLICATION_SECONDS = 300
# Sequence numbers have 20 digits and grow, not one by one.
SEQUENCE = itertools.count(18849496460467696128, 256)


@functools.cache
def install() -> None:
    """Puts the methods below into moto's classes."""
    from moto.sqs import models

    write = models.Queue._set_attributes

    def set_attributes(self: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        # moto takes the policy away when another attribute is set.
        kept = {} if "Policy" in attributes else {"Policy": self.policy if hasattr(self, "_policy_json") else None}
        write(self, attributes | kept, now)
        # AWS tells whole seconds.
        self.created_timestamp = int(self.created_timestamp)
        self.last_modified_timestamp = int(self.last_modified_timestamp)

    models.Queue._set_attributes = set_attributes
    models.Queue.add_message = add_message
    models.Queue.delete_message = delete_message
    models.SQSBackend.receive_message = receive_message
    change = models.SQSBackend.change_message_visibility

    def change_message_visibility(self: Any, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        queue = self.get_queue(queue_name)
        if any(m.had_receipt_handle(receipt_handle) and not _hidden(m) for m in queue._messages):
            raise _error("AWS.SimpleQueueService.MessageNotInflight", "The message referred to isn't in flight.")
        change(self, queue_name, receipt_handle, visibility_timeout)
        TURN.notify_all()

    models.SQSBackend.change_message_visibility = change_message_visibility
    send_message = models.SQSBackend.send_message

    def send_uncounted(self: Any, queue_name: str, *given: Any, **named: Any) -> Any:
        queue = self.get_queue(queue_name)
        queue.is_uncounted = True
        try:
            return send_message(self, queue_name, *given, **named)
        finally:
            queue.is_uncounted = False

    models.SQSBackend.send_message = send_uncounted
    models.Queue.approximate_number_of_messages_delayed = _counted(lambda m, now: now < m.delayed_until)
    models.Queue.approximate_number_of_messages_not_visible = _counted(lambda m, now: now <= m.visible_at)
    models.Queue.approximate_number_of_messages = _counted(lambda m, now: max(m.visible_at, m.delayed_until) < now)


def _counted(is_it: Callable[[Any, float], bool]) -> property:
    """How many messages of a queue are so. Whoever sends one asks for all attributes, and for none of these."""

    def count(self: Any) -> int:
        now = time.time() * 1000
        return 0 if getattr(self, "is_uncounted", False) else sum(is_it(m, now) for m in self._messages)

    return property(count)


@guards("sqs")
def in_the_account_of_the_queue(call: Call) -> None:
    """A call on the queue of another account is answered there, if its policy allows the caller's account that."""
    install()
    parts = str(call.params.get("QueueUrl", "")).split("/")
    owner = parts[-2] if len(parts) > 3 else call.account
    if owner == call.account or not owner.isdigit():
        return
    from moto.sqs.models import sqs_backends

    queue = sqs_backends[owner][call.region].queues.get(parts[-1])
    if queue is None:
        raise AwsError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    action = f"sqs:{str(call.operation).removesuffix('Batch')}"
    if not account_may(queue.policy, call.account, action, queue.queue_arn):
        raise AwsError(
            "AccessDenied",
            f"User: arn:{call.partition}:iam::{call.account}:root is not authorized to perform: {action.lower()} on "
            f"resource: {queue.queue_arn} because no resource-based policy allows the {action.lower()} action",
            403,
        )
    call.owner = owner


def add_message(self: Any, message: Any) -> None:
    """A message for the queue; a duplicate within five minutes is answered as the first and not kept."""
    if self.fifo_queue:
        now = time.monotonic()
        group = message.group_id if self.deduplication_scope == "messageGroup" else None
        seen = self.__dict__.setdefault("deduplicated", {})
        until, first = seen.get((group, message.deduplication_id), (0.0, message))
        if now < until:
            message.id, message.sequence_number = first.id, first.sequence_number
            return
        message.sequence_number = f"{next(SEQUENCE):020d}"
        seen[(group, message.deduplication_id)] = (now + DEDUPLICATION_SECONDS, message)
    self._messages.append(message)
    TURN.notify_all()


def receive_message(
    self: Any,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Any]:
    from moto.sqs.models import _filter_message_attributes

    end = time.monotonic() + (wait_seconds_timeout or 0)
    while True:
        queue = self.get_queue(queue_name)
        found = _take(queue, count, visibility_timeout)
        left = end - time.monotonic()
        if found or left <= 0:
            break
        TURN.wait(min([left, *_until_visible(queue)]))
    answered = [copy.copy(message) for message in found]
    for message in answered:
        _filter_message_attributes(message, message_attribute_names or [])
    return answered


def delete_message(self: Any, receipt_handle: str) -> None:
    if receipt_handle in self.deleted_messages:
        return
    message = next((m for m in self._messages if m.had_receipt_handle(receipt_handle)), None)
    if message is None:
        from moto.sqs.exceptions import ReceiptHandleIsInvalid

        raise ReceiptHandleIsInvalid()
    if self.fifo_queue and not _hidden(message):
        raise _error(
            "InvalidParameterValue",
            f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
        )
    # An earlier receipt is taken, and the message may stay (API reference of DeleteMessage); here it stays.
    if message.receipt_handle == receipt_handle:
        self._messages.remove(message)
        self.deleted_messages.update(message.all_receipt_handles)
        TURN.notify_all()


def _take(queue: Any, count: int, visibility_timeout: int) -> list[Any]:
    """The messages that may be received now, marked as received; those received too often go to the dead letters."""
    kept_from = time.time() * 1000 - queue.message_retention_period * 1000
    queue._messages = [m for m in queue._messages if m.sent_timestamp > kept_from]
    blocked = {m.group_id for m in queue._messages if _hidden(m)} if queue.fifo_queue else set()
    found: list[Any] = []
    for message in list(queue._messages):
        if len(found) == count:
            break
        if _hidden(message) or (queue.fifo_queue and message.group_id in blocked):
            continue
        if message.delayed:
            blocked.add(message.group_id)
            continue
        dead = queue.dead_letter_queue
        if dead is not None and message.approximate_receive_count >= queue.redrive_policy["maxReceiveCount"]:
            queue._messages.remove(message)
            dead._messages.append(message)
            TURN.notify_all()
            continue
        message.mark_received(visibility_timeout=visibility_timeout)
        found.append(message)
    return found


def _hidden(message: Any) -> bool:
    """Whether somebody has received the message and may still delete it."""
    return not message.visible


def _until_visible(queue: Any) -> list[float]:
    """In how many seconds hidden and delayed messages can be received."""
    now = time.time() * 1000
    moments = [max(m.visible_at, m.delayed_until) for m in queue._messages]
    return [max((moment - now) / 1000, 0.001) + 0.001 for moment in moments if moment >= now]


def _error(code: str, message: str) -> Exception:
    from moto.sqs.exceptions import SQSException

    return SQSException(code, message)


def send(arn: str, body: str, group: str | None = None, attributes: dict[str, str] | None = None) -> None:
    """A message that a service puts into the queue; raises LookupError when there is no such queue."""
    from moto.sqs.models import sqs_backends

    install()
    _, _, _, region, account, name = arn.split(":")
    backend = sqs_backends[account][region]
    if name not in backend.queues:
        raise LookupError(arn)
    backend.send_message(
        queue_name=name,
        message_body=body,
        group_id=group,
        message_attributes={k: {"DataType": "String", "StringValue": v} for k, v in (attributes or {}).items()},
    )


def queue_of(arn: str) -> Any:
    """moto's queue with this ARN, or None."""
    from moto.sqs.models import sqs_backends

    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sqs":
        return None
    return sqs_backends[parts[4]][parts[3]].queues.get(parts[5])
