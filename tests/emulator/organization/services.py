"""Trusted access of services, and delegated administrators as Organizations registers them."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.organization.accounts import violation
from emulator.organization.policies import NEEDS_ACCESS
from emulator.organization.structure import (
    all_features,
    delegations,
    enabled,
    home,
    is_principal,
    known_account,
    management,
    trusted,
)
from emulator.wire import Call


@handles("organizations", "EnableAWSServiceAccess")
def enable_access(call: Call, _: Forward) -> None:
    _check_principal(call.params["ServicePrincipal"])
    if not all_features(home(call)):
        raise violation("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", "Your organization must have all features enabled.")


@handles("organizations", "DisableAWSServiceAccess")
def disable_access(call: Call, _: Forward) -> None:
    found, principal = home(call), call.params["ServicePrincipal"]
    _check_principal(principal)
    for kind, service in NEEDS_ACCESS.items():
        if service == principal and enabled(found, kind):
            raise violation("POLICY_TYPE_ENABLED_FOR_THIS_SERVICE", f"Disable the policy type {kind} first.")


@handles("organizations", "RegisterDelegatedAdministrator")
def register(call: Call, _: Forward) -> None:
    found, given = home(call), call.params
    _check_principal(given["ServicePrincipal"])
    if given["AccountId"] == management(found):
        raise violation(
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register the management account as a delegated administrator.",
        )
    account = known_account(found, given["AccountId"])
    if account.state != "ACTIVE":
        raise violation("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR", "The account is suspended.")
    if not trusted(found, given["ServicePrincipal"]):
        raise violation("SERVICE_ACCESS_NOT_ENABLED", "Call the EnableAWSServiceAccess API first.")
    others = {admin.account.id for admin in found.admins if given["ServicePrincipal"] in admin.services}
    most = _most(given["ServicePrincipal"])
    if most is not None and len(others - {account.id}) >= most:
        one = "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"
        reason = one if most == 1 else "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"
        raise violation(reason, "You have exceeded the allowed number of delegated administrators for the service.")


def _most(principal: str) -> int | None:
    """How many delegated administrators a service has, where its own operations say it."""
    from emulator.organization.delegation import SERVICES

    # Firewall Manager's default administrator is one, beside whom there may be others.
    return next((one.most for one in SERVICES if one.principal == principal and one.name != "fms"), None)


@handles("organizations", "DeregisterDelegatedAdministrator")
def deregister(call: Call, _: Forward) -> None:
    found, given = home(call), call.params
    known_account(found, given["AccountId"])
    if given["ServicePrincipal"] not in delegations(found, given["AccountId"]):
        raise AwsError(
            "AccountNotRegisteredException",
            "The provided account is not a registered delegated administrator for your organization.",
        )


@handles("organizations", "ListDelegatedServicesForAccount")
def list_services(call: Call, _: Forward) -> None:
    known_account(home(call), call.params["AccountId"])


def register_silently(found: Any, account: str, principal: str) -> None:
    """What a service does for itself when it is told who administers it: trusted access, and the registration."""
    found.enable_aws_service_access(ServicePrincipal=principal)
    if principal not in delegations(found, account):
        found.register_delegated_administrator(AccountId=account, ServicePrincipal=principal)


def _check_principal(name: str) -> None:
    if not is_principal(name):
        raise AwsError(
            "InvalidInputException",
            "You specified an unrecognized service principal.",
            more={"Reason": "UNRECOGNIZED_SERVICE_PRINCIPAL"},
        )
