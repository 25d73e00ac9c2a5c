"""The tree of an organization, read from moto's model: who belongs to whom, and what is attached where."""

import functools
import re
from typing import Any

from moto.organizations.models import organizations_backends

from emulator.answers import AwsError
from emulator.wire import Call


def home_of(account: str, partition: str = "aws") -> Any:
    """What moto keeps of the organization that the account is in; None when it is in none."""
    owner = organizations_backends.master_accounts.get(account)
    if owner is not None:
        return organizations_backends[owner[0]][owner[1]]
    found = organizations_backends.get(account, {}).get(partition)
    return found if found is not None and found.org is not None else None


def home(call: Call) -> Any:
    """The same for the caller of an operation; an error when the caller is in no organization."""
    found = home_of(call.account, call.partition)
    if found is None:
        raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    return found


def management(found: Any) -> str:
    """The account that manages the organization."""
    return found.org.master_account_id


def is_member(account: str) -> bool:
    """Whether the account is in an organization that another account manages."""
    return account in organizations_backends.master_accounts


def all_features(found: Any) -> bool:
    return found.org.feature_set == "ALL"


def root(found: Any) -> Any:
    return next(unit for unit in found.ou if unit.type == "ROOT")


def account_in(found: Any, account: str) -> Any:
    """The account as the organization knows it; None when it is not in it."""
    return next((one for one in found.accounts if one.id == account), None)


def known_account(found: Any, account: str) -> Any:
    known = account_in(found, account)
    if known is None:
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    return known


def target(found: Any, name: str) -> Any:
    """A root, a unit or an account by its id."""
    known = next((one for one in [*found.ou, *found.accounts] if one.id == name), None)
    if known is None:
        raise AwsError("TargetNotFoundException", "You specified a target that doesn't exist.")
    return known


def path(found: Any, entity: Any) -> list[Any]:
    """From the root down to the entity itself."""
    made, units = [entity], {unit.id: unit for unit in found.ou}
    while made[0].type != "ROOT":
        made.insert(0, units[made[0].parent_id])
    return made


def enabled(found: Any, policy_type: str) -> bool:
    """Whether the type of policies is switched on in the root."""
    return any(one["Type"] == policy_type for one in root(found).policy_types)


def attached(entity: Any, policy_type: str) -> list[Any]:
    """The policies of the type that hang on the entity itself, in the order in which they were attached."""
    return [policy for policy in entity.attached_policies if policy.type == policy_type]


def trusted(found: Any, principal: str) -> bool:
    """Whether the service has trusted access."""
    return any(service["ServicePrincipal"] == principal for service in found.services)


def delegations(found: Any, account: str) -> set[str]:
    """The service principals that the account is a delegated administrator of."""
    return {name for admin in found.admins if admin.account.id == account for name in admin.services}


def may_administer(call: Call, principal: str) -> bool:
    """Whether the caller manages the organization or is the delegated administrator of the service."""
    found = home(call)
    return management(found) == call.account or principal in delegations(found, call.account)


@functools.cache
def policy_types() -> tuple[str, ...]:
    """All types of policies that the API model knows."""
    from moto.core.utils import get_service_model

    return tuple(get_service_model("organizations").shape_for("PolicyType").enum)


def is_principal(name: str) -> bool:
    """Whether the name is that of an AWS service."""
    return re.fullmatch(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?", name) is not None


def denied(message: str = "You don't have permissions to access this resource.") -> AwsError:
    return AwsError("AccessDeniedException", message)
