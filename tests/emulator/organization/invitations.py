"""Handshakes: a management account invites, the account accepts or declines, and accounts leave again."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.moto_api._internal import mock_random
from moto.organizations.models import FakeAccount, organizations_backends

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.organization import structure
from emulator.organization.accounts import email_of, may_leave
from emulator.organization.structure import home, home_of, management
from emulator.wire import Call

LIFE = timedelta(days=15)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
# The policies that an account gets with its membership.
DEFAULT_POLICIES = ("p-FullAWSAccess", "p-RCPFullAWSAccess")


@dataclass
class Handshake:
    """An invitation from an organization to an account."""

    id: str
    organization: str
    sender: str
    sender_email: str
    target: dict[str, str]
    notes: str | None
    tags: list[dict[str, str]]
    partition: str
    state: str = "OPEN"
    requested: datetime = field(default_factory=lambda: datetime.now(UTC))

    def shown(self) -> dict[str, Any]:
        invited = {"Type": self.target["Type"], "Value": self.target["Id"]}
        sender = [
            {"Type": "MASTER_EMAIL", "Value": self.sender_email},
            {"Type": "MASTER_NAME", "Value": "master"},
            {"Type": "ORGANIZATION_FEATURE_SET", "Value": "ALL"},
        ]
        resources = [{"Type": "ORGANIZATION", "Value": self.organization, "Resources": sender}, invited]
        if self.notes:
            resources.append({"Type": "NOTES", "Value": self.notes})
        return {
            "Id": self.id,
            "Arn": f"arn:{self.partition}:organizations::{self.sender}:handshake/{self.organization}/invite/{self.id}",
            "Parties": [{"Id": self.organization[2:], "Type": "ORGANIZATION"}, self.target],
            "State": self.state,
            "RequestedTimestamp": self.requested,
            "ExpirationTimestamp": self.requested + LIFE,
            "Action": "INVITE",
            "Resources": resources,
        }

    def is_for(self, account: str) -> bool:
        return self.target["Id"] == (account if self.target["Type"] == "ACCOUNT" else email_of(account))


_HANDSHAKES: dict[str, Handshake] = {}


def _all() -> list[Handshake]:
    """The handshakes; those whose time is over have expired."""
    for one in _HANDSHAKES.values():
        if one.state == "OPEN" and datetime.now(UTC) >= one.requested + LIFE:
            one.state = "EXPIRED"
    return [*_HANDSHAKES.values()]


@handles("organizations", "InviteAccountToOrganization")
def invite(call: Call, _: Forward) -> dict[str, Any]:
    found, target = home(call), call.params["Target"]
    if target["Type"] == "ORGANIZATION":
        raise _wrong("INVALID_PARTY_TYPE_TARGET", "You specified the wrong type of entity (account, organization, or email).")
    if target["Type"] == "ACCOUNT" and not re.fullmatch(r"\d{12}", target["Id"]):
        raise _wrong("INVALID_PATTERN", "You provided a value that doesn't match the required pattern.")
    if target["Type"] == "EMAIL" and not re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", target["Id"]):
        raise _wrong("INVALID_EMAIL_ADDRESS_TARGET", "You specified an invalid email address for the invited account owner.")
    if any(target["Id"] in (account.id, account.email) for account in found.accounts):
        raise _constraint("ALREADY_IN_AN_ORGANIZATION", "The invited account is already a member of the organization.")
    if any(
        one.state == "OPEN" and one.organization == found.org.id and _same(one.target, target)
        for one in _all()
    ):
        raise AwsError("DuplicateHandshakeException", "A handshake with the same action and target already exists.")
    identity = "h-" + "".join(mock_random.choice(LETTERS) for _ in range(32))
    made = _HANDSHAKES[identity] = Handshake(
        identity,
        found.org.id,
        call.account,
        found.org.master_account_email,
        {"Id": target["Id"], "Type": target["Type"]},
        call.params.get("Notes"),
        call.params.get("Tags") or [],
        call.partition,
    )
    return {"Handshake": made.shown()}


@handles("organizations", "AcceptHandshake")
def accept(call: Call, _: Forward) -> dict[str, Any]:
    handshake = _received(call)
    _must_be_open(handshake, "ACCEPTED")
    now_in = home_of(call.account, call.partition)
    if now_in is not None:
        if now_in.org.id == handshake.organization:
            raise _constraint("ALREADY_IN_AN_ORGANIZATION", "The account is already a member of the organization.")
        may_leave(now_in, call.account)
        now_in.remove_account_from_organization(AccountId=call.account)
    _join(organizations_backends[handshake.sender][handshake.partition], call.account, handshake)
    handshake.state = "ACCEPTED"
    return {"Handshake": handshake.shown()}


@handles("organizations", "DeclineHandshake")
def decline(call: Call, _: Forward) -> dict[str, Any]:
    handshake = _received(call)
    _must_be_open(handshake, "DECLINED")
    handshake.state = "DECLINED"
    return {"Handshake": handshake.shown()}


@handles("organizations", "CancelHandshake")
def cancel(call: Call, _: Forward) -> dict[str, Any]:
    handshake = _find(call)
    if handshake.sender != call.account:
        raise structure.denied()
    _must_be_open(handshake, "CANCELED")
    handshake.state = "CANCELED"
    return {"Handshake": handshake.shown()}


@handles("organizations", "DescribeHandshake")
def describe(call: Call, _: Forward) -> dict[str, Any]:
    handshake = _find(call)
    if not handshake.is_for(call.account) and not _sent_by(call, handshake):
        raise _unknown()
    return {"Handshake": handshake.shown()}


@handles("organizations", "ListHandshakesForAccount")
def list_received(call: Call, _: Forward) -> dict[str, Any]:
    return _listed(call, [one for one in _all() if one.is_for(call.account)])


@handles("organizations", "ListHandshakesForOrganization")
def list_sent(call: Call, _: Forward) -> dict[str, Any]:
    return _listed(call, [one for one in _all() if one.organization == home(call).org.id])


def _same(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether both invite the same account, by its id or its address."""
    addresses = {email_of(target["Id"]) if target["Type"] == "ACCOUNT" else target["Id"] for target in (one, other)}
    return len(addresses) == 1


