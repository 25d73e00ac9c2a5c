"""What scenarios send: policies, a certificate with its key, SAML metadata."""

import datetime
import functools
import json
import urllib.parse
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


TRUST = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
LIST_BUCKETS = policy({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
GET_ACL = policy({"Effect": "Allow", "Action": "s3:GetBucketAcl", "Resource": "*"})
# IAM takes metadata of 1,000 characters and more.
SAML = (
    """<?xml version="1.0"?><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"
 entityID="https://sso.example.com" validUntil="2099-01-01T00:00:00Z">
<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="https://sso.example.com/x"/></IDPSSODescriptor></EntityDescriptor>"""
    + f"<!--{'x' * 1000}-->"
)


def document(given: Any) -> Any:
    """A policy as a document, whether it came as one, as JSON or URL-encoded."""
    return given if isinstance(given, dict) else json.loads(urllib.parse.unquote(given))


@functools.cache
def certificate() -> tuple[str, str]:
    """A certificate of www.example.com that is good for 30 days, and its key, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()
