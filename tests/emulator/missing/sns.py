"""SNS: attributes that moto drops, policies, topics that are made twice, and topics of other accounts."""

import json
import re
from typing import Any

from emulator import policy
from emulator.answers import AwsError
from emulator.events.permission import account_may
from emulator.events.topics import topic_of
from emulator.identity import caller_arn
from emulator.missing import Forward, from_moto, guards, handles, refuses, sns_policies
from emulator.shelf.pages import page
from emulator.wire import Call

# Attributes that SetTopicAttributes takes ("SetTopicAttributes", API reference), besides those that moto keeps.
KEPT = {
    "SignatureVersion": ("1", "2"),
    "TracingConfig": ("PassThrough", "Active"),
    "FifoThroughputScope": ("Topic", "MessageGroup"),
    "ArchivePolicy": None,
    "DataProtectionPolicy": None,
    "MaximumMessageSize": None,
}
FEEDBACK = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
FEEDBACK_OF = ("HTTP", "Firehose", "Lambda", "Application", "SQS")
KNOWN_TO_MOTO = {"DisplayName", "Policy", "DeliveryPolicy", "KmsMasterKeyId", "ContentBasedDeduplication", "FifoTopic"}
KNOWN = {*KNOWN_TO_MOTO, *KEPT, *(f"{of}{what}" for of in FEEDBACK_OF for what in FEEDBACK)}
OF_FIFO = {"ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy"}
JSON = {"DeliveryPolicy", "ArchivePolicy", "DataProtectionPolicy"}
DISPLAY_NAME, POLICY_SIZE = 100, 30720
# What a topic's policy may allow.
ACTIONS = {
    "gettopicattributes",
    "settopicattributes",
    "addpermission",
    "removepermission",
    "deletetopic",
    "subscribe",
    "listsubscriptionsbytopic",
    "publish",
    "receive",
}
# What is retried and how, unless a delivery policy says otherwise; from recorded answers.
DELIVERY = {
    "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20,
            "maxDelayTarget": 20,
            "numRetries": 3,
            "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0,
            "numMinDelayRetries": 0,
            "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}


def wrong(what: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {what}")


@guards("sns")
def topics_are_named_by_their_arn(call: Call) -> None:
    """In the topic's own Region, and by whom its policy lets in when it is another account's."""
    arn = call.params.get("TopicArn")
    if arn is None:
        return
    parts = arn.split(":")
    if len(parts) < 6:
        raise wrong(f"TopicArn Reason: An ARN must have at least 6 elements, not {len(parts)}")
    if parts[3] != call.region:
        raise wrong("TopicArn")
    action = {"PublishBatch": "Publish"}.get(str(call.operation), str(call.operation))
    topic = topic_of(arn)
    if topic is None or parts[4] == call.account or action.lower() not in ACTIONS:
        return
    if not account_may(topic.policy, call.account, f"sns:{action}", arn):
        raise AwsError(
            "AuthorizationError",
            f"User: {caller_arn(call)} is not authorized to perform: SNS:{action} on resource: "
            f"{arn} because no resource-based policy allows the SNS:{action} action",
            403,
        )


def check(call: Call, name: str, value: str, fifo: bool) -> None:
    allowed = KEPT.get(name)
    if name not in KNOWN or (name in OF_FIFO and not fifo):
        raise wrong("AttributeName")
    if allowed and value not in allowed:
        raise wrong(f"{name} Reason: must be one of {', '.join(allowed)}")
    if name in JSON and value:
        try:
            document = json.loads(value)
        except ValueError:
            raise wrong(f"{name}: failed to parse JSON.") from None
        if name == "DeliveryPolicy":
            check_deliveries(document, "http", "defaultHealthyRetryPolicy", "defaultThrottlePolicy")
    if name == "DisplayName" and len(value) > DISPLAY_NAME:
        raise wrong(f"DisplayName Reason: must be at most {DISPLAY_NAME} characters")
    if name.endswith("SampleRate") and not (value.isdigit() and int(value) <= 100):
        raise wrong(f"{name} Reason: must be between 0 and 100")
    if name.endswith("RoleArn") and value and not re.fullmatch(r"arn:[^:]+:iam::\d{12}:role/.+", value):
        raise wrong(f"{name} Reason: not the ARN of a role")
    if name == "MaximumMessageSize" and not (value.isdigit() and 1024 <= int(value) <= 1048576):
        raise wrong("MaximumMessageSize Reason: must be between 1024 and 1048576")
    if name == "Policy":
        check_policy(call, value)


# The numbers of a retry policy (SNS Developer Guide, "Creating an HTTP/S delivery policy").
RETRIES = {
    "minDelayTarget": (1, 3600),
    "maxDelayTarget": (1, 3600),
    "numRetries": (0, 100),
    "numNoDelayRetries": (0, 100),
    "numMinDelayRetries": (0, 100),
    "numMaxDelayRetries": (0, 100),
}
BACKOFF = ("arithmetic", "exponential", "geometric", "linear")


def check_deliveries(policy: object, above: str | None, healthy: str, throttle: str) -> None:
    """A delivery policy of a topic, all of which is in `above`, or of a subscription."""
    if isinstance(policy, dict) and above and policy:
        if set(policy) != {above}:
            raise wrong(f"DeliveryPolicy: Unexpected JSON member: {sorted(set(policy) - {above})[0]}")
        policy = policy[above]
    if not isinstance(policy, dict):
        raise wrong("DeliveryPolicy: not an object")
    retries = policy.get(healthy) or {}
    for name, value in retries.items():
        if name == "backoffFunction" and value in BACKOFF:
            continue
        least, most = RETRIES.get(name, (1, 0))
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise wrong(f"DeliveryPolicy: {healthy}.{name} must be between {least} and {most}")
    lowest, highest = retries.get("minDelayTarget"), retries.get("maxDelayTarget")
    if lowest and highest and lowest > highest:
        raise wrong(f"DeliveryPolicy: {healthy}.maxDelayTarget must be at least minDelayTarget")
    if (policy.get(throttle) or {}).get("maxReceivesPerSecond", 1) < 1:
        raise wrong(f"DeliveryPolicy: {throttle}.maxReceivesPerSecond must be at least 1")


def check_policy(call: Call, text: str) -> None:
    try:
        statements = policy.as_list(json.loads(text)["Statement"])
        actions = [str(one) for statement in statements for one in policy.as_list(statement.get("Action"))]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise wrong("Policy Error: null") from None
    if not statements or len(text) > POLICY_SIZE:
        raise wrong("Policy Error: null")
    for action in actions:
        service, _, name = action.lower().partition(":")
        if action != "*" and (service != "sns" or ("*" not in name and name not in ACTIONS)):
            raise wrong("Policy statement action out of service scope!")
    if policy.unknown_principals(text, call.account, call.partition):
        raise wrong("Policy Error: PrincipalNotFound")


def _more(topic: Any) -> dict[str, str]:
    """The attributes that moto has no place for."""
    return topic.__dict__.setdefault("more_attributes", {})


@refuses("sns", "CreateTopic", "TagResource")
def tags(call: Call) -> None:
    names = [tag["Key"] for tag in call.params.get("Tags") or []]
    if len(set(names)) < len(names):
        raise wrong("Duplicated keys are not allowed.")
    if any(name.lower().startswith("aws:") for name in names):
        raise wrong("Tags Reason: keys that begin with aws: are reserved")


@handles("sns", "CreateTopic")
def create_topic(call: Call, forward: Forward) -> dict[str, Any]:
    name, given = call.params["Name"], call.params.get("Attributes") or {}
    fifo = given.get("FifoTopic", "false").lower() == "true"
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,251}\.fifo" if fifo else r"[A-Za-z0-9_-]{1,256}", name):
        raise wrong("Topic Name")
    for attribute, value in given.items():
        check(call, attribute, value, fifo)
    arn = f"arn:{call.partition}:sns:{call.region}:{call.account}:{name}"
    old = topic_of(arn)
    if old is not None:
        there = _attributes(old)
        if any(not _same(there.get(attribute), value) for attribute, value in given.items()):
            raise wrong("Attributes Reason: Topic already exists with different attributes")
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or []}
        if tags and tags != old._tags:
            raise wrong("Tags Reason: Topic already exists with different tags")
        return {"TopicArn": arn}
    answer = from_moto(call, forward)
    topic = topic_of(arn)
    if "Policy" in given:
        topic.policy = sns_policies.stored(given["Policy"], topic.arn)
    _more(topic).update({n: v for n, v in given.items() if n not in KNOWN_TO_MOTO})
    return answer


