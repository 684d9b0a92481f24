"""Services of services: shares, stickiness, health, failover."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace

from doorward.messages.routing import (
    Child,
    Failover,
    HealthCheck,
    HighestRandomWeight,
    Internal,
    LoadBalancer,
    PassiveHealthCheck,
    Server,
    Service,
    StickyCookie,
    Weighted,
)
from doorward.proxy.services.sticky import sticky_value
from proxy.engine.stage import Client, eventually, get
from proxy.engine.test_websockets import HANDSHAKE, echo_server
from proxy.services.fleet import NOBODY, Fleet, balancer, cookie_of, dies, hangs, names, post, says

CHECK = HealthCheck("/")


async def checked(fleet: Fleet, name: str) -> LoadBalancer:
    """The service ``<name>@file`` with one server of the same name and a health check."""
    return balancer(f"{name}@file", await fleet.app(name), health_check=CHECK)


def down(fleet: Fleet, service: LoadBalancer, up: bool = False) -> None:
    fleet.hear(service.name, service.servers[0].url, up)


def weighted(*services: Service, weights: tuple[int, ...] = (), **options: object) -> Weighted:
    children = tuple(
        Child(service.name, weight, service.name.removesuffix("@file"))
        for service, weight in zip(services, weights or (1,) * len(services), strict=True)
    )
    return Weighted("mix@file", children, **options)  # type: ignore[arg-type]


# --- weighted


async def test_services_share_by_weight(fleet: Fleet) -> None:
    """Three to one, evenly; the account names the service that answered."""
    services = [await checked(fleet, "a"), await checked(fleet, "b")]
    client = await fleet.serve(weighted(*services, weights=(3, 1)), *services)

    order = await names(client, 12)

    assert order.count("b") == 3
    assert {len(part) for part in order.strip("a").split("b") if part} == {3}
    counted = fleet.metrics.collect()
    assert any('service="a@file"' in series for series in counted)
    assert not any('service="mix@file"' in series for series in counted)


async def test_health_moves_the_share(fleet: Fleet) -> None:
    """With ``healthCheck: {}`` a service without a healthy server is passed over; without, its 503 is passed on."""
    services = [await checked(fleet, "a"), await checked(fleet, "b")]
    looking, blind = weighted(*services, health_check=True), weighted(*services)
    client = await fleet.serve(looking, *services)

    down(fleet, services[0])
    assert await names(client, 4) == "bbbb"
    assert Counter(await names(await fleet.serve(blind, *services), 4)) == {"b": 2, "n": 2}
    client = await fleet.serve(looking, *services)
    down(fleet, services[1])
    answer = await client.ask(get())
    assert (answer.status, answer.body) == (503, b"no available server\n")
    down(fleet, services[0], up=True)
    assert await names(client, 2) == "aa"


async def test_health_goes_up_through_services(fleet: Fleet) -> None:
    """A mixture in a mixture is down when all of its parts are."""
    services = [await checked(fleet, name) for name in "abc"]
    inner = replace(weighted(*services[:2], health_check=True), name="inner@file")
    outer = Weighted("outer@file", (Child("inner@file"), Child("c@file")), health_check=True)
    client = await fleet.serve(outer, inner, *services)

    assert Counter(await names(client, 8)) == {"a": 2, "b": 2, "c": 4}
    down(fleet, services[0])
    assert Counter(await names(client, 8)) == {"b": 4, "c": 4}
    down(fleet, services[1])
    assert await names(client, 4) == "cccc"


async def test_a_client_stays_with_its_service(fleet: Fleet) -> None:
    """The cookie's value is made of the name that was written; the server's own cookie goes out beside it."""
    services = [await checked(fleet, "a"), await checked(fleet, "b")]
    services = [replace(service, sticky=StickyCookie("inner")) for service in services]
    client = await fleet.serve(weighted(*services, sticky=StickyCookie("outer"), health_check=True), *services)

    answer = await client.ask(get())
    name = answer.body.decode()
    server = fleet.apps[name].url
    assert answer.values(b"set-cookie") == [
        b"inner=" + sticky_value(server) + b"; Path=/",
        b"outer=" + sticky_value(name) + b"; Path=/",
    ]
    cookie = b"Cookie: outer=" + sticky_value(name)
    assert await names(client, 4, cookie) == name * 4
    down(fleet, services["ab".index(name)])
    moved = await client.ask(get(b"/", cookie))
    assert moved.body.decode() != name
    assert b"outer=" + sticky_value(moved.body.decode()) + b"; Path=/" in moved.values(b"set-cookie")


async def test_a_client_stays_by_its_address(fleet: Fleet) -> None:
    """``highestRandomWeight``: the same client, the same service, while it is up."""
    services = [await checked(fleet, name) for name in "abcd"]
    children = tuple(Child(service.name) for service in services)
    client = await fleet.serve(HighestRandomWeight("near@file", children, health_check=True), *services)

    mine = (await names(client, 4))[0]
    assert await names(client, 4) == mine * 4
    down(fleet, services["abcd".index(mine)])
    other = await names(client, 4)
    assert mine not in other and len(set(other)) == 1
    for service in services:
        down(fleet, service)
    assert (await client.ask(get())).status == 503


@pytest.mark.parametrize(
    "broken",
    [
        weighted(balancer("nope@file")),
        Failover("mix@file", "mix@file", "a@file"),
        Weighted("mix@file", (Child("ghost@internal"),)),
    ],
)
async def test_a_part_that_is_missing_closes_the_whole(fleet: Fleet, broken: Service) -> None:
    """503, and nothing is asked."""  # S-220
    client = await fleet.serve(broken, await checked(fleet, "a"), Internal("other@internal"))

    assert (await client.ask(get())).status == 503
    assert fleet.apps["a"].requests == []


# --- failover


async def test_the_fallback_answers_while_the_first_is_down(fleet: Fleet) -> None:
    """And only then; both down is the original's 503."""
    first, fallback = await checked(fleet, "a"), await checked(fleet, "b")
    client = await fleet.serve(Failover("f@file", "a@file", "b@file", health_check=True), first, fallback)

    assert await names(client, 2) == "aa"
    down(fleet, first)
    assert await names(client, 2) == "bb"
    down(fleet, fallback)
    answer = await client.ask(get())
    assert (answer.status, answer.body) == (503, b"Service Unavailable\n")
    down(fleet, first, up=True)
    assert await names(client, 2) == "aa"


