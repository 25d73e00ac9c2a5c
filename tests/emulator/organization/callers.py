"""Who may call what: the management account everything, members little, delegated administrators the reads.

From the last sentence of each operation's documentation in the API model ("You can only call this operation from…").
"""

from emulator.answers import AwsError
from emulator.missing import guards
from emulator.organization import resource_policy
from emulator.organization.structure import delegations, denied, home_of, management
from emulator.wire import Call

# Accounts outside of an organization.
OUTSIDERS = {
    "CreateOrganization",
    "AcceptHandshake",
    "DeclineHandshake",
    "DescribeHandshake",
    "ListHandshakesForAccount",
}
# Any account of an organization.
MEMBERS = OUTSIDERS | {"DescribeOrganization", "DescribeEffectivePolicy", "LeaveOrganization"}
# What a resource-based delegation policy can hand to a member beside the reads.
DELEGABLE = {
    "CreatePolicy",
    "UpdatePolicy",
    "DeletePolicy",
    "AttachPolicy",
    "DetachPolicy",
    "EnablePolicyType",
    "DisablePolicyType",
    "TagResource",
    "UntagResource",
}


@guards("organizations")
def check_caller(call: Call) -> None:
    operation = call.operation or ""
    found = home_of(call.account, call.partition)
    if found is None:
        if operation not in OUTSIDERS:
            raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        return
    if call.account == management(found) or operation in MEMBERS:
        return
    reads = operation.startswith(("Describe", "List"))
    if reads and delegations(found, call.account):
        return
    if (reads or operation in DELEGABLE) and resource_policy.allows(call, found):
        return
    raise denied()
