"""Coming back from the identity provider: completed once, or explained; never round in circles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from outpost.world import (
    MALLORY,
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

CALLBACK = f"{PREFIX}/callback?X-authentik-auth-callback=true"


def with_state(callback: str, state: str) -> str:
    path, _, query = callback.partition("?")
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    return f"{path}?{urlencode({**fields, 'state': state})}"


async def test_the_session_has_a_new_id(world: World) -> None:
    """The cookie from before the login is no session afterwards."""  # S-312
    browser = world.browser()
    first = await browser.get("/")
    before = browser.cookie_header()
    await browser.get(browser.callback(first))
    assert browser.cookie_header() != before
    assert (await browser.get("/")).status == 200
    assert (await browser.get("/", cookie=before)).status == 302


async def test_a_state_is_good_once(world: World) -> None:
    """A replayed callback, with the cookie that it was made for, is a page and no session."""  # S-310
    browser = world.browser()
    first = await browser.get("/a")
    before = browser.cookie_header()
    callback = browser.callback(first)
    await browser.get(callback)
    code = parse_qs(urlsplit(browser.callback(first)).query)["code"][0]
    replay = f"{CALLBACK}&code={code}&state={request_of(first)['state']}"
    answer = await browser.get(replay, cookie=before)
    assert is_page(answer, 400, "finished before")
    assert link_of(answer) == f"{PREFIX}/start?rd=%2Fa"
    assert len(world.store.sessions) == 1


@pytest.mark.parametrize(
    "bend",
    [
        lambda state: state[:-1] + ("A" if state[-1] != "A" else "B"),
        lambda state: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + state.split(".")[1] + ".",
        lambda state: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + ".".join(state.split(".")[1:]),
        lambda state: state + "=",
        lambda state: "x" * 20000,
        lambda state: "",
    ],
)
async def test_an_altered_state(world: World, bend: Callable[[str], str]) -> None:
    """A state that is not exactly ours is a page with a way to begin again."""  # S-310
    browser = world.browser()
    answer = await browser.get("/a")
    callback = browser.callback(answer)
    bent = await browser.get(with_state(callback, bend(request_of(answer)["state"])))
    assert is_page(bent, 400, "not valid")
    assert link_of(bent) == f"{PREFIX}/start"
    assert world.store.sessions == {}


async def test_another_providers_state(world: World) -> None:
    """A state of one application is nothing at another."""  # S-310
    browser, other = world.browser(), world.browser(host="app2.example.test")
    callback = browser.callback(await browser.get("/a"))
    foreign = request_of(await other.get("/a"))["state"]
    assert is_page(await browser.get(with_state(callback, foreign)), 400, "not valid")


async def test_a_slow_user(world: World) -> None:
    """After 15 minutes the login has expired; the page's link logs in and ends at the page that was wanted."""
    browser = world.browser()
    first = await browser.get("/a?b=c")
    world.clock.advance(901)
    answer = await browser.get(browser.callback(first))
    assert is_page(answer, 400, "took too long")
    again = await browser.get(link_of(answer))
    assert location(await browser.get(browser.callback(again))) == "https://app.example.test/a?b=c"


async def test_a_strangers_login_is_not_slipped_in(world: World) -> None:
    """Mallory's code and state in Bob's browser log nobody in."""  # S-311
    bob, mallory = world.browser(), world.browser(MALLORY)
    await bob.get("/")
    callback = mallory.callback(await mallory.get("/"))
    assert is_page(await bob.get(callback), 400, "begun somewhere else")
    assert world.store.sessions == {}


async def test_a_strangers_code_in_an_own_state_is_not_slipped_in(world: World) -> None:
    """A code is bound to the browser that asked for it: verifier and nonce are worked out from its cookie."""
    bob, mallory = world.browser(), world.browser(MALLORY)
    own = await bob.get("/")
    stolen = parse_qs(urlsplit(mallory.callback(await mallory.get("/"))).query)["code"][0]
    answer = await bob.get(f"{CALLBACK}&code={stolen}&state={request_of(own)['state']}")
    assert is_page(answer, 400, "did not accept the code")
    assert world.store.sessions == {}


async def test_many_tabs_end_where_they_wanted(world: World) -> None:
    """Tabs that all began a login: the first completes it, the others go on to their pages."""
    browser = world.browser()
    answers = [await browser.get(f"/tab{n}") for n in range(4)]
    callbacks = [browser.callback(answer) for answer in answers]
    ends = [location(await browser.get(callback)) for callback in callbacks]
    assert ends == [f"https://app.example.test/tab{n}" for n in range(4)]
    assert len(world.store.sessions) == 1
    assert (await browser.get("/")).status == 200


