"""Account Management: contact, e-mail, Regions; for the own account, or a member's by the management account."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.missing.ec2 import known_regions, opt_in, opt_out, opted_in
from emulator.organization.accounts import email_of
from emulator.shelf import WHOLE, Row, place, setting
from emulator.shelf.pages import page
from emulator.wire import Call


def target(call: Call) -> str:
    """The account that the call is about; who may name another one is checked before (`organization/on_behalf.py`)."""
    return call.params.get("AccountId", call.account)


setting(
    "account",
    "contact",
    {},
    get="GetContactInformation",
    put={"PutContactInformation": WHOLE},
    everywhere=True,
    whose=target,
    absent=("ResourceNotFoundException", "No contact information found."),
)


@handles("account", "GetPrimaryEmail")
def primary_email(call: Call, _: Forward) -> dict[str, Any]:
    return {"PrimaryEmail": email_of(call.params["AccountId"])}


def row_of(call: Call, account: str, region: str) -> Row:
    return place(call, "regions", everywhere=True, account=account).setdefault(region, Row({}))


def status(call: Call, account: str, region: str) -> str:
    state = opted_in(account, region)
    if state is None:
        return "ENABLED_BY_DEFAULT"
    usual = "ENABLED" if state else "DISABLED"
    return row_of(call, account, region).read().get("RegionOptStatus", usual)


def known(call: Call) -> str:
    name = call.params["RegionName"]
    if name not in known_regions():
        raise AwsError("ValidationException", f"{name} is not a Region.")
    return name


@handles("account", "GetRegionOptStatus")
def region_status(call: Call, _: Forward) -> dict[str, Any]:
    name = known(call)
    return {"RegionName": name, "RegionOptStatus": status(call, target(call), name)}


@handles("account", "ListRegions")
def list_regions(call: Call, _: Forward) -> dict[str, Any]:
    account, wanted = target(call), call.params.get("RegionOptStatusContains")
    found = [{"RegionName": name, "RegionOptStatus": status(call, account, name)} for name in known_regions()]
    shown, token = page(call, [one for one in found if not wanted or one["RegionOptStatus"] in wanted])
    return {"Regions": shown} | token


@handles("account", "EnableRegion", "DisableRegion")
def switch(call: Call, _: Forward) -> dict[str, Any]:
    name, account, on = known(call), target(call), call.operation == "EnableRegion"
    if opted_in(account, name) is None:
        raise AwsError("ValidationException", f"{name} is enabled by default.")
    row = row_of(call, account, name)
    if row.reads:
        raise AwsError("ConflictException", f"{name} is being enabled or disabled.")
    if on is not opted_in(account, name):
        (opt_in if on else opt_out)(account, name)
        row.write(call, {}, {"RegionOptStatus": "ENABLING" if on else "DISABLING"})
    return {}
