"""IAM: SAML providers, and credentials of users for single services."""

import datetime
import re
import secrets
import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.missing.iam import backend_of
from emulator.shelf import Collection, now, tags
from emulator.wire import Call

KEYS_PER_PROVIDER = 2


def metadata(call: Call) -> dict[str, Any]:
    """What follows from metadata: when they end, which without a date is far away."""
    text = call.params.get("SAMLMetadataDocument")
    if text is None:
        return {}
    if "EntityDescriptor" not in text:
        raise AwsError("InvalidInput", "Unable to parse SAML metadata.")
    found = re.search(r'validUntil="([^"]+)"', text)
    until = datetime.datetime.fromisoformat(found[1]) if found else now() + datetime.timedelta(days=36500)
    return {"ValidUntil": until}


def made(call: Call) -> dict[str, Any]:
    keys = [key()] if "AddPrivateKey" in call.params else []
    return metadata(call) | {"SAMLProviderUUID": uuid.uuid4().hex.upper(), "PrivateKeyList": keys}


def key() -> dict[str, Any]:
    return {"KeyId": uuid.uuid4().hex.upper(), "Timestamp": now()}


def changed(call: Call) -> dict[str, Any]:
    keys = list(PROVIDERS.find(call, call.params["SAMLProviderArn"]).now["PrivateKeyList"])
    keys = [one for one in keys if one["KeyId"] != call.params.get("RemovePrivateKey")]
    if "AddPrivateKey" in call.params:
        if len(keys) >= KEYS_PER_PROVIDER:
            raise AwsError("LimitExceeded", f"A provider has {KEYS_PER_PROVIDER} private keys at most.")
        keys.append(key())
    return metadata(call) | {"PrivateKeyList": keys}


PROVIDERS = (
    Collection(
        "iam",
        "SAML provider",
        key="Name",
        arn=("SAMLProviderArn", "arn:{partition}:iam::{account}:saml-provider/{id}"),
        everywhere=True,
        defaults={"AssertionEncryptionMode": "Allowed", "Tags": []},
        made=made,
        shown=lambda _, row: {"Arn": row["SAMLProviderArn"]},
        created="CreateDate",
        absent=("NoSuchEntity", "Manifest not found for arn {id}"),
        limit=(100, "LimitExceeded"),
    )
    .create("CreateSAMLProvider", exists="EntityAlreadyExists")
    .get("GetSAMLProvider", by="SAMLProviderArn")
    .list("ListSAMLProviders", "SAMLProviderList")
    .update("UpdateSAMLProvider", by="SAMLProviderArn", changed=changed)
    .delete("DeleteSAMLProvider", by="SAMLProviderArn")
)
tags(
    "iam",
    "TagSAMLProvider",
    "UntagSAMLProvider",
    "ListSAMLProviderTags",
    of=[PROVIDERS],
    kept="Tags",
    caseless=True,
    by="SAMLProviderArn",
    most="LimitExceeded",
)

SUPPORTED = ("bedrock.amazonaws.com", "cassandra.amazonaws.com", "codecommit.amazonaws.com")


def user_and_service(call: Call) -> None:
    """The user must be there, the service one that has such credentials, with two at most for each user."""
    if call.params["ServiceName"] not in SUPPORTED:
        raise AwsError("NotSupportedService", f"{call.params['ServiceName']} has no service-specific credentials.")
    backend_of(call).get_user(call.params["UserName"])
    names = ("UserName", "ServiceName")
    same = [row for row in CREDENTIALS.rows(call) if all(row.now[name] == call.params[name] for name in names)]
    if len(same) >= 2:
        raise AwsError("LimitExceeded", "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2")


def secret(call: Call) -> dict[str, Any]:
    """Bedrock's have an alias and a secret and may end, the others a name and a password."""
    if call.params["ServiceName"] == SUPPORTED[0]:
        days = call.params.get("CredentialAgeDays")
        until = {"ExpirationDate": now() + datetime.timedelta(days=days)} if days else {}
        alias = f"{call.params['UserName']}+1-at-{call.account}"
        return until | {
            "Status": "Active",
            "ServiceCredentialAlias": alias,
            "ServiceCredentialSecret": secrets.token_hex(32),
        }
    name = f"{call.params['UserName']}-at-{call.account}"
    return {"Status": "Active", "ServiceUserName": name, "ServicePassword": secrets.token_urlsafe(32)}


def of_caller(call: Call, row: dict[str, Any]) -> bool:
    """Of all users only when that is asked for."""
    wanted = call.params.get("UserName")
    return bool(call.params.get("AllUsers")) or wanted == row["UserName"]


@refuses("iam", "ListServiceSpecificCredentials")
def of_a_user_that_is_there(call: Call) -> None:
    if call.params.get("UserName"):
        backend_of(call).get_user(call.params["UserName"])


CREDENTIALS = (
    Collection(
        "iam",
        "service-specific credential",
        key="ServiceSpecificCredentialId",
        new_id=lambda _: f"ACCA{uuid.uuid4().hex[:17].upper()}",
        everywhere=True,
        made=secret,
        created="CreateDate",
        absent=("NoSuchEntity", "No such credential {id} exists"),
    )
    .create("CreateServiceSpecificCredential", under="ServiceSpecificCredential", check=user_and_service)
    .list(
        "ListServiceSpecificCredentials",
        "ServiceSpecificCredentials",
        filters={"ServiceName": "ServiceName"},
        where=of_caller,
    )
    .update("UpdateServiceSpecificCredential")
    .delete("DeleteServiceSpecificCredential")
)
