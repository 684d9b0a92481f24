"""Who may ask, what is ours on an application's host, and that nothing passes by accident."""

from __future__ import annotations

import json

import pytest

from doorward.messages.http import HttpAnswer, HttpQuestion
from outpost.world import (
    IDENTITY_NAMES,
    NAVIGATION,
    PREFIX,
    World,
    header,
    identity,
    is_page,
    location,
    provider,
    request_of,
    set_cookies,
)

FORGED = {
    "X-Original-URI": f"{PREFIX}/x",
    "X-Original-URL": "https://open.example.test/health",
    "X-Forwarded-Uri": "/health",
    "X-Forwarded-Host": "open.example.test",
    "X-Forwarded-Proto": "https",
    "Host": "open.example.test",
}


@pytest.mark.parametrize("peer", ["203.0.113.5", "2001:db8::1", "", "::ffff:203.0.113.5", "127.1", "172.32.0.1"])
@pytest.mark.parametrize("dialect", ["traefik", "caddy", "nginx", "envoy", "envoy/health"])
async def test_strangers_may_not_ask_for_others(world: World, dialect: str, peer: str) -> None:
    """Only a proxy in a trusted network is asked for whom it speaks; a Unix socket is not trusted by itself."""
    world.use(provider(1, "open.example.test", skip_path_regex="^/health$"))  # S-120, S-105
    assert (await world.ask(f"{PREFIX}/auth/{dialect}", FORGED, peer=peer)).status == 403


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.1.2.3", "172.31.0.9", "192.168.1.1", "::ffff:10.0.0.1"])
async def test_proxies_nearby_may_ask(world: World, peer: str) -> None:
    """Loopback and private networks are trusted, as people are used to."""
    world.use(provider(1, "open.example.test", skip_path_regex="^/health$"))
    assert (await world.ask(f"{PREFIX}/auth/traefik", FORGED, peer=peer)).status == 200
    assert (await world.ask(f"{PREFIX}/auth/traefik", FORGED, peer="fe80::1%eth0")).status == 200


async def test_a_stranger_at_start_is_taken_at_the_host(world: World) -> None:
    """From an untrusted peer X-Forwarded-Host counts for nothing, at the endpoints for browsers either."""
    headers = {"Host": "app.example.test", "X-Forwarded-Host": "app2.example.test"}
    answer = await world.ask(f"{PREFIX}/start", headers, peer="203.0.113.5")
    assert request_of(answer)["client_id"].startswith("client-1-")
    assert request_of(await world.ask(f"{PREFIX}/start", headers))["client_id"].startswith("client-2-")


async def test_nginx_must_not_contradict_itself(world: World) -> None:
    """An absolute request target makes nginx serve one host and tell another's name: refused."""
    browser = world.browser()
    await browser.log_in()
    fields = {
        "X-Original-URL": "https://app.example.test/secret",
        "Host": "app2.example.test",
        "Cookie": browser.cookie_header(),
    }
    assert (await world.ask(f"{PREFIX}/auth/nginx", fields)).status == 403


@pytest.mark.parametrize(
    "doubled",
    ["X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"],
)
async def test_a_doubled_field_decides_nothing(world: World, doubled: str) -> None:
    """Two values of one field could be read differently by two servers: refused like none."""
    fields = [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "app.example.test"),
        ("X-Forwarded-Uri", "/"),
    ]
    extra = [(name.upper(), value) for name, value in fields if name == doubled]
    assert (await world.ask(f"{PREFIX}/auth/traefik", fields + extra)).status == 500


@pytest.mark.parametrize(
    "path",
    ["", "/", "/x", "/auth/traefik", "/static/x.css", "/ping", "/start/", "/callback/x", "/%2e%2e/x", "/sign_outs"],
)
async def test_our_prefix_on_a_protected_host(world: World, path: str) -> None:
    """Whatever is not one of our endpoints is never forwarded and never allowed, logged in or not."""  # S-236
    world.use(provider(1, "app.example.test", skip_path_regex="^/outpost"))
    browser = world.browser()
    assert (await browser.get(PREFIX + path)).status == 404
    await browser.log_in()
    for dialect in ("traefik", "caddy"):
        browser.dialect = dialect
        assert (await browser.get(PREFIX + path)).status == 404
    browser.dialect = "nginx"
    assert (await browser.get(PREFIX + path)).status == (200 if path == "/ping" else 403)
    if path != "/auth/traefik":  # there a proxy asks, and this one told nothing: T4
        assert (await browser.direct(PREFIX + path)).status == (204 if path == "/ping" else 404)


