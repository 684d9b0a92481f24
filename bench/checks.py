"""Whether a figure means what it says. A scenario that finds otherwise raises ``Worthless``, and nothing is printed.

Before each measurement one request is looked at closely: what the application was told, and that a client's own
identity fields did not get through. During it the application refuses whatever is not in order, so that failures
count all requests. After it the application's counters must agree with the load generator's, and few connections
may have been opened to it.
"""

from __future__ import annotations

from application import BODY, Application, Counted
from chains.chain import HOST, USERNAME
from figures import Worthless
from house import Tenant
from load.wrk import Load
from peers.processes import eventually
from peers.proxies import IDENTITY_HEADERS
from peers.questions import Answer, ask

FORGED = (("X-authentik-username", "mallory"), ("X_authentik_username", "mallory"), ("X-Forwarded-For", "192.0.2.66"))


def probe(tenant: Tenant, entry: str = "web", *, tls: bool = False) -> Answer:
    """One request of a browser that also lies; the application must be told the truth. The answer to a good one."""
    chain, port = tenant.chain, tenant.chain.ports[entry]
    url = f"{'https' if tls else 'http'}://{HOST}"
    mine = (("Host", HOST), ("Cookie", f"theme=dark; {chain.cookie}; lang=en"))

    def asked(path: str, *more: tuple[str, str]) -> Answer:
        return ask(url + path, port=port, headers=(*mine, *more), ca=tenant.ca)

    eventually(lambda: asked("/").status == 200, within=20, what=f"{chain.name} lets the request pass")
    told = dict(line.partition(": ")[::2] for line in asked("/seen", *FORGED).text.splitlines() if line)
    if chain.identity:
        if told.get("X-authentik-username") != USERNAME:
            raise Worthless(f"the application was told that {told.get('X-authentik-username')!r} asks")
        missing = [name for name in IDENTITY_HEADERS if not told.get(name) and name != "X-authentik-groups"]
        if missing:
            raise Worthless(f"the application was not told {', '.join(missing)}")
        if told.get("X-Forwarded-For") != "127.0.0.1":
            raise Worthless(f"X-Forwarded-For was {told.get('X-Forwarded-For')!r}")
    if told.get("X-Forwarded-Proto") != url.partition(":")[0] or told.get("X-Forwarded-Host") != HOST:
        raise Worthless(f"scheme and host arrived as {told.get('X-Forwarded-Proto')}, {told.get('X-Forwarded-Host')}")
    answer = asked("/")
    if answer.status != 200 or answer.body != BODY:
        raise Worthless(f"the answer was {answer.status} {answer.body[:200]!r}")
    return answer


def load_is_good(load: Load, *, size: tuple[float, float]) -> None:
    """Every answer was a success, and as long as it should be (``size``: least and most bytes)."""
    if load.failed:
        raise Worthless(f"{load.failed} of {load.requests} answers were no success")
    if not size[0] <= load.bytes_each <= size[1]:
        raise Worthless(f"answers had {load.bytes_each:.1f} bytes and not {size[0]:.0f} to {size[1]:.0f}")


def arrived(application: Application, before: Counted, requests: int, connections: int) -> float:
    """Requests and connections at the application since ``before``: as many requests as were answered (or that were
    under way when the load ended), over few connections. How many connections were opened."""
    now = application.counted()
    came = now.requests - before.requests - 1
    opened = now.connections - before.connections - 1
    # A load that ends leaves as many under way as it had connections, and so did the warm-up.
    if not requests <= came <= requests + 2 * connections + 10:
        raise Worthless(f"{requests} requests were answered, but {came} arrived at the application")
    if opened > connections + requests / 50 + 10:
        raise Worthless(f"{opened} connections were opened to the application for {requests} requests")
    return opened