@handles("sns", "SetTopicAttributes")
def set_topic_attributes(call: Call, _: Forward) -> dict[str, Any] | None:
    name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
    topic = find(call)
    check(call, name, value, bool(topic.fifo_topic))
    if name == "FifoTopic":
        raise wrong("AttributeName")
    if name == "Policy":
        topic.policy = sns_policies.stored(value, topic.arn)
        return {}
    if name in KNOWN_TO_MOTO:
        return None
    _more(topic)[name] = value
    return {}


@handles("sns", "GetTopicAttributes")
def get_topic_attributes(call: Call, forward: Forward) -> dict[str, Any]:
    answer, topic = from_moto(call, forward), find(call)
    attributes = answer["Attributes"] | _more(topic)
    # A delivery policy is shown when it was set.
    if not attributes.get("DeliveryPolicy"):
        attributes.pop("DeliveryPolicy", None)
    attributes["EffectiveDeliveryPolicy"] = json.dumps(effective(topic), separators=(",", ":"))
    there = subscriptions(topic)
    pending = sum(not one.confirmed for one in there)
    attributes |= {"SubscriptionsPending": str(pending), "SubscriptionsConfirmed": str(len(there) - pending)}
    return {"Attributes": attributes}


@handles("sns", "ListTopics")
def list_topics(call: Call, _: Forward) -> dict[str, Any]:
    from moto.sns.models import sns_backends

    topics = sns_backends[call.account][call.region].topics
    shown, token = page(call, [{"TopicArn": arn} for arn in topics])
    return {"Topics": shown} | token


def effective(topic: Any) -> dict[str, Any]:
    """The topic's delivery policy with AWS's own values for what it does not say."""
    return _over(DELIVERY, json.loads(topic.delivery_policy or "{}"))


def _over(usual: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    both = {name: _over(usual[name], given[name]) for name in usual if isinstance(given.get(name), dict)}
    return usual | given | both


def find(call: Call) -> Any:
    topic = topic_of(call.params["TopicArn"])
    if topic is None:
        raise AwsError("NotFound", "Topic does not exist", 404)
    return topic


def subscriptions(topic: Any) -> list[Any]:
    """Those of all accounts."""
    from moto.sns.models import sns_backends

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
