"""What a policy may say: sizes and shapes by type (Organizations User Guide, "Quotas" and the syntax of each type)."""

import json
import re
from typing import Any

from emulator.answers import AwsError
from emulator.organization.accounts import violation
from emulator.policy import as_list

CONTROL = "@@operators_allowed_for_child_policies"
VALUES = ("@@assign", "@@append", "@@remove")
# Characters; the types that are not named have 10,000.
SIZES = {"SERVICE_CONTROL_POLICY": 5120, "RESOURCE_CONTROL_POLICY": 5120, "AISERVICES_OPT_OUT_POLICY": 2500}
# The one key at the top; types whose syntax is not known here may have any.
TOPS = {
    "TAG_POLICY": "tags",
    "BACKUP_POLICY": "plans",
    "AISERVICES_OPT_OUT_POLICY": "services",
    "CHATBOT_POLICY": "chatbot",
    "DECLARATIVE_POLICY_EC2": "ec2_attributes",
    "SECURITYHUB_POLICY": "securityhub",
    "INSPECTOR_POLICY": "inspector",
    "BEDROCK_POLICY": "bedrock",
    "S3_POLICY": "s3_attributes",
}
SWITCH = {"enabled", "disabled"}
PREFERENCE = SWITCH | {"no_preference"}
# Settings by their path, with the values that they take; None for any.
SETTINGS: dict[str, dict[str, set[str] | None]] = {
    "DECLARATIVE_POLICY_EC2": {
        "exception_message": None,
        "vpc_block_public_access.internet_gateway_block.mode": {"off", "block_ingress", "block_bidirectional"},
        "vpc_block_public_access.internet_gateway_block.exclusions_allowed": SWITCH,
        "serial_console_access.status": SWITCH,
        "image_block_public_access.state": {"unblocked", "block_new_sharing"},
        "snapshot_block_public_access.state": {"unblocked", "block_new_sharing", "block_all_sharing"},
        "allowed_images_settings.state": {"enabled", "disabled", "audit_mode"},
        "allowed_images_settings.image_criteria": None,
        "instance_metadata_defaults.http_tokens": {"required", "optional", "no_preference"},
        "instance_metadata_defaults.http_tokens_enforced": PREFERENCE,
        "instance_metadata_defaults.http_put_response_hop_limit": None,
        "instance_metadata_defaults.http_endpoint": PREFERENCE,
        "instance_metadata_defaults.instance_metadata_tags": PREFERENCE,
    },
    "S3_POLICY": {"public_access_block_configuration": {"all", "none"}},
}


def check(policy_type: str, text: str) -> None:
    """Refuses a text that AWS would not take as a policy of the type."""
    limit = SIZES.get(policy_type, 10_000)
    if len(text) > limit:
        raise violation("POLICY_CONTENT_LIMIT_EXCEEDED", f"You have exceeded the maximum policy size of {limit}.")
    try:
        document = json.loads(text)
    except ValueError:
        raise _malformed() from None
    if not isinstance(document, dict):
        raise _malformed()
    if policy_type in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        _authorization(document, policy_type == "RESOURCE_CONTROL_POLICY")
    else:
        _management(policy_type, document)


def _authorization(document: dict[str, Any], resources: bool) -> None:
    statements = as_list(document.get("Statement"))
    if not statements or not set(document) <= {"Version", "Id", "Statement"}:
        raise _malformed()
    if document.get("Version", "2012-10-17" if not resources else None) not in ("2012-10-17", "2008-10-17"):
        raise _malformed()
    allowed = {"Sid", "Effect", "Action", "Resource", "NotResource", "Condition"}
    allowed |= {"Principal"} if resources else {"NotAction"}
    for statement in statements:
        if not isinstance(statement, dict) or not set(statement) <= allowed:
            raise _malformed()
        good = (
            statement.get("Effect") in (("Deny",) if resources else ("Allow", "Deny"))
            and ("Action" in statement) != ("NotAction" in statement)
            and ("Resource" in statement) != ("NotResource" in statement)
            and isinstance(statement.get("Condition", {}), dict)
            and all(_is_action(one, resources) for one in as_list(statement.get("Action", statement.get("NotAction"))))
        )
        if not good or (resources and statement.get("Principal") not in ("*", {"AWS": "*"})):
            raise _malformed()


def _is_action(action: Any, resources: bool) -> bool:
    """Policies about resources name the service; the others may say `*`."""
    if action == "*":
        return not resources
    return isinstance(action, str) and re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9*?]+", action) is not None


def _management(policy_type: str, document: dict[str, Any]) -> None:
    top = TOPS.get(policy_type)
    if top is not None and set(document) != {top}:
        raise _malformed()
    for value in document.values():
        _node(value)
    settings = SETTINGS.get(policy_type)
    if settings and top:
        for where, operators in found(document[top]):
            known = next((name for name in settings if where == name or where.startswith(name + ".")), None)
            if known is None:
                raise _malformed()
            values = settings[known]
            if values and any(str(one) not in values for one in as_list(operators.get("@@assign"))):
                raise _malformed()


def found(node: dict[str, Any], where: str = "") -> list[tuple[str, dict[str, Any]]]:
    """All settings below the node: their path and their operators."""
    if any(name in node for name in VALUES):
        return [(where, node)]
    made = []
    for name, child in node.items():
        if name != CONTROL:
            made += found(child, f"{where}.{name}" if where else name)
    return made


def _node(node: Any) -> None:
    """A node holds other nodes or value-setting operators, never both, and no bare values."""
    if not isinstance(node, dict):
        raise _malformed()
    control = node.get(CONTROL, [])
    if not isinstance(control, list) or not set(control) <= {"@@all", "@@none", *VALUES}:
        raise _malformed()
    names = set(node) - {CONTROL}
    operators = names & set(VALUES)
    if operators:
        lists = all(isinstance(node[name], list) for name in operators - {"@@assign"})
        if names != operators or not lists:
            raise _malformed()
        return
    for name in names:
        if name.startswith("@@"):
            raise _malformed()
        _node(node[name])


def _malformed() -> AwsError:
    return AwsError(
        "MalformedPolicyDocumentException",
        "The provided policy document does not meet the requirements of the specified policy type.",
    )