@pytest.mark.parametrize("endpoint", ["start", "callback", "sign_out", "ping"])
async def test_nginx_lets_our_endpoints_through(world: World, endpoint: str) -> None:
    """They are answered by the outpost itself, so the auth request about them is a yes, without identity."""
    browser = world.browser()
    browser.dialect = "nginx"
    answer = await browser.get(f"{PREFIX}/{endpoint}?x=y")
    assert (answer.status, answer.headers) == (200, ())
    assert (await browser.get(f"{PREFIX}{endpoint}")).status == 401


async def test_a_longer_name_is_not_our_prefix(world: World) -> None:
    """The prefix ends at a slash."""  # S-236
    browser = world.browser()
    assert (await browser.get(f"{PREFIX}.evil/start")).status == 302
    await browser.log_in()
    assert set(identity(await browser.get(f"{PREFIX}.evil/start"))) == set(IDENTITY_NAMES)


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({"Sec-Fetch-Mode": "cors", "Accept": "*/*"}, "https"),
        ({"Sec-Fetch-Mode": "no-cors"}, "https"),
        ({"Sec-Fetch-Mode": "websocket"}, "https"),
        ({"X-Requested-With": "XMLHttpRequest", "Accept": "text/html"}, "https"),
        ({"Accept": "application/json"}, "https"),
        ({"Accept": "application/json, text/plain, */*"}, "https"),
        ({"Accept": "text/event-stream"}, "https"),
        ({"Accept": "image/webp,*/*;q=0.8"}, "https"),
        ({}, "wss"),
        ({"Upgrade": "websocket"}, "https"),
    ],
)
async def test_scripts_are_told_instead_of_sent(world: World, headers: dict[str, str], scheme: str) -> None:
    """What cannot follow a login page gets a 401 with the address of one, without a cookie and a Basic challenge."""
    browser = world.browser()  # S-329
    browser.scheme = scheme
    answer = await browser.get("/api", headers=headers)
    assert answer.status == 401
    said = json.loads(answer.body)
    assert said.pop("request_id") == dict(answer.headers)[b"X-authentik-id"].decode()
    assert said == {
        "detail": "Authentication is required.",
        "login_url": f"https://app.example.test{PREFIX}/start",
    }
    assert header(answer, "Content-Type") == "application/json"
    assert header(answer, "WWW-Authenticate") is None
    assert set_cookies(answer) == []


@pytest.mark.parametrize(
    "headers", [{}, {"Accept": "*/*"}, {"Accept": "application/json, text/html"}, {"Accept": "text/*;q=0.5, */*;q=0.1"}]
)
async def test_plain_clients_are_redirected(world: World, headers: dict[str, str]) -> None:
    """``curl`` without options sees the 302 that people know."""
    assert request_of(await world.browser().get("/", headers=headers))


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+proto", "application/grpc-web+proto"])
async def test_grpc_clients_are_not(world: World, kind: str) -> None:
    """401 is UNAUTHENTICATED to them; a redirect would be an error that nobody understands."""
    answer = await world.browser().get("/demo.Greeter/Say", method="POST", headers={"Content-Type": kind})

    assert answer.status == 401
    assert set_cookies(answer) == []


async def test_everything_can_be_redirected(world: World) -> None:
    """The provider's option restores the 302 for all; the page of a navigation is not replaced by it."""  # S-329
    world.use(provider(1, "app.example.test", redirect_everything=True))
    browser = world.browser()
    page = await browser.get("/page")
    cookie = browser.cookie_header()
    script = await browser.get("/api", headers={"Sec-Fetch-Mode": "cors"})
    assert request_of(script)
    assert browser.cookie_header() == cookie
    assert location(await browser.get(browser.callback(page))) == "https://app.example.test/page"


async def test_a_session_passes_whatever_asks(world: World) -> None:
    """Fetch, WebSocket and every method pass with a session."""
    browser = world.browser()
    await browser.log_in()
    assert (await browser.get("/api", headers={"Sec-Fetch-Mode": "cors"})).status == 200
    assert (await browser.get("/api", method="DELETE")).status == 200
    browser.scheme = "wss"
    assert (await browser.get("/ws", headers={"Sec-Fetch-Mode": "websocket"})).status == 200


