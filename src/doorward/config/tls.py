"""``tls``: certificates, stores and sets of TLS options (``contracts/proxy.md`` section 10)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from doorward.config.cipher_suites import TLS_1_2, known_suites
from doorward.config.problems import nearest
from doorward.config.section import Flag, Names, Section, Text, not_yet, without_at

VERSIONS = {"VersionTLS12": "TLSv1_2", "VersionTLS13": "TLSv1_3"}
"""Traefik's names with those of the ``ssl`` module."""

GROUPS = {
    "X25519": "X25519",
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519MLKEM768": "X25519MLKEM768",
    "SecP256r1MLKEM768": "SecP256r1MLKEM768",
    "SecP384r1MLKEM1024": "SecP384r1MLKEM1024",
}
"""Traefik's names with OpenSSL's."""

PROTOCOLS = ("h2", "http/1.1", "acme-tls/1")


def _version(name: str) -> str:
    if name in ("VersionTLS10", "VersionTLS11"):
        raise ValueError("must be VersionTLS12 or VersionTLS13: what is older is not safe (RFC 8996)")
    if name not in VERSIONS:
        hint = nearest(name, VERSIONS)
        raise ValueError("must be VersionTLS12 or VersionTLS13" + (f"; {hint}" if hint.startswith("did") else ""))
    return name


def _groups(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in GROUPS:
            hint = nearest(name, GROUPS)
            raise ValueError(f"names the unknown curve {name!r}" + (f"; {hint}" if hint else ""))
    return names


def _protocols(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in PROTOCOLS:
            raise ValueError(f"names the unknown protocol {name!r}; {nearest(name, PROTOCOLS)}")
    return names


Version = Annotated[Text, AfterValidator(_version)]


class Certificate(Section):
    """A certificate with its key, each a PEM file or PEM text; or many of them."""

    cert_file: Text
    """PEM file or PEM text, leaf first. With a ``*``: every file that fits, its key where ``keyFile`` says. A folder:
    every pair ``NAME.crt`` or ``NAME.pem`` and ``NAME.key`` in it."""
    key_file: Text = ""
    """PEM file or PEM text. With a ``*``, which stands for the same as that of ``certFile``. Not with a folder."""
    stores: Names = ()
    """Only the store ``default`` exists."""

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if "-----BEGIN" in self.cert_file + self.key_file:
            if not self.key_file:
                raise ValueError("needs a keyFile beside the PEM text of certFile")
        elif self.cert_file.count("*") > 1 or self.cert_file.count("*") != self.key_file.count("*"):
            raise ValueError("needs one * in certFile and one in keyFile, or none in both")
        return self


class DefaultCertificate(Section):
    cert_file: Text
    key_file: Text


class Store(Section):
    refused = not_yet("defaultGeneratedCert")

    default_certificate: DefaultCertificate | None = None
    """For names that no other certificate holds."""


ClientAuthType = Literal[
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
]


class ClientAuth(Section):
    """Certificates of clients (mutual TLS)."""

    ca_files: Names = ()
    """PEM files or PEM text of the authorities that may sign them. One that cannot be read closes every host that
    uses the set."""
    client_auth_type: ClientAuthType | None = None
    """``RequireAndVerifyClientCert`` when there are ``caFiles``. A certificate that is given is always verified:
    ``RequestClientCert`` behaves as ``VerifyClientCertIfGiven``, ``RequireAnyClientCert`` as
    ``RequireAndVerifyClientCert``."""

    @model_validator(mode="after")
    def _has_authorities(self) -> Self:
        if self.client_auth_type is None and not self.ca_files:
            raise ValueError("names no caFiles, so nobody would be asked for a certificate; remove it if that is meant")
        if self.client_auth_type not in (None, "NoClientCert") and not self.ca_files:
            raise ValueError(
                f"asks for client certificates ({self.client_auth_type}) and names no caFiles to verify them with: "
                f"a certificate that nobody verifies says nothing about the client"
            )
        return self

    @property
    def demand(self) -> str:
        """``none``, ``optional`` or ``required``."""
        match self.client_auth_type:
            case "RequestClientCert" | "VerifyClientCertIfGiven":
                return "optional"
            case "RequireAnyClientCert" | "RequireAndVerifyClientCert":
                return "required"
            case "NoClientCert":
                return "none"
        return "required"


class TlsOptions(Section):
    """How handshakes are made. The set ``default`` holds wherever no other one is named."""

    refused = {
        "preferServerCipherSuites": "has no effect in Traefik v3 and does not exist here: the server always prefers",
    }

    min_version: Version = "VersionTLS12"
    """``VersionTLS12`` or ``VersionTLS13``; nothing older is spoken."""
    max_version: Version = "VersionTLS13"
    cipher_suites: Annotated[Names, AfterValidator(known_suites)] = ()
    """For TLS 1.2, by the names of the standard; the suites of TLS 1.3 are always on. None: OpenSSL's choice."""
    curve_preferences: Annotated[Names, AfterValidator(_groups)] = ()
    """``X25519``, ``CurveP256``, ``CurveP384``, ``CurveP521``: the first that the client has is used. None: OpenSSL's
    choice. What this Python cannot choose (X25519 before 3.11.4) is left out with a warning."""
    client_auth: ClientAuth | None = None
    sni_strict: Flag = False
    """Refuse clients that ask for a name which no certificate holds, or for none."""
    alpn_protocols: Annotated[Names, Field(min_length=1), AfterValidator(_protocols)] = ("h2", "http/1.1")
    """Protocols to agree on, the preferred one first."""
    disable_session_tickets: Flag = False
    """Clients cannot take up an earlier session: every connection costs a full handshake."""

    @model_validator(mode="after")
    def _leave_something(self) -> Self:
        if self.min_version == "VersionTLS13" and self.max_version == "VersionTLS12":
            raise ValueError("leaves no TLS version: minVersion is above maxVersion")
        if self.max_version == "VersionTLS12" and self.cipher_suites and not set(self.cipher_suites) & set(TLS_1_2):
            raise ValueError("leaves nothing: the cipherSuites are of TLS 1.3 and maxVersion is below it")
        return self


class Tls(Section):
    certificates: tuple[Certificate, ...] = ()
    """Chosen by the name that the client asks for."""
    stores: dict[str, Store] = {}
    """Only the store ``default`` exists."""
    options: Annotated[dict[str, TlsOptions], AfterValidator(without_at)] = {}
    """Sets of options; ``default`` is for everything that names no other."""
