"""Writes certificates and keys into a folder, for tests: of authorities `ca` and `other-ca`, for the controller
(`server`, `next-server` of the other authority, `expired-server`), and to show to it (`client`, `expired`, and
`foreign` of the other authority).

    certificates.py FOLDER
"""

import datetime
import os
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
HOUR = datetime.timedelta(hours=1)
AUTHORITY = [x509.BasicConstraints(ca=True, path_length=0)]
NAMES = [x509.SubjectAlternativeName([x509.DNSName("localhost")])]


def certificate(name, key, issuer, issuer_key, extensions, ends):
    """A certificate that began two hours ago."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * HOUR)
        .not_valid_after(now + ends)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def write(folder, name, made, key):
    (folder / f"{name}.crt").write_bytes(made.public_bytes(PEM))
    with os.fdopen(os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    of = {
        "ca": [("server", NAMES, HOUR), ("expired-server", NAMES, -HOUR), ("client", NAMES, HOUR), ("expired", NAMES, -HOUR)],
        "other-ca": [("next-server", NAMES, HOUR), ("foreign", NAMES, HOUR)],
    }
    for authority, certificates in of.items():
        authority_key = ec.generate_private_key(ec.SECP256R1())
        write(folder, authority, certificate(authority, authority_key, authority, authority_key, AUTHORITY, HOUR), authority_key)
        for name, extensions, ends in certificates:
            key = ec.generate_private_key(ec.SECP256R1())
            write(folder, name, certificate(name, key, authority, authority_key, extensions, ends), key)


main()
