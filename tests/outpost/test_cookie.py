"""The session cookie: what a browser may send us under its name, and what we make of it."""

from __future__ import annotations

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.outpost.application import Application
from doorward.outpost.sessions.cookie import BEGUN, SESSION, CookieJar, Ticket
from outpost.world import World, provider, request_of, set_cookies

JAR = CookieJar("client", "s" * 40, secure=True)
TICKET = Ticket.new(SESSION, rounds=3, since=1_800_000_000)


def test_a_seal_round_trip() -> None:
    """What was sealed is what is read, whatever has been remembered meanwhile."""
    value = JAR.seal(TICKET).encode()
    assert CookieJar("client", "s" * 40, secure=True).unseal(value) == TICKET
    assert JAR.unseal(value) == JAR.unseal(value) == TICKET


@pytest.mark.parametrize("at", range(72))
def test_every_character_counts(at: int) -> None:
    """A cookie with any one character changed, cut off or added is no cookie."""  # S-301
    value = JAR.seal(TICKET)
    for other in "Ab_-":
        if other != value[at]:
            assert JAR.unseal((value[:at] + other + value[at + 1 :]).encode()) is None
    assert JAR.unseal(value[:at].encode()) is None
    assert JAR.unseal((value + value[at]).encode()) is None


def test_another_client_or_secret_is_another_cookie() -> None:
    """A cookie is good for one provider only."""  # S-317
    value = JAR.seal(TICKET).encode()
    assert CookieJar("client2", "s" * 40, secure=True).unseal(value) is None
    assert CookieJar("client", "t" * 40, secure=True).unseal(value) is None


@given(st.binary(max_size=100))
def test_no_bytes_are_taken_for_a_cookie(value: bytes) -> None:
    """Whatever is sent, it is a ticket of ours or none."""
    assert JAR.unseal(value) is None


def test_attributes_are_those_that_people_know() -> None:
    """Set and deleted with the same attributes, ``Secure`` only where the application is on https."""  # S-316
    line = JAR.set(TICKET, 1_800_000_000.9, 86401).decode()
    assert line.endswith(
        "; Path=/; Expires=Sat, 16 Jan 2027 08:00:01 GMT; Max-Age=86401; HttpOnly; Secure; SameSite=Lax"
    )
    assert (
        JAR.clear()
        .decode()
        .endswith("=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax")
    )
    assert b"Secure" not in CookieJar("client", "s" * 40, secure=False).set(TICKET, 0, 1)


@pytest.mark.parametrize(
    "cookies",
    [
        [b"=NAME=VALUE"],
        [b"NAME"],
        [b"x-NAME=VALUE"],
        [b"__Host-NAME=VALUE"],
        [b"name=VALUE"],
        [b'NAME="VALUE"'],
        [b"other=NAME=VALUE"],
    ],
)
def test_only_the_very_name_is_read(cookies: list[bytes]) -> None:
    """Nameless, prefixed and quoted pairs are somebody else's."""  # S-315
    value = JAR.seal(TICKET).encode()
    lines = [line.replace(b"NAME", JAR.name).replace(b"VALUE", value) for line in cookies]
    assert JAR.presented(lines).ticket is None


def test_a_pre_login_cookie_is_kept_and_a_dead_session_has_one_successor() -> None:
    """Tabs that wake up with the same dead session share one login; the session's id is not used for it."""  # S-312
    first, second = JAR.pre_login(TICKET), JAR.pre_login(TICKET)
    assert first == second
    assert first.kind == BEGUN
    assert first.secret != TICKET.secret
    assert JAR.pre_login(first) is first
    assert JAR.pre_login(None).secret != JAR.pre_login(None).secret


