"""Tags of what an organization has: fifty, each once, none of AWS."""

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.organization.accounts import violation
from emulator.organization.structure import home, target
from emulator.wire import Call

MOST = 50


@refuses("organizations", "TagResource", "CreatePolicy", "CreateOrganizationalUnit", "CreateAccount")
def tags(call: Call) -> None:
    names = [one["Key"] for one in call.params.get("Tags") or []]
    if len(set(names)) < len(names):
        raise AwsError("InvalidInputException", "DUPLICATE_TAG_KEY: Tag keys must be unique among the tags of a resource.")
    if any(name.lower().startswith("aws:") for name in names):
        raise AwsError("InvalidInputException", "INVALID_SYSTEM_TAGS_PARAMETER: Tag keys of AWS cannot be changed.")
    found = home(call)
    things = {one.id: one for one in (*found.ou, *found.accounts, *found.policies)}
    tagged = things.get(call.params.get("ResourceId"))
    there = set(tagged.tags) if tagged else set()
    if ("ResourceId" not in call.params or tagged) and len(there | set(names)) > MOST:
        raise violation("MAX_TAG_LIMIT_EXCEEDED", f"A resource may have {MOST} tags.")


@refuses("organizations", "ListPoliciesForTarget")
def a_target_that_is_not_there(call: Call) -> None:
    target(home(call), call.params["TargetId"])


@refuses("organizations", "ListParents")
def whose_parents(call: Call) -> None:
    found = home(call)
    if not any(one.id == call.params["ChildId"] for one in [*found.ou, *found.accounts]):
        raise AwsError("ChildNotFoundException", "We can't find an account or organizational unit that you specified.")
