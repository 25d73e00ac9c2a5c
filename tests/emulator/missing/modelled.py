"""Answers of moto's that have more, or less, than their API models."""

import uuid
from typing import Any

from emulator.missing import Forward, from_moto, handles
from emulator.missing.kms import find_key
from emulator.wire import Call


@handles("efs", "CreateFileSystem", "DescribeFileSystems")
@handles("opensearch", "CreateDomain", "DescribeDomain")
def members_of_the_model(call: Call, forward: Forward) -> dict[str, Any]:
    """Without those that moto made up."""
    return from_moto(call, forward)


@handles("kms", "ListGrants")
def grants_name_their_key(call: Call, forward: Forward) -> dict[str, Any]:
    """And who gave them, and when."""
    made, key = from_moto(call, forward), find_key(call, call.params["KeyId"])
    for one in made["Grants"]:
        one |= {"KeyId": key.arn, "CreationDate": key.grants[one["GrantId"]].created}
        one["IssuingAccount"] = f"arn:{call.partition}:iam::{key.account_id}:root"
    return made


@handles("network-firewall", "CreateFirewall", "DescribeFirewall")
def firewalls_have_ids(call: Call, forward: Forward) -> dict[str, Any]:
    made = from_moto(call, forward)
    made["Firewall"]["FirewallId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, made["Firewall"]["FirewallArn"]))
    return made


@handles("cloudfront", "ListDistributions")
def distributions_say_whether_they_are_staging(call: Call, forward: Forward) -> dict[str, Any]:
    made = from_moto(call, forward)
    for one in made["DistributionList"].get("Items") or []:
        one.setdefault("Staging", False)
    return made
