"""Which handshake a client gets: chosen from its ClientHello, before it begins.

Two questions are answered by the name that the client asks for: which certificate (exact name, a wildcard for one
label, the default one) and which set of options (the hosts of the routers say it). Each pair of answers is one
``SSLContext``, made when it is first needed and kept while certificate and options stay what they are, whatever else
a new table changes: clients can take up their sessions again after a reload, and never under another set of options,
because a ticket opens in the context that wrote it only.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TypeVar

from doorward.messages.routing import DEFAULT_TLS_OPTIONS, Certificate, RoutingTable, TlsOptions
from doorward.net.client_hello import ClientHello
from doorward.net.tls import CertificateUnusable, load_chain, names_of

PROTOCOLS = ("h2", "http/1.1")
"""What we speak on TLS (ALPN), the preferred one first."""

INTERNAL_ERROR = 80
UNRECOGNIZED_NAME = 112
NO_APPLICATION_PROTOCOL = 120

T = TypeVar("T")
_MOST_CONTEXTS = 1024
"""About 13 KiB and one millisecond each; the one that was made first goes first."""
_GROUP_NUMBERS = {
    "secp256r1": 23,
    "prime256v1": 23,
    "secp384r1": 24,
    "secp521r1": 25,
    "X25519": 29,
    "SecP256r1MLKEM768": 4587,
    "X25519MLKEM768": 4588,
    "SecP384r1MLKEM1024": 4589,
}
"""RFC 8446 section 4.2.7, by OpenSSL's names."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """How to go on."""

    context: ssl.SSLContext
    options: str
    """Name of the set of options that it was made with."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No handshake; the client is told ``alert`` and the connection ends."""

    alert: int
    reason: str

    @property
    def record(self) -> bytes:
        """The fatal alert as it goes onto the wire (RFC 8446 section 6)."""
        return bytes((0x15, 3, 3, 0, 2, 2, self.alert))


class ServerTls:
    """Certificates and options of one worker; ``use`` replaces them at run time."""

    def __init__(self) -> None:
        self._certificates: dict[str, Certificate] = {}
        self._default: Certificate | None = None
        self._options: dict[str, TlsOptions] = {}
        self._sets: dict[str, dict[str, str]] = {}
        """By entry point and name, the set of options."""
        self._contexts: dict[tuple[TlsOptions, Certificate, str], ssl.SSLContext] = {}

    def use(self, table: RoutingTable) -> None:
        """Make handshakes as ``table`` says from now on; connections that exist keep theirs."""
        certificates: dict[str, Certificate] = {}
        for certificate in table.certificates:
            for name in names_of(certificate):
                certificates.setdefault(name, certificate)
        sets: dict[str, dict[str, str]] = {}
        for entry in table.tls_names:
            sets.setdefault(entry.entry_point, {})[entry.name] = entry.options
        self._certificates = certificates
        self._default = table.default_certificate or (table.certificates[0] if table.certificates else None)
        self._options = {DEFAULT_TLS_OPTIONS: TlsOptions(), **table.tls_options}
        self._sets = sets
        options, current = set(self._options.values()), {*table.certificates, self._default}
        for key in [key for key in self._contexts if key[0] not in options or key[1] not in current]:
            del self._contexts[key]

    def choose(self, hello: ClientHello, entry_point: str, address: str) -> Handshake | Refusal:
        """The handshake for ``hello`` at ``entry_point``.

        ``address`` is ours that the client connected to: it stands for the name where the client gives none.
        """
        name = hello.server_name
        set_name = set_for(self._sets.get(entry_point, {}), name)
        options = self._options.get(set_name)
        if options is None or options.broken:
            return Refusal(INTERNAL_ERROR, options.broken if options else f"the TLS options {set_name!r} do not exist")
        protocols = _spoken(options)
        if hello.protocols and not set(hello.protocols) & set(protocols) and not _may_ignore(hello, protocols):
            return Refusal(NO_APPLICATION_PROTOCOL, "speaks none of our protocols (ALPN)")
        certificate = _of_name(self._certificates, name or address)
        if certificate is None and (options.sni_strict or self._default is None):
            return Refusal(UNRECOGNIZED_NAME, f"no certificate for {name or address}")
        try:
            return Handshake(self._context(options, certificate or self._default, _group(options, hello)), set_name)
        except (CertificateUnusable, ssl.SSLError, ValueError) as error:
            return Refusal(INTERNAL_ERROR, str(error))

    def _context(self, options: TlsOptions, certificate: Certificate | None, group: str) -> ssl.SSLContext:
        assert certificate is not None
        key = (options, certificate, group)
        context = self._contexts.get(key)
        if context is None:
            context = server_context(options, group)
            load_chain(context, certificate.chain_pem, certificate.key_pem)
            if len(self._contexts) >= _MOST_CONTEXTS:
                del self._contexts[next(iter(self._contexts))]
            self._contexts[key] = context
        return context


def set_for(sets: dict[str, str], name: str) -> str:
    """The set of options that holds for ``name`` where ``sets`` are those of an entry point."""
    return _of_name(sets, name) or sets.get("") or DEFAULT_TLS_OPTIONS


def _of_name(table: dict[str, T], name: str) -> T | None:
    found = table.get(name)
    if found is None:
        label, dot, parent = name.partition(".")
        if dot and label:
            return table.get("*." + parent)
    return found


def _spoken(options: TlsOptions) -> list[str]:
    return [name for name in options.protocols or PROTOCOLS if name in PROTOCOLS]


def _may_ignore(hello: ClientHello, protocols: list[str]) -> bool:
    """A client that speaks HTTP/1.1 only is served by whoever prefers HTTP/2, as if neither had asked."""
    return "http/1.1" in hello.protocols and "h2" in protocols


def _group(options: TlsOptions, hello: ClientHello) -> str:
    """The one group to offer, where an order is given: Python's OpenSSL takes one at a time, and the client has just
    said which it has."""
    for group in options.groups:
        if _GROUP_NUMBERS[group] in hello.groups:
            return group
    return options.groups[0] if options.groups else ""


def server_context(options: TlsOptions, group: str = "") -> ssl.SSLContext:
    """A context without certificate, as ``options`` say.

    Raises ValueError or SSLError when this OpenSSL cannot do what they say.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion[options.min_version]
    context.maximum_version = ssl.TLSVersion[options.max_version]
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(_spoken(options))
    if options.ciphers:
        context.set_ciphers(options.ciphers)
    if group:
        context.set_ecdh_curve(group)
    if not options.session_tickets:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    else:
        context.num_tickets = 1  # as Go: a second one would cost every handshake more than anybody gains
    if options.client_certificate != "none":
        context.load_verify_locations(cadata=options.client_ca_pem)
        # An authority that is listed is trusted, whether or not it is signed by another one (as in Go).
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        required = options.client_certificate == "required"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context
