"""Certificates in OpenSSL's hands (for handshakes see ``server_tls``, for the servers that we call ``client_tls``).

Private keys arrive as text and OpenSSL reads files, so they go through an anonymous file that only lives in memory.
"""

from __future__ import annotations

import os
import ssl

from cryptography import x509
from cryptography.x509.oid import NameOID

from doorward.messages.routing import Certificate


class CertificateUnusable(ValueError):
    """A certificate and key that OpenSSL does not take; the message never quotes them."""


def names_of(certificate: Certificate) -> list[str]:
    """The DNS names and addresses that the leaf is for, lower case; its common name if it has no such list.

    Raises CertificateUnusable.
    """
    try:
        leaf = x509.load_pem_x509_certificate(certificate.chain_pem.encode("ascii"))
        alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [str(name.value).lower() for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError as error:
        raise CertificateUnusable("not a certificate in PEM form") from error
    names = [name.lower() for name in alternatives.get_values_for_type(x509.DNSName)]
    return names + [str(address) for address in alternatives.get_values_for_type(x509.IPAddress)]


def load_chain(context: ssl.SSLContext, chain_pem: str, key_pem: str) -> None:
    """Give ``context`` a certificate chain and its key. Raises CertificateUnusable."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as memory:
            memory.write(f"{chain_pem}\n{key_pem}\n".encode("ascii"))
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    except (ssl.SSLError, UnicodeEncodeError) as error:
        raise CertificateUnusable("certificate and key cannot be read, or do not belong together") from error
    finally:
        os.close(descriptor)


def check_certificate(certificate: Certificate) -> None:
    """Whether OpenSSL takes ``certificate`` as that of a server. Raises CertificateUnusable."""
    load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate.chain_pem, certificate.key_pem)
