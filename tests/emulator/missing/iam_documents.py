"""IAM: what trust policies and policies of identities must not have; moto reads the latter alone, and not all of them."""

import fnmatch
import re
from typing import Any

from emulator import grammar
from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.policy import as_list, statements
from emulator.wire import Call

SID = re.compile("[0-9A-Za-z]*")
SID_MESSAGE = (
    "Statement IDs (SID) must be alpha-numeric. "
    "Check that your input satisfies the regular expression [0-9A-Za-z]*"
)
# What a trust policy may be about: taking the role, and what goes with it.
ACTIONS = (
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:decodeauthorizationmessage",
    "sts:getaccesskeyinfo",
    "sts:getcalleridentity",
    "sts:getfederationtoken",
    "sts:getservicebearertoken",
    "sts:getsessiontoken",
    "sts:setcontext",
    "sts:setsourceidentity",
    "sts:tagsession",
)
ACCOUNT = r"\d{12}"
NAME = r"[^*?]+"
# Whom a trust policy may name: no group, and nobody by a pattern but everybody.
WHO = {
    "AWS": re.compile(
        rf"\*|{ACCOUNT}|A(IDA|ROA)[A-Z0-9]+"
        rf"|arn:[^:]+:(iam::{ACCOUNT}:(root|(user|role)/{NAME})|sts::{ACCOUNT}:(assumed-role|federated-user)/{NAME})"
    ),
    "Service": re.compile(".+"),
    "Federated": re.compile(rf"\*|[\w-]+(\.[\w-]+)+|arn:[^:]+:iam::{ACCOUNT}:(saml|oidc)-provider/{NAME}"),
}


def problem_of_trust(text: str) -> str | None:
    """What is wrong with the trust policy, in AWS's words, or None; whether the principals exist is not looked at."""
    if problem := grammar.problem(text, ("Principal", "Action")):
        return problem
    for statement in statements(text):
        if not SID.fullmatch(str(statement.get("Sid") or "")):
            return SID_MESSAGE
        for name in ("Resource", "NotResource"):
            if name in statement:
                return f"Has prohibited field {name}"
        for action in as_list(statement.get("Action", statement.get("NotAction"))):
            if not action.lower().startswith("sts:") or not fnmatch.filter(ACTIONS, action.lower()):
                return "AssumeRole policy may only specify STS AssumeRole actions."
        if problem := _problem_of_principal(statement.get("Principal", statement.get("NotPrincipal"))):
            return problem
    return None


def _problem_of_principal(principal: Any) -> str | None:
    for kind, names in principal.items() if isinstance(principal, dict) else ():
        for name in as_list(names):
            if kind not in WHO or not WHO[kind].fullmatch(name):
                if kind == "Federated":
                    return "Federated principals must be valid domain names or SAML metadata ARNs"
                return f'Invalid principal in policy: "{kind.upper()}":"{name}"'
    return None


@refuses("iam", "CreatePolicy", "CreatePolicyVersion", "PutRolePolicy", "PutUserPolicy", "PutGroupPolicy")
def policies_of_identities(call: Call) -> None:
    """They are about whoever has them. What is no policy at all is left to moto, which knows the words for it."""
    for statement in statements(call.params["PolicyDocument"]):
        if not isinstance(statement, dict):
            return
        if "Principal" in statement or "NotPrincipal" in statement:
            raise AwsError("MalformedPolicyDocument", "Policy document should not specify a principal.")
        if not SID.fullmatch(str(statement.get("Sid") or "")):
            raise AwsError("MalformedPolicyDocument", SID_MESSAGE)
