"""The central management of members' root users: which of its two features an organization has switched on."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.organization.structure import all_features, home_of, management, may_administer, trusted
from emulator.wire import Call

SERVICE = "iam.amazonaws.com"
OPERATIONS = {
    "ListOrganizationsFeatures": (None, False),
    "EnableOrganizationsRootCredentialsManagement": ("RootCredentialsManagement", True),
    "DisableOrganizationsRootCredentialsManagement": ("RootCredentialsManagement", False),
    "EnableOrganizationsRootSessions": ("RootSessions", True),
    "DisableOrganizationsRootSessions": ("RootSessions", False),
}
# By organization.
_FEATURES: dict[str, set[str]] = {}


def of(found: Any) -> set[str]:
    """The features of the organization; none without trusted access of IAM."""
    return _FEATURES.setdefault(found.org.id, set()) if trusted(found, SERVICE) else set()


@handles("iam", *OPERATIONS)
def features(call: Call, _: Forward) -> dict[str, Any]:
    feature, on = OPERATIONS[call.operation or ""]
    found = home_of(call.account, call.partition)
    if found is None:
        raise AwsError("OrganizationNotFoundException", "The account is not part of an organization.")
    if not may_administer(call, SERVICE):
        raise AwsError(
            "AccountNotManagementOrDelegatedAdministratorException",
            "The account is neither the management account nor a delegated administrator.",
        )
    if not all_features(found):
        raise AwsError("OrganizationNotInAllFeaturesModeException", "The organization must have all features enabled.")
    if not trusted(found, SERVICE):
        raise AwsError("ServiceAccessNotEnabledException", "Trusted access of IAM is not enabled in Organizations.")
    if feature and on and call.account != management(found):
        raise AwsError("CallerIsNotManagementAccountException", "Only the management account may do that.")
    if feature:
        of(found).add(feature) if on else of(found).discard(feature)
    return {"OrganizationId": found.org.id, "EnabledFeatures": sorted(of(found))}