def _listed(call: Call, found: list[Handshake]) -> dict[str, Any]:
    wanted = (call.params.get("Filter") or {}).get("ActionType")
    return {"Handshakes": [one.shown() for one in found if wanted in (None, "INVITE")]}


def _join(found: Any, account: str, handshake: Handshake) -> None:
    """Makes the account a member; moto's own constructor would make a role in an account of its own choice."""
    member = FakeAccount.__new__(FakeAccount)
    member.type, member.region = "ACCOUNT", found.org.region
    member.organization_id, member.master_account_id = found.org.id, management(found)
    member.create_account_status_id = "car-" + handshake.id[2:]
    member.id, member.name, member.email = account, f"account-{account}", email_of(account)
    member.create_time = datetime.now(UTC).replace(tzinfo=None)
    member.status = member.state = "ACTIVE"
    member.joined_method, member.parent_id = "INVITED", found.org.root_id
    member.attached_policies = []
    member.tags = {tag["Key"]: tag["Value"] for tag in handshake.tags}
    found.accounts.append(member)
    organizations_backends.master_accounts[account] = (management(found), handshake.partition)
    for policy in DEFAULT_POLICIES:
        found.attach_policy(PolicyId=policy, TargetId=account)


def _find(call: Call) -> Handshake:
    handshake = next((one for one in _all() if one.id == call.params["HandshakeId"]), None)
    if handshake is None:
        raise _unknown()
    return handshake


def _received(call: Call) -> Handshake:
    handshake = _find(call)
    if not handshake.is_for(call.account):
        raise _unknown()
    return handshake


def _sent_by(call: Call, handshake: Handshake) -> bool:
    found = home_of(call.account, call.partition)
    return found is not None and found.org.id == handshake.organization


def _must_be_open(handshake: Handshake, wanted: str) -> None:
    if handshake.state == wanted:
        raise AwsError("HandshakeAlreadyInStateException", f"The handshake is already in the state {wanted}.")
    if handshake.state != "OPEN":
        raise AwsError(
            "InvalidHandshakeTransitionException", f"You can't change a handshake from {handshake.state} to {wanted}."
        )


def _unknown() -> AwsError:
    return AwsError("HandshakeNotFoundException", "We can't find a handshake with the HandshakeId that you specified.")


def _wrong(reason: str, message: str) -> AwsError:
    return AwsError("InvalidInputException", message, more={"Reason": reason})


def _constraint(reason: str, message: str) -> AwsError:
    return AwsError("HandshakeConstraintViolationException", message, more={"Reason": reason})
