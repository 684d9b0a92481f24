"""Large bodies both ways: what a MiB costs."""

from __future__ import annotations

import hashlib
import http.client

from application import FILES
from chains.chain import HOST, Chain
from checks import arrived, probe
from figures import Column, Effort, Goal, Measure, Scenario, Values, Worthless
from house import House
from load.transfers import Job, transfers
from load.wrk import browser_fields
from machine import cpu_seconds, tree
from pattern import pattern

_CHAINS = ("doorward", "traefik", "nginx")
_COLUMNS = (Column("cpu", "CPU ms/MiB", 3), Column("rate", "MiB/s", 0, "more"))


def measure_bodies(name: str, connections: int, *, sends: bool) -> Measure:
    """Bodies of the size of the file ``name``."""
    size = FILES[name]
    warm: set[str] = set()

    def measure(variant: str, house: House, effort: Effort) -> Values:
        tenant = house.tenant(variant)
        chain = tenant.chain
        if variant not in warm:
            probe(tenant)
            _arrive_whole(chain)
        fields = browser_fields(HOST, chain.cookie)
        line = "PUT /sink HTTP/1.1" if sends else f"GET /files/{name} HTTP/1.1"
        port = chain.ports["bulk" if sends else "web"]
        job = Job(port, "\r\n".join([line, *fields]), size, sends, connections, float(effort.seconds))
        if variant not in warm:
            transfers(Job(port, job.head, size, sends, connections, 0.2), tenant.prefix)
            warm.add(variant)
        before, pids = tenant.application.counted(), tree(chain.roots)
        spent = cpu_seconds(pids)
        moved = transfers(job, tenant.prefix)
        spent = cpu_seconds(pids) - spent
        if moved.faults:
            raise Worthless(moved.faults[0])
        if not sends:
            arrived(tenant.application, before, moved.bodies, connections)
        mebibytes = moved.bodies * size / (1 << 20)
        return {"cpu": spent * 1e3 / mebibytes, "rate": mebibytes / moved.seconds, "bodies": moved.bodies}

    return measure


def _arrive_whole(chain: Chain) -> None:
    """A body with a length and one in chunks reach the application byte for byte."""
    body = pattern((1 << 20) + 12345)
    pieces = [body[at : at + 33333] for at in range(0, len(body), 33333)]
    fields = {"Host": HOST, "Cookie": chain.cookie}
    for sent in (body, iter(pieces)):
        connection = http.client.HTTPConnection("127.0.0.1", chain.ports["bulk"], timeout=20)
        connection.request("PUT", "/digest", body=sent, headers=fields)  # in chunks if it has no length
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != 200 or said.decode().strip() != hashlib.sha256(body).hexdigest():
            raise Worthless(f"a body arrived changed: {answer.status} {said[:100]!r}")


SCENARIOS = tuple(
    Scenario(
        f"{'put' if sends else 'get'}-{name}",
        f"Bodies of {FILES[name] >> 20} MiB {'to' if sends else 'from'} the application ({connections} connections)",
        _CHAINS,
        measure_bodies(name, connections, sends=sends),
        columns=_COLUMNS,
        goals=(Goal("doorward", "cpu", 1.0, "traefik"),),
    )
    for sends in (False, True)
    for name, connections in (("1m", 8), ("100m", 4))
)