async def test_tabs_that_wake_up_with_a_dead_session(world: World) -> None:
    """All requests go out with the same dead cookie, before any answer: each tab still ends at its page."""
    browser = world.browser()
    await browser.log_in()
    dead = browser.cookie_header()
    world.clock.advance(86401)
    answers = [await browser.get(f"/tab{n}", cookie=dead) for n in range(4)]
    ends = [location(await browser.get(browser.callback(answer))) for answer in answers]
    assert ends == [f"https://app.example.test/tab{n}" for n in range(4)]


async def test_the_back_button(world: World) -> None:
    """Going back to a login that is done leads to the page and not to an error."""
    browser = world.browser()
    first = await browser.get("/a")
    callback = browser.callback(first)
    await browser.get(callback)
    assert location(await browser.get(callback)) == "https://app.example.test/a"
    assert len(world.store.sessions) == 1


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("error=access_denied&error_description=not+for+%3Cyou%3E", 403, "not for &lt;you&gt;"),
        ("error=temporarily_unavailable", 400, "temporarily_unavailable"),
        ("", 400, "neither a code nor an error"),
        ("code=", 400, "neither a code nor an error"),
        ("code=x&error=y", 400, "contradicts itself"),
        ("code=x&iss=https%3A%2F%2Fevil.test%2F", 400, "wrong place"),
        ("code=x&code=y", 400, "code is given more than once"),
    ],
)
async def test_answers_that_are_no_login(world: World, query: str, status: int, words: str) -> None:
    """An error of the identity provider is shown and nothing starts by itself."""  # S-333
    browser = world.browser()
    state = request_of(await browser.get("/"))["state"]
    answer = await browser.get(f"{CALLBACK}&{query}&state={state}")
    assert is_page(answer, status, words)
    assert header(answer, "Location") is None
    assert world.store.sessions == {}


async def test_the_issuer_may_say_who_it_is(world: World) -> None:
    """``iss`` of the right issuer is accepted (RFC 9207)."""
    browser = world.browser()
    callback = browser.callback(await browser.get("/"))
    answer = await browser.get(f"{callback}&{urlencode({'iss': provider(1, 'app.example.test').issuer})}")
    assert location(answer) == "https://app.example.test/"


BENT_ID_TOKENS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("iss", lambda claims: claims.update(iss=claims["iss"].rstrip("/"))),
    ("aud", lambda claims: claims.update(aud="somebody-else")),
    ("azp", lambda claims: claims.update(aud=[claims["aud"], "another"])),
    ("azp", lambda claims: claims.update(azp="another")),
    ("nonce", lambda claims: claims.update(nonce="another")),
    ("nonce", lambda claims: claims.pop("nonce")),
    ("exp", lambda claims: claims.pop("exp")),
    ("exp", lambda claims: claims.update(exp=True)),
    ("exp", lambda claims: claims.update(exp="1900000000")),
    ("exp", lambda claims: claims.update(exp=claims["iat"] - 61)),
    ("iat", lambda claims: claims.update(iat=claims["iat"] - 300)),
    ("iat", lambda claims: claims.update(iat=claims["iat"] + 61)),
    ("nbf", lambda claims: claims.update(nbf=claims["iat"] + 61)),
    ("at_hash", lambda claims: claims.update(at_hash="x")),
    ("sub", lambda claims: claims.update(sub=7)),
    ("sub", lambda claims: claims.update(sub="somebody else")),
    ("preferred_username", lambda claims: claims.update(preferred_username="bob\r\nX-Evil: 1")),
]


@pytest.mark.parametrize(("part", "bend"), BENT_ID_TOKENS)
async def test_an_id_token_that_is_wrong_in_one_way(
    world: World, part: str, bend: Callable[[dict[str, Any]], None]
) -> None:
    """No session, and an event that names the claim."""  # S-334, S-340
    world.issuer.bend_id_token = bend
    browser = world.browser()
    answer = await browser.log_in("/a")
    assert answer.status == 400
    assert world.store.sessions == {}
    [report] = world.store.reports
    assert part in report.message
    assert "?" not in report.url


@pytest.mark.parametrize("skew", [300, -300])
async def test_clocks_that_differ(world: World, skew: float) -> None:
    """Five minutes apart is said plainly and does not loop; half a minute is nothing."""  # S-340
    browser = world.browser()
    callback = browser.callback(await browser.get("/"))
    world.issuer._now = lambda: world.clock() + skew
    assert is_page(await browser.get(callback), 400, "clocks do not agree")
    assert "clock.skew" in world.store.reports[0].message
    world.issuer._now = lambda: world.clock() + skew / 10
    assert (await browser.log_in()).status == 302


