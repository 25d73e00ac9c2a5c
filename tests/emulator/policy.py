"""Just enough of policy documents to refuse what AWS refuses: does a policy let an AWS service do something?"""

import fnmatch
import json
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
