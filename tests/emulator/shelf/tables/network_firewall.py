"""Network Firewall: policies, which moto's firewalls name but which it does not have."""

import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.shelf import Collection
from emulator.wire import Call


def response(_: Call, row: dict[str, Any]) -> dict[str, Any]:
    """What AWS tells of a policy beside the policy itself; it is not the policy's own to change."""
    names = (
        "FirewallPolicyName",
        "FirewallPolicyArn",
        "FirewallPolicyId",
        "Description",
        "Tags",
        "EncryptionConfiguration",
    )
    return {
        "FirewallPolicyResponse": {name: row[name] for name in names if name in row}
        | {"FirewallPolicyStatus": row["FirewallPolicyStatus"], "NumberOfAssociations": 0}
    }


def unused(call: Call, row: dict[str, Any]) -> None:
    from moto.networkfirewall.models import networkfirewall_backends

    firewalls = networkfirewall_backends[call.account][call.region].firewalls.values()
    if any(one.firewall_policy_arn == row["FirewallPolicyArn"] for one in firewalls):
        raise AwsError("InvalidOperationException", "The firewall policy is in use.")


def fresh(call: Call, row: dict[str, Any]) -> None:
    if call.params["UpdateToken"] != row["UpdateToken"]:
        raise AwsError("InvalidTokenException", "Update token is invalid.")


(
    Collection(
        "network-firewall",
        "firewall policy",
        key="FirewallPolicyName",
        arn=(
            "FirewallPolicyArn",
            "arn:{partition}:network-firewall:{region}:{account}:firewall-policy/{id}",
        ),
        made=lambda _: {
            "FirewallPolicyId": str(uuid.uuid4()),
            "FirewallPolicyStatus": "ACTIVE",
            "UpdateToken": str(uuid.uuid4()),
        },
        shown=response,
        absent=("ResourceNotFoundException", "The firewall policy {id} does not exist."),
        limit=(20, "LimitExceededException"),
    )
    .create("CreateFirewallPolicy", exists="InvalidRequestException")
    .get("DescribeFirewallPolicy")
    .list("ListFirewallPolicies", "FirewallPolicies")
    .update("UpdateFirewallPolicy", check=fresh, changed=lambda _: {"UpdateToken": str(uuid.uuid4())})
    .delete("DeleteFirewallPolicy", refuse=unused)
)