async def test_two_cookies_of_one_name(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Two different values: neither counts, and every copy that we can name is deleted; the same twice is fine."""
    browser = world.browser()  # S-313
    await browser.log_in()
    [(name, value)] = browser.cookies.items()
    answer = await browser.get("/x/y", cookie=f"{name}={value}; {name}=planted")
    assert request_of(answer)
    fresh, *deletions = set_cookies(answer)
    assert "Max-Age=86401" in fresh
    assert any("; Path=/x; " in line and "Max-Age=0" in line for line in deletions)
    assert any("; Path=/; Domain=example.test; " in line and "Max-Age=0" in line for line in deletions)
    [report] = world.store.reports
    assert report.message.startswith("session.duplicate_cookie")
    assert value not in caplog.text
    assert (await browser.get("/", cookie=f"{name}={value}; {name}={value}")).status == 200


async def test_another_applications_session_does_not_pass(world: World) -> None:
    """The session of one application under another's cookie name is no session."""  # S-317
    app, app2 = world.browser(), world.browser(host="app2.example.test")
    await app.log_in()
    await app2.get("/")
    [value] = app.cookies.values()
    [name2] = app2.cookies
    assert (await app2.get("/", cookie=f"{name2}={value}")).status == 302


async def test_a_session_of_another_provider_in_the_store_does_not_pass(world: World) -> None:
    """Even with equal secrets and client ids a session is its provider's alone."""
    same = {"client_id": "client" + "c" * 30, "cookie_secret": "k" * 40}
    world.use(provider(1, "app.example.test", **same), provider(2, "app2.example.test", **same))
    browser = world.browser()
    await browser.log_in()
    browser.host = "app2.example.test"
    assert (await browser.get("/")).status == 302


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    value=st.binary(max_size=200) | st.text(string.ascii_letters + string.digits + "-_=", max_size=80).map(str.encode),
    dialect=st.sampled_from(["traefik", "caddy", "nginx"]),
)
async def test_no_cookie_whatsoever_opens_the_door(world: World, value: bytes, dialect: str) -> None:
    """No cookie bytes give a 2xx, and none an error of ours."""  # S-301
    browser = world.browser()
    browser.dialect = dialect
    name = next(iter(world.outpost._applications.by_pk.values())).cookies.name.decode()
    answer = await browser.get("/a", cookie=f"{name}=" + value.decode("latin-1"))
    assert answer.status in (302, 401)


@pytest.mark.parametrize(
    ("prefix", "name"), [("host", "__Host-authentik_proxy_"), ("secure", "__Secure-authentik_proxy_")]
)
async def test_a_prefixed_name(prefix: str, name: str) -> None:
    """The browser can only have it from this host, or over TLS; what comes without TLS is made up, and so is what comes
    under the plain name."""
    # S-313, S-315
    world = World(provider(1, "app.example.test", cookie_prefix=prefix))
    browser = world.browser()
    await browser.log_in()
    [(own, value)] = browser.cookies.items()
    assert own.startswith(name)
    assert (await browser.get("/")).status == 200
    assert b"; Path=/; " in world.outpost._applications.by_pk[1].cookies.clear()

    plain = own.removeprefix(name.removesuffix("authentik_proxy_"))
    assert request_of(await browser.get("/", cookie=f"{plain}={value}"))
    browser.scheme = "http"
    assert (await browser.get("/", cookie=f"{own}={value}")).status != 200


@pytest.mark.parametrize(
    ("host", "changes"),
    [
        ("https://app.example.test", {"mode": "forward_domain", "cookie_domain": "example.test"}),
        ("http://app.example.test", {}),
        ("https://app.example.test", {"cookie_prefix": "Host"}),
    ],
)
def test_a_prefix_that_browsers_would_not_keep(host: str, changes: dict[str, str]) -> None:
    """Such a provider is not served, because every login would go in circles."""
    wanted = {"cookie_prefix": "host", "external_host": host, **changes}
    with pytest.raises(ValueError, match="cookie"):
        Application(provider(1, "app.example.test", **wanted), "1")
    if "mode" in changes:
        Application(provider(1, "app.example.test", **wanted | {"cookie_prefix": "secure"}), "1")
