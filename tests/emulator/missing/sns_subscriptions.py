"""SNS: subscriptions that wait for their owner's word, what they may have, and what they answer."""

import hashlib
import json
import re
from typing import Any

from emulator.answers import AwsError
from emulator.events import queues
from emulator.events.permission import service_may
from emulator.events.topics import SERVICE
from emulator.identity import caller_arn
from emulator.missing import Forward, from_moto, handles, refuses
from emulator.missing.sns import check_deliveries, effective, find, subscriptions, wrong
from emulator.shelf.pages import page
from emulator.wire import Call

PROTOCOLS = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")
# Whoever is behind these must confirm; a phone, a stream or a function of the own account need not.
CONFIRMED_BY_OWNER = {"email", "email-json", "http", "https"}
PENDING = "PendingConfirmation"
ATTRIBUTES = {
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "SubscriptionRoleArn",
}
SCOPES = ("MessageAttributes", "MessageBody")
# Of an address, which SNS shows to nobody.
PASSWORD = re.compile(r"^(https?://[^/@:]+:)[^/@]+@")


# What SNS refuses.


@refuses("sns", "Subscribe")
def what_is_subscribed(call: Call) -> None:
    find(call)
    protocol, endpoint = call.params["Protocol"], call.params.get("Endpoint", "")
    if protocol not in PROTOCOLS:
        raise wrong(f"Amazon SNS does not support this protocol string: {protocol}")
    if protocol.startswith("http") and not endpoint.startswith(f"{protocol}://"):
        raise wrong("Endpoint must match the specified protocol")
    if protocol.startswith("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", endpoint):
        raise wrong("Email address")
    if protocol in ("sqs", "lambda", "firehose"):
        if not re.fullmatch(rf"arn:[^:]+:{protocol}:[a-z0-9-]+:\d{{12}}:.+", endpoint):
            raise wrong(f"{'SQS' if protocol == 'sqs' else protocol.capitalize()} endpoint ARN")
    given = call.params.get("Attributes") or {}
    if protocol == "firehose" and not given.get("SubscriptionRoleArn"):
        raise wrong("SubscriptionRoleArn Reason: a delivery stream needs a role")
    for name, value in given.items():
        _check(name, value, protocol, "Attributes Reason: ")


@refuses("sns", "SetSubscriptionAttributes")
def what_is_set(call: Call) -> None:
    one, name, value = _find(call), call.params["AttributeName"], call.params.get("AttributeValue")
    # It is taken away by leaving the value out, which is not the same as an empty one.
    if name == "RedrivePolicy" and value == "":
        raise wrong("RedrivePolicy: failed to parse JSON.")
    _check(name, value or "", one.protocol)
    nested = any(isinstance(part, dict) for part in json.loads(one.attributes.get("FilterPolicy") or "{}").values())
    if name == "FilterPolicyScope" and value == SCOPES[0] and nested:
        raise wrong(f"FilterPolicyScope: Filter policy scope {SCOPES[0]} does not support nested filter policy")