async def failover(fleet: Fleet, *services: Service, limit: int = 1 << 20) -> Client:
    """By status: everything from 500 on."""
    return await fleet.serve(Failover("f@file", "a@file", "b@file", ((500, 599),), limit), *services)


@pytest.mark.parametrize("request_bytes", [get(b"/x"), post(b"body", b"/x"), post(b"x" * 100_000, b"/x")])
async def test_a_listed_status_goes_on(fleet: Fleet, request_bytes: bytes) -> None:
    """The first has answered: its answer is nobody's, and the fallback gets the same request, body and all."""
    services = balancer("a@file", await fleet.app("a", says("a", 503))), balancer("b@file", await fleet.app("b"))
    client = await failover(fleet, *services)

    answer = await client.ask(request_bytes)

    assert (answer.status, answer.body) == (200, b"b")
    tried, answered = fleet.apps["a"].requests[0], fleet.apps["b"].requests[0]
    assert (tried.method, tried.target, tried.body) == (answered.method, answered.target, answered.body)
    assert tried.headers == answered.headers
    assert (await client.ask(get())).body == b"b"


async def test_other_statuses_are_the_clients(fleet: Fleet) -> None:
    """What is not listed passes, and so does what the fallback says, whatever it is."""
    ours, theirs = balancer("a@file", await fleet.app("a", says("a", 404))), balancer("b@file", await fleet.app("b"))
    assert await names(await failover(fleet, ours, theirs), 1) == "a"

    both = [balancer(f"{name}@file", await fleet.app(name, says(name, 503))) for name in "ab"]
    answer = await (await failover(fleet, *both)).ask(get())
    assert (answer.status, answer.body) == (503, b"b")


