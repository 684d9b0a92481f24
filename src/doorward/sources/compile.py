"""All sources' dynamic configurations → the one routing table that every worker uses.

Names are qualified, chains are flattened, entry point middlewares are prepended, priorities are computed, and the
routers stand in the order in which they are tried. What is wrong in one router breaks that router; what is wrong in
a way that could hide a router (a rule, an entry point) or a certificate refuses the whole, and the last good table
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from doorward.config import dynamic as written
from doorward.config.listening import default_entry_points, entry_points
from doorward.config.problems import ConfigurationError, Problem, nearest
from doorward.config.static import StaticConfiguration
from doorward.messages import routing as messages
from doorward.messages.outposts import OutpostConfiguration
from doorward.sources.certificates import Certificates, Shelf
from doorward.sources.internal import internal_routers, internal_services
from doorward.sources.middleware_table import MiddlewareTable
from doorward.sources.own_addresses import OUTPOST_PROVIDER, OwnAddresses
from doorward.sources.pem import BadPem
from doorward.sources.proxied import proxied
from doorward.sources.redirections import redirection_routers
from doorward.sources.references import Broken
from doorward.sources.rules import RuleError, parse_rule
from doorward.sources.service_table import ServiceTable
from doorward.sources.tls_options import TlsOptionTable, settle
from doorward.sources.warnings import dynamic_warnings, static_warnings

_NO_APPLICATIONS = OutpostConfiguration()


def _no_certificate(host: str) -> messages.Certificate | None:
    return None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A table, and what its author should know about it."""

    table: messages.RoutingTable
    warnings: tuple[str, ...]
    """Settings that open more than may be meant: ``config.warning`` each."""
    broken: tuple[str, ...]
    """Routers that answer 503, with the reason."""
    providers: Mapping[str, written.DynamicConfiguration] = field(default_factory=dict)
    """What it was made of, applications in proxy mode included."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a table depends on besides configuration files."""

    identity_socket: Path | None = None
    """Where the identity child serves its public pages; in its data folder by default."""
    own_names: frozenset[str] = frozenset()
    """Names of this machine, besides ``localhost`` and its host name."""
    default_certificate: messages.Certificate | None = None
    """For names that no configured certificate holds, unless a configuration has another one."""
    shelf: Shelf | None = None
    """Certificates of earlier tables, for those that can no longer be read."""
    outposts: OutpostConfiguration = _NO_APPLICATIONS
    """The applications of the identity provider; those in proxy mode are served."""
    certificate_for: Callable[[str], messages.Certificate | None] = _no_certificate
    """For the host of an application in proxy mode that no configured certificate holds."""


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
        self.surroundings = surroundings
        self.entry_points = {point.name: point for point in entry_points(static)}
        self.defaults = default_entry_points(static)
        self.problems: list[Problem] = []
        self.denied = {name: point.http.encoded_characters.denied() for name, point in static.entry_points.items()}
        """What each entry point refuses in paths."""
        identity = self.entry_points.get(static.identity.entry_point) if static.identity is not None else None
        own = OwnAddresses(identity, surroundings.own_names)
        self.proxied = proxied(surroundings.outposts, self.entry_points.values(), own)
        self.providers = providers = {**providers, OUTPOST_PROVIDER: self.proxied.configuration}
        self.tls_options = TlsOptionTable(providers)
        self.middlewares = MiddlewareTable(providers, own)

    def compile(self, version: int) -> Compiled:
        points = tuple(self.entry_points.values())
        try:
            internal = internal_services(self.static, self.surroundings.identity_socket)
            services = ServiceTable(self.providers, self.static.servers_transport, internal)
        except BadPem as error:
            raise ConfigurationError([Problem(str(error))]) from error
        routers = list(self.routers(services))
        certificates = Certificates(self.providers, self.surroundings.shelf or Shelf())
        problems = [*self.problems, *self.tls_options.problems, *certificates.problems]
        if problems:
            raise ConfigurationError(problems)
        warnings = [
            *self.proxied.notices,
            *static_warnings(self.static, points),
            *dynamic_warnings(self.providers, routers),
        ]
        routers += list(redirection_routers(self.static, points, routers))
        routers += [self.guarded(router) for router in internal_routers(self.static, points)]
        settled = settle(routers, self.entry_points)
        settled.routers.sort(key=lambda router: (-router.priority, router.name))
        table = messages.RoutingTable(
            version=version,
            routers=tuple(settled.routers),
            services=services.made,
            # The first that holds a name is shown: those that somebody configured.
            certificates=tuple(dict.fromkeys((*certificates.all, *self.local_certificates()))),
            default_certificate=certificates.default or self.surroundings.default_certificate,
            tls_options=self.tls_options.made,
            tls_names=settled.names,
        )
        warnings += [*self.tls_options.warnings, *certificates.warnings, *settled.warnings]
        broken = tuple(f"{router.name}: {router.broken}" for router in settled.routers if router.broken)
        return Compiled(table, tuple(warnings), broken, self.providers)

    def local_certificates(self) -> Iterator[messages.Certificate]:
        for host in self.proxied.hosts:
            certificate = self.surroundings.certificate_for(host)
            if certificate is not None:
                yield certificate

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
        tls = router.tls is not None or any(self.entry_points[point].tls for point in points)
        try:
            for point in points:
                if self.has_model(point):
                    prepended = self.static.entry_points[point].http.middlewares
                    middlewares = self.middlewares.resolve(prepended, "file")
            middlewares += self.middlewares.resolve(router.middlewares, provider)
            service = services.resolve(router.service, provider)
            middlewares += self.middlewares.resolve(*services.middlewares_of(service))
            if tls:
                self.tls_options.resolve(*self.tls_set(router, points, provider))
        except Broken as error:
            middlewares, broken = (), str(error)
        except BadPem as error:
            self.refuse(f"{provider}: http.routers.{name}", str(error))
        made = messages.Router(
            name=name,
            entry_points=points,
            rule=rule,
            rule_text=router.rule,
            priority=router.priority or len(router.rule.encode()),
            middlewares=middlewares,
            service=service,
            tls=tls,
            broken=broken,
            tls_options=self.tls_options.name(*self.tls_set(router, points, provider)) if tls else "",
        )
        return self.guarded(made)

    def tls_set(self, router: written.Router, points: tuple[str, ...], provider: str) -> tuple[str, str]:
        """Name of the set of TLS options that ``router`` uses, and the provider to which it means something."""
        if router.tls is not None:
            return router.tls.options, provider
        return next(self.entry_points[point].tls_options for point in points if self.entry_points[point].tls), "file"

    def guarded(self, router: messages.Router) -> messages.Router:
        """``router`` behind the refusal of escapes that its entry point does not allow."""
        for point in router.entry_points:
            denied = self.denied.get(point, ())
            if denied and not router.broken:
                guard = messages.EncodedCharacters(f"{point}@internal", denied)
                return replace(router, middlewares=(guard, *router.middlewares))
        return router

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
        """The entry point changes its routers: it has middlewares, TLS or refusals of its own."""
        point = self.static.entry_points.get(entry_point)
        if point is None:
            return False
        return bool(point.http.middlewares or point.http.tls is not None or self.denied[entry_point])


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
