"""Policies of all types: what AWS refuses when they are enabled, created, changed, attached and detached."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles
from emulator.organization import content
from emulator.organization.accounts import violation
from emulator.organization.structure import all_features, attached, enabled, home, root, target, trusted
from emulator.shelf.store import Row, place
from emulator.wire import Call

# At most so many at a root, unit or account; the types that are not named have 10.
ATTACHMENTS = {
    "SERVICE_CONTROL_POLICY": 5,
    "RESOURCE_CONTROL_POLICY": 5,
    "AISERVICES_OPT_OUT_POLICY": 5,
    "CHATBOT_POLICY": 5,
}
PER_TYPE = {"SERVICE_CONTROL_POLICY": 10_000}
# Types that ask for the service's trusted access.
NEEDS_ACCESS = {"SECURITYHUB_POLICY": "securityhub.amazonaws.com"}


@handles("organizations", "EnablePolicyType")
def enable(call: Call, forward: Forward) -> dict[str, Any]:
    found, kind = home(call), call.params["PolicyType"]
    _available(found)
    service = NEEDS_ACCESS.get(kind)
    if service and not trusted(found, service):
        raise violation("SERVICE_ACCESS_NOT_ENABLED", f"Enable trusted access of {service} first.")
    made = from_moto(call, forward)
    _states(call).setdefault((found.org.id, kind), Row({})).write(call, {}, {"Status": "PENDING_ENABLE"})
    return {"Root": _with_states(call, made["Root"])}


def _states(call: Call) -> dict[Any, Row]:
    """By organization and type: what is on its way."""
    return place(call, "policy types", everywhere=True)


def _with_states(call: Call, shown: dict[str, Any]) -> dict[str, Any]:
    organization = home(call).org.id
    types = [one | _states(call).get((organization, one["Type"]), Row({})).read() for one in shown["PolicyTypes"]]
    return shown | {"PolicyTypes": types}


@handles("organizations", "ListRoots")
def list_roots(call: Call, forward: Forward) -> dict[str, Any]:
    """A type that was just enabled takes its time (route `settling`)."""
    answer = from_moto(call, forward)
    return answer | {"Roots": [_with_states(call, one) for one in answer["Roots"]]}


@handles("organizations", "DisablePolicyType")
def disable(call: Call, forward: Forward) -> Any:
    """The policies of the type are detached from everything; those of AWS stay for the day it is enabled again."""
    found, kind = home(call), call.params["PolicyType"]
    answer = forward()
    if answer.status == 200:
        for entity in [*found.ou, *found.accounts]:
            for policy in attached(entity, kind):
                if not policy.aws_managed:
                    entity.attached_policies.remove(policy)
                    policy.attachments.remove(entity)
    return answer


@handles("organizations", "CreatePolicy")
def create(call: Call, _: Forward) -> None:
    found, given = home(call), call.params
    _available(found)
    content.check(given["Type"], given["Content"])
    if any(policy.name == given["Name"] for policy in found.policies):
        raise AwsError("DuplicatePolicyException", "A policy with the same name already exists.")
    if sum(policy.type == given["Type"] for policy in found.policies) >= PER_TYPE.get(given["Type"], 1000):
        raise violation("POLICY_NUMBER_LIMIT_EXCEEDED", "You have exceeded the number of policies of this type.")


@handles("organizations", "UpdatePolicy")
def update(call: Call, _: Forward) -> None:
    found, given = home(call), call.params
    policy = _policy(found, given["PolicyId"], write=True)
    if "Content" in given:
        content.check(policy.type, given["Content"])
    if any(other.name == given.get("Name") and other is not policy for other in found.policies):
        raise AwsError("DuplicatePolicyException", "A policy with the same name already exists.")


@handles("organizations", "DeletePolicy")
def delete(call: Call, _: Forward) -> None:
    _policy(home(call), call.params["PolicyId"], write=True)


@handles("organizations", "AttachPolicy")
def attach(call: Call, _: Forward) -> None:
    found = home(call)
    policy = _policy(found, call.params["PolicyId"])
    entity = target(found, call.params["TargetId"])
    if not enabled(found, policy.type):
        raise AwsError(
            "PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types."
        )
    if policy in entity.attached_policies:
        raise AwsError("DuplicatePolicyAttachmentException", "A policy can be attached only once to a target.")
    if len(attached(entity, policy.type)) >= ATTACHMENTS.get(policy.type, 10):
        raise violation(
            "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You have attached the maximum number of policies of this type.",
        )


@handles("organizations", "DetachPolicy")
def detach(call: Call, _: Forward) -> None:
    found = home(call)
    policy = _policy(found, call.params["PolicyId"])
    entity = target(found, call.params["TargetId"])
    if policy not in entity.attached_policies:
        raise AwsError("PolicyNotAttachedException", "The policy isn't attached to the specified target.")
    if policy.type == "RESOURCE_CONTROL_POLICY" and policy.aws_managed:
        raise _invalid("NON_DETACHABLE_POLICY", "You can't detach this AWS managed policy.")
    if policy.type == "SERVICE_CONTROL_POLICY" and len(attached(entity, policy.type)) == 1:
        raise violation(
            "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", "You must leave one service control policy attached."
        )


def _policy(found: Any, identity: str, write: bool = False) -> Any:
    policy = next((one for one in found.policies if one.id == identity), None)
    if policy is None:
        raise AwsError("PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")
    if write and policy.aws_managed:
        raise _invalid("IMMUTABLE_POLICY", "You specified a policy that is managed by AWS and can't be modified.")
    return policy


def _available(found: Any) -> None:
    if not all_features(found):
        raise AwsError(
            "PolicyTypeNotAvailableForOrganizationException", f"{root(found).name}: enable all features first."
        )


def _invalid(reason: str, message: str) -> AwsError:
    return AwsError("InvalidInputException", message, more={"Reason": reason})