async def test_the_store_is_away(world: World) -> None:
    """Who cannot be recognised is not let in and not logged out: 503, as a page or as JSON; then it works again."""
    browser = world.browser()
    await browser.log_in()
    world.restart()
    world.store.available = False
    answer = await browser.get("/")
    assert is_page(answer, 503, "not available")
    assert set_cookies(answer) == []
    assert header(answer, "Retry-After") == "5"
    script = await browser.get("/", headers={"Sec-Fetch-Mode": "cors"})
    assert (script.status, header(script, "Content-Type")) == (503, "application/json")
    browser.dialect = "nginx"
    assert (await browser.get("/")).status == 503
    world.store.available = True
    assert (await browser.get("/")).status == 200


async def test_the_store_is_away_at_the_callback(world: World) -> None:
    """No session without the store."""
    browser = world.browser()
    callback = browser.callback(await browser.get("/"))
    world.store.available = False
    assert is_page(await browser.get(callback), 503, "not available")
    assert world.store.sessions == {}


async def test_strangers_cost_the_store_nothing(world: World) -> None:
    """A thousand requests without a session ask and store nothing."""  # S-917
    browser = world.browser()
    browser.keeps_cookies = False
    for n in range(1000):
        await browser.get(f"/{n}")
    assert world.store.finds == 0
    assert world.store.urls == {}


async def test_only_the_own_proxy_learns_the_sessions_name(world: World) -> None:
    """The field that names the session is in the fused answer and never in one over HTTP; else they are equal."""
    browser = world.browser()
    await browser.log_in()
    over_http = await browser.get("/a")
    browser.fused = True
    fused = await browser.get("/a")
    assert header(over_http, "X-Doorward-Session") is None
    [session] = world.store.sessions.values()
    assert header(fused, "X-Doorward-Session") == session.id_hash.hex()
    rest = tuple(field for field in fused.headers if field[0] != b"X-Doorward-Session")
    assert (fused.status, rest, fused.body) == (over_http.status, over_http.headers, over_http.body)


async def test_a_known_session_is_answered_at_once(world: World) -> None:
    """No await, no store: the hot path is a plain call."""
    browser = world.browser()
    await browser.log_in()
    await browser.get("/")
    finds = world.store.finds
    fields = {
        **NAVIGATION,
        "Cookie": browser.cookie_header(),
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "app.example.test",
        "X-Forwarded-Uri": "/",
    }
    raw = tuple((name.encode(), value.encode()) for name, value in fields.items())
    question = HttpQuestion(b"GET", f"{PREFIX}/auth/traefik".encode(), raw, trusted=True)
    answer = world.outpost.answer(question)
    assert isinstance(answer, HttpAnswer)
    assert answer.status == 200
    assert world.store.finds == finds


async def test_a_prefix_that_somebody_claims(world: World) -> None:
    """X-Forwarded-Prefix moves no redirect."""  # S-118
    for prefix in ("//evil.test", "https://evil.test"):
        headers = {**NAVIGATION, "X-Forwarded-Prefix": prefix}
        browser = world.browser()
        started = await browser.get("/a", headers=headers)
        assert "evil" not in location(started)
        assert location(await browser.get(browser.callback(started), headers=headers)) == ("https://app.example.test/a")


async def test_methods_overridden_by_a_field(world: World) -> None:
    """A method that a header claims is not the method."""
    browser = world.browser()
    answer = await browser.get(f"{PREFIX}/start", headers={**NAVIGATION, "X-HTTP-Method-Override": "POST"})
    assert answer.status == 302


async def test_a_wrong_scheme_does_not_stick(world: World) -> None:
    """A proxy that says http for an https application still brings the browser back to https."""
    browser = world.browser()
    browser.scheme = "http"
    answer = await browser.get("/a")
    assert location(await browser.get(browser.callback(answer))) == "https://app.example.test/a"


async def test_an_application_on_plain_http(world: World) -> None:
    """The whole journey over http, with a port, with a cookie that a browser keeps there."""
    world.use(provider(1, "app.example.test:8080", external_host="http://app.example.test:8080"))
    browser = world.browser(host="app.example.test:8080")
    browser.scheme = "http"
    first = await browser.get("/a")
    assert "; HttpOnly; SameSite=Lax" in set_cookies(first)[0]
    callback = world.issuer.authorize(location(first), browser.person)
    assert callback.startswith("http://app.example.test:8080/outpost.goauthentik.io/callback?")
    done = await browser.get(callback.removeprefix("http://app.example.test:8080"))
    assert location(done) == "http://app.example.test:8080/a"
    assert (await browser.get("/a")).status == 200