async def test_an_access_token_for_somebody_else(world: World) -> None:
    """X-authentik-jwt is for this very client or there is no login."""  # S-335
    world.issuer.bend_access_token = lambda claims: claims.update(aud="somebody-else")
    browser = world.browser()
    assert (await browser.log_in()).status == 400
    assert world.store.sessions == {}


async def test_the_session_ends_with_the_access_token(world: World) -> None:
    """A session lives no longer than the token that it hands out."""  # S-335
    world.issuer.bend_access_token = lambda claims: claims.update(exp=claims["iat"] + 600)
    browser = world.browser()
    answer = await browser.log_in()
    assert "; Max-Age=600; " in set_cookies(answer)[0]
    world.clock.advance(599)
    assert (await browser.get("/")).status == 200
    world.clock.advance(1)
    assert (await browser.get("/")).status == 302


async def test_the_identity_provider_is_away(world: World) -> None:
    """An unreachable token endpoint is a page with a way to try again."""
    browser = world.browser()
    callback = browser.callback(await browser.get("/a"))
    world.issuer.reachable = False
    answer = await browser.get(callback)
    assert is_page(answer, 503, "does not answer")
    world.issuer.reachable = True
    again = await browser.get(link_of(answer))
    assert location(await browser.get(browser.callback(again))) == "https://app.example.test/a"


async def test_a_login_that_has_ended_meanwhile(world: World) -> None:
    """A callback that completes after the logout makes no session."""  # S-325
    browser = world.browser()
    callback = browser.callback(await browser.get("/a"))
    world.store.gone_logins.add(browser.person.sub)
    assert is_page(await browser.get(callback), 400, "logged out meanwhile")
    assert world.store.sessions == {}


async def test_a_very_long_url_comes_back_whole(world: World) -> None:
    """Seven kilobytes of URL stay here; the redirect to the identity provider stays short."""  # S-331
    browser = world.browser()
    long = "/search?q=" + "x" * 7000
    answer = await browser.get(long)
    assert len(location(answer)) <= 2048
    assert location(await browser.get(browser.callback(answer))) == f"https://app.example.test{long}"


@pytest.mark.parametrize("length", [800, 1000, 1100, 1200, 1500])
async def test_the_redirect_is_never_long(world: World, length: int) -> None:
    """Around the border too."""  # S-331
    browser = world.browser()
    answer = await browser.get("/" + "x" * length)
    assert len(location(answer)) <= 2048
    assert location(await browser.get(browser.callback(answer))) == "https://app.example.test/" + "x" * length


async def test_letters_from_everywhere_come_back(world: World) -> None:
    """A path in UTF-8 is escaped and otherwise unchanged."""
    browser = world.browser()
    assert location(await browser.log_in("/grüße?q=ü")) == "https://app.example.test/gr%C3%BC%C3%9Fe?q=%C3%BC"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT"])
async def test_only_get_completes_a_login(world: World, method: str) -> None:
    """Other methods do nothing."""  # S-339
    browser = world.browser()
    callback = browser.callback(await browser.get("/"))
    answer = await browser.get(callback, method=method)
    assert (answer.status, header(answer, "Allow")) == (405, "GET")
    assert world.store.sessions == {}
    assert (await browser.get(callback)).status == 302


async def test_the_callback_signature_on_any_path(world: World) -> None:
    """With a state of this browser it completes the login, else the request is judged like any other."""  # S-230
    browser = world.browser()
    own = browser.callback(await browser.get("/a")).replace(f"{PREFIX}/callback", "/")
    foreign = "/page?X-authentik-auth-callback=true&code=x&state=y"
    assert request_of(await browser.get(foreign))
    assert location(await browser.get(own)) == "https://app.example.test/a"
    assert identity(await browser.get(foreign))["X-authentik-username"] == "bob"


async def test_the_form_of_the_exchange(world: World) -> None:
    """Client authentication in the body, the redirect URI repeated, and the verifier never seen before."""
    browser: Browser = world.browser()
    first = await browser.get("/")
    await browser.get(browser.callback(first))
    [form] = world.issuer.exchanges
    assert set(form) == {"grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"}
    assert form["redirect_uri"] == "https://app.example.test" + CALLBACK
    assert len(form["code_verifier"]) == 43
    assert form["code_verifier"] not in location(first)
