"""WebSocket messages through an authenticated connection: what an echo costs, there and back."""

from __future__ import annotations

from chains.chain import HOST
from checks import probe
from figures import MEDIAN, P99, Column, Effort, Goal, Scenario, Values, Worthless
from house import House
from load.messages import Job, messages
from load.wrk import browser_fields
from machine import cpu_seconds, tree

CONNECTIONS, SIZE = 20, 64


def measure_messages(variant: str, house: House, effort: Effort) -> Values:
    tenant = house.tenant(variant)
    chain = tenant.chain
    probe(tenant)
    fields = [*browser_fields(HOST, chain.cookie), f"Origin: http://{HOST}"]
    head = "\r\n".join(["GET /ws HTTP/1.1", *fields])

    def job(seconds: float) -> Job:
        return Job(chain.ports["bulk"], head, CONNECTIONS, SIZE, seconds)

    messages(job(0.2), tenant.prefix)
    pids = tree(chain.roots)
    spent = cpu_seconds(pids)
    seen = messages(job(float(effort.seconds)), tenant.prefix)
    spent = cpu_seconds(pids) - spent
    if seen.faults:
        raise Worthless(seen.faults[0])
    return {
        "cpu": spent * 1e6 / seen.echoes,
        "rate": seen.echoes / effort.seconds,
        "p50": seen.p50_ms,
        "p99": seen.p99_ms,
    }


SCENARIOS = (
    Scenario(
        "websocket",
        f"WebSocket messages of {SIZE} bytes, there and back ({CONNECTIONS} connections, one under way on each)",
        ("doorward", "traefik", "nginx"),
        measure_messages,
        columns=(Column("cpu", "CPU µs/echo"), Column("rate", "echoes/s", 0, "more"), MEDIAN, P99),
        goals=(Goal("doorward", "cpu", 1.0, "traefik"),),
    ),
)
