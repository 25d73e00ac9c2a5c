"""What service control policies and resource control policies of an organization deny, and root's task policies.

They bind members alone, never the management account, and never service-linked roles (Organizations User Guide,
"Service control policies", "Resource control policies"). What a call demands is what `access.py` says; condition
operators that it does not know are a gap.
"""

import functools
from dataclasses import replace
from typing import Any

from moto.organizations.models import organizations_backends

from emulator.access import Demand, applies, demands
from emulator.answers import AwsError
from emulator.events.identity import session_of
from emulator.faults import USUAL_CODES
from emulator.identity import caller_arn, spoken
from emulator.organization import root_sessions
from emulator.organization.structure import account_in, attached, enabled, home_of, is_member, path
from emulator.policy import statements
from emulator.wire import Call

# What hangs on a root, unit or account: statements, each with the ARN of its policy.
Level = list[tuple[dict[str, Any], str]]
# The services that resource control policies reach.
RESOURCE_SERVICES = {"s3", "sts", "kms", "sqs", "secretsmanager", "ecr", "aoss"}


def judge(call: Call) -> None:
    """Raises AccessDenied when a policy of an organization, or of root's session, denies the call."""
    task = root_sessions.task_of(call)
    if call.model is None or not (task or organizations_backends.master_accounts):
        return
    owner = _owner(call)
    service = _levels(call.account, call, "SERVICE_CONTROL_POLICY")
    resource = _levels(owner, call, "RESOURCE_CONTROL_POLICY") if call.service in RESOURCE_SERVICES else []
    if not (task or service or resource) or "/aws-service-role/" in principal_arn(call):
        return
    wanted = [replace(one, context=_context(call, owner) | one.context) for one in demands(call)]
    if task:
        root_arn = f"arn:{call.partition}:iam::{call.account}:root"
        own = call.service == "iam" and "UserName" not in call.params
        wanted = [replace(one, resource=root_arn) if own else one for one in wanted]
        _refuse(call, wanted, [(one, "") for one in _statements(task)], "session policy")
    for level in service:
        _refuse(call, wanted, level, "service control policy")
    for level in service:
        _must_allow(call, wanted, level)
    for level in resource:
        _refuse(call, wanted, level, "resource control policy")


def _levels(account: str, call: Call, kind: str) -> list[Level]:
    """The statements that bind a member, from the root to its account; none when the type is off."""
    found = home_of(account, call.partition) if is_member(account) else None
    if found is None or not enabled(found, kind):
        return []
    levels = path(found, account_in(found, account))
    return [
        [(one, policy.arn) for policy in attached(entity, kind) for one in _statements(policy.content)]
        for entity in levels
    ]


@functools.cache
def _statements(text: str) -> list[dict[str, Any]]:
    """The statements of a policy that was read before; nobody changes them."""
    return statements(text)


def _refuse(call: Call, wanted: list[Demand], level: Level, kind: str) -> None:
    """The error names the policy, as AWS does within an organization ("Enhanced access denied error messages")."""
    for demand in wanted:
        for one, arn in level:
            if one["Effect"] == "Deny" and applies(one, demand):
                raise _denied(call, demand, f"with an explicit deny in a {kind}{f': {arn}' if arn else ''}")


def _must_allow(call: Call, wanted: list[Demand], level: Level) -> None:
    for demand in wanted:
        if not any(one["Effect"] == "Allow" and applies(one, demand) for one, _ in level):
            raise _denied(call, demand, f"because no service control policy allows the {spoken(demand.action)} action")


def _denied(call: Call, demand: Demand, why: str) -> AwsError:
    code, status, *_ = USUAL_CODES.get(call.service or "") or USUAL_CODES[call.protocol]
    start = "You are not authorized to perform this operation. " if call.service == "ec2" else ""
    who = f"{start}User: {caller_arn(call)} is not authorized to perform: {spoken(demand.action)}"
    return AwsError(code, f"{who} on resource: {demand.resource} {why}", status)


def principal_arn(call: Call) -> str:
    """The caller as policies name it: of a session of a role the role itself, with its path."""
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    session = sts_backends[call.account][call.partition].get_assumed_role_from_access_key(call.access_key or "")
    if session is None:
        return caller_arn(call)
    name = session.role_arn.rpartition("/")[2]
    roles = iam_backends[call.account][call.partition].roles.values()
    return next((role.arn for role in roles if role.name == name), session.role_arn)


def _principal_type(call: Call) -> str:
    arn = caller_arn(call)
    kinds = {":root": "Account", ":assumed-role/": "AssumedRole", ":federated-user/": "FederatedUser"}
    return next((kind for part, kind in kinds.items() if part in arn), "User")


def _owner(call: Call) -> str:
    """The account of what the call is about, which for a bucket or a role may be another than the caller's."""
    params = call.params if call.service in ("s3", "sts") else {}
    if params.get("Bucket"):
        from moto.s3.models import s3_backends

        known = s3_backends.bucket_accounts.get(params["Bucket"])
        return known[1] if known else call.account
    target = str(params.get("RoleArn", ""))
    return target.split(":")[4] if target.count(":") >= 5 else call.account


def _context(call: Call, owner: str) -> dict[str, list[str]]:
    """The global condition keys that the emulator can tell."""
    made = {
        "aws:principalarn": [principal_arn(call)],
        "aws:principalaccount": [call.account],
        "aws:principaltype": [_principal_type(call)],
        "aws:requestedregion": [call.region],
        "aws:resourceaccount": [owner],
        "aws:securetransport": ["true"],
        "aws:principalisawsservice": ["false"],
        "aws:viaawsservice": ["false"],
    }
    source = (session_of(call) or {}).get("sourceIdentity")
    if source:
        made["aws:sourceidentity"] = [source]
    for name, account in (("principal", call.account), ("resource", owner)):
        found = home_of(account, call.partition)
        known = account_in(found, account) if found else None
        if known:
            ids = [found.org.id, *[one.id for one in path(found, known) if one.type != "ACCOUNT"]]
            made[f"aws:{name}orgid"] = [found.org.id]
            made[f"aws:{name}orgpaths"] = ["/".join(ids) + "/"]
    return made
