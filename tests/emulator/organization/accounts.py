"""Accounts of an organization: addresses, leaving, being removed, closing and moving."""

from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.organization.structure import (
    account_in,
    delegations,
    home,
    home_of,
    known_account,
    management,
    path,
)
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
