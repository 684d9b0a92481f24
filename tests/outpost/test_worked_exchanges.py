"""The worked exchanges T1 to T20 of the outpost's wire contract, as far as they concern one application a host."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from outpost.world import (
    BOB,
    IDENTITY_NAMES,
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

NO_BROWSER = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example.test", "X-Forwarded-Uri": "/a?b=c"}


@pytest.mark.parametrize("dialect", ["traefik", "caddy"])
async def test_t1_a_stranger_is_sent_to_log_in(world: World, dialect: str) -> None:
    """The first request gets a 302 with everything that people look for with ``curl -i``."""
    answer = await world.ask(f"{PREFIX}/auth/{dialect}", NO_BROWSER)
    found = location(answer)
    names = [name for name, _ in parse_qsl(urlsplit(found).query)]
    assert names == sorted(names)
    assert (
        "&redirect_uri=https%3A%2F%2Fapp.example.test%2Foutpost.goauthentik.io%2Fcallback"
        "%3FX-authentik-auth-callback%3Dtrue&response_type=code&scope=profile+ak_proxy+openid+email&state="
    ) in found
    assert request_of(answer)["client_id"].startswith("client-1-")
    assert len(set_cookies(answer)) == 1
    assert re.fullmatch(
        r"authentik_proxy_[0-9a-f]{8}=[A-Za-z0-9_-]{72}; Path=/; Expires=\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT; "
        r"Max-Age=86401; HttpOnly; Secure; SameSite=Lax",
        set_cookies(answer)[0],
    )
    assert answer.body.startswith(b'<a href="https://auth.example.test/')
    assert answer.body.endswith(b'">Found</a>.\n\n')
    assert b"&amp;state=" in answer.body


@pytest.mark.parametrize("dialect", ["traefik", "caddy", "envoy"])
async def test_t2_the_callback_brings_the_browser_back(world: World, dialect: str) -> None:
    """After logging in the browser is at the page that it wanted, with a cookie no longer than the session."""
    browser = world.browser()
    browser.dialect = dialect
    answer = await browser.log_in("/a?b=c")
    assert location(answer) == "https://app.example.test/a?b=c"
    [cookie] = set_cookies(answer)
    max_age = re.search(r"Max-Age=(\d+)", cookie)
    assert max_age is not None
    assert int(max_age[1]) <= 86400
    [session] = world.store.sessions.values()
    assert int(max_age[1]) <= session.expires - world.clock()  # S-316


@pytest.mark.parametrize("dialect", ["traefik", "caddy", "nginx", "envoy"])
async def test_t3_a_session_passes_with_twelve_headers(world: World, dialect: str) -> None:
    """Who is logged in passes, and the application learns who it is from twelve fields, none missing."""
    browser = world.browser()
    await browser.log_in()
    browser.dialect = dialect
    answer = await browser.get("/a")
    assert (answer.status, answer.body, header(answer, "Location")) == (200, b"", None)
    assert set(identity(answer)) == set(IDENTITY_NAMES)
    assert identity(answer)["X-authentik-username"] == "bob"
    assert header(answer, "User-Agent") == "Browser/1.0"
    assert set_cookies(answer) == []


@pytest.mark.parametrize("missing", ["X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"])
async def test_t4_a_proxy_that_tells_too_little(world: World, missing: str) -> None:
    """Without the browser's URL there is no decision: 500, one event, and neither redirect nor cookie."""  # S-306
    headers = {name: value for name, value in NO_BROWSER.items() if name != missing}
    for _ in range(50):
        answer = await world.ask(f"{PREFIX}/auth/traefik", headers)
        assert (answer.status, answer.body) == (500, b"configuration error")
        assert header(answer, "Location") is None
        assert set_cookies(answer) == []
    [report] = world.store.reports  # S-918
    assert "failed to detect a forward URL from Traefik" in report.message
    world.clock.advance(61)
    await world.ask(f"{PREFIX}/auth/traefik", headers)
    assert world.store.reports[-1].count == 50


