"""Sets of TLS options: from names to what a handshake needs, and which router's hosts use which.

A handshake is made before the request is known, so the set follows from the name that the client asks for: the hosts
in the rules of TLS routers. Two routers that want different sets for one host cannot both be right: neither answers
(503), because whichever set was taken, one of them would be open to somebody whom it means to keep out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from platform import python_version
from ssl import OPENSSL_VERSION, SSLError

from msgspec.structs import replace

from doorward.config.cipher_suites import WITHOUT_FORWARD_SECRECY, openssl_list
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import Problem, nearest
from doorward.config.tls import GROUPS, VERSIONS
from doorward.config.tls import TlsOptions as Written
from doorward.messages.entry_points import EntryPoint
from doorward.messages.routing import DEFAULT_TLS_OPTIONS, Router, TlsName, TlsOptions
from doorward.net.server_tls import server_context
from doorward.sources.pem import BadPem, read_authorities
from doorward.sources.redirections import hosts_of
from doorward.sources.references import Broken, qualified


class TlsOptionTable:
    """All sets of all providers."""

    def __init__(self, providers: Mapping[str, DynamicConfiguration]) -> None:
        self.made: dict[str, TlsOptions] = {}
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        for provider, configuration in providers.items():
            for name, written in configuration.tls.options.items():
                full = _full(name, provider)
                path = f"{provider}: tls.options.{name}"
                if full in self.made:
                    self.made[full] = TlsOptions(broken=f"the TLS options {full!r} are given by two providers")
                else:
                    self.made[full] = self._make(written, path)

    def name(self, name: str, provider: str) -> str:
        """Qualified name of the set that ``name`` means to ``provider``, whether or not it exists."""
        return _full(name, provider) if name else DEFAULT_TLS_OPTIONS

    def resolve(self, name: str, provider: str) -> None:
        """Raises Broken when that set does not exist or cannot work; its handshakes are refused then, too."""
        full = self.name(name, provider)
        found = self.made.get(full)
        if found is None and full != DEFAULT_TLS_OPTIONS:
            hint = nearest(full, (*self.made, DEFAULT_TLS_OPTIONS))
            why = f"the TLS options {full!r} do not exist" + (f"; {hint}" if hint else "")
            self.made[full] = TlsOptions(broken=why)
            raise Broken(why)
        if found is not None and found.broken:
            raise Broken(found.broken)

    def _make(self, written: Written, path: str) -> TlsOptions:
        """Handshakes for the hosts of a set whose authorities cannot be read are refused (S-705)."""
        auth = written.client_auth
        made = TlsOptions(
            min_version=VERSIONS[written.min_version],
            max_version=VERSIONS[written.max_version],
            ciphers=openssl_list(written.cipher_suites),
            groups=tuple(GROUPS[name] for name in written.curve_preferences),
            client_certificate=auth.demand if auth is not None else "none",
            sni_strict=written.sni_strict,
            protocols=written.alpn_protocols,
            session_tickets=not written.disable_session_tickets,
        )
        if written.cipher_suites and not made.ciphers:
            made = replace(made, min_version="TLSv1_3")
        self._warn(written, path)
        if auth is not None and auth.demand != "none":
            try:
                made = replace(made, client_ca_pem=read_authorities(auth.ca_files))
            except BadPem as error:
                return replace(made, broken=f"{path}.clientAuth.caFiles: {error}")
        try:
            server_context(made)
        except (SSLError, ValueError) as error:
            self.problems.append(Problem(f"the OpenSSL of this Python cannot do that: {error}", path=path))
        return self._with_known_groups(made, path) if made.groups else made

    def _with_known_groups(self, made: TlsOptions, path: str) -> TlsOptions:
        """Without those that this Python cannot choose (before 3.11.4 X25519 is one): what is left was wanted, too."""
        unknown = [group for group in made.groups if not _can_be_chosen(made, group)]
        if unknown:
            names = ", ".join(name for name, group in GROUPS.items() if group in unknown)
            why = f"this Python ({python_version()}, {OPENSSL_VERSION}) cannot choose {names}"
            if len(unknown) == len(made.groups):
                self.problems.append(Problem(f"curvePreferences: {why}, and nothing else is listed", path=path))
            else:
                self.warnings.append(f"{path}: {why}; only the other curvePreferences are offered")
        return replace(made, groups=tuple(group for group in made.groups if group not in unknown))

    def _warn(self, written: Written, path: str) -> None:
        weak = sorted(WITHOUT_FORWARD_SECRECY.intersection(written.cipher_suites))
        if weak:
            self.warnings.append(f"{path}: {', '.join(weak)}: whoever gets the key can read what was recorded before")
        asked = written.client_auth.client_auth_type if written.client_auth is not None else None
        if asked in ("RequestClientCert", "RequireAnyClientCert"):
            self.warnings.append(f"{path}: {asked}: certificates that are given are verified all the same")


def _can_be_chosen(made: TlsOptions, group: str) -> bool:
    try:
        server_context(made, group)
    except (SSLError, ValueError):
        return False
    return True


def _full(name: str, provider: str) -> str:
    return name if name == DEFAULT_TLS_OPTIONS else qualified(name, provider)


@dataclass
class Settled:
    """Routers with their sets, and the names for which another set holds than ``default``."""

    routers: list[Router]
    names: tuple[TlsName, ...]
    warnings: list[str] = field(default_factory=list)


def settle(routers: Iterable[Router], entry_points: Mapping[str, EntryPoint]) -> Settled:
    """Decide which set holds for which host.

    ``tls_options`` of the given routers is what each names. In the result it is empty where a router names no host
    and nothing but the entry point's own set: then the set of the host that is asked for will do.
    """
    given = list(routers)
    wanted: dict[tuple[str, str], dict[str, list[str]]] = {}
    for point, host, router in _hosts(given):
        wanted.setdefault((point, host), {}).setdefault(router.tls_options, []).append(router.name)
    clashes = {key: sets for key, sets in wanted.items() if len(sets) > 1}
    settled = Settled([], tuple(_names(wanted, entry_points)), list(_overlaps(wanted)))
    for router in given:
        if router.tls:
            router = _settled(router, entry_points, clashes, settled.warnings)
        settled.routers.append(router)
    return settled


def _hosts(routers: Sequence[Router]) -> Iterator[tuple[str, str, Router]]:
    for router in routers:
        if router.tls:
            for point in router.entry_points:
                for host in hosts_of(router.rule) or ():
                    yield point, host, router


def _settled(
    router: Router,
    entry_points: Mapping[str, EntryPoint],
    clashes: Mapping[tuple[str, str], Mapping[str, Sequence[str]]],
    warnings: list[str],
) -> Router:
    hosts = hosts_of(router.rule)
    if hosts is None:
        if all(entry_points[point].tls_options == router.tls_options for point in router.entry_points):
            return replace(router, tls_options="")
        warnings.append(
            f"the router {router.name} names no host, so no handshake is made with its TLS options "
            f"{router.tls_options!r}: it answers 421 until its rule has a Host"
        )
        return router
    for point in router.entry_points:
        for host in sorted(hosts):
            sets = clashes.get((point, host))
            if sets is not None and not router.broken:
                told = " and ".join(f"{min(names)} ({name})" for name, names in sorted(sets.items()))
                why = f"{told} want different TLS options for {host} at {point}"
                return replace(router, broken=why, middlewares=(), service="")
    return router


def _overlaps(wanted: Mapping[tuple[str, str], Mapping[str, Sequence[str]]]) -> Iterator[str]:
    """Hosts that a wildcard of another set holds as well: what its routers win there they cannot answer."""
    for (point, host), sets in sorted(wanted.items()):
        for other, names in wanted.get((point, "*." + host.partition(".")[2]), {}).items():
            if not host.startswith("*.") and other not in sets:
                yield (
                    f"the router {min(names)} can match {host} as well, whose handshakes are made with the TLS options "
                    f"{min(sets)!r} and not with {other!r}: what it matches there is answered 421"
                )


def _names(
    wanted: Mapping[tuple[str, str], Mapping[str, Sequence[str]]], entry_points: Mapping[str, EntryPoint]
) -> Iterator[TlsName]:
    for entry_point in entry_points.values():
        if entry_point.tls_options != DEFAULT_TLS_OPTIONS:
            yield TlsName(entry_point.name, "", entry_point.tls_options)
    for (point, host), sets in sorted(wanted.items()):
        base = entry_points[point].tls_options
        chosen = min(sets, key=lambda name: (name == base, name))
        parent = "*." + host.partition(".")[2]
        if chosen != base or (point, parent) in wanted:
            yield TlsName(point, host, chosen)
