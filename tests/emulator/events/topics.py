"""SNS: from a topic on to queues, as the queue's policy and its key allow it, and else to the dead letters."""

import functools
import json
from typing import Any

from moto.core.exceptions import ServiceException

from emulator.events import queues
from emulator.events.permission import key_serves, service_may
from emulator.missing import guards
from emulator.wire import Call

SERVICE = "sns.amazonaws.com"


@functools.cache
def install() -> None:
    """Puts the checks below before moto's own delivery, and lets all of moto's signatures use one key."""
    from moto.sns import models

    models.Subscription.private_key = functools.cache(lambda _: _key())
    publish = models.Subscription.publish

    def publish_as_allowed(self: Any, *args: Any, **named: Any) -> None:
        if not self.confirmed:
            return
        if self.protocol != "sqs":
            if self.protocol == "lambda":
                publish(self, *args, **named)
            return
        endpoint, own = self.endpoint, self.account_id
        for arn in (endpoint, _dead_letters(self)):
            if not arn or not _may(self.topic, arn):
                continue
            queues.install()
            # moto looks for the queue in the subscription's account.
            self.endpoint, self.account_id = arn, arn.split(":")[4]
            try:
                publish(self, *args, **named)
                return
            except ServiceException:
                # Such as a message that is too long for the queue; who has published it never hears of it.
                continue
            finally:
                self.endpoint, self.account_id = endpoint, own

    models.Subscription.publish = publish_as_allowed


def _dead_letters(subscription: Any) -> str | None:
    """Where messages go that the endpoint does not take."""
    policy = subscription.attributes.get("RedrivePolicy")
    return json.loads(policy)["deadLetterTargetArn"] if policy else None


def _may(topic: Any, arn: str) -> bool:
    """Whether SNS may send to the queue, and use the key that encrypts it."""
    queue = queues.queue_of(arn)
    context = {"aws:SourceArn": topic.arn, "aws:SourceAccount": topic.account_id}
    if queue is None or not service_may(queue.policy, SERVICE, "sqs:SendMessage", arn, context):
        return False
    key = queue.kms_master_key_id
    return not key or key_serves(key, arn, SERVICE, context)


@guards("sns")
def before_any_call(_: Call) -> None:
    install()


def topic_of(arn: str) -> Any:
    """moto's topic with this ARN, or None."""
    from moto.sns.models import sns_backends

    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sns":
        return None
    return sns_backends[parts[4]][parts[3]].topics.get(arn)


@functools.cache
def _key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
