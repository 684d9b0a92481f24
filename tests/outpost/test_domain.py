"""Forward auth for a whole domain: one login for all its hosts, and never for a host beside it."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.outpost.applications import Applications
from outpost.world import (
    MALLORY,
    NAVIGATION,
    PREFIX,
    Browser,
    World,
    header,
    identity,
    is_page,
    link_of,
    location,
    provider,
    request_of,
    set_cookies,
)

AUTH = "auth.example.test"
DOMAIN = {"mode": "forward_domain", "cookie_domain": "example.test"}


def domain(pk: int = 1, host: str = AUTH, **changes: object) -> ProxyProvider:
    return provider(pk, host, **{**DOMAIN, **changes})


def browser_of(world: World, host: str) -> Browser:
    browser = world.browser(host=host)
    browser.cookie_domain = "example.test"
    return browser


async def log_in(browser: Browser, uri: str = "/") -> str:
    """A login that begins where the browser is and is completed on the external host; gives where it ends."""
    asked = await browser.get(uri)
    there, browser.host = browser.host, AUTH
    done = await browser.direct(browser.callback(asked))
    browser.host = there
    return location(done)


@pytest.fixture
def world() -> World:
    return World(domain())


async def test_t17_one_login_for_all_hosts(world: World) -> None:
    """The login is completed on the external host, ends where it began, and counts on every host of the domain."""
    browser = browser_of(world, "any.example.test")
    asked = await browser.get("/a?b=c")
    assert request_of(asked)["redirect_uri"].startswith(f"https://{AUTH}/outpost.goauthentik.io/callback?")
    [cookie] = set_cookies(asked)
    assert "; Path=/; Domain=example.test; Expires=" in cookie
    assert cookie.endswith("; HttpOnly; Secure; SameSite=Lax")
    assert await log_in(browser, "/a?b=c") == "https://any.example.test/a?b=c"
    for host in ("any.example.test", "other.example.test", "deep.down.example.test", AUTH, "example.test"):
        browser.host = host
        assert identity(await browser.get("/"))["X-authentik-username"] == "bob"


async def test_a_login_through_the_auth_request(world: World) -> None:
    """Behind a proxy that relays our answers no route of our own is needed on the external host either."""
    browser = browser_of(world, "any.example.test:8443")
    callback_at = await browser.get("/a")
    browser.host = AUTH
    assert location(await browser.get(browser.callback(callback_at))) == "https://any.example.test:8443/a"


@pytest.mark.parametrize(
    "host",
    ["evilexample.test", "example.test.evil.test", "evil-example.test", "example.tests", ".example.test", "test"],
)
async def test_t20_hosts_beside_the_domain(world: World, host: str) -> None:
    """A name that merely ends in the same letters is nobody's."""  # S-308
    assert (await world.browser(host=host).get("/")).status == 400
    assert (await world.browser(host=host).direct(f"{PREFIX}/start")).status == 400


@pytest.mark.parametrize(
    "rd",
    [
        "https://notexample.test/",
        "https://evil-example.test/",
        "https://example.test.evil.test/",
        "https://evil.test/?https://any.example.test/",
        "https://any.example.test@evil.test/",
        "https://evil.test\\@any.example.test/",
        "https://.example.test/",
        "//any.example.test/",
        "javascript://any.example.test/%0aalert(1)",
        "https://any.example.test/outpost.goauthentik.io/sign_out",
        "https://any.example.test/?X-authentik-logout=true",
        "https://any.example.test:0/",
    ],
)
async def test_a_login_ends_in_the_domain_only(world: World, rd: str) -> None:
    """``rd`` to any host under the cookie domain works, by whole labels; others lead to the external host."""  # S-308
    browser = browser_of(world, AUTH)
    started = await browser.direct(f"{PREFIX}/start?rd={quote(rd, safe='')}")
    assert location(await browser.direct(browser.callback(started))) == f"https://{AUTH}/"


