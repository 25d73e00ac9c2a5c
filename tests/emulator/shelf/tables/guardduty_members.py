"""GuardDuty's members: by invitation, or of an organization, whose administrator need not ask."""

import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.organization import structure
from emulator.organization.delegation import administrator as delegated
from emulator.shelf import Row, now, place
from emulator.shelf.pages import page
from emulator.shelf.tables.guardduty_exports import detector
from emulator.wire import Call

# Marks who was not asked.
OF_ORGANIZATION = "organization"
# Of a member that was not asked yet, or not any more.
APART = ("CREATED", "REMOVED", "RESIGNED", "DELETED")


def members_of(call: Call) -> dict[str, Row]:
    return place(call, "members")


def invitations_of(call: Call, account: str | None = None) -> dict[str, Row]:
    """The account's invitations, by the account that asks."""
    return place(call, "invitations", account=account)


def administrator_of(call: Call) -> dict[str, Any] | None:
    accepted = [row.now for row in invitations_of(call).values() if row.now["RelationshipStatus"] == "ENABLED"]
    return accepted[0] if accepted else None


def unknown(account: str) -> dict[str, str]:
    text = "The request is rejected because an input accountId is not an associated member account."
    return {"AccountId": account, "Result": text}


def rules_organization(call: Call) -> bool:
    """Whether the caller is the delegated administrator of its organization."""
    return delegated("guardduty", call) == call.account


def enrol(call: Call, account: str, email: str) -> None:
    """Makes an account of the organization a member, with a detector if it has none."""
    from moto.guardduty.models import guardduty_backends

    there = guardduty_backends[account][call.region]
    if not there.detectors:
        there.create_detector(True, "SIX_HOURS", {}, {}, [])
    at = now().isoformat()
    mine = {"MasterId": call.account, "AdministratorId": call.account, "DetectorId": next(iter(there.detectors))}
    row = {"AccountId": account, "Email": email, "RelationshipStatus": "ENABLED", "UpdatedAt": at} | mine
    members_of(call)[account] = Row(row | {"InvitedAt": at})
    ruled = {"AccountId": call.account, "RelationshipStatus": "ENABLED", "InvitedAt": at, OF_ORGANIZATION: True}
    invitations_of(call, account)[call.account] = Row(ruled)


def enrol_all(call: Call) -> None:
    """All accounts of the organization, but the administrator's own."""
    for one in structure.home(call).accounts:
        if one.id != call.account:
            enrol(call, one.id, one.email)


@handles("guardduty", "CreateMembers")
def create(call: Call, _: Forward) -> dict[str, Any]:
    detector(call)
    missed, organization = [], rules_organization(call)
    for one in call.params["AccountDetails"]:
        if organization and structure.account_in(structure.home(call), one["AccountId"]) is not None:
            if one["AccountId"] != call.account:
                enrol(call, one["AccountId"], one["Email"])
                continue
        if one["AccountId"] == call.account:
            missed.append(
                {"AccountId": call.account, "Result": "The request is rejected because it is the own account."}
            )
            continue
        mine = {"MasterId": call.account, "AdministratorId": call.account}
        row = one | mine | {"RelationshipStatus": "CREATED", "UpdatedAt": now().isoformat()}
        members_of(call).setdefault(one["AccountId"], Row(row))
    return {"UnprocessedAccounts": missed}


@handles("guardduty", "InviteMembers")
def invite(call: Call, _: Forward) -> dict[str, Any]:
    detector(call)
    missed = []
    for account in call.params["AccountIds"]:
        if account not in members_of(call):
            missed.append(unknown(account))
            continue
        at = {"InvitedAt": now().isoformat(), "UpdatedAt": now().isoformat()}
        members_of(call)[account].now |= {"RelationshipStatus": "INVITED"} | at
        invitation = {"AccountId": call.account, "InvitationId": uuid.uuid4().hex, "RelationshipStatus": "INVITED"}
        invitations_of(call, account)[call.account] = Row(invitation | {"InvitedAt": at["InvitedAt"]})
    return {"UnprocessedAccounts": missed}


@handles("guardduty", "ListMembers")
def listed(call: Call, _: Forward) -> dict[str, Any]:
    """Those that belong to the account, unless all are asked for."""
    detector(call)
    only = str(call.params.get("OnlyAssociated", "true")).lower() == "true"
    rows = [row.now for row in members_of(call).values() if not only or row.now["RelationshipStatus"] not in APART]
    shown, token = page(call, rows)
    return {"Members": shown} | token


@handles("guardduty", "ListInvitations")
def invitations(call: Call, _: Forward) -> dict[str, Any]:
    rows = [row.now for row in invitations_of(call).values() if OF_ORGANIZATION not in row.now]
    shown, token = page(call, rows)
    return {"Invitations": shown} | token


@handles("guardduty", "AcceptAdministratorInvitation")
def accept(call: Call, _: Forward) -> dict[str, Any]:
    detector(call)
    row = invitations_of(call).get(call.params["AdministratorId"])
    if row is None or row.now["InvitationId"] != call.params["InvitationId"]:
        message = "The request is rejected because the one or more input parameters have invalid values."
        raise AwsError("BadRequestException", message)
    row.now["RelationshipStatus"] = "ENABLED"
    there = place(call, "members", account=call.params["AdministratorId"])[call.account]
    mine = {"DetectorId": call.params["DetectorId"], "UpdatedAt": now().isoformat()}
    there.now |= {"RelationshipStatus": "ENABLED"} | mine
    return {}


@handles("guardduty", "GetAdministratorAccount")
def administrator(call: Call, _: Forward) -> dict[str, Any]:
    """Nothing in it when there is none."""
    detector(call)
    found = administrator_of(call) or {}
    return {"Administrator": {name: value for name, value in found.items() if name != OF_ORGANIZATION}}


@handles("guardduty", "DisassociateMembers")
def part(call: Call, _: Forward) -> dict[str, Any]:
    detector(call)
    missed = []
    for account in call.params["AccountIds"]:
        row = members_of(call).get(account)
        if row is None:
            missed.append(unknown(account))
            continue
        row.now["RelationshipStatus"] = "REMOVED"
        invitations_of(call, account).pop(call.account, None)
    return {"UnprocessedAccounts": missed}


@handles("guardduty", "DisassociateFromAdministratorAccount")
def leave(call: Call, _: Forward) -> dict[str, Any]:
    detector(call)
    found = administrator_of(call)
    if found and OF_ORGANIZATION in found:
        message = "The request is rejected because the current account is a member of an organization."
        raise AwsError("BadRequestException", message)
    if found:
        invitations_of(call).pop(found["AccountId"])
        place(call, "members", account=found["AccountId"])[call.account].now["RelationshipStatus"] = "RESIGNED"
    return {}
