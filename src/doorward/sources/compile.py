"""All sources' dynamic configurations → the one routing table that every worker uses.

Names are qualified, chains are flattened, entry point middlewares are prepended, priorities are computed, and the
routers stand in the order in which they are tried. What is wrong in one router breaks that router; what is wrong in
a way that could hide a router (a rule, an entry point) or a certificate refuses the whole, and the last good table
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from doorward.config import dynamic as written
from doorward.config.listening import default_entry_points, entry_points
from doorward.config.problems import ConfigurationError, Problem, nearest
from doorward.config.static import StaticConfiguration
from doorward.messages import routing as messages
from doorward.sources.internal import internal_routers, internal_services
from doorward.sources.middleware_table import MiddlewareTable
from doorward.sources.own_addresses import OwnAddresses
from doorward.sources.pem import BadPem, read_certificate
from doorward.sources.redirections import redirection_routers
from doorward.sources.references import Broken
from doorward.sources.rules import RuleError, parse_rule
from doorward.sources.service_table import ServiceTable
from doorward.sources.warnings import dynamic_warnings, static_warnings


@dataclass(frozen=True, slots=True)
class Compiled:
    """A table, and what its author should know about it."""

    table: messages.RoutingTable
    warnings: tuple[str, ...]
    """Settings that open more than may be meant: ``config.warning`` each."""
    broken: tuple[str, ...]
    """Routers that answer 503, with the reason."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a table depends on besides configuration files."""

    identity_socket: Path | None = None
    """Where the identity child serves its public pages; in its data folder by default."""
    own_names: frozenset[str] = frozenset()
    """Names of this machine, besides ``localhost`` and its host name."""
    default_certificate: messages.Certificate | None = None
    """For names that no configured certificate holds, unless a configuration has another one."""


def compile_table(
    static: StaticConfiguration,
    providers: Mapping[str, written.DynamicConfiguration],
    surroundings: Surroundings = Surroundings(),
    version: int = 0,
) -> Compiled:
    """Compile the configurations of ``providers`` (by name, such as ``file``).

    Raises ConfigurationError with every reason when no table can be made.
    """
    return _Compiler(static, providers, surroundings).compile(version)


