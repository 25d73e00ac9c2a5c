"""SNS: attributes that moto drops, topics that are made twice, and subscriptions that wait for their owner's word."""

import hashlib
import json
from typing import Any

from emulator.answers import AwsError
from emulator.events import queues
from emulator.events.permission import service_may
from emulator.events.topics import SERVICE, topic_of
from emulator.missing import Forward, from_moto, handles, sns_policies
from emulator.wire import Call

# Attributes that SetTopicAttributes takes ("SetTopicAttributes", API reference), besides those that moto keeps.
KEPT = {
    "SignatureVersion": ("1", "2"),
    "TracingConfig": ("PassThrough", "Active"),
    "FifoThroughputScope": ("Topic", "MessageGroup"),
    "ArchivePolicy": None,
    "DataProtectionPolicy": None,
}
FEEDBACK = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
FEEDBACK_OF = ("HTTP", "Firehose", "Lambda", "Application", "SQS")
KNOWN_TO_MOTO = {"DisplayName", "Policy", "DeliveryPolicy", "KmsMasterKeyId", "ContentBasedDeduplication", "FifoTopic"}
KNOWN = {*KNOWN_TO_MOTO, *KEPT, *(f"{of}{what}" for of in FEEDBACK_OF for what in FEEDBACK)}
# Whoever is behind these must confirm; a phone, a stream or a function of the own account need not.
CONFIRMED_BY_OWNER = {"email", "email-json", "http", "https"}
PENDING = "PendingConfirmation"
LONGEST_NAME = 100


# What SetSubscriptionAttributes takes, and of which protocols ("Subscribe", API reference; "Raw message delivery").
SETTINGS = {
    "FilterPolicy": None,
    "FilterPolicyScope": None,
    "RedrivePolicy": None,
    "RawMessageDelivery": {"sqs", "http", "https", "firehose"},
    "DeliveryPolicy": {"http", "https"},
    "SubscriptionRoleArn": {"firehose"},
}


def _check_setting(protocol: str, name: str, value: str | None) -> None:
    if name not in SETTINGS or value == "" or (value is None and name == "FilterPolicy"):
        raise _refuse("AttributeName" if name not in SETTINGS else name)
    of = SETTINGS[name]
    if of is not None and protocol not in of and value != "false":
        raise _refuse(f"{name}: not for the protocol {protocol}")
    if name == "FilterPolicyScope" and value not in ("MessageAttributes", "MessageBody"):
        raise _refuse(name)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value or "")


def _is_it(call: Call, one: Any) -> bool:
    return one.protocol == call.params["Protocol"] and one.endpoint == call.params.get("Endpoint")


def _subscription(call: Call) -> Any:
    arn = call.params["SubscriptionArn"]
    found = [one for one in _subscriptions(topic_of(arn.rpartition(":")[0])) if one.arn == arn]
    if not found:
        raise AwsError("NotFound", "Subscription does not exist", 404)
    return found[0]


def _refuse(what: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {what}")


def _check(name: str, value: str) -> None:
    allowed = KEPT.get(name)
    if name not in KNOWN:
        raise _refuse("AttributeName")
    if allowed and value not in allowed:
        raise _refuse(f"{name} Reason: must be one of {', '.join(allowed)}")
    if name == "DisplayName" and len(value) > LONGEST_NAME:
        raise _refuse("DisplayName")
    if name == "DeliveryPolicy" and value:
        try:
            json.loads(value)
        except ValueError:
            raise _refuse(f"{name}: not JSON") from None


def _more(topic: Any) -> dict[str, str]:
    """The attributes that moto has no place for."""
    return topic.__dict__.setdefault("more_attributes", {})


@handles("sns", "CreateTopic")
def create_topic(call: Call, forward: Forward) -> dict[str, Any]:
    arn = f"arn:{call.partition}:sns:{call.region}:{call.account}:{call.params['Name']}"
    given = call.params.get("Attributes") or {}
    for name, value in given.items():
        _check(name, value)
    old = topic_of(arn)
    if old is not None:
        there = _attributes(old)
        if any(not _same(there.get(name), value) for name, value in given.items()):
            raise _refuse("Attributes Reason: Topic already exists with different attributes")
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or []}
        if tags and tags != old._tags:
            raise _refuse("Tags Reason: Topic already exists with different tags")
        return {"TopicArn": arn}
    policy = sns_policies.stored(given["Policy"], arn) if "Policy" in given else None
    answer = from_moto(call, forward)
    topic = topic_of(arn)
    _more(topic).update({n: v for n, v in given.items() if n not in KNOWN_TO_MOTO})
    if policy:
        topic.policy = policy
    return answer


@handles("sns", "SetTopicAttributes")
def set_topic_attributes(call: Call, _: Forward) -> dict[str, Any] | None:
    name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
    topic = _topic(call)
    _check(name, value)
    if name == "FifoTopic":
        raise _refuse("AttributeName")
    if name == "Policy":
        topic.policy = sns_policies.stored(value, topic.arn)
        return {}
    if name in KNOWN_TO_MOTO:
        return None
    _more(topic)[name] = value
    return {}


@handles("sns", "GetTopicAttributes")
def get_topic_attributes(call: Call, forward: Forward) -> dict[str, Any]:
    answer, topic = from_moto(call, forward), _topic(call)
    attributes = answer["Attributes"] | _more(topic)
    # A delivery policy is shown when it was set.
    if not attributes.get("DeliveryPolicy"):
        attributes.pop("DeliveryPolicy", None)
    subscriptions = _subscriptions(topic)
    pending = sum(not one.confirmed for one in subscriptions)
    attributes |= {"SubscriptionsPending": str(pending), "SubscriptionsConfirmed": str(len(subscriptions) - pending)}
    return {"Attributes": attributes}


