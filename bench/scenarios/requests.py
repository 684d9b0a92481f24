"""Small authenticated requests over HTTP/1.1, as many as the chain can take: what a request costs."""

from __future__ import annotations

from pathlib import Path

from chains.chain import HOST
from checks import arrived, load_is_good, probe
from figures import Effort, Goal, Measure, Scenario, Values, Worthless
from house import House
from load import wrk
from machine import cpu_seconds, tree
from peers.questions import ask

CONNECTIONS = 64
_PAGE = "/some/page?with=query"
"""What the proxies ask about."""
SCRIPTS = Path(__file__).parents[1] / "load"


def measure_requests(
    entry: str = "web",
    *,
    tls: bool = False,
    script: str = "",
    connections: int = CONNECTIONS,
    more: tuple[str, ...] = (),
) -> Measure:
    """Load the entry point, and charge the chain for it."""
    warm: set[str] = set()

    def measure(variant: str, house: House, effort: Effort) -> Values:
        name, _, count = variant.partition(" ×")
        tenant = house.tenant(name, routers=int(count or 1))
        chain, application = tenant.chain, tenant.application
        answer = probe(tenant, entry, tls=tls)
        url = f"{'https' if tls else 'http'}://127.0.0.1:{chain.ports[entry]}/"

        def load(seconds: float) -> wrk.Load:
            return wrk.wrk(
                url,
                [*wrk.browser_fields(HOST, chain.cookie), *more],
                seconds=seconds,
                connections=connections,
                prefix=tenant.prefix,
                script=SCRIPTS / script if script else None,
            )

        if variant not in warm:
            load(1)
            warm.add(variant)
        before, pids = application.counted(), tree(chain.roots)
        spent = cpu_seconds(pids)
        seen = load(effort.seconds)
        spent = cpu_seconds(pids) - spent
        size = sum(len(n) + len(v) + 4 for n, v in answer.headers) + len(answer.body)
        load_is_good(seen, size=(len(answer.body) + 40, size + 60))
        opened = arrived(application, before, seen.requests, connections)
        return values(seen, spent) | {"upstream connections": opened}

    return measure


def values(seen: wrk.Load, spent: float) -> Values:
    return {
        "cpu": spent * 1e6 / seen.requests,
        "rate": seen.per_second,
        "p50": seen.median_ms,
        "p99": seen.p99_ms,
        "requests": seen.requests,
    }


def measure_decisions(variant: str, house: House, effort: Effort) -> Values:
    """Ask the auth server alone what Traefik (or nginx, or Envoy) would ask it."""
    tenant = house.tenant("doorward" if variant == "yes-man" else variant.partition(" ")[0])
    chain = tenant.chain
    port, root = chain.auth if variant == "yes-man" else (chain.ports["decision"], chain.roots[0])
    url = f"http://127.0.0.1:{port}/outpost.goauthentik.io/auth/"
    named, told = HOST, ["X-Forwarded-Proto: http", "X-Forwarded-For: 192.0.2.7"]
    if variant.endswith("nginx"):
        url += "nginx"
        told.append(f"X-Original-URL: http://{HOST}{_PAGE}")
    elif variant.endswith("Envoy"):
        url += f"envoy{_PAGE}"
    else:
        url, named = f"{url}traefik", f"127.0.0.1:{port}"
        told += ["X-Forwarded-Method: GET", f"X-Forwarded-Host: {HOST}", f"X-Forwarded-Uri: {_PAGE}"]
    fields = [*wrk.browser_fields(named, chain.cookie), *told]
    answer = ask(url, headers=[tuple(field.split(": ", 1)) for field in fields])  # type: ignore[misc]
    if answer.status != 200 or answer.one("X-authentik-username") != "akadmin" or not answer.one("X-authentik-jwt"):
        raise Worthless(f"the decision was {answer}")
    pids = tree([root])
    wrk.wrk(url, fields, seconds=1, connections=CONNECTIONS, prefix=tenant.prefix)
    spent = cpu_seconds(pids)
    seen = wrk.wrk(url, fields, seconds=effort.seconds, connections=CONNECTIONS, prefix=tenant.prefix)
    spent = cpu_seconds(pids) - spent
    size = sum(len(n) + len(v) + 4 for n, v in answer.headers)
    load_is_good(seen, size=(size - 80, size + 120))
    return values(seen, spent)


SCENARIOS = (
    Scenario(
        "repeated",
        "Authenticated requests, each client's heads alike (HTTP/1.1, 64 connections)",
        ("doorward", "traefik", "nginx", "haproxy-plain", "nginx-plain"),
        measure_requests(),
        goals=(
            Goal("doorward", "cpu", 1 / 12, "traefik"),
            Goal("doorward", "cpu", 0.6, "nginx"),
            Goal("doorward", "cpu", 1.5, "haproxy-plain"),
        ),
        optional=("doorward-compiled", "traefik+doorward", "caddy", "envoy"),
    ),
    Scenario(
        "different",
        "Authenticated requests, every head different (HTTP/1.1, 64 connections)",
        ("doorward", "traefik", "nginx"),
        measure_requests(script="different_heads.lua"),
        goals=(Goal("doorward", "cpu", 1 / 8, "traefik"),),
        optional=("doorward-compiled",),
    ),
    Scenario(
        "tls",
        "The same over TLS, connections kept (HTTP/1.1, 64 connections)",
        ("doorward", "traefik", "nginx"),
        measure_requests("websecure", tls=True),
        goals=(Goal("doorward", "cpu", 1 / 8, "traefik"),),
        optional=("doorward-compiled",),
    ),
    Scenario(
        "handshakes",
        "A full TLS handshake for every request (HTTP/1.1, 16 at once)",
        ("doorward", "traefik", "nginx"),
        measure_requests("websecure", tls=True, connections=16, more=("Connection: close",)),
    ),
    Scenario(
        "decision",
        "The decision alone, as another proxy asks for it (beside an nginx that says yes unseen)",
        ("doorward", "doorward for nginx", "doorward for Envoy", "yes-man"),
        measure_decisions,
        reference="yes-man",
        goals=tuple(Goal(f"doorward{asker}", "cpu", 10.0) for asker in ("", " for nginx", " for Envoy")),
        optional=("doorward-compiled",),
    ),
    Scenario(
        "external",
        "forwardAuth over HTTP to an auth server elsewhere, as Traefik does it (HTTP/1.1, 64 connections)",
        ("doorward", "traefik"),
        measure_requests("external"),
        goals=(Goal("doorward", "cpu", 1 / 5, "traefik"),),
        optional=("doorward-compiled",),
    ),
    Scenario(
        "routers",
        "One router and 10,000 (HTTP/1.1, 64 connections)",
        ("doorward", "doorward ×10000", "traefik", "traefik ×10000"),
        measure_requests(),
        goals=(Goal("doorward ×10000", "cpu", 1.1, "doorward"),),
    ),
)
