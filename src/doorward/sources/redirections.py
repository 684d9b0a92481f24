"""``entryPoints.<name>.http.redirections``: a router that sends everything to another entry point.

Not everything: only hosts that some router of the target answers for, so that nobody is redirected to a host that
is not ours and an unknown host gets its 404 (S-225).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doorward.config.static import StaticConfiguration
from doorward.messages.entry_points import EntryPoint
from doorward.messages.routing import All, Any, Host, Not, RedirectScheme, Router, Rule
from doorward.sources.internal import NOOP


def redirection_routers(
    static: StaticConfiguration, entry_points: Sequence[EntryPoint], routers: Sequence[Router]
) -> Iterator[Router]:
    """One router for each entry point that redirects to one where ``routers`` know any host."""
    by_name = {entry_point.name: entry_point for entry_point in entry_points}
    for name, written in static.entry_points.items():
        redirections = written.http.redirections
        if redirections is None or redirections.entry_point is None:
            continue
        redirection = redirections.entry_point
        if redirection.to.startswith(":"):
            port = redirection.to[1:]
            targets = {point.name for point in entry_points if str(point.port) == port}
        else:
            port = str(by_name[redirection.to].port)
            targets = {redirection.to}
        rule = _known_hosts(router for router in routers if targets.intersection(router.entry_points))
        if rule is None:
            continue
        label = f"{name}-to-{redirection.to.removeprefix(':')}"
        yield Router(
            name=f"{label}@internal",
            entry_points=(name,),
            rule=rule,
            rule_text=f"hosts of {redirection.to}",
            priority=redirection.priority,
            middlewares=(
                RedirectScheme(f"redirect-{label}@internal", redirection.scheme, port, redirection.permanent),
            ),
            service=NOOP,
            tls=by_name[name].tls,
            tls_options=by_name[name].tls_options if by_name[name].tls else "",
        )


def _known_hosts(routers: Iterator[Router]) -> Rule | None:
    names: set[str] = set()
    for router in routers:
        hosts = hosts_of(router.rule)
        if hosts is None:
            return Not(Host(""))  # a router for every host; a redirect still needs one to name
        names |= hosts
    if not names:
        return None
    rules = tuple(Host(name) for name in sorted(names))
    return rules[0] if len(rules) == 1 else Any(rules)


def hosts_of(rule: Rule) -> frozenset[str] | None:
    """The hosts for which ``rule`` can be true; None for any."""
    match rule:
        case Host(name):
            return frozenset((name,))
        case Any(rules):
            sets = [hosts_of(part) for part in rules]
            if any(part is None for part in sets):
                return None
            return frozenset[str]().union(*(part for part in sets if part is not None))
        case All(rules):
            known = [part for part in map(hosts_of, rules) if part is not None]
            return frozenset.intersection(*known) if known else None
    return None
