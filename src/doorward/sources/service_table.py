"""Services as written → services as run: transports resolved, servers of no weight left out."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import nearest
from doorward.config.services import LoadBalancer, ServersTransport
from doorward.config.static import ForwardingTimeouts, StaticServersTransport
from doorward.messages import routing as messages
from doorward.sources.pem import read_authorities, read_certificate
from doorward.sources.references import Broken, qualified

DEFAULT_TRANSPORT = "default@internal"


class ServiceTable:
    """All services of all providers, the internal ones included."""

    def __init__(
        self,
        providers: Mapping[str, DynamicConfiguration],
        default: StaticServersTransport,
        internal: Mapping[str, messages.Service],
    ) -> None:
        """Raises BadPem when a certificate file cannot be used."""
        self.made: dict[str, messages.Service] = dict(internal)
        self._broken: dict[str, str] = {}
        self._transports: dict[str, tuple[messages.ClientTls | None, int, ForwardingTimeouts]] = {
            DEFAULT_TRANSPORT: (
                _tls(read_authorities(default.root_cas), default.insecure_skip_verify),
                default.max_idle_conns_per_host,
                default.forwarding_timeouts,
            )
        }
        for provider, configuration in providers.items():
            for name, transport in configuration.http.servers_transports.items():
                self._transports[f"{name}@{provider}"] = _transport(transport)
        for provider, configuration in providers.items():
            for name, service in configuration.http.services.items():
                self._add(f"{name}@{provider}", service.load_balancer, provider)

    def resolve(self, name: str, provider: str) -> str:
        """The qualified name of a service that exists and works. Raises Broken."""
        full = qualified(name, provider)
        if full in self._broken:
            raise Broken(self._broken[full])
        if full not in self.made:
            hint = nearest(full, self.made)
            raise Broken(f"the service {full!r} does not exist" + (f"; {hint}" if hint else ""))
        return full

    def _add(self, name: str, balancer: LoadBalancer | None, provider: str) -> None:
        if balancer is None:
            self._broken[name] = f"the service {name!r} has no type"
            return
        used = qualified(balancer.servers_transport, provider) if balancer.servers_transport else DEFAULT_TRANSPORT
        if used not in self._transports:
            self._broken[name] = f"the service {name!r} names the serversTransport {used!r}, which does not exist"
            return
        tls, idle, timeouts = self._transports[used]
        self.made[name] = messages.LoadBalancer(
            name=name,
            servers=tuple(
                messages.Server(server.url, server.weight, server.preserve_path)
                for server in balancer.servers
                if server.weight > 0
            ),
            pass_host_header=balancer.pass_host_header,
            tls=tls,
            dial_timeout=timeouts.dial_timeout,
            response_header_timeout=timeouts.response_header_timeout,
            idle_conn_timeout=timeouts.idle_conn_timeout,
            max_idle_conns_per_host=idle,
        )


def _transport(transport: ServersTransport) -> tuple[messages.ClientTls | None, int, ForwardingTimeouts]:
    tls = _tls(read_authorities(transport.root_cas), transport.insecure_skip_verify)
    if transport.certificates:
        certificate = transport.certificates[0]
        pair = read_certificate(certificate.cert_file, certificate.key_file)
        tls = messages.ClientTls(
            ca_pem=tls.ca_pem if tls else "",
            cert_pem=pair.chain_pem,
            key_pem=pair.key_pem,
            insecure_skip_verify=transport.insecure_skip_verify,
        )
    return tls, transport.max_idle_conns_per_host, transport.forwarding_timeouts


def _tls(ca_pem: str, insecure: bool) -> messages.ClientTls | None:
    return messages.ClientTls(ca_pem=ca_pem, insecure_skip_verify=insecure) if ca_pem or insecure else None
