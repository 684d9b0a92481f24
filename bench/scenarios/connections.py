"""A thousand browsers that look at a page, a hundred that ask for one: memory for each, and whether it hurts."""

from __future__ import annotations

import time

from chains.chain import HOST
from checks import arrived, load_is_good, probe
from figures import Column, Effort, Goal, Scenario, Values, Worthless
from house import House
from load.idle import Idle
from load.wrk import browser_fields, wrk
from machine import cpu_seconds, megabytes, tree
from scenarios.requests import values

IDLE, ACTIVE = 1000, 100
_SETTLED = 1.0
"""Seconds that a program has for putting things in order before it is weighed."""


def measure_connections(variant: str, house: House, effort: Effort) -> Values:
    """With programs that have just been started, for memory that was used before is used again."""
    with house.fresh(variant) as tenant:
        chain, application = tenant.chain, tenant.application
        answer = probe(tenant)
        probe(tenant, "websecure", tls=True)
        fields = browser_fields(HOST, chain.cookie)
        url = f"http://127.0.0.1:{chain.ports['web']}/"
        wrk(url, fields, seconds=1, connections=4)
        pids = tree(chain.roots)
        with Idle(fields, tenant.ca) as idle:
            weights = [_weight(pids)]
            for tls in (False, True):
                idle.hold(chain.ports["websecure" if tls else "web"], IDLE, tls=tls)
                weights.append(_weight(pids))
            before, spent = application.counted(), cpu_seconds(pids)
            seen = wrk(url, fields, seconds=effort.seconds, connections=ACTIVE)
            spent = cpu_seconds(pids) - spent
            size = sum(len(n) + len(v) + 4 for n, v in answer.headers) + len(answer.body)
            load_is_good(seen, size=(len(answer.body) + 40, size + 60))
            arrived(application, before, seen.requests, ACTIVE)
            try:
                idle.use_all()
            except (OSError, ValueError) as lost:
                raise Worthless(f"an idle connection was lost: {lost}") from lost
    return {
        "start": weights[0],
        "plain": (weights[1] - weights[0]) * 1000 / IDLE,
        "tls": (weights[2] - weights[1]) * 1000 / IDLE,
        **values(seen, spent),
    }


def _weight(pids: list[int]) -> float:
    time.sleep(_SETTLED)
    return megabytes(pids) * 1e6 / (1 << 20)


SCENARIOS = (
    Scenario(
        "connections",
        f"{IDLE:,} idle plain connections, {IDLE:,} idle TLS ones, {ACTIVE} active (HTTP/1.1, all cores)",
        ("doorward", "traefik", "nginx"),
        measure_connections,
        columns=(
            Column("plain", "MiB per 1,000 idle", 2),
            Column("tls", "MiB per 1,000 idle, TLS"),
            Column("start", "MiB at start", 0),
            Column("cpu", "CPU µs/request"),
            Column("rate", "requests/s", 0, "more"),
            Column("p99", "p99 ms"),
        ),
        goals=(Goal("doorward", "plain", 2.0),),
        turns=1,
    ),
)