def _check(name: str, value: str, protocol: str, before: str = "") -> None:
    if name not in ATTRIBUTES:
        raise wrong("AttributeName")
    if name == "RawMessageDelivery":
        if value.lower() not in ("true", "false"):
            raise wrong(f"{before}RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
        if value.lower() == "true" and protocol not in ("sqs", "http", "https", "firehose"):
            raise wrong(f"{before}RawMessageDelivery: not for the protocol {protocol}")
    if name == "FilterPolicyScope" and value not in SCOPES:
        raise wrong(f"{before}FilterPolicyScope: Invalid value [{value}].")
    if name == "SubscriptionRoleArn" and protocol != "firehose":
        raise wrong(f"{before}SubscriptionRoleArn: not for the protocol {protocol}")
    if name == "DeliveryPolicy" and not protocol.startswith("http"):
        raise wrong(f"{before}DeliveryPolicy: not for the protocol {protocol}")
    if name.endswith("Policy") and value:
        try:
            document = json.loads(value)
        except ValueError:
            raise wrong(f"{before}{name}: failed to parse JSON.") from None
        if name == "DeliveryPolicy":
            check_deliveries(document, None, "healthyRetryPolicy", "throttlePolicy")
        if name == "RedrivePolicy":
            dead = document.get("deadLetterTargetArn") if isinstance(document, dict) else None
            if not re.fullmatch(r"arn:[^:]+:sqs:[a-z0-9-]+:\d{12}:.+", str(dead)):
                raise wrong(f"{before}RedrivePolicy: deadLetterTargetArn is an invalid arn")


@refuses("sns", "Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes")
def subscriptions_are_named_by_their_arn(call: Call) -> None:
    parts = call.params["SubscriptionArn"].split(":")
    if len(parts) < 6:
        raise wrong(f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {len(parts)}")


# What it answers.


@handles("sns", "Subscribe")
def subscribe(call: Call, forward: Forward) -> dict[str, Any]:
    topic, given = find(call), call.params.get("Attributes") or {}
    wanted = (call.params["Protocol"], call.params["Endpoint"])
    old = next((one for one in subscriptions(topic) if (one.protocol, one.endpoint) == wanted), None)
    if old is None:
        arn = from_moto(call, forward)["SubscriptionArn"]
        one = next(one for one in subscriptions(topic) if one.arn == arn)
        one.confirmed = not _must_confirm(call, one)
        one.attributes |= {
            "PendingConfirmation": not one.confirmed,
            "ConfirmationWasAuthenticated": one.confirmed,
            "SubscriptionPrincipal": caller_arn(call),
        }
    elif any(not _same(old.attributes.get(name), value) for name, value in given.items()):
        raise wrong("Attributes Reason: Subscription already exists with different attributes")
    else:
        one = old
    if one.confirmed:
        return {"SubscriptionArn": one.arn}
    _ask(topic, one)
    return {"SubscriptionArn": one.arn if call.params.get("ReturnSubscriptionArn") else "pending confirmation"}


def _same(there: Any, given: str) -> bool:
    there = str(there).lower() if isinstance(there, bool) else there or ""
    if given.lower() in ("true", "false"):
        return there == given.lower()
    try:
        return json.loads(there) == json.loads(given)
    except ValueError:
        return there == given


@handles("sns", "GetSubscriptionAttributes")
def get_attributes(call: Call, _: Forward) -> dict[str, Any]:
    one = _find(call)
    shown = {name: str(v).lower() if isinstance(v, bool) else v for name, v in one.attributes.items() if v not in ("", None)}
    if "Endpoint" in shown:
        shown["Endpoint"] = PASSWORD.sub(r"\1****@", shown["Endpoint"])
    if "FilterPolicy" in shown:
        shown.setdefault("FilterPolicyScope", SCOPES[0])
    else:
        shown.pop("FilterPolicyScope", None)
    if one.protocol.startswith("http"):
        shown["EffectiveDeliveryPolicy"] = json.dumps(_retries(one), separators=(",", ":"))
    return {"Attributes": shown}


def _retries(one: Any) -> dict[str, Any]:
    """Of one subscription: its own retries, or else those of the topic."""
    usual = effective(one.topic)["http"]
    own = json.loads(one.attributes.get("DeliveryPolicy") or "{}")
    retries = usual["defaultHealthyRetryPolicy"] | (own.get("healthyRetryPolicy") or {})
    return {
        "healthyRetryPolicy": retries,
        "sicklyRetryPolicy": own.get("sicklyRetryPolicy"),
        "throttlePolicy": own.get("throttlePolicy"),
        "requestPolicy": own.get("requestPolicy", usual["defaultRequestPolicy"]),
        "guaranteed": own.get("guaranteed", False),
    }


@handles("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def list_subscriptions(call: Call, _: Forward) -> dict[str, Any]:
    from moto.sns.models import sns_backends

    by_topic = call.operation == "ListSubscriptionsByTopic"
    own = sns_backends[call.account][call.region].subscriptions
    rows = [
        {
            "SubscriptionArn": one.arn if one.confirmed else PENDING,
            "Owner": one.owner,
            "Protocol": one.protocol,
            "Endpoint": PASSWORD.sub(r"\1****@", one.endpoint),
            "TopicArn": one.topic.arn,
        }
        for one in (subscriptions(find(call)) if by_topic else own.values())
    ]
    shown, token = page(call, rows)
    return {"Subscriptions": shown} | token


@handles("sns", "Unsubscribe")
def unsubscribe(call: Call, _: Forward) -> dict[str, Any]:
    """Of one that is not there says nothing."""
    try:
        one = _find(call)
    except AwsError:
        return {}
    if not one.confirmed:
        raise wrong("SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation")
    one.topic.subscriptions_deleted += 1
    _backend(one).subscriptions.pop(one.arn)
    return {}


@handles("sns", "ConfirmSubscription")
def confirm_subscription(call: Call, _: Forward) -> dict[str, Any]:
    token = call.params["Token"]
    if not re.fullmatch(r"[0-9a-f]{64,}", token):
        raise AwsError("InvalidParameter", "Invalid token")
    for one in _all():
        if _token(one) == token and one.topic.arn == call.params["TopicArn"]:
            _confirm(one)
            return {"SubscriptionArn": one.arn}
    raise wrong("Token")


def confirm(account: str, endpoint: str) -> list[str]:
    """What the owner of the endpoint does with the message that asks: the ARNs of what is confirmed now."""
    waiting = [one for one in _all(account) if one.endpoint == endpoint and not one.confirmed]
    for one in waiting:
        _confirm(one)
    return [one.arn for one in waiting]


def _confirm(one: Any) -> None:
    one.confirmed = True
    one.attributes["PendingConfirmation"] = False


def _must_confirm(call: Call, one: Any) -> bool:
    """Whether somebody else than the caller has to agree: of a queue or a function its account."""
    if one.protocol in CONFIRMED_BY_OWNER:
        return True
    owner = one.endpoint.split(":")[4] if one.endpoint.count(":") >= 5 else call.account
    return one.protocol in ("sqs", "lambda") and owner != call.account


def _ask(topic: Any, one: Any) -> None:
    """The message to the endpoint; only a queue can read it here."""
    queue = queues.queue_of(one.endpoint)
    context = {"aws:SourceArn": topic.arn, "aws:SourceAccount": topic.account_id}
    if queue and service_may(queue.policy, SERVICE, "sqs:SendMessage", one.endpoint, context):
        region = topic.arn.split(":")[3]
        message = {
            "Type": "SubscriptionConfirmation",
            "Token": _token(one),
            "TopicArn": topic.arn,
            "Message": f"You have chosen to subscribe to the topic {topic.arn}.",
            "SubscribeURL": f"https://sns.{region}.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic.arn}"
            f"&Token={_token(one)}",
        }
        queues.send(one.endpoint, json.dumps(message))


def _token(one: Any) -> str:
    return hashlib.sha256(one.arn.encode()).hexdigest()


def _all(account: str | None = None) -> list[Any]:
    from moto.sns.models import sns_backends

    accounts = [account] if account else list(sns_backends)
    backends = [backend for one in accounts for backend in list(sns_backends[one].values())]
    return [one for backend in backends for one in backend.subscriptions.values()]


def _find(call: Call) -> Any:
    arn = call.params["SubscriptionArn"]
    for one in _all():
        if one.arn == arn:
            return one
    raise AwsError("NotFound", "Subscription does not exist", 404)


def _backend(one: Any) -> Any:
    from moto.sns.models import sns_backends

    return sns_backends[one.owner][one.topic.arn.split(":")[3]]
