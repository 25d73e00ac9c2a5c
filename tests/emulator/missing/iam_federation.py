"""IAM: when server certificates end, and providers of OpenID Connect."""

import hashlib
import re
from typing import Any

from cryptography import x509

from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles
from emulator.missing.iam import backend_of
from emulator.shelf import now
from emulator.wire import Call

CLIENTS_PER_PROVIDER = 100
# By TLS, without a port and query.
ADDRESS = re.compile(r"https://[^/?#:]+(/[^?#]*)?", re.IGNORECASE)


@handles("iam", "UploadServerCertificate", "ListServerCertificates", "GetServerCertificate")
def certificates(call: Call, forward: Forward) -> dict[str, Any]:
    """moto gives every certificate one made-up id, end and beginning, and takes a name twice."""
    name = call.params.get("ServerCertificateName")
    if call.operation.startswith("Upload") and any(
        one.cert_name == name for one in backend_of(call).certificates.values()
    ):
        raise AwsError("EntityAlreadyExists", f"The Server Certificate with name {name} already exists.")
    made = from_moto(call, forward)
    shown = made.get("ServerCertificateMetadataList") or [made.get("ServerCertificateMetadata")]
    if "ServerCertificate" in made:
        shown = [made["ServerCertificate"]["ServerCertificateMetadata"]]
    for one in filter(None, shown):
        kept = backend_of(call).get_server_certificate(one["ServerCertificateName"])
        kept.upload_date = one["UploadDate"] = getattr(kept, "upload_date", now())
        one["ServerCertificateId"] = kept.id
        try:
            one["Expiration"] = x509.load_pem_x509_certificate(kept.cert_body.encode()).not_valid_after_utc
        except ValueError:
            raise AwsError("MalformedCertificate", "Unable to parse certificate.") from None
    return made


@handles("iam", "CreateOpenIDConnectProvider")
def create_provider(call: Call, forward: Forward) -> dict[str, Any]:
    """AWS fetches the thumbprint that is not given; here it is made from the address."""
    if not ADDRESS.fullmatch(call.params["Url"]):
        raise AwsError("InvalidInput", "Invalid Open ID Connect Provider URL.")
    made = from_moto(call, forward)
    provider = backend_of(call).open_id_providers[made["OpenIDConnectProviderArn"]]
    if not provider.thumbprint_list:
        provider.thumbprint_list = [hashlib.sha1(provider.url.encode()).hexdigest()]
    return made


def provider_of(call: Call) -> Any:
    arn = call.params["OpenIDConnectProviderArn"]
    found = backend_of(call).open_id_providers.get(arn)
    if found is None:
        raise AwsError("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}")
    return found


@handles("iam", "AddClientIDToOpenIDConnectProvider")
def add_client(call: Call, _: Forward) -> dict[str, Any]:
    provider, client = provider_of(call), call.params["ClientID"]
    if client not in provider.client_id_list:
        if len(provider.client_id_list) >= CLIENTS_PER_PROVIDER:
            raise AwsError(
                "LimitExceeded", f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENTS_PER_PROVIDER}"
            )
        provider.client_id_list = [*provider.client_id_list, client]
    return {}


@handles("iam", "RemoveClientIDFromOpenIDConnectProvider")
def remove_client(call: Call, _: Forward) -> dict[str, Any]:
    provider = provider_of(call)
    provider.client_id_list = [one for one in provider.client_id_list if one != call.params["ClientID"]]
    return {}
