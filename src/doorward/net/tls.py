"""Which certificate a client is shown (for the servers that we call see ``client_tls``).

One ``SSLContext`` per certificate. A handshake starts on an empty context whose SNI callback moves it to
the right one: exact name, then a wildcard for one label, then the default. The table of contexts is replaced in one
step; connections that exist keep the context they began with.

Private keys arrive as text and OpenSSL reads files, so they go through an anonymous file that only lives in memory.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable

from cryptography import x509
from cryptography.x509.oid import NameOID

from doorward.messages.routing import Certificate

HANDSHAKE_TIMEOUT = 10.0
"""Seconds (S-903)."""


class CertificateUnusable(ValueError):
    """A certificate and key that OpenSSL does not take; the message never quotes them."""


class ServerTls:
    """Chooses the certificate for each handshake; ``use`` replaces them at run time."""

    def __init__(self, protocols: tuple[str, ...] = ("http/1.1",)) -> None:
        self._protocols = protocols
        self._by_name: dict[str, ssl.SSLContext] = {}
        self._default: ssl.SSLContext | None = None
        self.context = _server_context(protocols)
        """Give this one to the listener, once."""
        self.context.sni_callback = self._choose

    def use(self, certificates: Iterable[Certificate], default: Certificate | None) -> None:
        """Show these from now on. Raises CertificateUnusable and then changes nothing."""
        by_name: dict[str, ssl.SSLContext] = {}
        first: ssl.SSLContext | None = None
        for certificate in certificates:
            context = self._context_of(certificate)
            first = first or context
            for name in names_of(certificate):
                by_name.setdefault(name, context)
        self._default = self._context_of(default) if default is not None else first
        self._by_name = by_name

    def context_for(self, name: str | None) -> ssl.SSLContext | None:
        """The context for the server name ``name`` (None: the client named none)."""
        if name:
            name = name.lower().removesuffix(".")
            found = self._by_name.get(name) or self._by_name.get("*." + name.partition(".")[2])
            if found is not None:
                return found
        return self._default

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        context = self.context_for(name)
        if context is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = context
        return None

    def _context_of(self, certificate: Certificate) -> ssl.SSLContext:
        context = _server_context(self._protocols)
        load_chain(context, certificate.chain_pem, certificate.key_pem)
        return context


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


def _server_context(protocols: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(protocols))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


def check_certificate(certificate: Certificate) -> None:
    """Whether OpenSSL takes ``certificate`` as that of a server. Raises CertificateUnusable."""
    load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate.chain_pem, certificate.key_pem)
