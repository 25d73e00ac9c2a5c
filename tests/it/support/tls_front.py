"""Puts TLS in front of a server, with a certificate of an authority that nobody knows: writes the
authority's certificate to a file, prints the port, and serves until it is ended.

    tls_front.py HOST:PORT AUTHORITY.pem
"""

import datetime
import socket
import ssl
import sys
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(name, key, issuer, issuer_key, extensions):
    """A certificate that holds for an hour."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pump(source, sink):
    """Passes on what comes, until nothing does."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(context, raw, backend):
    try:
        client = context.wrap_socket(raw, server_side=True)
        server = socket.create_connection(backend)
    except OSError:
        raw.close()
        return
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    pem = serialization.Encoding.PEM
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = certificate(
        "authority", authority_key, "authority", authority_key, [x509.BasicConstraints(ca=True, path_length=0)]
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    own = certificate("localhost", key, "authority", authority_key, [names])
    with open(sys.argv[2], "wb") as file:
        file.write(authority.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as chain:
        chain.write(own.public_bytes(pem))
        chain.write(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        chain.flush()
        context.load_cert_chain(chain.name)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(context, raw, (host, int(port))), daemon=True).start()


main()
