"""CloudFront: the distributions that a web ACL protects."""

from typing import Any

from emulator.missing import Forward, from_moto, handles
from emulator.wire import Call

ALL = "/2020-05-31/distribution"


@handles("cloudfront", "ListDistributionsByWebACLId")
def by_web_acl(call: Call, forward: Forward) -> dict[str, Any]:
    """Those of moto's list that have the web ACL; `null` asks for those without one."""
    wanted = call.params["WebACLId"]
    call.environ |= {"PATH_INFO": ALL, "RAW_URI": ALL, "REQUEST_URI": ALL, "QUERY_STRING": ""}
    made = from_moto(call, forward)["DistributionList"]
    found = [{"Staging": False} | one for one in made.get("Items", []) if (one.get("WebACLId") or "null") == wanted]
    return {"DistributionList": made | {"Items": found, "Quantity": len(found)}}
