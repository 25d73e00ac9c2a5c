"""Accounts of an organization: addresses, leaving, being removed, closing and moving."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles
from emulator.organization.structure import (
    account_in,
    delegations,
    home,
    home_of,
    known_account,
    management,
    path,
)
from emulator.shelf.pages import page
from emulator.shelf.store import settles_after
from emulator.wire import Call

# An account that was made in the organization stays at least so long.
WAIT = timedelta(days=4)


def email_of(account: str) -> str:
    """The address of the account's root user: what the organization knows, or one of the account's own."""
    found = home_of(account)
    known = account_in(found, account) if found else None
    return known.email if known else f"root+{account}@example.com"


def violation(reason: str, message: str) -> AwsError:
    return AwsError("ConstraintViolationException", message, more={"Reason": reason})


def may_leave(found: Any, account: str) -> None:
    """Refuses what cannot leave: the management account, delegated administrators, and accounts that are too young."""
    if account == management(found):
        raise AwsError("MasterCannotLeaveOrganizationException", "You can't remove a management account.")
    known = known_account(found, account)
    if delegations(found, account):
        raise violation(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            "You cannot remove an account that is registered as a delegated administrator.",
        )
    if known.joined_method == "CREATED" and datetime.now(UTC).replace(tzinfo=None) - known.create_time < WAIT:
        raise violation(
            "WAIT_PERIOD_ACTIVE", "You can't remove an account until at least four days after it was created."
        )


# Accounts that were asked for and not made, by the organization's id; and how many reads see others on their way.
_FAILED: dict[str, list[dict[str, Any]]] = {}
_ON_THEIR_WAY: dict[str, int] = {}


@handles("organizations", "CreateAccount")
def create(call: Call, forward: Forward) -> dict[str, Any]:
    """An address is good for one account; the answer of AWS comes at once, and the account when it has settled."""
    found, address = home(call), call.params["Email"].lower()
    if any(str(one.email).lower() == address for one in found.accounts):
        now = datetime.now(UTC)
        status = {"Id": f"car-{uuid.uuid4().hex[:8]}", "AccountName": call.params["AccountName"], "State": "FAILED"}
        status |= {"RequestedTimestamp": now, "CompletedTimestamp": now, "FailureReason": "EMAIL_ALREADY_EXISTS"}
        _FAILED.setdefault(found.org.id, []).append(status)
        return {"CreateAccountStatus": status}
    status = from_moto(call, forward)["CreateAccountStatus"]
    _ON_THEIR_WAY[status["Id"]] = settles_after(call.account)
    return {"CreateAccountStatus": _as_seen(status)}


@handles("organizations", "DescribeCreateAccountStatus")
def describe_creation(call: Call, _: Forward) -> dict[str, Any]:
    asked = call.params["CreateAccountRequestId"]
    found = home(call)
    made = [one.create_account_status["CreateAccountStatus"] for one in found.accounts]
    status = next((one for one in [*made, *_FAILED.get(found.org.id, [])] if one["Id"] == asked), None)
    if status is None:
        message = "We can't find a create account request with the CreateAccountRequestId that you specified."
        raise AwsError("CreateAccountStatusNotFoundException", message)
    seen = _as_seen(status)
    _ON_THEIR_WAY[asked] = max(0, _ON_THEIR_WAY.get(asked, 0) - 1)
    return {"CreateAccountStatus": seen}


@handles("organizations", "ListCreateAccountStatus")
def list_creations(call: Call, _: Forward) -> dict[str, Any]:
    found, states = home(call), call.params.get("States")
    made = [_as_seen(one.create_account_status["CreateAccountStatus"]) for one in found.accounts]
    every = [one for one in [*made, *_FAILED.get(found.org.id, [])] if not states or one["State"] in states]
    rows, more = page(call, every)
    return {"CreateAccountStatuses": rows, **more}


def _as_seen(status: dict[str, Any]) -> dict[str, Any]:
    """The status of an account that is on its way, as long as it is."""
    if not _ON_THEIR_WAY.get(status["Id"]):
        return status
    return {name: value for name, value in status.items() if name not in ("CompletedTimestamp", "AccountId")} | {
        "State": "IN_PROGRESS"
    }


@handles("organizations", "LeaveOrganization")
def leave(call: Call, _: Forward) -> dict[str, Any]:
    found = home(call)
    may_leave(found, call.account)
    found.remove_account_from_organization(AccountId=call.account)
    return {}


@handles("organizations", "RemoveAccountFromOrganization")
def remove(call: Call, _: Forward) -> dict[str, Any]:
    found = home(call)
    may_leave(found, call.params["AccountId"])
    found.remove_account_from_organization(AccountId=call.params["AccountId"])
    return {}


@handles("organizations", "CloseAccount")
def close(call: Call, _: Forward) -> None:
    if call.params["AccountId"] == management(home(call)):
        raise violation("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You cannot close the management account.")


@handles("organizations", "MoveAccount")
def move(call: Call, _: Forward) -> None:
    found, given = home(call), call.params
    account, parents = known_account(found, given["AccountId"]), {unit.id for unit in found.ou}
    if given["DestinationParentId"] not in parents:
        raise AwsError("DestinationParentNotFoundException", "We can't find the destination container.")
    if given["SourceParentId"] != account.parent_id:
        raise AwsError("SourceParentNotFoundException", "We can't find a source root or OU with the ID you specified.")
    if given["DestinationParentId"] == account.parent_id:
        raise AwsError("DuplicateAccountException", "That account is already present in the specified destination.")


@handles("organizations", "CreateOrganization")
def create(call: Call, forward: Forward) -> Any:
    """The management account has joined by invitation, says AWS; moto has it created."""
    answer = forward()
    if answer.status == 200:
        found = home(call)
        account_in(found, call.account).joined_method = "INVITED"
    return answer


@handles("organizations", "CreateOrganizationalUnit")
def create_unit(call: Call, _: Forward) -> None:
    found, given = home(call), call.params
    parent = next((unit for unit in found.ou if unit.id == given["ParentId"]), None)
    if parent is None:
        raise AwsError("ParentNotFoundException", "You specified a parent that doesn't exist.")
    if any(unit.parent_id == parent.id and unit.name == given["Name"] for unit in found.ou):
        raise AwsError("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
    if len(path(found, parent)) > 5:
        raise violation("OU_DEPTH_LIMIT_EXCEEDED", "You have exceeded the depth of the OU hierarchy.")


@handles("organizations", "DeleteOrganizationalUnit")
def delete_unit(call: Call, _: Forward) -> None:
    found, unit = home(call), call.params["OrganizationalUnitId"]
    if any(child.parent_id == unit for child in [*found.ou, *found.accounts]):
        raise AwsError("OrganizationalUnitNotEmptyException", "The specified OU is not empty.")
