"""EC2: Client VPN endpoints, and the tunnels of VPN connections."""

import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles
from emulator.shelf import Collection, now
from emulator.wire import Call


def fits(call: Call, row: dict[str, Any]) -> bool:
    names = {"endpoint-id": "ClientVpnEndpointId", "transport-protocol": "TransportProtocol"}
    for condition in call.params.get("Filters", []):
        if condition["Name"] not in names:
            raise NotImplementedError(f"the filter {condition['Name']}")
        if row[names[condition["Name"]]] not in condition["Values"]:
            return False
    return True


def named(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    return {"DnsName": f"*.{row['ClientVpnEndpointId']}.prod.clientvpn.{call.region}.amazonaws.com"}


def certified(call: Call) -> None:
    if not call.params.get("AuthenticationOptions"):
        raise AwsError("InvalidParameterValue", "At least one authentication option is required.")


(
    Collection(
        "ec2",
        "client vpn endpoint",
        key="ClientVpnEndpointId",
        new_id=lambda _: f"cvpn-endpoint-{uuid.uuid4().hex[:17]}",
        defaults={"SplitTunnel": False, "TransportProtocol": "udp", "VpnPort": 443, "SessionTimeoutHours": 24},
        made=lambda _: {
            "Status": {"Code": "pending-associate"},
            "VpnProtocol": "openvpn",
            "CreationTime": now().isoformat(),
        },
        shown=named,
        absent=("InvalidClientVpnEndpointId.NotFound", "The endpoint {id} does not exist"),
        limit=(5, "ClientVpnEndpointLimitExceeded"),
    )
    .create("CreateClientVpnEndpoint", check=certified)
    .list("DescribeClientVpnEndpoints", "ClientVpnEndpoints", ids="ClientVpnEndpointIds", where=fits)
    .delete("DeleteClientVpnEndpoint")
)


@handles("ec2", "DescribeVpnConnections")
def vpn_connections(call: Call, forward: Forward) -> dict[str, Any]:
    """Each connection has two tunnels; both are down until a device at the other end comes up."""
    made = from_moto(call, forward)
    for number, one in enumerate(made.get("VpnConnections", [])):
        one["VgwTelemetry"] = [
            {
                "OutsideIpAddress": f"203.0.113.{(2 * number + tunnel) % 256}",
                "Status": "DOWN",
                "StatusMessage": "",
                "AcceptedRouteCount": 0,
                "LastStatusChange": now(),
            }
            for tunnel in (1, 2)
        ]
    return made
