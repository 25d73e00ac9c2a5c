"""Administrators of services that keep their own list of them beside Organizations': one table for all.

Enabling one registers it with Organizations and adds trusted access; another account is refused in every Region; the
registration's end ends it everywhere. What the services' guides leave open: whether disabling in the last Region ends
the registration (here it does, but for Detective, whose reference says that it does not), and some error codes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, guards, handles
from emulator.organization.services import register_silently
from emulator.organization.structure import account_in, all_features, delegations, home_of, management, trusted
from emulator.shelf.model import output
from emulator.wire import Call

Shown = Callable[[Call, str, datetime], dict[str, Any]]


@dataclass
class Service:
    """A service's operations and errors; `account` is the input's member with the administrator."""

    name: str
    principal: str
    account: str
    enable: str
    disable: str
    denied: str
    unknown: str
    second: str
    absent: str
    outside: str | None = None
    again: str | None = None
    listing: tuple[str, str] | None = None
    shown: Shown = lambda _, account, since: {"AccountId": account, "Status": "ENABLED"}
    # The input's member that tells one list of administrators from another.
    kinds: str | None = None
    most: int = 1
    everywhere: bool = False
    # The service wants trusted access first, and has this error when it is missing.
    access: str | None = None
    management_too: bool = True
    stays: bool = False
    # What the code is for an account that is not the administrator, of the calls on the organization's configuration.
    not_admin: str | None = None


SERVICES = (
    Service(
        "guardduty",
        "guardduty.amazonaws.com",
        "AdminAccountId",
        "EnableOrganizationAdminAccount",
        "DisableOrganizationAdminAccount",
        denied="BadRequestException",
        unknown="BadRequestException",
        second="BadRequestException",
        again="BadRequestException",
        absent="BadRequestException",
        listing=("ListOrganizationAdminAccounts", "AdminAccounts"),
        shown=lambda _, account, since: {"AdminAccountId": account, "AdminStatus": "ENABLED"},
        not_admin="BadRequestException",
    ),
    Service(
        "securityhub",
        "securityhub.amazonaws.com",
        "AdminAccountId",
        "EnableOrganizationAdminAccount",
        "DisableOrganizationAdminAccount",
        denied="InvalidAccessException",
        unknown="InvalidInputException",
        second="InvalidInputException",
        absent="InvalidInputException",
        listing=("ListOrganizationAdminAccounts", "AdminAccounts"),
        kinds="Feature",
        not_admin="InvalidAccessException",
    ),
    Service(
        "detective",
        "detective.amazonaws.com",
        "AccountId",
        "EnableOrganizationAdminAccount",
        "DisableOrganizationAdminAccount",
        denied="AccessDeniedException",
        unknown="ValidationException",
        second="ValidationException",
        absent="ValidationException",
        listing=("ListOrganizationAdminAccounts", "Administrators"),
        shown=lambda call, account, since: {
            "AccountId": account,
            "GraphArn": f"arn:{call.partition}:detective:{call.region}:{account}:graph:{account.zfill(32)}",
            "DelegationTime": since,
        },
        stays=True,
        not_admin="AccessDeniedException",
    ),
    Service(
        "macie2",
        "macie.amazonaws.com",
        "adminAccountId",
        "EnableOrganizationAdminAccount",
        "DisableOrganizationAdminAccount",
        denied="AccessDeniedException",
        unknown="ResourceNotFoundException",
        second="ConflictException",
        again="ConflictException",
        absent="ResourceNotFoundException",
        listing=("ListOrganizationAdminAccounts", "adminAccounts"),
        shown=lambda _, account, since: {"accountId": account, "status": "ENABLED"},
        not_admin="AccessDeniedException",
    ),
    Service(
        "inspector2",
        "inspector2.amazonaws.com",
        "delegatedAdminAccountId",
        "EnableDelegatedAdminAccount",
        "DisableDelegatedAdminAccount",
        denied="AccessDeniedException",
        unknown="ResourceNotFoundException",
        second="ConflictException",
        again="ConflictException",
        absent="ResourceNotFoundException",
        listing=("ListDelegatedAdminAccounts", "delegatedAdminAccounts"),
        shown=lambda _, account, since: {"accountId": account, "status": "ENABLED"},
        not_admin="AccessDeniedException",
    ),
    Service(
        "cloudtrail",
        "cloudtrail.amazonaws.com",
        "MemberAccountId",
        "RegisterOrganizationDelegatedAdmin",
        "DeregisterOrganizationDelegatedAdmin",
        denied="NotOrganizationManagementAccountException",
        unknown="AccountNotFoundException",
        second="DelegatedAdminAccountLimitExceededException",
        again="AccountRegisteredException",
        absent="AccountNotRegisteredException",
        outside="OrganizationsNotInUseException",
        most=3,
        everywhere=True,
        access="CloudTrailAccessNotEnabledException",
        management_too=False,
    ),
    Service(
        "fms",
        "fms.amazonaws.com",
        "AdminAccount",
        "AssociateAdminAccount",
        "DisassociateAdminAccount",
        denied="InvalidOperationException",
        unknown="ResourceNotFoundException",
        second="InvalidOperationException",
        absent="ResourceNotFoundException",
        everywhere=True,
        management_too=False,
    ),
)


@dataclass
class Administrators:
    """The administrators of a service in one organization: (Region, account) and since when."""

    since: dict[tuple[str, str], datetime] = field(default_factory=dict)


_ADMINISTRATORS: dict[tuple[str, str, str], Administrators] = {}


def administrators(call: Call, service: Service, found: Any) -> dict[tuple[str, str], datetime]:
    """By Region and account, without those whose registration with Organizations has ended."""
    kind = str(call.params.get(service.kinds) or "") if service.kinds else ""
    kept = _ADMINISTRATORS.setdefault((found.org.id, service.name, kind), Administrators())
    boss = management(found)
    kept.since = {
        at: since for at, since in kept.since.items() if at[1] == boss or service.principal in delegations(found, at[1])
    }
    return kept.since


def administrator(service_name: str, call: Call) -> str | None:
    """The account that administers the service in the call's Region, in the caller's organization."""
    service = next(one for one in SERVICES if one.name == service_name)
    found = home_of(call.account, call.partition)
    here = _region(service, call)
    return next((at[1] for at in administrators(call, service, found) if at[0] == here), None) if found else None


def _region(service: Service, call: Call) -> str:
    return "*" if service.everywhere else call.region


def _by_management(service: Service, call: Call) -> Any:
    found = home_of(call.account, call.partition)
    if found is None:
        raise AwsError(service.outside or service.denied, f"Account {call.account} is not in an organization.")
    if call.account != management(found):
        raise AwsError(
            service.denied, "The request is rejected: only the organization's management account may do that."
        )
    return found


def _register(service: Service) -> None:
    @handles(service.name, service.enable)
    def enable(call: Call, _: Forward) -> dict[str, Any]:
        found, account = _by_management(service, call), call.params[service.account]
        if service.access and not trusted(found, service.principal):
            raise AwsError(service.access, f"Trusted access of {service.principal} is not enabled in Organizations.")
        if account_in(found, account) is None:
            raise AwsError(service.unknown, f"The account {account} is not a member of the organization.")
        if account == management(found) and not service.management_too:
            code = "CannotDelegateManagementAccountException" if service.name == "cloudtrail" else service.second
            raise AwsError(code, "The management account cannot be the delegated administrator.")
        if not all_features(found):
            raise AwsError(service.denied, "The organization must have all features enabled.")
        here, known = _region(service, call), administrators(call, service, found)
        if (here, account) in known:
            if service.again:
                raise AwsError(service.again, "The account is already enabled as the delegated administrator.")
        registered = {admin.account.id for admin in found.admins if service.principal in admin.services}
        if len((registered | {at[1] for at in known}) - {account}) >= service.most:
            raise AwsError(
                service.second,
                "Another account is already enabled as the delegated administrator for the organization.",
            )
        found.enable_aws_service_access(ServicePrincipal=service.principal)
        if account != management(found):
            register_silently(found, account, service.principal)
        known.setdefault((here, account), datetime.now(UTC).replace(microsecond=0))
        return output(call, call.params)

    @handles(service.name, service.disable)
    def disable(call: Call, _: Forward) -> dict[str, Any]:
        here = _region(service, call)
        if service.name == "fms":
            # Firewall Manager's own administrator ends it.
            found = home_of(call.account, call.partition)
            account = call.account
            if found is None or (here, account) not in administrators(call, service, found):
                raise AwsError(service.absent, "The account is not the administrator.")
        else:
            found = _by_management(service, call)
            account = _named(service, call, found)
        known = administrators(call, service, found)
        if (here, account) not in known:
            raise AwsError(service.absent, f"The account {account} is not the delegated administrator.")
        del known[(here, account)]
        if not service.stays and not any(at[1] == account for at in known) and account != management(found):
            found.deregister_delegated_administrator(AccountId=account, ServicePrincipal=service.principal)
        return output(call, call.params)

    if service.listing:

        @handles(service.name, service.listing[0])
        def listed(call: Call, _: Forward) -> dict[str, Any]:
            found, here = _by_management(service, call), _region(service, call)
            known = administrators(call, service, found)
            shown = [service.shown(call, at[1], since) for at, since in known.items() if at[0] == here]
            more = {service.kinds: call.params[service.kinds]} if service.kinds in call.params else {}
            return {service.listing[1]: shown} | more


def _named(service: Service, call: Call, found: Any) -> str:
    """The administrator that is to go; Detective's call has no input, so that it is the one that is there."""
    for name in (service.account, "DelegatedAdminAccountId"):
        if name in call.params:
            return call.params[name]
    return administrator(service.name, call) or management(found)


for _service in SERVICES:
    _register(_service)


@handles("inspector2", "GetDelegatedAdminAccount")
def inspectors_administrator(call: Call, _: Forward) -> dict[str, Any]:
    account = administrator("inspector2", call)
    if account is None:
        raise AwsError("ResourceNotFoundException", "There is no delegated administrator.")
    return {"delegatedAdmin": {"accountId": account, "relationshipStatus": "ENABLED"}}


@handles("fms", "GetAdminAccount")
def firewall_administrator(call: Call, _: Forward) -> dict[str, Any]:
    account = administrator("fms", call)
    if account is None:
        raise AwsError("ResourceNotFoundException", "There is no administrator account.")
    return {"AdminAccount": account, "RoleStatus": "READY"}


def _guard(service: Service) -> None:
    @guards(service.name)
    def check(call: Call) -> None:
        """The organization's configuration is for the administrator alone, to read and to write."""
        if call.operation in ("DescribeOrganizationConfiguration", "UpdateOrganizationConfiguration"):
            if administrator(service.name, call) != call.account:
                raise AwsError(
                    service.not_admin or service.denied,
                    f"Account {call.account} is not an administrator for this organization.",
                )


for _service in SERVICES:
    if _service.not_admin:
        _guard(_service)
