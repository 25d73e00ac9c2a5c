"""Security group rules as AWS takes and stores them: one form for one rule, and what it refuses.

Sources: EC2 API Reference, IpPermission, IpRange and UserIdGroupPair; the error texts from public reports.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from emulator.answers import AwsError
from emulator.wire import Call

# In each direction, for IPv4 and IPv6 apart; a group or a prefix list counts for both.
QUOTA = 60
NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
WITH_PORTS = ("tcp", "udp", "icmp", "icmpv6")
PEERS = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")


@dataclass(frozen=True)
class Stored:
    """A rule in AWS's own form."""

    protocol: str
    ports: tuple[int, int]
    ip_range: dict[str, str] | None = None
    source_group: dict[str, str] | None = None
    prefix_list: dict[str, str] | None = None

    @property
    def peer(self) -> str:
        if self.ip_range:
            return self.ip_range.get("CidrIp") or self.ip_range["CidrIpv6"]
        if self.source_group:
            return self.source_group["GroupId"]
        return (self.prefix_list or {})["PrefixListId"]

    @property
    def key(self) -> tuple[str, tuple[int, int], str]:
        """What makes two rules the same; descriptions do not count."""
        return (self.protocol, self.ports, self.peer)

    @property
    def families(self) -> tuple[int, ...]:
        if not self.ip_range:
            return (4, 6)
        return (4,) if "CidrIp" in self.ip_range else (6,)

    def __str__(self) -> str:
        return f"peer: {self.peer}, {self.protocol}, from port: {self.ports[0]}, to port: {self.ports[1]}, ALLOW"


def stored(call: Call, permission: dict[str, Any], group: Any) -> list[Stored]:
    """The rules of a permission; raises AwsError for what AWS refuses."""
    protocol = _protocol(permission.get("IpProtocol"))
    ports = _ports(protocol, permission.get("FromPort"), permission.get("ToPort"))
    made = [
        Stored(protocol, ports, ip_range=one | {name: _range(one.get(name, ""), kind)})
        for members, name, kind in (
            ("IpRanges", "CidrIp", ipaddress.IPv4Network),
            ("Ipv6Ranges", "CidrIpv6", ipaddress.IPv6Network),
        )
        for one in permission.get(members, [])
    ]
    made += [
        Stored(protocol, ports, source_group=_source(call, one, group)) for one in permission.get("UserIdGroupPairs", [])
    ]
    for one in permission.get("PrefixListIds", []):
        _check_id(one["PrefixListId"], "pl", "InvalidPrefixListID.Malformed")
        made.append(Stored(protocol, ports, prefix_list=one))
    if not made:
        raise AwsError("MissingParameter", "The request must contain the parameter ipRanges, groups or prefixListIds")
    return made


def apart(permission: dict[str, Any]) -> list[dict[str, Any]]:
    """The permission, one for each peer."""
    rest = {name: value for name, value in permission.items() if name not in PEERS}
    return [rest | {name: [one]} for name in PEERS for one in permission.get(name, [])] or [permission]


def permission_of(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as ModifySecurityGroupRules is told it, in the form of the other operations."""
    made = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
    told = {"Description": rule["Description"]} if "Description" in rule else {}
    for given, peers, name in (
        ("CidrIpv4", "IpRanges", "CidrIp"),
        ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        ("PrefixListId", "PrefixListIds", "PrefixListId"),
        ("ReferencedGroupId", "UserIdGroupPairs", "GroupId"),
    ):
        if given in rule:
            made[peers] = [{name: rule[given]} | told]
    if len(set(made) & set(PEERS)) != 1:
        raise AwsError("InvalidParameterValue", "A rule has exactly one of a range, a prefix list and a group.")
    return made


def of_moto(call: Call, rule: Any) -> Stored:
    """A rule that is there."""
    protocol = _protocol(rule.ip_protocol)
    ports = tuple(-1 if port in (None, "") else int(port) for port in (rule.from_port, rule.to_port))
    prefix_list = {"PrefixListId": rule.prefix_list_id} if rule.prefix_list_id else None
    return Stored(protocol, ports, rule.ip_range or None, rule.source_group or None, prefix_list)


def check_rule_id(rule: str) -> None:
    _check_id(rule, "sgr", "InvalidSecurityGroupRuleId.Malformed")


def check_group_id(group: str) -> None:
    _check_id(group, "sg", "InvalidGroupId.Malformed")


def _check_id(given: str, prefix: str, code: str) -> None:
    if not re.fullmatch(rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", given):
        raise AwsError(code, f'Invalid id: "{given}" (expecting "{prefix}-...")')


def _protocol(given: Any) -> str:
    protocol = NAMES.get(str(given).lower(), str(given).lower())
    if protocol in ("-1", *WITH_PORTS) or (protocol.isdecimal() and int(protocol) < 256):
        return protocol
    raise AwsError("InvalidParameterValue", f"Invalid value '{given}' for IP protocol. Unknown protocol.")


def _ports(protocol: str, first: int | None, last: int | None) -> tuple[int, int]:
    """Protocols without ports have none, whatever is given; all ICMPv6 can be said by leaving them out."""
    if protocol not in WITH_PORTS:
        return (-1, -1)
    if first is None and last is None and protocol == "icmpv6":
        return (-1, -1)
    if first is None or last is None:
        text = f"Invalid value 'Must specify both from and to ports with {protocol.upper()}.' for portRange."
        raise AwsError("InvalidParameterValue", text)
    if protocol in ("tcp", "udp"):
        if not 0 <= first <= last <= 65535:
            raise AwsError("InvalidParameterValue", f"Invalid TCP/UDP port range ({first}:{last})")
    elif not -1 <= first <= 255 or not -1 <= last <= 255 or (first == -1 and last != -1):
        raise AwsError("InvalidParameterValue", f"ICMP code ({last}), or ICMP type ({first}) not in valid range")
    return (first, last)


def _range(given: str, kind: type[ipaddress.IPv4Network] | type[ipaddress.IPv6Network]) -> str:
    try:
        if not re.fullmatch(r"[0-9A-Fa-f:.]+/(0|[1-9][0-9]*)", given):
            raise ValueError(given)
        return str(kind(given, strict=False))
    except ValueError:
        raise AwsError("InvalidParameterValue", f"CIDR block {given} is malformed") from None


def _source(call: Call, given: dict[str, str], group: Any) -> dict[str, str]:
    """A peer group, which is looked for in the account that is named, or in the caller's own."""
    from moto.ec2.models import ec2_backends

    owner = given.get("UserId") or call.account
    if "GroupId" in given:
        check_group_id(given["GroupId"])
    name = given.get("GroupId") or given.get("GroupName", "")
    vpc = None if "GroupId" in given else group.vpc_id
    found = ec2_backends[owner][call.region].get_security_group_by_name_or_id(name, vpc)
    if found is None:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    made = {"GroupId": found.id, "UserId": owner, "OwnerId": owner}
    return made | ({"Description": given["Description"]} if "Description" in given else {})
