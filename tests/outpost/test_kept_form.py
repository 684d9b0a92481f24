"""A form that meets an ended session is not lost: it waits for its sender, and for nobody else."""

from __future__ import annotations

import re
from html import unescape

import pytest

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.outpost.kept_form import MAX_BODY
from outpost.world import NAVIGATION, PREFIX, Browser, World, header, is_page, location, provider, set_cookies

BODY = b"title=M%C3%BCller+%26+S%C3%B6hne&text=%22%3E%3Cscript%3E&empty=&tag=a&tag=b"
FIELDS = [("title", "Müller & Söhne"), ("text", '"><script>'), ("empty", ""), ("tag", "a"), ("tag", "b")]
FORM = {
    **NAVIGATION,
    "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    "Sec-Fetch-Site": "same-origin",
    "Origin": "https://app.example.test",
}


@pytest.fixture
def world() -> World:
    return World(provider(1, "app.example.test", keep_posts=True))


async def post(
    browser: Browser, body: bytes = BODY, uri: str = "/save?x=1", changes: dict[str, str] | None = None
) -> HttpAnswer:
    """What a proxy asks that hands on bodies."""
    fields = {
        **FORM,
        **(changes or {}),
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": browser.host,
        "X-Forwarded-Uri": uri,
        "X-Forwarded-Method": "POST",
        "Cookie": browser.cookie_header(),
    }
    headers = tuple((name.encode(), value.encode()) for name, value in fields.items() if value)
    target = f"{PREFIX}/auth/traefik".encode()
    answer = browser.world.outpost.answer(HttpQuestion(b"GET", target, headers, body, peer="127.0.0.1"))
    done = answer if isinstance(answer, HttpAnswer) else await answer
    browser.keep(done)
    return done


async def ended(world: World) -> Browser:
    """A browser whose session has ended without its doing."""
    browser = world.browser()
    await browser.log_in()
    world.clock.advance(86401)
    return browser


def offered(page: HttpAnswer) -> tuple[str, list[tuple[str, str]]]:
    """Where the page's form would go, and with what."""
    text = page.body.decode()
    action = re.search(r'<form method="post" action="([^"]+)">', text)
    assert action is not None, text
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    return unescape(action[1]), [(unescape(name), unescape(value)) for name, value in pairs]


@pytest.mark.parametrize("direct", [False, True])
async def test_a_form_is_sent_after_the_login(world: World, direct: bool) -> None:
    """Every field as it was, to where it was meant for, by a click, under a policy that lets it go there only."""
    browser = await ended(world)
    asked = await post(browser)
    callback = browser.callback(asked)
    page = await (browser.direct(callback) if direct else browser.get(callback))
    text = page.body.decode()
    assert page.status == (200 if direct else 401)  # S-302
    assert "It has been kept and can be sent now." in text
    assert "<script" not in text
    assert offered(page) == ("https://app.example.test/save?x=1", FIELDS)
    policy = header(page, "Content-Security-Policy") or ""
    assert "form-action https://app.example.test; " in policy
    assert policy.startswith("default-src 'none'; ")
    assert len(set_cookies(page)) == 1
    assert (await browser.get("/")).status == 200
    assert world.store.urls == {}


@pytest.mark.parametrize(("keeps", "lasts"), [(True, 2 * 86400), (False, 86400)])
async def test_the_cookie_outlives_the_session_where_forms_are_kept(keeps: bool, lasts: int) -> None:
    """A browser sends it for a day longer; otherwise a session that has simply ended would be a stranger's."""
    world = World(provider(1, "app.example.test", keep_posts=keeps))
    [cookie] = set_cookies(await world.browser().log_in())
    assert f"; Max-Age={lasts}; " in cookie


async def test_nobody_else_can_read_or_send_it(world: World) -> None:
    """The store holds no word of it, and without the cookie of this login it is nothing."""
    browser = await ended(world)
    asked = await post(browser)
    [kept] = world.store.urls.values()
    assert "M%C3%BCller" not in kept
    assert "ller" not in kept
    other = world.browser()
    await other.get("/")
    assert is_page(await other.get(browser.callback(asked)), 400, "begun somewhere else")


async def test_a_damaged_one_is_dropped(world: World) -> None:
    """The login ends at the application."""
    browser = await ended(world)
    asked = await post(browser)
    [key] = world.store.urls
    world.store.urls[key] = world.store.urls[key][:-2] + "AA"
    assert location(await browser.get(browser.callback(asked))) == "https://app.example.test/"


@pytest.mark.parametrize(
    "changes",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.test"},
        {"Sec-Fetch-Site": "", "Origin": ""},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json"},
        {"Content-Type": ""},
    ],
)
async def test_what_is_not_kept(world: World, changes: dict[str, str]) -> None:
    """What another site sends, and what is no plain form, begins a login that ends at the front page."""
    browser = await ended(world)
    asked = await post(browser, changes=changes)
    assert world.store.urls == {}
    assert location(await browser.get(browser.callback(asked))) == "https://app.example.test/"


@pytest.mark.parametrize("body", [b"", b"a" * (MAX_BODY + 1), b"a&" * 1001, b"a=%ff", b"a=\xff"])
async def test_bodies_that_are_not_kept(world: World, body: bytes) -> None:
    """Too much, too many, or no text."""
    browser = await ended(world)
    await post(browser, body)
    assert world.store.urls == {}


async def test_the_largest_form_fits(world: World) -> None:
    """Up to the limit it is kept whole, and still fits what the store takes."""
    browser = await ended(world)
    asked = await post(browser, b"a=" + b"x" * (MAX_BODY - 2))
    [kept] = world.store.urls.values()
    assert len(kept) < 64 << 10
    assert offered(await browser.get(browser.callback(asked)))[1] == [("a", "x" * (MAX_BODY - 2))]


async def test_an_older_browser(world: World) -> None:
    """Without fetch metadata the origin tells where a form comes from."""
    browser = await ended(world)
    await post(browser, changes={"Sec-Fetch-Site": "", "Sec-Fetch-Mode": "", "Sec-Fetch-Dest": ""})
    assert len(world.store.urls) == 1


async def test_a_strangers_form_is_not_stored(world: World) -> None:
    """Only a browser that had a session is given room."""  # S-332
    await post(world.browser())
    begun = world.browser()
    await begun.get("/")
    await post(begun)
    assert world.store.urls == {}


async def test_off_unless_switched_on() -> None:
    """By default nothing is kept."""
    world = World(provider(1, "app.example.test"))
    await post(await ended(world))
    assert world.store.urls == {}


async def test_our_own_endpoints_are_no_destination(world: World) -> None:
    """A form to our prefix is answered as ever."""
    browser = await ended(world)
    assert (await post(browser, uri=f"{PREFIX}/sign_out")).status == 405
    assert world.store.urls == {}


async def test_a_form_on_a_host_of_a_domain() -> None:
    """It goes back to the host that it was meant for."""
    domain = {"mode": "forward_domain", "cookie_domain": "example.test", "keep_posts": True}
    world = World(provider(1, "auth.example.test", **domain))
    browser = world.browser(host="app.example.test")
    browser.cookie_domain = "example.test"
    asked = await browser.get("/")
    browser.host = "auth.example.test"
    await browser.direct(browser.callback(asked))
    world.clock.advance(86401)
    browser.host = "app.example.test"
    asked = await post(browser)
    browser.host = "auth.example.test"
    page = await browser.direct(browser.callback(asked))
    assert offered(page)[0] == "https://app.example.test/save?x=1"
    assert "form-action https://app.example.test; " in (header(page, "Content-Security-Policy") or "")
