"""What an effective policy decides in an account: EC2's settings, the account's block of public S3, Inspector's scans.

User guides: "Declarative policy syntax", "Amazon S3 policy syntax", "Inspector policy syntax".
"""

from collections.abc import Callable
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, guards, handles
from emulator.organization.effective import effective
from emulator.organization.structure import home_of
from emulator.shelf import store
from emulator.wire import Call

Values = dict[str, Any]


def hyphens(text: str) -> str:
    """Policies write values with underscores, EC2 with hyphens."""
    return text.replace("_", "-")


def capitals(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _metadata(given: Values) -> Values:
    made = {capitals(name): value for name, value in given.items() if value not in ("no_preference", -1, "-1")}
    if "HttpPutResponseHopLimit" in made:
        made["HttpPutResponseHopLimit"] = int(made["HttpPutResponseHopLimit"])
    return made


def _images(given: Values) -> Values:
    renamed = {"allowed_image_providers": "ImageProviders"}

    def criterion(one: Values) -> Values:
        return {
            renamed.get(name, capitals(name)): criterion(value) if isinstance(value, dict) else value
            for name, value in one.items()
        }

    state = hyphens(given.get("state", "disabled"))
    criteria = [criterion(one) for one in given.get("image_criteria", {}).values()]
    return {"State": state, "AllowedImagesSettingsState": state, "ImageCriteria": criteria}


def _internet(given: Values) -> Values:
    block = given.get("internet_gateway_block", {})
    exclusions = "not-allowed" if block.get("exclusions_allowed") == "disabled" else "allowed"
    return {
        "InternetGatewayBlockMode": hyphens(block.get("mode", "off")),
        "ExclusionsAllowed": exclusions,
        "State": "update-complete",
    }


# Attributes of declarative policies, which are called as the shelf calls the settings: what they make of them.
ATTRIBUTES: dict[str, Callable[[Values], Values]] = {
    "serial_console_access": lambda given: {"SerialConsoleAccessEnabled": given["status"] == "enabled"},
    "image_block_public_access": lambda given: {"ImageBlockPublicAccessState": hyphens(given["state"])},
    "snapshot_block_public_access": lambda given: {"State": hyphens(given["state"])},
    "instance_metadata_defaults": _metadata,
    "allowed_images_settings": _images,
    "vpc_block_public_access": _internet,
}


def declared(call: Call) -> Values:
    """What a declarative policy says of the account's EC2."""
    if home_of(call.account, call.partition) is None:
        return {}
    document = effective(call.account, "DECLARATIVE_POLICY_EC2", call.partition) or {}
    return document.get("ec2_attributes", {})


def claim(call: Call, what: str) -> store.Claim | None:
    """The declarative policy's claim on a setting of EC2."""
    service, _, name = what.partition(":")
    if service != "ec2" or name not in ATTRIBUTES:
        return None
    policy = declared(call)
    if name not in policy:
        return None
    reason = policy.get("exception_message")
    shown = {"ManagedExceptionMessage": reason} if reason else {}
    return store.Claim("declarative-policy", ATTRIBUTES[name](policy[name]) | shown, reason)


store.ASK_FOR_OWNER.append(claim)


@guards("ec2")
def no_exclusions(call: Call) -> None:
    if call.operation == "CreateVpcBlockPublicAccessExclusion":
        block = declared(call).get("vpc_block_public_access", {}).get("internet_gateway_block", {})
        if block.get("exclusions_allowed") == "disabled":
            raise AwsError("UnauthorizedOperation", "This functionality has been disabled by a Declarative Policy.")


def public_access_block(account: str, partition: str) -> dict[str, bool] | None:
    """The account's block of public access as an S3 policy has it; None when none has."""
    if home_of(account, partition) is None:
        return None
    document = effective(account, "S3_POLICY", partition) or {}
    says = document.get("s3_attributes", {}).get("public_access_block_configuration")
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return dict.fromkeys(names, says == "all") if says else None


# The scans of Inspector by what the API calls them.
SCANS = {
    "EC2": ("ec2_scanning",),
    "ECR": ("ecr_scanning",),
    "LAMBDA": ("lambda_standard_scanning",),
    "LAMBDA_CODE": ("lambda_standard_scanning", "lambda_code_scanning"),
    "CODE_REPOSITORY": ("code_repository_scanning",),
}


@handles("inspector2", "Enable", "Disable")
def inspector(call: Call, _: Forward) -> Any:
    """An Inspector policy that speaks of a scan in the Region decides it; the call fails for the account, with 200."""
    accounts = call.params.get("accountIds") or [call.account]
    scans = call.params.get("resourceTypes") or [*SCANS]
    found = home_of(call.account, call.partition)
    policy = effective(call.account, "INSPECTOR_POLICY", call.partition) if found else None
    enablement = (policy or {}).get("inspector", {}).get("enablement", {})
    if any(_decides(enablement, kind, call.region) for kind in scans):
        failed = {
            "errorCode": "BLOCKED_BY_ORGANIZATION_POLICY",
            "errorMessage": "The operation is blocked by an organization policy.",
        }
        return {"accounts": [], "failedAccounts": [{"accountId": account} | failed for account in accounts]}
    from emulator.shelf.tables.inspector2 import switch

    return switch(call, accounts, scans)


def _decides(enablement: Values, kind: str, region: str) -> bool:
    node = enablement
    for name in SCANS[kind]:
        node = node.get(name, {})
    regions = [*node.get("enable_in_regions", []), *node.get("disable_in_regions", [])]
    return region in regions or "ALL_SUPPORTED" in regions
