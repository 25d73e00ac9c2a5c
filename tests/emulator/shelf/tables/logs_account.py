"""CloudWatch Logs: policies for all log groups of an account in a Region."""

import json
from typing import Any

from emulator.answers import AwsError
from emulator.missing.logs import LONGEST_POLICY, check_data_protection
from emulator.shelf import Collection, milliseconds
from emulator.wire import Call

# Of these an account has one at most.
SINGLE = ("DATA_PROTECTION_POLICY", "SUBSCRIPTION_FILTER_POLICY")


def check(call: Call) -> None:
    try:
        document = json.loads(call.params["policyDocument"])
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise AwsError("InvalidParameterException", "The policy document is not valid JSON.")
    if call.params["policyType"] == "DATA_PROTECTION_POLICY":
        check_data_protection(call.params["policyDocument"])
    if len(call.params["policyDocument"]) > LONGEST_POLICY:
        raise AwsError("InvalidParameterException", "The policy document is too long.")
    others = [row for row in POLICIES.rows(call) if row.now["policyName"] != call.params["policyName"]]
    if others and call.params["policyType"] in SINGLE:
        raise AwsError("LimitExceededException", "An account has one policy of this type.")


def with_name(call: Call, row: dict[str, Any]) -> bool:
    return call.params.get("policyName") in (None, row["policyName"])


POLICIES = (
    Collection(
        "logs",
        "account policy",
        key="policyName",
        parent="policyType",
        defaults={"scope": "ALL"},
        made=lambda call: {"accountId": call.account},
        updated="lastUpdatedTime",
        clock=milliseconds,
        absent=("ResourceNotFoundException", "The account policy {id} does not exist."),
        limit=(20, "LimitExceededException"),
    )
    .put("PutAccountPolicy", under="accountPolicy", check=check)
    .list("DescribeAccountPolicies", "accountPolicies", where=with_name)
    .delete("DeleteAccountPolicy", by="policyName")
)
