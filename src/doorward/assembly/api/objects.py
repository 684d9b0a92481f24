"""Routers, services, middlewares, entry points and certificates as the API shows them.

Made by the compiler together with the table, because it knows what was written; ``answers`` shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from doorward.assembly.api.written import go_duration, shown
from doorward.config import services as services_written
from doorward.config.dynamic import DynamicConfiguration, Router
from doorward.config.entry_point import EntryPoint
from doorward.config.middlewares import Middleware
from doorward.config.static import StaticConfiguration
from doorward.messages import routing
from doorward.messages.compiling import ApiObjects, Json
from doorward.sources.references import qualified

_OBSERVABILITY = {"accessLogs": True, "metrics": True, "tracing": False, "traceVerbosity": "minimal"}
SOON = timedelta(days=7)
"""A certificate that ends within this is a warning."""


def api_objects(
    static: StaticConfiguration, providers: Mapping[str, DynamicConfiguration], table: routing.RoutingTable
) -> ApiObjects:
    """Everything that ``table`` was made of."""
    made = _Objects(static, providers, table)
    metrics = static.metrics is not None and static.metrics.prometheus is not None
    return ApiObjects(
        base=(static.api.base_path if static.api is not None else "/").rstrip("/") + "/api",
        features={
            "tracing": "",
            "metrics": "Prometheus" if metrics else "",
            "accessLog": static.access_log is not None,
        },
        providers=("File",) if static.providers.file is not None else (),
        routers=_sorted(made.routers),
        services=_sorted(made.services()),
        middlewares=_sorted(made.middlewares()),
        entry_points=_sorted(_entry_point(name, each) for name, each in made.points()),
        certificates=_sorted(_certificate(each.chain_pem) for each in table.certificates),
    )


class _Objects:
    def __init__(
        self,
        static: StaticConfiguration,
        providers: Mapping[str, DynamicConfiguration],
        table: routing.RoutingTable,
    ) -> None:
        self._static = static
        self._providers = providers
        self._table = table
        self.routers = [self._router(router) for router in table.routers]

    # --- routers

    def _router(self, router: routing.Router) -> Json:
        name, _, provider = router.name.rpartition("@")
        written = self._written(name, provider, router.entry_points)
        found: Json = {"entryPoints": list(router.entry_points)}
        middlewares = self._named_middlewares(router, written, provider)
        if middlewares:
            found["middlewares"] = middlewares
        found["service"] = router.service if written is None else written.service
        found["rule"] = router.rule_text
        if written is None:
            found["ruleSyntax"] = "default"
        found["priority"] = router.priority
        if router.tls:
            options = written.tls.options if written is not None and written.tls is not None else ""
            found["tls"] = {"options": options or router.tls_options.removesuffix(f"@{provider}") or "default"}
        found["observability"] = _OBSERVABILITY
        if router.broken:
            found["error"] = [router.broken]
        found["status"] = "disabled" if router.broken else "enabled"
        found["using"] = list(router.entry_points)
        return {**found, "name": router.name, "provider": provider, "priorityStr": str(router.priority)}

    def _written(self, name: str, provider: str, entry_points: tuple[str, ...]) -> Router | None:
        """The router as somebody wrote it; None for one of our own. One that was split has its entry point before
        its name."""
        if provider not in self._providers:
            return None
        routers = self._providers[provider].http.routers
        return routers.get(name) or routers.get(name.removeprefix(f"{entry_points[0]}-"))

    def _named_middlewares(self, router: routing.Router, written: Router | None, provider: str) -> list[str]:
        if written is None:
            return [middleware.name for middleware in router.middlewares]
        prepended: list[str] = []
        for point in router.entry_points:
            if point in self._static.entry_points:
                prepended += self._static.entry_points[point].http.middlewares
        return [*prepended, *(qualified(name, provider) for name in written.middlewares)]

    # --- middlewares

    def middlewares(self) -> list[Json]:
        used = _used((router["name"], router.get("middlewares", ())) for router in self.routers)
        found = []
        for provider, configuration in self._providers.items():
            for name, middleware in configuration.http.middlewares.items():
                found.append(_object(_middleware(middleware), f"{name}@{provider}", provider, used))
                chain = middleware.chain
                if chain is not None:
                    found[-1]["chain"] = {"middlewares": [qualified(each, provider) for each in chain.middlewares]}
        for router in self._table.routers:
            if router.name.endswith("@internal"):
                for made in router.middlewares:
                    if isinstance(made, routing.RedirectScheme):
                        options = {"scheme": made.scheme, "port": made.port, "permanent": made.permanent}
                        part = {"redirectScheme": {key: value for key, value in options.items() if value}}
                        found.append(_object(part, made.name, "internal", used))
        return found

    # --- services

    def services(self) -> list[Json]:
        used = _used((router.name, (router.service,)) for router in self._table.routers if router.service)
        for broken in self._table.routers:
            if broken.broken:
                name, _, provider = broken.name.rpartition("@")
                written = self._written(name, provider, broken.entry_points)
                if written is not None:
                    used.setdefault(qualified(written.service, provider), []).append(broken.name)
        found = []
        for provider, configuration in self._providers.items():
            for name, service in configuration.http.services.items():
                found.append(_object(_service(service, provider), f"{name}@{provider}", provider, used))
        for name, made in self._table.services.items():
            if isinstance(made, routing.Internal) and name in used:
                found.append(_object({}, name, "internal", used))
        return found

    # --- entry points

    def points(self) -> Iterable[tuple[str, EntryPoint]]:
        # Those that nobody wrote down are there because something of ours is.
        from doorward.config.listening import entry_points

        for made in entry_points(self._static):
            host = f"[{made.host}]" if ":" in made.host else made.host
            yield (
                made.name,
                self._static.entry_points.get(made.name) or EntryPoint(address=f"{host}:{made.port}"),
            )


def _sorted(objects: Iterable[Json]) -> tuple[Json, ...]:
    return tuple(sorted(objects, key=lambda each: str(each["name"])))


def _used(users: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    """By name of an object: who uses it."""
    found: dict[str, list[str]] = {}
    for user, objects in users:
        for name in objects:
            found.setdefault(name, []).append(user)
    return found


def _object(part: Json, name: str, provider: str, used: Mapping[str, list[str]]) -> Json:
    found: Json = {**part, "status": "enabled"}
    if name in used:
        found["usedBy"] = sorted(used[name])
    kind = next(iter(part), "")
    return {**found, "name": name, "provider": provider, **({"type": kind.lower()} if kind else {})}


def _middleware(middleware: Middleware) -> Json:
    part = shown(middleware)
    if middleware.forward_auth is not None:
        part["forwardAuth"]["maxBodySize"] = middleware.forward_auth.max_body_size
    return part


def _service(service: services_written.Service, provider: str) -> Json:
    """``service`` with what holds where nothing was written, as the original shows it."""
    part = shown(service)
    if service.load_balancer is not None:
        part["loadBalancer"] = _balancer(service.load_balancer, provider)
    for key in ("weighted", "highestRandomWeight"):
        for each in part.get(key, {}).get("services", ()):
            each.setdefault("weight", 1)
    if service.mirroring is not None:
        part["mirroring"].setdefault("mirrorBody", service.mirroring.mirror_body)
        part["mirroring"]["maxBodySize"] = service.mirroring.max_body_size
    return part


def _balancer(balancer: services_written.LoadBalancer, provider: str) -> Json:
    part = shown(balancer, "strategy", "pass_host_header", "response_forwarding")
    part["responseForwarding"] = {"flushInterval": balancer.response_forwarding.flush_interval}
    if balancer.servers_transport:
        part["serversTransport"] = qualified(balancer.servers_transport, provider)
    if balancer.sticky is not None and balancer.sticky.cookie is not None:
        part["sticky"] = {"cookie": shown(balancer.sticky.cookie, "path")}
    if balancer.health_check is not None:
        part["healthCheck"] = shown(balancer.health_check, "mode", "interval", "timeout", "follow_redirects")
    if balancer.passive_health_check is not None:
        part["passiveHealthCheck"] = shown(balancer.passive_health_check, "failure_window", "max_failed_attempts")
    return part


def _entry_point(name: str, point: EntryPoint) -> Json:
    found = shown(point)
    timeouts, cycle = point.transport.responding_timeouts, point.transport.life_cycle
    found["transport"] = {
        "lifeCycle": {"graceTimeOut": go_duration(cycle.grace_time_out)},
        "respondingTimeouts": {"idleTimeout": go_duration(timeouts.idle_timeout)},
    }
    if cycle.request_accept_grace_timeout:
        found["transport"]["lifeCycle"]["requestAcceptGraceTimeout"] = go_duration(cycle.request_accept_grace_timeout)
    if timeouts.read_timeout:
        found["transport"]["respondingTimeouts"]["readTimeout"] = go_duration(timeouts.read_timeout)
    found["transport"]["respondingTimeouts"]["writeTimeout"] = go_duration(timeouts.write_timeout)
    found.setdefault("forwardedHeaders", {})
    found["http"] = {**found.get("http", {}), "sanitizePath": True, "maxHeaderBytes": point.http.max_header_bytes}
    redirections = point.http.redirections
    if redirections is not None and redirections.entry_point is not None:
        always = ("scheme", "permanent", "priority")
        found["http"]["redirections"] = {"entryPoint": shown(redirections.entry_point, *always)}
    found["http2"] = {
        "maxConcurrentStreams": 100,
        "maxDecoderHeaderTableSize": 4096,
        "maxEncoderHeaderTableSize": 4096,
    }
    return {**found, "name": name}


def _certificate(pem: str) -> Json:
    leaf = x509.load_pem_x509_certificate(pem.encode("ascii"))
    fingerprint = leaf.fingerprint(hashes.SHA256()).hex()
    key = leaf.public_key()
    public = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    now = datetime.now(UTC)
    ends = leaf.not_valid_after_utc
    kind, size = _key_kind(key)
    found: Json = {
        "name": fingerprint,
        "sans": _names(leaf),
        "notAfter": _moment(ends),
        "notBefore": _moment(leaf.not_valid_before_utc),
        "serialNumber": str(leaf.serial_number),
        "commonName": _attribute(leaf.subject, NameOID.COMMON_NAME),
        "issuerOrg": _attribute(leaf.issuer, NameOID.ORGANIZATION_NAME),
        "issuerCN": _attribute(leaf.issuer, NameOID.COMMON_NAME),
        "issuerCountry": _attribute(leaf.issuer, NameOID.COUNTRY_NAME),
        "organization": _attribute(leaf.subject, NameOID.ORGANIZATION_NAME),
        "country": _attribute(leaf.subject, NameOID.COUNTRY_NAME),
        "version": leaf.version.name,
        "keyType": kind,
        "keySize": size,
        "signatureAlgorithm": _signature(leaf),
        "certFingerprint": fingerprint,
        "publicKeyFingerprint": digest.finalize().hex(),
    }
    status = "expired" if ends < now else "warning" if ends < now + SOON else "enabled"
    return {**{key: value for key, value in found.items() if value}, "status": status}


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return sorted((*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))))


def _key_kind(key: Any) -> tuple[str, int]:
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA", key.curve.key_size
    return ("Ed25519", 256) if isinstance(key, ed25519.Ed25519PublicKey) else ("", 0)


def _signature(leaf: x509.Certificate) -> str:
    digest = leaf.signature_hash_algorithm
    name = digest.name.upper() if digest is not None else ""
    issuer = leaf.signature_algorithm_oid._name
    if "ecdsa" in issuer:
        return f"ECDSA-{name}"
    return f"{name}-RSA" if "rsa" in issuer.lower() or "RSA" in issuer else issuer


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
