"""Whom we believe when we call a server over TLS, and who we are to it."""

from __future__ import annotations

import ssl
from functools import lru_cache

from cryptography import x509

from doorward.messages.routing import ClientTls
from doorward.net.tls import CertificateUnusable, load_chain


class WrongPeer(ssl.CertificateError):
    """The server's certificate is in order, but another's."""


@lru_cache(maxsize=256)
def client_context(tls: ClientTls | None, http2: bool = False) -> ssl.SSLContext:
    """The context for calling a server: TLS 1.2 or newer, certificate and name verified unless told otherwise (S-719).
    ``http2``: the server may choose it (ALPN).

    Raises CertificateUnusable.
    """
    tls = tls or ClientTls()
    try:
        context = ssl.create_default_context(cadata=tls.ca_pem or None)
    except ssl.SSLError as error:
        raise CertificateUnusable("the certificate authority is not in PEM form") from error
    context.minimum_version = ssl.TLSVersion[tls.min_version or "TLSv1_2"]
    if tls.max_version:
        context.maximum_version = ssl.TLSVersion[tls.max_version]
    if tls.ciphers:
        context.set_ciphers(tls.ciphers)
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    if tls.cert_pem:
        load_chain(context, tls.cert_pem, tls.key_pem)
    if tls.peer_uri:
        context.check_hostname = False  # ``check_peer`` looks for the URI in a certificate that was verified
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def check_peer(tls: ClientTls | None, connection: object) -> None:
    """Whether the server at the other end of ``connection`` is who ``peer_uri`` says. Raises WrongPeer."""
    if tls is None or not tls.peer_uri:
        return
    raw = connection.getpeercert(True) if isinstance(connection, ssl.SSLObject | ssl.SSLSocket) else None
    if raw is None or tls.peer_uri not in _uris(raw):
        raise WrongPeer(f"the certificate is not that of {tls.peer_uri}")


def _uris(certificate: bytes) -> list[str]:
    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        alternatives = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return alternatives.get_values_for_type(x509.UniformResourceIdentifier)
