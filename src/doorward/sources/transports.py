"""How servers are reached: ``serversTransports`` as written → TLS with everything read in, limits, timeouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import nearest
from doorward.config.servers_transport import ALIASES, CIPHERS, ServersTransport
from doorward.config.static import ForwardingTimeouts, StaticServersTransport
from doorward.messages.routing import ClientTls
from doorward.sources.pem import read_authorities, read_certificate
from doorward.sources.references import Broken, qualified

DEFAULT_TRANSPORT = "default@internal"
_VERSIONS = {"": "", "VersionTLS12": "TLSv1_2", "VersionTLS13": "TLSv1_3"}
_PLAIN = ClientTls()


@dataclass(frozen=True, slots=True)
class Transport:
    tls: ClientTls | None
    """None: the system's authorities, nothing special."""
    max_idle: int
    timeouts: ForwardingTimeouts
    http2: bool = True


class Transports:
    """Those of all providers, and the static configuration's, which is the default."""

    def __init__(self, providers: Mapping[str, DynamicConfiguration], default: StaticServersTransport) -> None:
        """Raises BadPem when a certificate file cannot be used."""
        tls = ClientTls(ca_pem=read_authorities(default.root_cas), insecure_skip_verify=default.insecure_skip_verify)
        self._made = {
            DEFAULT_TRANSPORT: Transport(
                _unless_plain(tls), default.max_idle_conns_per_host, default.forwarding_timeouts
            )
        }
        for provider, configuration in providers.items():
            for name, transport in configuration.http.servers_transports.items():
                self._made[f"{name}@{provider}"] = _transport(transport)

    def resolve(self, name: str, provider: str) -> Transport:
        """The transport that a service of ``provider`` calls ``name``; empty: the default. Raises Broken."""
        full = qualified(name, provider) if name else DEFAULT_TRANSPORT
        found = self._made.get(full)
        if found is None:
            hint = nearest(full, self._made)
            raise Broken(f"names the serversTransport {full!r}, which does not exist" + (f"; {hint}" if hint else ""))
        return found


def _transport(transport: ServersTransport) -> Transport:
    pair = None
    if transport.certificates:
        certificate = transport.certificates[0]
        pair = read_certificate(certificate.cert_file, certificate.key_file)
    suites = (ALIASES.get(name, name) for name in transport.cipher_suites)
    tls = ClientTls(
        ca_pem=read_authorities(transport.root_cas),
        cert_pem=pair.chain_pem if pair else "",
        key_pem=pair.key_pem if pair else "",
        insecure_skip_verify=transport.insecure_skip_verify,
        server_name=transport.server_name,
        peer_uri=transport.peer_cert_uri,
        min_version=_VERSIONS[transport.min_version],
        max_version=_VERSIONS[transport.max_version],
        ciphers=":".join(CIPHERS[name] for name in suites if name in CIPHERS),
    )
    return Transport(
        _unless_plain(tls),
        transport.max_idle_conns_per_host,
        transport.forwarding_timeouts,
        not transport.disable_http2,
    )


def _unless_plain(tls: ClientTls) -> ClientTls | None:
    return None if tls == _PLAIN else tls
