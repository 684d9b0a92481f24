"""``http.serversTransports.<name>``: how the servers of a load balancer are reached (``contracts/proxy.md``
section 8.1)."""

from __future__ import annotations

from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from doorward.config.section import Flag, Names, Section, Text, not_yet
from doorward.config.static import ForwardingTimeouts

CIPHERS = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
"""Those of TLS 1.2 that are safe, by their names in the standard, with OpenSSL's."""
ALIASES = {
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}
_TLS_1_3 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")

T = TypeVar("T")


def _ciphers(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in CIPHERS and name not in ALIASES and name not in _TLS_1_3:
            raise ValueError(f"must be among {', '.join((*CIPHERS, *_TLS_1_3))}: {name} is unknown or unsafe")
    return names


def _version(text: str) -> str:
    if text in ("VersionTLS10", "VersionTLS11"):
        raise ValueError("must be VersionTLS12 or VersionTLS13: older versions are not safe")
    if text not in ("", "VersionTLS12", "VersionTLS13"):
        raise ValueError("must be VersionTLS12 or VersionTLS13")
    return text


def _at_most_one(certificates: tuple[T, ...]) -> tuple[T, ...]:
    if len(certificates) > 1:
        raise ValueError("must be one certificate at most: Doorward does not choose among several yet")
    return certificates


TlsVersion = Annotated[Text, AfterValidator(_version)]


class ClientCertificate(Section):
    """Who we are to the server."""

    cert_file: Text
    """PEM file or PEM text."""
    key_file: Text
    """Likewise."""


class ServersTransport(Section):
    """TLS, connections and timeouts towards servers."""

    refused = not_yet("peerCertSANs", "spiffe")

    server_name: Text = ""
    """Name to ask for and to find in the server's certificate; the host of its URL by default."""
    insecure_skip_verify: Flag = False
    """Believe every server: whoever sits on the network can read and answer."""
    root_cas: Names = Field(default=(), alias="rootCAs")
    """PEM files or PEM text; the system's authorities by default."""
    certificates: Annotated[tuple[ClientCertificate, ...], AfterValidator(_at_most_one)] = ()
    """Who we are to the server."""
    max_idle_conns_per_host: int = Field(default=200, ge=0)
    """Idle connections that each worker keeps to a server."""
    disable_http2: Flag = Field(default=False, alias="disableHTTP2")
    """Ask over HTTP/1.1 even those that would rather speak HTTP/2; ``h2c://`` servers are not asked otherwise."""
    min_version: TlsVersion = ""
    """``VersionTLS12`` (the default) or ``VersionTLS13``."""
    max_version: TlsVersion = ""
    """Likewise; the newest by default."""
    cipher_suites: Annotated[Names, AfterValidator(_ciphers)] = ()
    """For TLS 1.2; the suites of TLS 1.3 are always the library's."""
    peer_cert_uri: Text = Field(default="", alias="peerCertURI")
    """URI that must stand in the server's certificate, instead of its name."""
    forwarding_timeouts: ForwardingTimeouts = ForwardingTimeouts()

    @model_validator(mode="after")
    def _versions_agree(self) -> Self:
        if self.min_version == "VersionTLS13" and self.max_version == "VersionTLS12":
            raise ValueError("leaves no TLS version: minVersion is above maxVersion")
        return self
