"""Account Management for members: by the management account or the service's delegated administrator, no other.

From the documentation of `AccountId` in the API model: all features, trusted access, a member of the same organization;
the management account means itself by leaving the parameter out.
"""

from emulator.answers import AwsError
from emulator.missing import guards
from emulator.organization.structure import account_in, all_features, home_of, management, may_administer, trusted
from emulator.wire import Call

SERVICE = "account.amazonaws.com"


@guards("account")
def check_account(call: Call) -> None:
    wanted = call.params.get("AccountId")
    if wanted is None:
        return
    found = home_of(call.account, call.partition)
    allowed = (
        found is not None
        and all_features(found)
        and trusted(found, SERVICE)
        and may_administer(call, SERVICE)
        and account_in(found, wanted) is not None
        and wanted != management(found)
    )
    if not allowed:
        raise AwsError(
            "AccessDeniedException",
            f"User: {call.account} is not authorized to perform: account:{call.operation} for the account {wanted}.",
        )