@handles("sns", "Subscribe")
def subscribe(call: Call, forward: Forward) -> dict[str, Any]:
    topic = _topic(call)
    given = call.params.get("Attributes") or {}
    for name, value in given.items():
        _check_setting(call.params["Protocol"], name, value)
    old = next((one for one in _subscriptions(topic) if _is_it(call, one)), None)
    if old is not None and any(not _same(_shown(old.attributes.get(name)), value) for name, value in given.items()):
        raise _refuse("Attributes Reason: Subscription already exists with different attributes")
    arn = from_moto(call, forward)["SubscriptionArn"]
    one = next(one for one in _subscriptions(topic) if one.arn == arn)
    if not one.confirmed:
        one.confirmed = not _must_confirm(call, topic, one)
        one.attributes["PendingConfirmation"] = not one.confirmed
    if one.confirmed:
        return {"SubscriptionArn": arn}
    _ask(topic, one)
    return {"SubscriptionArn": arn if call.params.get("ReturnSubscriptionArn") else "pending confirmation"}


@handles("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def list_subscriptions(call: Call, forward: Forward) -> dict[str, Any]:
    answer = from_moto(call, forward)
    for shown in answer.get("Subscriptions", []):
        one = next(s for s in _subscriptions(topic_of(shown["TopicArn"])) if s.arn == shown["SubscriptionArn"])
        if not one.confirmed:
            shown["SubscriptionArn"] = PENDING
    return answer


@handles("sns", "Unsubscribe")
def of_one_subscription(call: Call, _: Forward) -> None:
    if call.params["SubscriptionArn"].count(":") < 5:
        raise _refuse("SubscriptionArn Reason: An ARN must have at least 6 elements, not 1")


@handles("sns", "GetSubscriptionAttributes")
def get_subscription_attributes(call: Call, forward: Forward) -> dict[str, Any]:
    of_one_subscription(call, forward)
    attributes = from_moto(call, forward)["Attributes"]
    return {"Attributes": {name: _shown(value) for name, value in attributes.items() if value not in (None, "")}}


@handles("sns", "SetSubscriptionAttributes")
def set_subscription_attributes(call: Call, forward: Forward) -> dict[str, Any] | None:
    """A policy that is taken away is gone, and its scope with it; a scope must fit the policy that is there."""
    of_one_subscription(call, forward)
    name, value = call.params["AttributeName"], call.params.get("AttributeValue")
    one = _subscription(call)
    _check_setting(one.protocol, name, value)
    if value is None or (name == "FilterPolicy" and value == "{}"):
        one.attributes.pop(name, None)
        if name == "FilterPolicy":
            one.attributes.pop("FilterPolicyScope", None)
            one._filter_policy, one._filter_policy_matcher = None, None
        return {}
    nested = any(isinstance(part, dict) for part in (one._filter_policy or {}).values())
    if name == "FilterPolicyScope" and value == "MessageAttributes" and nested:
        raise _refuse("FilterPolicyScope: the filter policy is nested")
    return None


@handles("sns", "ConfirmSubscription")
def confirm_subscription(call: Call, _: Forward) -> dict[str, Any]:
    for one in _subscriptions(_topic(call)):
        if _token(one) == call.params["Token"]:
            _confirm(one)
            return {"SubscriptionArn": one.arn}
    raise _refuse("Token")


def confirm(account: str, endpoint: str) -> list[str]:
    """What the owner of the endpoint does with the message that asks: the ARNs of what is confirmed now."""
    from moto.sns.models import sns_backends

    waiting = [
        one
        for backend in list(sns_backends[account].values())
        for one in backend.subscriptions.values()
        if one.endpoint == endpoint and not one.confirmed
    ]
    for one in waiting:
        _confirm(one)
    return [one.arn for one in waiting]


def _confirm(one: Any) -> None:
    one.confirmed = True
    one.attributes["PendingConfirmation"] = False


def _must_confirm(call: Call, topic: Any, one: Any) -> bool:
    """Whether somebody else than the caller has to agree: of a queue or a function its account."""
    if one.protocol in CONFIRMED_BY_OWNER:
        return True
    owner = one.endpoint.split(":")[4] if one.endpoint.count(":") >= 5 else call.account
    return one.protocol in ("sqs", "lambda") and owner != call.account


def _ask(topic: Any, one: Any) -> None:
    """The message to the endpoint; only a queue can read it here."""
    queue = queues.queue_of(one.endpoint)
    if queue and service_may(queue.policy, SERVICE, "sqs:SendMessage", one.endpoint, {"aws:SourceArn": topic.arn}):
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


def _topic(call: Call) -> Any:
    topic = topic_of(call.params["TopicArn"])
    if topic is None:
        raise AwsError("NotFound", "Topic does not exist", 404)
    return topic


def _subscriptions(topic: Any) -> list[Any]:
    from moto.sns.models import sns_backends

    if topic is None:
        return []
    region = topic.arn.split(":")[3]
    backends = [sns_backends[account][region] for account in list(sns_backends)]
    return [one for backend in backends for one in backend.subscriptions.values() if one.topic is topic]


def _attributes(topic: Any) -> dict[str, Any]:
    return {
        "DisplayName": topic.display_name,
        "Policy": topic.policy,
        "DeliveryPolicy": topic.delivery_policy,
        "KmsMasterKeyId": topic.kms_master_key_id,
        "FifoTopic": str(bool(topic.fifo_topic)).lower(),
        "ContentBasedDeduplication": str(bool(topic.content_based_deduplication)).lower(),
    } | _more(topic)


def _same(there: Any, given: str) -> bool:
    try:
        return json.loads(there) == json.loads(given)
    except (TypeError, ValueError):
        return str(there or "") == given