@pytest.mark.parametrize(
    ("rd", "end"),
    [
        ("https://any.example.test/x?y=1&z", "https://any.example.test/x?y=1&z"),
        ("https://any.example.test:8443/x", "https://any.example.test:8443/x"),
        ("https://ANY.example.test.:443", "https://any.example.test/"),
        ("http://any.example.test:80/x", "https://any.example.test/x"),
        ("https://example.test/ü#top", "https://example.test/%C3%BC"),
        (f"https://{AUTH}/x", f"https://{AUTH}/x"),
        ("/x", f"https://{AUTH}/x"),
    ],
)
async def test_a_login_ends_where_it_should(world: World, rd: str, end: str) -> None:
    """A bare path is one of the host that was asked; http becomes https where the cookie is Secure."""
    browser = browser_of(world, AUTH)
    started = await browser.direct(f"{PREFIX}/start?rd={quote(rd, safe='')}")
    assert location(await browser.direct(browser.callback(started))) == end


async def test_a_bare_path_is_of_the_host_that_was_asked(world: World) -> None:
    """Old nginx snippets send ``rd=$request_uri``."""
    browser = browser_of(world, "any.example.test")
    started = await browser.direct(f"{PREFIX}/start?rd=/x?y=1")
    browser.host = AUTH
    assert location(await browser.direct(browser.callback(started))) == "https://any.example.test/x?y=1"


async def test_plain_http_domains_keep_their_scheme() -> None:
    """Without TLS on the external host the cookie is not Secure, and browsers go back by the scheme they came."""
    world = World(domain(external_host=f"http://{AUTH}"))
    browser = browser_of(world, "any.example.test")
    browser.scheme = "http"
    asked = await browser.get("/a")
    assert "Secure" not in set_cookies(asked)[0]
    browser.host = AUTH
    assert location(await browser.direct(browser.callback(asked))) == "http://any.example.test/a"


async def test_nginx_in_a_domain(world: World) -> None:
    """nginx asks on the application's host and sends the browser to ``start`` on the external host."""
    browser = browser_of(world, "any.example.test")
    browser.dialect = "nginx"
    refused = await browser.get("/a")
    assert (refused.status, len(set_cookies(refused))) == (401, 1)
    browser.host = AUTH
    started = await browser.direct(f"{PREFIX}/start?rd=https://any.example.test/a?x=1&y=2")
    assert location(await browser.direct(browser.callback(started))) == "https://any.example.test/a?x=1&y=2"
    browser.host = "any.example.test"
    assert (await browser.get("/a")).status == 200


async def test_nginx_must_not_contradict_itself_in_a_domain(world: World) -> None:
    """Two hosts of one domain are two hosts: rules may open a path on the one and not on the other."""
    world.use(domain(skip_path_regex=r"^https://open\.example\.test/"))
    fields = {"X-Original-URL": "https://open.example.test/x", "Host": "secret.example.test"}
    assert (await world.ask(f"{PREFIX}/auth/nginx", fields)).status == 403


# --- applications of their own under the domain -------------------------------------------------------------------


async def test_an_application_of_its_own_keeps_its_rules(world: World) -> None:
    """Who is logged in to the domain is not thereby logged in to an application that has its own provider."""
    world.use(domain(), provider(2, "app.example.test"))
    browser = browser_of(world, "any.example.test")
    await log_in(browser)
    browser.host = "app.example.test"
    answer = await browser.get("/")
    assert request_of(answer)["client_id"].startswith("client-2-")
    assert "Domain=" not in set_cookies(answer)[0]


@pytest.mark.parametrize(
    "host", ["app.example.test:8443", "app.example.test:80", "APP.example.test.", "app.example.test.:9443"]
)
async def test_no_spelling_of_its_host_is_the_domains(world: World, host: str) -> None:
    """A port or a dot that a client writes behind the name is no way around the application's own rules."""
    world.use(domain(), provider(2, "app.example.test"))
    browser = browser_of(world, "any.example.test")
    await log_in(browser)
    browser.host = host
    assert (await browser.get("/")).status in (302, 400)


