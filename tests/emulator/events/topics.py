"""SNS: from a topic on to queues, as the queue's policy allows it."""

import functools
from typing import Any

from emulator.events import queues
from emulator.events.permission import service_may
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
        queue = queues.queue_of(self.endpoint)
        context = {"aws:SourceArn": self.topic.arn, "aws:SourceAccount": self.topic.account_id}
        if queue and service_may(queue.policy, SERVICE, "sqs:SendMessage", self.endpoint, context):
            queues.install()
            # moto looks for the queue in the subscription's account.
            self.account_id, own = queue.account_id, self.account_id
            try:
                publish(self, *args, **named)
            finally:
                self.account_id = own

    models.Subscription.publish = publish_as_allowed


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