@pytest.mark.parametrize("missing", [{}, {"X-Original-URI": f"{PREFIX}/start", "Host": "app.example.test"}])
async def test_t4_nginx(world: World, missing: dict[str, str]) -> None:
    """nginx must send X-Original-URL; a client's X-Original-URI is never read."""  # S-120
    assert (await world.ask(f"{PREFIX}/auth/nginx", missing)).status == 500


async def test_t5_open_paths(world: World) -> None:
    """A path that a rule opens passes for strangers, without a single identity header; a query opens nothing."""
    world.use(provider(1, "app.example.test", skip_path_regex="^/public"))
    browser = world.browser()
    answer = await browser.get("/public/x")
    assert (answer.status, answer.headers) == (200, ())
    assert (await browser.get("/x?/public")).status == 302


async def test_open_paths_still_tell_who_is_logged_in(world: World) -> None:
    """On an open path somebody who is logged in is still named."""
    world.use(provider(1, "app.example.test", skip_path_regex="^/public"))
    browser = world.browser()
    await browser.log_in()
    assert identity(await browser.get("/public/x"))["X-authentik-username"] == "bob"


async def test_t6_nginx_goes_by_start(world: World) -> None:
    """nginx gets a 401 with one cookie, redirects to start by itself, and the login ends at the page."""
    browser = world.browser()
    browser.dialect = "nginx"
    refused = await browser.get("/a")
    assert (refused.status, refused.body) == (401, b"unauthorized request")
    assert len(set_cookies(refused)) == 1
    started = await browser.direct(f"{PREFIX}/start?rd=https://app.example.test/a")
    assert location(started).startswith("https://auth.example.test/application/o/authorize/?")
    done = await browser.direct(browser.callback(started))
    assert location(done) == "https://app.example.test/a"
    assert (await browser.get("/a")).status == 200


async def test_t7_start_does_not_lead_elsewhere(world: World) -> None:
    """A foreign ``rd`` is dropped and the login ends at the application's front page."""
    browser = world.browser()
    started = await browser.direct(f"{PREFIX}/start?rd=https://evil.example/")
    done = await browser.direct(browser.callback(started))
    assert location(done) == "https://app.example.test/"


