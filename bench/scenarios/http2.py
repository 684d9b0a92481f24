"""Small authenticated requests over HTTP/2 with TLS: what a request costs there."""

from __future__ import annotations

from chains.chain import HOST
from checks import arrived, load_is_good, probe
from figures import Effort, Goal, Measure, Scenario, Values
from house import House
from load.h2load import h2load
from load.wrk import Load, browser_fields
from machine import cpu_seconds, tree
from scenarios.requests import values


def measure_http2(connections: int, streams: int) -> Measure:
    rates: dict[str, float] = {}

    def measure(variant: str, house: House, effort: Effort) -> Values:
        tenant = house.tenant(variant)
        chain, application = tenant.chain, tenant.application
        answer = probe(tenant, "websecure", tls=True)

        def load(requests: int) -> Load:
            return h2load(
                HOST,
                chain.ports["websecure"],
                browser_fields(HOST, chain.cookie),
                requests=requests,
                connections=connections,
                streams=streams,
                prefix=tenant.prefix,
            )

        if variant not in rates:
            rates[variant] = load(1500).per_second
            rates[variant] = load(max(1500, int(rates[variant] * 0.5))).per_second
        before, pids = application.counted(), tree(chain.roots)
        spent = cpu_seconds(pids)
        seen = load(max(1500, int(rates[variant] * effort.seconds)))
        spent = cpu_seconds(pids) - spent
        load_is_good(seen, size=(len(answer.body), len(answer.body)))
        opened = arrived(application, before, seen.requests, connections * streams)
        return values(seen, spent) | {"upstream connections": opened}

    return measure


SCENARIOS = (
    Scenario(
        "http2",
        "HTTP/2 over TLS, one request at a time (64 connections)",
        ("doorward", "traefik", "nginx"),
        measure_http2(64, 1),
        goals=(Goal("doorward", "cpu", 1 / 8, "traefik"),),
        optional=("doorward-compiled",),
    ),
    Scenario(
        "http2-10",
        "HTTP/2 over TLS, ten requests at a time (16 connections)",
        ("doorward", "traefik", "nginx"),
        measure_http2(16, 10),
        goals=(Goal("doorward", "cpu", 1 / 8, "traefik"),),
        optional=("doorward-compiled",),
    ),
)
