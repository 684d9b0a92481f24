"""Small authenticated requests at a rate that everybody can serve: how long each takes."""

from __future__ import annotations

from application import BODY
from chains.chain import HOST
from checks import arrived, probe
from figures import CPU, MEDIAN, P99, Effort, Goal, Measure, Scenario, Values, Worthless
from house import House
from load.paced import Job, paced
from load.wrk import browser_fields
from machine import cpu_seconds, tree

CONNECTIONS = 20
_CHAINS = ("doorward", "traefik", "nginx", "haproxy-plain")


def measure_latency(rate: int) -> Measure:
    """Nothing is pinned: every program may use every core."""
    warm: set[str] = set()

    def measure(variant: str, house: House, effort: Effort) -> Values:
        tenant = house.tenant(variant, free=True)
        chain = tenant.chain
        probe(tenant)
        head = "\r\n".join(["GET / HTTP/1.1", *browser_fields(HOST, chain.cookie), "", ""])

        def job(seconds: float) -> Job:
            return Job(chain.ports["web"], head, BODY.decode(), float(rate), seconds, CONNECTIONS)

        if variant not in warm:
            paced(job(1.0), tenant.prefix)
            warm.add(variant)
        before, pids = tenant.application.counted(), tree(chain.roots)
        spent = cpu_seconds(pids)
        seen = paced(job(float(effort.seconds)), tenant.prefix)
        spent = cpu_seconds(pids) - spent
        if seen.faults:
            raise Worthless("; ".join(seen.faults))
        arrived(tenant.application, before, seen.requests, CONNECTIONS)
        return {
            "p50": seen.p50_ms,
            "p99": seen.p99_ms,
            "largest": seen.largest_ms,
            "late": seen.late_ms,
            # Those that pave the way are charged too.
            "cpu": spent * 1e6 / (seen.requests + CONNECTIONS),
            "requests": seen.requests,
        }

    return measure


SCENARIOS = tuple(
    Scenario(
        f"rate-{rate}",
        f"{rate:,} authenticated requests per second at random moments (HTTP/1.1, all cores)",
        _CHAINS,
        measure_latency(rate),
        columns=(MEDIAN, P99, CPU),
        goals=goals,
    )
    for rate, goals in (
        (500, ()),
        (3000, (Goal("doorward", "p50", 1 / 4, "traefik"), Goal("doorward", "p99", 1 / 4, "traefik"))),
    )
)