async def test_an_unreachable_first_goes_on_with_anything(fleet: Fleet) -> None:
    """Nobody had the request yet."""
    services = balancer("a@file", Server(NOBODY)), balancer("b@file", await fleet.app("b"))
    client = await failover(fleet, *services)

    assert await names(client, 2) == "bb"
    assert (await client.ask(post(b"x"))).body == b"b"
    empty = balancer("a@file")
    assert (await (await failover(fleet, empty, services[1])).ask(post(b"x"))).body == b"b"


async def test_what_may_have_happened_is_not_repeated(fleet: Fleet) -> None:
    """A POST that the first swallowed is its 502; a GET goes on."""  # S-920
    services = balancer("a@file", await fleet.app("a", dies)), balancer("b@file", await fleet.app("b"))
    client = await failover(fleet, *services)

    assert (await client.ask(post(b"x"))).status == 502
    assert fleet.apps["b"].requests == []
    assert (await client.ask(get())).body == b"b"


async def test_a_first_that_is_late_goes_on_when_harmless(fleet: Fleet) -> None:
    """The same for 504."""
    slow = balancer("a@file", await fleet.app("a", hangs), response_header_timeout=0.1)
    client = await failover(fleet, slow, balancer("b@file", await fleet.app("b")))

    assert (await client.ask(get())).body == b"b"
    assert (await client.ask(post(b"x"))).status == 504


async def test_a_body_that_cannot_be_kept_is_413(fleet: Fleet) -> None:
    """Above ``maxRequestBodyBytes`` nobody is asked; at the limit it passes."""
    services = balancer("a@file", await fleet.app("a")), balancer("b@file", await fleet.app("b"))

    assert (await (await failover(fleet, *services, limit=4)).ask(post(b"12345"))).status == 413
    assert fleet.apps["a"].requests == []
    assert (await (await failover(fleet, *services, limit=4)).ask(post(b"1234"))).body == b"a"


async def test_a_websocket_passes_a_failover(fleet: Fleet) -> None:
    """Its 101 is an answer as good as any."""
    services = balancer("a@file", await fleet.app("a", echo_server)), balancer("b@file", await fleet.app("b"))
    client = await failover(fleet, *services)

    assert (await client.ask(get(b"/ws", *HANDSHAKE))).status == 101
    await client.send(b"\x81\x02hi")
    assert await client.reader.readexactly(4) == b"\x81\x02hi"


async def test_what_watched_the_first_is_done_with_it(fleet: Fleet) -> None:
    """The first's cookie is not sent with the fallback's answer, and its load is counted off."""
    sticky = StickyCookie("first")
    first = balancer(
        "a@file", await fleet.app("a", says("a", 500)), sticky=sticky, passive_health_check=PassiveHealthCheck()
    )
    client = await failover(fleet, first, balancer("b@file", await fleet.app("b"), sticky=StickyCookie("second")))

    answer = await client.ask(get())

    assert answer.body == b"b"
    assert cookie_of(answer).startswith(b"Cookie: second=")
    assert [failure.service for failure in fleet.failures] == ["a@file"]
    assert not any(server.in_flight for server in fleet.workshop.factory._balancers["a@file"]._servers)


async def test_failover_in_failover(fleet: Fleet) -> None:
    """Each passes on to the next until somebody answers well."""
    services = [balancer(f"{name}@file", await fleet.app(name, says(name, 500))) for name in "ab"]
    services.append(balancer("c@file", await fleet.app("c")))
    inner = Failover("inner@file", "b@file", "c@file", ((500, 500),))
    client = await fleet.serve(Failover("outer@file", "a@file", "inner@file", ((500, 500),)), inner, *services)

    assert await names(client, 2) == "cc"
    assert (await client.ask(post(b"x"))).body == b"c"


async def test_a_client_that_leaves_an_upload(fleet: Fleet) -> None:
    """Nobody is asked for it."""
    services = balancer("a@file", await fleet.app("a")), balancer("b@file", await fleet.app("b"))
    client = await failover(fleet, *services)
    await client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf")
    await asyncio.sleep(0.05)

    client.cut()

    await eventually(lambda: not any(fleet.engine.open_connections.values()))
    assert fleet.apps["a"].requests == fleet.apps["b"].requests == []
