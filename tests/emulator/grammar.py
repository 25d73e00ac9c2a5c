"""The grammar of policies that hang on a resource ("Grammar of the IAM JSON policy language"), in AWS's words."""

import json
import re
from typing import Any

from emulator.policy import as_list

VERSIONS = ("2012-10-17", "2008-10-17")
ELEMENTS = ("Principal", "Action", "Resource")
FIELDS = {"Sid", "Effect", "Condition", *ELEMENTS, *(f"Not{name}" for name in ELEMENTS)}
OPERATORS = re.compile(
    r"(ForAllValues:|ForAnyValue:)?"
    r"((String(Not)?(Equals(IgnoreCase)?|Like)|(Numeric|Date)(NotEquals|Equals|(Less|Greater)Than(Equals)?)"
    r"|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?|Null)",
    re.IGNORECASE,
)
# An account, a user or role by ARN or by its id, a session, an identity of CloudFront.
WHO = re.compile(r"\*|\d{12}|arn:[^:]+:(iam|sts)::(\d{12}|cloudfront|aws):.+|A(IDA|ROA|KIA|SIA)[A-Z0-9]+")
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def problem(
    text: str, elements: tuple[str, ...] = ELEMENTS, unique: bool = True, optional: tuple[str, ...] = ()
) -> str | None:
    """What is wrong with the policy, or None; whether it fits the resource is not looked at. S3 takes a Sid twice.

    Without what is `optional` a statement has no effect, and is taken nevertheless.
    """
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return "Policies must be valid JSON and the first byte must be '{'"
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        return "The policy must contain a valid version string"
    if strange := set(document) - {"Version", "Id", "Statement"}:
        return f"Unknown field {min(strange)}"
    if "Statement" not in document:
        return "Missing required field Statement"
    statements = as_list(document["Statement"])
    if not statements:
        return "Could not parse the policy: Statement is empty!"
    if not all(isinstance(one, dict) for one in statements):
        return "Invalid policy syntax."
    names = [one["Sid"] for one in statements if one.get("Sid")]
    if unique and len(names) != len(set(map(str, names))):
        return "Statement IDs (SID) in a single policy must be unique."
    return next(filter(None, (_statement(one, elements, optional) for one in statements)), None)


def _statement(statement: dict[str, Any], elements: tuple[str, ...], optional: tuple[str, ...]) -> str | None:
    if strange := set(statement) - FIELDS:
        return f"Unknown field {min(strange)}"
    for name in ("Effect", *elements):
        if name not in statement and f"Not{name}" not in statement:
            if name in optional:
                continue
            return f"Missing required field {name}"
        given = statement.get(name, statement.get(f"Not{name}"))
        if not given:
            return f"Missing required field {name} cannot be empty!"
        if name in statement and f"Not{name}" in statement:
            return "Invalid policy syntax."
        if name in ("Action", "Resource") and not all(isinstance(one, str) for one in as_list(given)):
            return "Invalid policy syntax."
    if statement["Effect"] not in ("Allow", "Deny"):
        return f"Invalid effect: {statement['Effect']}"
    for operator in statement.get("Condition") or {}:
        if not OPERATORS.fullmatch(operator):
            return f"Invalid Condition type : {operator}"
    given = statement.get("Principal", statement.get("NotPrincipal"))
    return None if given is None or _named(given) else "Invalid principal in policy"


def _named(principal: Any) -> bool:
    if not isinstance(principal, dict):
        return principal == "*"
    forms = {"AWS": WHO, "Service": SERVICE, "Federated": re.compile(".+"), "CanonicalUser": re.compile(".+")}
    return set(principal) <= set(forms) and all(
        isinstance(one, str) and (one == "*" or forms[kind].fullmatch(one))
        for kind, names in principal.items()
        for one in as_list(names)
    )
