"""IAM: which tokens STS's global endpoint gives."""

from typing import Any

from emulator.missing import Forward, handles
from emulator.missing.iam import backend_of
from emulator.wire import Call


@handles("iam", "SetSecurityTokenServicePreferences")
def set_token_version(call: Call, _: Forward) -> dict[str, Any]:
    version = {"v1Token": 1, "v2Token": 2}[call.params["GlobalEndpointTokenVersion"]]
    backend_of(call).account_summary._global_endpoint_token_version = version
    return {}