class _Compiler:
    def __init__(
        self,
        static: StaticConfiguration,
        providers: Mapping[str, written.DynamicConfiguration],
        surroundings: Surroundings,
    ) -> None:
        self.static = static
        self.providers = providers
        self.surroundings = surroundings
        self.entry_points = {point.name: point for point in entry_points(static)}
        self.defaults = default_entry_points(static)
        self.problems: list[Problem] = []
        identity = self.entry_points.get(static.identity.entry_point) if static.identity is not None else None
        self.middlewares = MiddlewareTable(providers, OwnAddresses(identity, surroundings.own_names))

    def compile(self, version: int) -> Compiled:
        points = tuple(self.entry_points.values())
        try:
            internal = internal_services(self.static, self.surroundings.identity_socket)
            services = ServiceTable(self.providers, self.static.servers_transport, internal)
        except BadPem as error:
            raise ConfigurationError([Problem(str(error))]) from error
        routers = list(self.routers(services))
        certificates = self.certificates()
        default = self.default_certificate()
        if self.problems:
            raise ConfigurationError(self.problems)
        warnings = (*static_warnings(self.static, points), *dynamic_warnings(self.providers, routers))
        routers += list(redirection_routers(self.static, points, routers))
        routers += internal_routers(self.static, points)
        routers.sort(key=lambda router: (-router.priority, router.name))
        table = messages.RoutingTable(version, tuple(routers), services.made, certificates, default)
        broken = tuple(f"{router.name}: {router.broken}" for router in routers if router.broken)
        return Compiled(table, warnings, broken)

    def refuse(self, path: str, message: str) -> None:
        self.problems.append(Problem(message, path=path))

    # --- routers

    def routers(self, services: ServiceTable) -> Iterator[messages.Router]:
        for provider, configuration in self.providers.items():
            for name, router in configuration.http.routers.items():
                path = f"{provider}: http.routers.{name}"
                try:
                    rule = parse_rule(router.rule)
                except RuleError as error:
                    self.refuse(f"{path}.rule", str(error))
                    continue
                names = self.router_entry_points(router, path)
                for suffix, points in _split(f"{name}@{provider}", names, self.has_model):
                    yield self.router(suffix, points, router, rule, provider, services)

    def router(
        self,
        name: str,
        points: tuple[str, ...],
        router: written.Router,
        rule: messages.Rule,
        provider: str,
        services: ServiceTable,
    ) -> messages.Router:
        middlewares: tuple[messages.Middleware, ...] = ()
        service = broken = ""
        try:
            for point in points:
                if self.has_model(point):
                    prepended = self.static.entry_points[point].http.middlewares
                    middlewares = self.middlewares.resolve(prepended, "file")
            middlewares += self.middlewares.resolve(router.middlewares, provider)
            service = services.resolve(router.service, provider)
        except Broken as error:
            middlewares, broken = (), str(error)
        except BadPem as error:
            self.refuse(f"{provider}: http.routers.{name}", str(error))
        return messages.Router(
            name=name,
            entry_points=points,
            rule=rule,
            rule_text=router.rule,
            priority=router.priority or len(router.rule.encode()),
            middlewares=middlewares,
            service=service,
            tls=router.tls is not None or any(self.entry_points[point].tls for point in points),
            broken=broken,
        )

    def router_entry_points(self, router: written.Router, path: str) -> tuple[str, ...]:
        names = []
        for name in router.entry_points or self.defaults:
            if name in self.entry_points:
                names.append(name)
            else:
                hint = nearest(name, self.entry_points)
                self.refuse(f"{path}.entryPoints", f"there is no entry point {name!r}" + (f"; {hint}" if hint else ""))
        return tuple(dict.fromkeys(names))

    def has_model(self, entry_point: str) -> bool:
        """The entry point changes its routers: it has middlewares or TLS of its own."""
        point = self.static.entry_points.get(entry_point)
        return point is not None and bool(point.http.middlewares or point.http.tls is not None)

    # --- certificates

    def certificates(self) -> tuple[messages.Certificate, ...]:
        made = []
        for provider, configuration in self.providers.items():
            for number, certificate in enumerate(configuration.tls.certificates):
                path = f"{provider}: tls.certificates[{number}]"
                if set(certificate.stores) - {"default"}:
                    self.refuse(path, "only the store 'default' exists")
                read = self.certificate(certificate.cert_file, certificate.key_file, path)
                made += [read] if read is not None else []
        return tuple(made)

    def default_certificate(self) -> messages.Certificate | None:
        made = None
        for provider, configuration in self.providers.items():
            for name, store in configuration.tls.stores.items():
                path = f"{provider}: tls.stores.{name}"
                if name != "default":
                    self.refuse(path, "only the store 'default' exists")
                elif store.default_certificate is not None and made is not None:
                    self.refuse(path, "another provider has a default certificate already")
                elif store.default_certificate is not None:
                    given = store.default_certificate
                    made = self.certificate(given.cert_file, given.key_file, path)
        return made or self.surroundings.default_certificate

    def certificate(self, cert: str, key: str, path: str) -> messages.Certificate | None:
        try:
            return read_certificate(cert, key)
        except BadPem as error:
            self.refuse(path, str(error))
            return None


def _split(
    name: str, points: tuple[str, ...], has_model: Callable[[str], bool]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, entry points) of the routers that one becomes: one for each entry point that changes its routers
    (``strict-app@file``), and one for the rest."""
    plain = tuple(point for point in points if not has_model(point))
    if plain:
        yield name, plain
    for point in points:
        if has_model(point):
            yield (f"{point}-{name}" if len(points) > 1 else name), (point,)