@pytest.mark.parametrize("changes", [{"mode": "rac"}, {"cookie_secret": "short"}])
async def test_an_application_that_is_not_served_is_not_the_domains(world: World, changes: dict[str, object]) -> None:
    """Its host is refused: nobody knows whom its own rules would let in."""
    world.use(domain(), provider(2, "app.example.test", **changes))
    browser = browser_of(world, "any.example.test")
    await log_in(browser)
    browser.host = "app.example.test"
    assert (await browser.get("/")).status == 400


async def test_the_part_of_a_host_that_has_its_own_application(world: World) -> None:
    """An application under a path keeps that path to itself; the rest of the host is the domain's."""
    world.use(domain(), provider(2, "app.example.test", external_host="https://app.example.test/admin"))
    browser = browser_of(world, "app.example.test")
    await log_in(browser)
    assert (await browser.get("/x")).status == 200
    assert (await browser.get("/administration")).status == 200
    assert request_of(await browser.get("/admin/x"))["client_id"].startswith("client-2-")
    assert (await browser.get("/%61dmin/x")).status == 403
    browser.host = "app.example.test:8443"
    assert (await browser.get("/admin")).status == 400
    assert (await browser.get("/x")).status == 200


def test_the_longest_domain_wins() -> None:
    """Of nested domains the nearest answers, of several providers for one domain the one whose host is nearest."""
    found = Applications(
        OutpostConfiguration(
            providers=(
                domain(1),
                domain(2, "auth.a.example.test", cookie_domain=".A.example.test"),
                domain(3, "auth.b.example.test"),
                domain(4, "login.b.example.test"),
            )
        )
    )

    def pk(host: str) -> int:
        application = found.find(host, "https")
        assert application is not None
        return application.provider.pk

    assert pk("x.example.test") == 1
    assert pk("x.a.example.test") == 2
    assert pk("x.b.example.test") == 3
    assert pk("login.b.example.test") == 4
    assert pk("ba.example.test") == 1


def test_two_providers_for_one_domain_and_host(caplog: pytest.LogCaptureFixture) -> None:
    """The older one keeps it."""
    found = Applications(OutpostConfiguration(providers=(domain(2), domain(1))))
    assert [application.provider.pk for application in found.by_pk.values()] == [1]
    assert "already has the external host" in caplog.text
    assert "*.example.test" in found.hosts


@pytest.mark.parametrize(
    "cookie_domain",
    ["", ".", "test", "localhost", "ple.test", "other.test", "a.example.test", "10.0.0.1", "example.test:443",
     "example..test", "*.example.test", "example.test; Secure", "example.test/", "exämple.test"],
)  # fmt: skip
def test_domains_that_cannot_work(cookie_domain: str, caplog: pytest.LogCaptureFixture) -> None:
    """A domain for which browsers keep no cookie, or that the external host is not under, is not served."""  # S-308
    found = Applications(OutpostConfiguration(providers=(domain(cookie_domain=cookie_domain),)))
    assert found.find(AUTH, "https") is None
    assert "is not served" in caplog.text


# --- skip rules, sign-out, cookies --------------------------------------------------------------------------------


async def test_skip_rules_see_the_whole_url(world: World) -> None:
    """Scheme and host in lower case and without a default port stand before the path; a query opens nothing."""
    world.use(domain(skip_path_regex=r"^https://open\.example\.test/public/"))  # S-213
    for host in ("open.example.test", "OPEN.example.test", "open.example.test:443", "open.example.test."):
        answer = await browser_of(world, host).get("/public/x")
        assert (answer.status, answer.headers) == (200, ())
    for host, uri in (
        ("other.example.test", "/public/x"),
        ("open.example.test:8443", "/public/x"),
        ("open.example.test", "/x?https://open.example.test/public/"),
        ("open.example.test", "/public/../x"),
        ("other.example.test", "/https://open.example.test/public/x"),
    ):
        assert (await browser_of(world, host).get(uri)).status == 302
    browser = browser_of(world, "open.example.test")
    browser.scheme = "http"
    assert (await browser.get("/public/x")).status == 302