@pytest.mark.parametrize("path", ["start", "callback", "sign_out", "auth/traefik", "whatever"])
async def test_t8_an_unknown_host(world: World, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """The answer that people search for; the known hosts are in the log and not in the answer."""  # S-219
    answer = await world.ask(
        f"{PREFIX}/{path}",
        {"Host": "foo.example.com", "X-Forwarded-Host": "foo.example.com", "X-Forwarded-Proto": "https",
         "X-Forwarded-Uri": "/"},
    )  # fmt: skip
    assert answer.status == 400
    assert header(answer, "Content-Type") == "application/json"
    assert answer.body.decode() == (
        '{\n\t"Message": "no app for hostname",\n\t"Host": "foo.example.com",\n'
        '\t"Detail": "Check the outpost settings and make sure \'foo.example.com\' is included."\n}\n'
    )
    assert "https://app.example.test" in caplog.text


async def test_t8_the_only_provider_does_not_answer_for_others(world: World) -> None:
    """One single provider is no reason to answer for any host."""  # S-219
    world.use(provider(1, "app.example.test"))
    assert (await world.browser(host="other.example.test").get("/")).status == 400


@pytest.mark.parametrize("host", ["", "app.example.test", "nobody.test"])
async def test_t9_ping(world: World, host: str) -> None:
    """Every host answers the ping."""
    answer = await world.ask(f"{PREFIX}/ping", {"Host": host})
    assert (answer.status, answer.body) == (204, b"")


async def test_t10_a_callback_without_its_cookie(world: World) -> None:
    """Neither no cookie nor another browser's makes a session out of a callback."""
    browser, other = world.browser(), world.browser()
    callback = browser.callback(await browser.get("/a"))
    await other.get("/b")
    for cookie in ("", other.cookie_header()):
        assert is_page(await browser.get(callback, cookie=cookie), 400, "begun somewhere else")
    assert world.store.sessions == {}


@pytest.mark.parametrize("garbage", ["x", "=", "A" * 8192, "%00", "A" * 72])
async def test_t11_a_garbage_cookie(world: World, garbage: str) -> None:
    """A cookie that is none is as good as none, and is replaced."""  # S-301
    browser = world.browser()
    await browser.get("/")
    [name] = browser.cookies
    answer = await browser.get("/a", cookie=f"{name}={garbage}")
    assert request_of(answer)
    assert len(set_cookies(answer)) == 1


async def test_t12_and_t13_an_authorization_field_that_nobody_accepts(world: World) -> None:
    """Where header authentication is received, a field that is not accepted is answered 401, not redirected."""
    browser = world.browser()
    for credentials in ("Bearer bad", "Basic Ym9iOndyb25n"):
        answer = await browser.get("/", headers={"Authorization": credentials})
        assert is_page(answer, 401, "no redirect is performed")
        challenges = [value for name, value in answer.headers if name == b"WWW-Authenticate"]
        assert challenges[0] == b'Bearer realm="authentik"'
        assert (len(challenges) == 2) == credentials.startswith("Basic")
        assert set_cookies(answer) == []
    world.use(provider(1, "app.example.test", intercept_header_auth=False))
    assert (await browser.get("/", headers={"Authorization": "Bearer bad"})).status == 302  # S-319


async def test_t14_signing_out_everywhere(world: World) -> None:
    """Signing out ends the person's sessions in every browser and at every application, then at the issuer."""
    first, second = world.browser(), world.browser(host="app2.example.test")
    await first.log_in()
    await second.log_in()
    old = first.cookie_header()
    answer = await first.get(f"{PREFIX}/sign_out")
    end = location(answer)
    assert end.startswith("https://auth.example.test/application/o/app-example-test/end-session/?id_token_hint=ey")
    assert (await first.get("/", cookie=old)).status == 302
    assert (await second.get("/")).status == 302
    assert world.store.sessions == {}


async def test_t16_what_a_stranger_claims_is_never_repeated(world: World) -> None:
    """A client's own X-authentik-username is not in any answer, logged in or not."""
    world.use(provider(1, "app.example.test", skip_path_regex="^/public"))
    browser = world.browser()
    claim = {"X-authentik-username": "akadmin", "x_authentik_username": "akadmin"}
    assert (await browser.get("/public", headers=claim)).headers == ()
    await browser.log_in()
    assert identity(await browser.get("/", headers=claim))["X-authentik-username"] == BOB.username


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PROPFIND", "DELETE", "BREW"])
async def test_t18_methods(world: World, method: str) -> None:
    """No method opens a door: all are redirected like GET, and only GET and HEAD come back to their page."""
    browser = world.browser()  # S-223
    answer = await browser.get("/form?x=1", method=method)
    done = await browser.get(browser.callback(answer))
    wanted = "https://app.example.test/form?x=1" if method == "HEAD" else "https://app.example.test/"  # S-332
    assert location(done) == wanted


async def test_t19_a_new_provider_counts_at_once(world: World) -> None:
    """A provider that is added is known to the next request."""
    browser = world.browser(host="new.example.test")
    assert (await browser.get("/")).status == 400
    world.use(provider(1, "app.example.test"), provider(3, "new.example.test"))
    assert (await browser.get("/")).status == 302


@pytest.mark.parametrize(
    "host", ["evilapp.example.test", "x.app.example.test", "app.example.test.evil.test", "example.test"]
)
async def test_t20_only_the_very_host(world: World, host: str) -> None:
    """A name that merely looks like an application's is nobody's."""
    answer = await world.browser(host=host).get("/")
    assert json.loads(answer.body)["Message"] == "no app for hostname"
