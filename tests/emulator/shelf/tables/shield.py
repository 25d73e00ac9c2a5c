"""Shield Advanced: whether there is a subscription, and who may help in an attack."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.shelf import WHOLE, setting
from emulator.wire import Call


def subscription(call: Call) -> Any:
    from moto.shield.models import shield_backends

    return shield_backends[call.account][call.partition].subscription


def subscribed(call: Call) -> Any:
    found = subscription(call)
    if found is None:
        raise AwsError("ResourceNotFoundException", "The subscription does not exist.")
    return found


@handles("shield", "GetSubscriptionState")
def state(call: Call, _: Forward) -> dict[str, Any]:
    return {"SubscriptionState": "ACTIVE" if subscription(call) else "INACTIVE"}


@handles("shield", "UpdateSubscription")
def update(call: Call, _: Forward) -> dict[str, Any]:
    found = subscribed(call)
    if "AutoRenew" in call.params:
        found.auto_renew = call.params["AutoRenew"]
    return {}


setting(
    "shield",
    "emergency contacts",
    {"EmergencyContactList": []},
    get="DescribeEmergencyContactSettings",
    put={"UpdateEmergencyContactSettings": WHOLE},
    everywhere=True,
    check=subscribed,
)
setting(
    "shield",
    "response team",
    {},
    get="DescribeDRTAccess",
    put={"AssociateDRTRole": True, "DisassociateDRTRole": None},
    everywhere=True,
    check=subscribed,
)