async def test_signing_out_of_the_domain(world: World) -> None:
    """On any host; the cookie goes with the Domain that it came with, and ``rd`` may be any host of the domain."""
    browser = browser_of(world, "any.example.test")
    await log_in(browser)
    old = browser.cookie_header()
    answer = await browser.get(f"{PREFIX}/sign_out?rd=https://other.example.test/bye")
    query = parse_qs(urlsplit(location(answer)).query)
    assert query["post_logout_redirect_uri"] == ["https://other.example.test/bye"]
    [cleared] = set_cookies(answer)  # S-323
    assert "; Path=/; Domain=example.test; " in cleared
    assert "Max-Age=0" in cleared
    assert browser.cookie_header() == ""
    assert (await browser.get("/", cookie=old)).status == 302
    await log_in(browser)
    answer = await browser.get(f"{PREFIX}/sign_out?rd=https://notexample.test/")
    assert "post_logout_redirect_uri" not in location(answer)


async def test_a_planted_cookie(world: World) -> None:
    """A sibling host can plant one of the same name: then none counts, copies are removed, our own is not."""
    browser = browser_of(world, "any.example.test")  # S-313, S-341
    await log_in(browser)
    [(name, value)] = browser.domain_cookies.items()
    answer = await browser.get("/x/y/z", cookie=f"{name}={value}; {name}={value[::-1]}")
    scopes = [line.split("; Expires")[0].partition("; ")[2] for line in set_cookies(answer)]
    assert scopes[0] == "Path=/; Domain=example.test"
    assert scopes.count("Path=/; Domain=example.test") == 1
    assert "Path=/" in scopes
    assert "Path=/; Domain=any.example.test" in scopes
    assert "Max-Age=0" not in set_cookies(answer)[0]
    assert all("Max-Age=0" in line for line in set_cookies(answer)[1:])
    assert "session.duplicate_cookie" in world.store.reports[-1].message


async def test_programs_and_pages(world: World) -> None:
    """Whatever is shown on any host leads to the external host, and from there back."""
    browser = browser_of(world, "any.example.test")
    answer = await browser.get("/api", headers={"Accept": "application/json"})
    assert f'"https://{AUTH}/outpost.goauthentik.io/start"'.encode() in answer.body
    for _ in range(6):
        answer = await browser.get("/a?b=c")
    assert is_page(answer, 400, "You keep being sent back")
    assert link_of(answer).endswith("rd=https%3A%2F%2Fany.example.test%2Fa%3Fb%3Dc")
    browser.host = AUTH
    again = await browser.direct(link_of(answer))
    assert location(await browser.direct(browser.callback(again))) == "https://any.example.test/a?b=c"


async def test_a_very_long_url_on_another_host(world: World) -> None:
    """It is kept on the server with its host, and looked at again when it comes back."""  # S-331
    browser = browser_of(world, "any.example.test")
    uri = "/?" + "x" * 7000
    answer = await browser.get(uri)
    assert len(location(answer)) <= 2048
    browser.host = AUTH
    assert location(await browser.direct(browser.callback(answer))) == f"https://any.example.test{uri}"


async def test_a_narrower_domain_counts_at_once(world: World) -> None:
    """A login that began when the domain was wider does not end outside the one that is in force."""
    browser = browser_of(world, "any.example.test")
    answer = await browser.get("/a")
    world.use(provider(1, AUTH))
    browser.host = AUTH
    assert location(await browser.direct(browser.callback(answer))) == f"https://{AUTH}/"


async def test_another_persons_callback(world: World) -> None:
    """On a host of the same domain as anywhere else: a login begun in one browser is not completed in another."""
    bob, mallory = browser_of(world, "a.example.test"), world.browser(MALLORY, AUTH)
    asked = await mallory.get("/", headers=NAVIGATION)
    bob.host = AUTH
    answer = await bob.direct(mallory.callback(asked))  # S-311
    assert is_page(answer, 400, "begun somewhere else")
    assert header(answer, "X-authentik-username") is None
