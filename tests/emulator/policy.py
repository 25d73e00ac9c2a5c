"""Just enough of policy documents to refuse what AWS refuses: does a policy let an AWS service do something?"""

import fnmatch
import json
import re
from typing import Any


def allows_service(text: str | None, service: str, action: str) -> bool:
    """Whether a statement of the policy allows the action to the service principal; conditions are not judged."""
    for statement in statements(text):
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal")
        services = as_list(principal.get("Service")) if isinstance(principal, dict) else []
        if service not in services and principal != "*":
            continue
        if any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in as_list(statement.get("Action"))):
            return True
    return False


def stored(text: str, partition: str, collapse: bool = False, indent: int | None = None, texts: bool = True) -> str:
    """The policy as AWS gives it back: written anew, account ids in principals as root ARNs.

    With `collapse`, lists of one element become that element, as S3 does. With `texts`, what conditions compare with
    is text, also when it was sent as a boolean or number.
    """
    document = json.loads(text)
    for statement in as_list(document.get("Statement")):
        for keys in (statement.get("Condition") or {}).values() if texts else ():
            for key, value in keys.items() if isinstance(keys, dict) else ():
                keys[key] = _each(value, lambda one: one if isinstance(one, str) else json.dumps(one))
        principal = statement.get("Principal")
        if isinstance(principal, dict) and "AWS" in principal:
            principal["AWS"] = _each(principal["AWS"], lambda name: _root_arn(name, partition))
        if collapse:
            for name in ("Action", "NotAction", "Resource", "NotResource"):
                if name in statement:
                    statement[name] = _single(statement[name])
            if isinstance(principal, dict):
                statement["Principal"] = {name: _single(value) for name, value in principal.items()}
    separators = (",", ":") if indent is None else (",", " : ")
    return json.dumps(document, indent=indent, separators=separators)


def unknown_principals(text: str, account: str, partition: str) -> list[str]:
    """Roles and users of the account that the policy names as principals and that do not exist."""
    from moto.iam.models import iam_backends

    backend = iam_backends[account][partition]
    entities = [*backend.roles.values(), *backend.users.values()]
    known = {entity.arn for entity in entities} | {entity.id for entity in entities}
    found = []
    for statement in statements(text):
        principal = statement.get("Principal")
        for name in as_list(principal.get("AWS")) if isinstance(principal, dict) else []:
            own = re.match(rf"arn:[^:]+:iam::{account}:(role|user)/", str(name))
            # A unique id stands for somebody who was deleted, unless we know them.
            if (own or re.fullmatch(r"A(IDA|ROA)[A-Z0-9]{12,}", str(name))) and name not in known:
                found.append(name)
    return found


def allows_account(text: str, account: str, action: str) -> bool:
    """Whether a statement allows the action to the account or one of its principals; conditions are not judged."""
    for statement in statements(text):
        principal = statement.get("Principal")
        names = as_list(principal.get("AWS")) if isinstance(principal, dict) else [principal]
        named = any(name == "*" or account in str(name) for name in names)
        actions = as_list(statement.get("Action"))
        if (
            statement.get("Effect") == "Allow"
            and named
            and any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in actions)
        ):
            return True
    return False


def has_account_principal(text: str) -> bool:
    """Whether a principal is a bare account id, which IAM writes as an ARN."""
    for statement in statements(text):
        principal = statement.get("Principal")
        names = as_list(principal.get("AWS")) if isinstance(principal, dict) else []
        if any(isinstance(name, str) and name.isdigit() for name in names):
            return True
    return False


def _each(value: Any, change: Any) -> Any:
    return [change(item) for item in value] if isinstance(value, list) else change(value)


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _root_arn(name: str, partition: str) -> str:
    return f"arn:{partition}:iam::{name}:root" if re.fullmatch(r"\d{12}", name) else name


def statements(text: str | None) -> list[dict[str, Any]]:
    """The statements of a policy; none of one that is absent or not JSON."""
    if not text:
        return []
    try:
        return as_list(json.loads(text).get("Statement"))
    except (ValueError, AttributeError):
        return []


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


# What narrows a statement for everybody down to fixed values (S3's "The meaning of public").
NARROWING = {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
}
EVERYWHERE = {"0.0.0.0/0", "::/0"}


def is_public(text: str) -> bool:
    """Whether a statement lets everybody in, and no condition narrows it to fixed values."""
    return any(
        statement.get("Effect") == "Allow" and _everybody(statement.get("Principal")) and not _narrowed(statement)
        for statement in statements(text)
    )


def _everybody(principal: Any) -> bool:
    named = as_list(principal.get("AWS", [])) if isinstance(principal, dict) else as_list(principal or [])
    return "*" in named


def _narrowed(statement: dict[str, Any]) -> bool:
    for operator, keys in (statement.get("Condition") or {}).items():
        if "Not" in operator or operator.endswith("IfExists") or operator == "Null":
            continue
        for key, values in keys.items():
            fixed = [str(one) for one in as_list(values)]
            # The name of an access point may be anything as long as its account is one.
            wild = [one for one in fixed if "${" in one or ("*" in one and key.lower() != "s3:dataaccesspointarn")]
            if key.lower() in NARROWING and fixed and not wild and not EVERYWHERE & set(fixed):
                return True
    return False
