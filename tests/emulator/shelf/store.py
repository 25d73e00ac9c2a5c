"""Where the shelf keeps things: by account, Region and name; how long they settle, and who owns them."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.answers import AwsError
from emulator.wire import Call

_PLACES: dict[str, dict[tuple[str, str], dict[Any, "Row"]]] = {}
_SETTLING: dict[str, int] = {}
# What route `plant` is for.
PLANTS = (
    "accessanalyzer:findings",
    "detective:invitations",
    "route53resolver:firewall_associations",
    "ssm:instances",
    "ssm:patch_states",
)
_OWNERS: dict[tuple[str, str], str] = {}


@dataclass
class Claim:
    """Somebody owns a thing in place of the account: what reads then show, and what refusals say besides."""

    owner: str
    values: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None


# Who owns a thing, asked in order: functions of the call and of "service:name" that return a claim or None.
ASK_FOR_OWNER: list[Callable[[Call, str], Claim | None]] = [
    lambda call, what: Claim(_OWNERS[(call.account, what)]) if (call.account, what) in _OWNERS else None,
]


@dataclass
class Row:
    """One thing; `shown` is what the next `reads` reads see in its place."""

    now: dict[str, Any]
    shown: dict[str, Any] = field(default_factory=dict)
    reads: int = 0
    gone: bool = False

    def read(self) -> dict[str, Any]:
        if self.reads > 0:
            self.reads -= 1
            return self.shown
        return self.now

    def write(
        self, call: Call, value: dict[str, Any], middle: dict[str, Any] | None = None, late: bool = False
    ) -> None:
        """Sets the value; while it settles, reads show it with the `middle` members, or when `late` what was before."""
        reads = settles_after(call.account)
        if reads and (middle or late):
            self.shown, self.reads = (self.now if late else value | (middle or {})), reads
        self.now = value


def place(call: Call, name: str, everywhere: bool = False, account: str | None = None) -> dict[Any, Row]:
    """The rows of the name in the (call's) account, and in its Region unless the thing is the same everywhere."""
    region = "*" if everywhere else call.region
    return _PLACES.setdefault(account or call.account, {}).setdefault((region, f"{call.service}:{name}"), {})


def settle_after(account: str, reads: int) -> None:
    """From now on writes of the account are seen only after so many reads, where the table says that they settle."""
    _SETTLING[account] = reads


def settles_after(account: str) -> int:
    """How many reads see what the account writes on its way."""
    return _SETTLING.get(account, 0)


def own(account: str, what: str, owner: str | None) -> None:
    """Gives the thing (`service:name`) of the account to an owner, or back to the account."""
    _OWNERS.pop((account, what), None)
    if owner:
        _OWNERS[(account, what)] = owner


def claim_of(call: Call, name: str) -> Claim | None:
    """Who owns the thing in place of the account: an administrator, an organization's policy, a service."""
    for ask in ASK_FOR_OWNER:
        claim = ask(call, f"{call.service}:{name}")
        if claim:
            return claim
    return None


def owner_of(call: Call, name: str) -> str | None:
    """The name of the owner."""
    claim = claim_of(call, name)
    return claim.owner if claim else None


@dataclass
class Owner:
    """How a service tells who owns a thing, and refuses writes of one that the account does not own."""

    code: str
    message: str
    member: str | None = None
    itself: str = "account"

    def shown(self, call: Call, name: str) -> dict[str, Any]:
        claim = claim_of(call, name)
        member = {self.member: claim.owner if claim else self.itself} if self.member else {}
        return (claim.values if claim else {}) | member

    def check(self, call: Call, name: str) -> None:
        claim = claim_of(call, name)
        if claim:
            more = f" Custom Message: {claim.reason}" if claim.reason else ""
            raise AwsError(self.code, self.message + more)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def plant(account: str, region: str, what: str, rows: list[dict[str, Any]]) -> None:
    """Puts what no call makes (findings, instances) where the table of `service:name` lists it."""
    if what not in PLANTS:
        raise ValueError(f"nothing is planted there: {what}; one of {', '.join(PLANTS)}")
    _PLACES.setdefault(account, {})[(region, what)] = {number: Row(row) for number, row in enumerate(rows)}


def planted(call: Call, name: str) -> list[dict[str, Any]]:
    return [row.now for row in place(call, name).values()]


def milliseconds() -> int:
    """The time as CloudWatch Logs tells it."""
    return int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)
