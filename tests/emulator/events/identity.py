"""Who called, as CloudTrail's `userIdentity` says it ("CloudTrail userIdentity element")."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from emulator.identity import federated_keys, root_keys, user_keys

# What moto does not keep of a session: its source identity, and when it began. By access key.
_SESSIONS: dict[str, dict[str, Any]] = {}


def session_began(call: Any, access_key: str) -> None:
    """Remembers the session that AssumeRole made; a source identity goes on when roles are chained."""
    before = _SESSIONS.get(call.access_key or "", {})
    if call.operation in ("GetSessionToken", "GetFederationToken"):
        user_keys[access_key] = call.access_key
    _SESSIONS[access_key] = {
        "creationDate": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sourceIdentity": call.params.get("SourceIdentity") or before.get("sourceIdentity"),
    }


def session_of(call: Any) -> dict[str, Any] | None:
    """What is remembered of the caller's session; None for a caller with a lasting key."""
    return _SESSIONS.get(call.access_key or "")


def user_identity(call: Any) -> dict[str, Any]:
    if call.access_key in root_keys:
        return _of_root(call)
    if call.access_key in federated_keys:
        return _of_federated(call)
    from moto.sts.models import sts_backends

    session = sts_backends[call.account][call.partition].get_assumed_role_from_access_key(call.access_key or "")
    return _of_session(call, session) if session else _of_user(call)


def seen_from_elsewhere(identity: dict[str, Any]) -> dict[str, Any]:
    """The caller as the other account sees it."""
    return {"type": "AWSAccount", "principalId": identity["principalId"], "accountId": identity["accountId"]}


def user_name(identity: dict[str, Any]) -> str:
    """What LookupEvents calls the user name: of a session its name."""
    if identity.get("type") == "Root":
        return "root"
    return identity.get("userName") or identity.get("principalId", "").partition(":")[2]


def _of_root(call: Any) -> dict[str, Any]:
    """A session of the root user that AssumeRoot made."""
    began = _SESSIONS.get(call.access_key or "", {}).get("creationDate", "")
    attributes = {"creationDate": began, "mfaAuthenticated": "false"}
    return {
        "type": "Root",
        "principalId": call.account,
        "arn": f"arn:{call.partition}:iam::{call.account}:root",
        "accountId": call.account,
        "accessKeyId": call.access_key,
        "sessionContext": {"attributes": attributes, "assumedRoot": "true"},
    }


def _of_session(call: Any, session: Any) -> dict[str, Any]:
    from moto.iam.models import iam_backends

    roles = iam_backends[call.account][call.partition].roles.values()
    role = next((role for role in roles if role.arn == session.role_arn), None)
    role_id = role.id if role else _unique("AROA", session.role_arn)
    known = _SESSIONS.get(call.access_key or "", {})
    context: dict[str, Any] = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": role_id,
            "arn": session.role_arn,
            "accountId": call.account,
            "userName": session.role_arn.rpartition("/")[2],
        },
        "attributes": {"creationDate": known.get("creationDate", ""), "mfaAuthenticated": "false"},
    }
    if known.get("sourceIdentity"):
        context["sourceIdentity"] = known["sourceIdentity"]
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session.session_name}",
        "arn": session.arn,
        "accountId": call.account,
        "accessKeyId": call.access_key,
        "sessionContext": context,
    }


def _of_federated(call: Any) -> dict[str, Any]:
    """A session that a user has opened for somebody by GetFederationToken."""
    user, arn = _of_user(call), federated_keys[call.access_key]
    context = user.pop("sessionContext")
    issuer = {name: user[name] for name in ("type", "principalId", "arn", "accountId", "userName")}
    return {
        "type": "FederatedUser",
        "principalId": f"{call.account}:{arn.rpartition('/')[2]}",
        "arn": arn,
        "accountId": call.account,
        "accessKeyId": call.access_key,
        "sessionContext": {"sessionIssuer": issuer} | context,
    }


def _of_user(call: Any) -> dict[str, Any]:
    from moto.iam.models import iam_backends

    key = user_keys.get(call.access_key or "", call.access_key or "")
    user = iam_backends[call.account][call.partition].get_user_from_access_key_id(key)
    name = user.name if user else "evenkeel-test"
    arn = user.arn if user else f"arn:{call.partition}:iam::{call.account}:user/{name}"
    session = session_of(call)
    context = {"attributes": {"creationDate": session["creationDate"], "mfaAuthenticated": "false"}} if session else {}
    return ({"sessionContext": context} if session else {}) | {
        "type": "IAMUser",
        "principalId": user.id if user else _unique("AIDA", arn),
        "arn": arn,
        "accountId": call.account,
        "accessKeyId": call.access_key,
        "userName": name,
    }


def _unique(prefix: str, arn: str) -> str:
    """The unique id of somebody who is not there, the same each time."""
    return prefix + hashlib.sha256(arn.encode()).hexdigest()[:17].upper()
