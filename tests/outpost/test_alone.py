"""An outpost on its own, with an issuer that knows nothing of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from doorward.messages.outposts import Admission, ClaimHeader, ForeignIssuer, RequiredClaim
from outpost.alone import KEY, OLD_KEY, Alone, application
from outpost.world import header, identity, is_page, location, set_cookies
from peers.openid_provider import Person

STORES = pytest.mark.parametrize("in_file", [False, True], ids=["cookies", "file"])


async def alone(tmp_path: Path | None = None, **arguments: object) -> Alone:
    file = tmp_path / "sessions.sqlite3" if tmp_path is not None else None
    return await Alone(file=file, **arguments).learned()  # type: ignore[arg-type]


@STORES
@pytest.mark.parametrize("shape", ["plain", "authentik"])
async def test_a_login_and_what_the_application_is_told(in_file: bool, shape: str, tmp_path: Path) -> None:
    """One comes back to the wanted page, and every request says who it is; with authentik's shapes as with others'."""
    world = await alone(tmp_path, in_file=in_file, as_authentik=shape == "authentik")
    browser = world.browser()

    back = await browser.log_in("/wanted?a=b")
    passed = await browser.get("/wanted?a=b")

    assert location(back) == "https://wiki.example.test/wanted?a=b"
    assert passed.status == 200
    told = identity(passed)
    assert told["X-authentik-username"] == "carol"
    assert told["X-authentik-groups"] == "staff"
    assert told["X-authentik-email"] == "carol@example.com"
    assert told["X-authentik-uid"] == "sub-carol"
    assert world.issuer.sid_of(told["X-authentik-jwt"]).startswith("sid-")
    # Who everybody is stands in the ID token at authentik, and is asked for elsewhere.
    assert (world.issuer.paths()["userinfo_endpoint"] in world.issuer.asked) == (shape == "plain")


@STORES
async def test_a_session_survives_a_restart(in_file: bool, tmp_path: Path) -> None:
    """The cookies or the file hold it; the issuer need not even be there."""  # S-336
    world = await alone(tmp_path, in_file=in_file)
    browser = world.browser()
    await browser.log_in()

    world.restart()
    world.issuer.away = True

    assert (await browser.get("/")).status == 200


async def test_a_login_while_the_issuer_was_never_reached() -> None:
    """Nobody can be sent anywhere: a page says so, and the next attempt works once it answers."""
    world = Alone()
    world.issuer.away = True
    assert not await world.known.learn()

    refused = await world.browser().get("/")
    world.issuer.away = False
    await world.learned()
    sent = await world.browser().get("/")

    assert is_page(refused, 503, "does not answer")
    assert location(sent).startswith("https://id.example.test/realms/main/auth?")


async def test_the_sealed_session_is_of_no_use_elsewhere() -> None:
    """Changed, cut, doubled, without the cookie that it belongs to, under another key: a stranger, never an error."""
    # S-301, S-313, S-317
    world = await alone()
    browser = world.browser()
    await browser.log_in()
    ticket = next(name for name in browser.cookies if "_" not in name.removeprefix("authentik_proxy_"))
    part = f"{ticket}_0"
    good = dict(browser.cookies)
    flipped = good[part][:50] + ("A" if good[part][50] != "A" else "B") + good[part][51:]

    for cookies in (
        {**good, part: flipped},
        {**good, part: good[part][:-8]},
        {**good, part: ""},
        {**good, part: "%00"},
        {ticket: good[ticket]},
        {part: good[part]},
        {**good, ticket: ("B" if good[ticket][0] == "A" else "A") + good[ticket][1:]},
    ):
        world.restart()
        await world.learned()
        browser.cookies = dict(cookies)
        assert (await browser.get("/")).status == 302, cookies
    world.secrets = ("x" * 40,)
    world.restart()
    browser.cookies = dict(good)
    assert (await browser.get("/")).status in (302, 503)


async def test_another_persons_sealed_session_does_not_fit_ones_own_ticket() -> None:
    """The sealed session names the cookie that it was given with."""
    world = await alone()
    carol, mallory = world.browser(), world.browser()
    await carol.log_in()
    world.issuer.person = Person("mallory", "mallory@evil.test", [])
    await mallory.log_in()
    world.restart()
    await world.learned()
    ticket = next(name for name in carol.cookies if name.count("_") == 2)

    mixed = world.browser()
    mixed.cookies = {**carol.cookies, ticket: mallory.cookies[ticket]}

    assert (await mixed.get("/")).status == 302


async def test_a_new_secret_beside_the_old_one() -> None:
    """After a change of the secret, what the old one has sealed is good while the configuration lists it."""
    old = application(cookie_secret=OLD_KEY)
    world = await alone(secrets=(OLD_KEY,), provider=old)
    browser = world.browser()
    await browser.log_in()

    foreign = ForeignIssuer(older_cookie_secrets=(OLD_KEY,))
    world.secrets, world.provider = (KEY, OLD_KEY), application(cookie_secret=KEY, foreign=foreign)
    world.restart()
    both = await browser.get("/")
    world.secrets, world.provider = (KEY,), application(cookie_secret=KEY)
    world.restart()
    await world.learned()
    only_new = await browser.get("/")

    assert both.status == 200
    assert only_new.status == 302


@STORES
async def test_a_change_of_who_may_enter_is_in_force_for_everybody(in_file: bool, tmp_path: Path) -> None:
    """Sessions from before are none any more: their people log in again, and are judged by the new rules."""
    world = await alone(tmp_path, in_file=in_file)
    browser = world.browser()
    await browser.log_in()

    world.restart()
    await world.learned()
    world.admit(Admission(groups=("admins",)))
    stranger = await browser.get("/")
    refused = await browser.get(browser.callback(stranger))

    assert is_page(refused, 403, "You may not open Wiki")
    assert (await browser.get("/")).status == 302


@pytest.mark.parametrize(
    ("admission", "person", "says"),
    [
        (Admission(groups=("staff", "admins")), Person(), ""),
        (Admission(groups=("admins",)), Person(), "you are in none of them"),
        (Admission(groups=("admins",)), Person(groups=[]), "names no group"),
        (Admission(email_domains=("example.com",)), Person(), ""),
        (Admission(email_domains=("example.com",)), Person(email="carol@EXAMPLE.com"), ""),
        (Admission(email_domains=("example.com",)), Person(email="carol@evil-example.com"), "is not among those"),
        (Admission(email_domains=("example.com",)), Person(email="carol@a.example.com"), "is not among those"),
        (Admission(email_domains=(".example.com",)), Person(email="carol@a.example.com"), ""),
        (Admission(email_domains=("example.com",)), Person(email="example.com"), "says no e-mail address"),
        (Admission(email_domains=("example.com",)), Person(email="a@evil.test@example.com"), ""),
        (Admission(emails=("carol@example.com",), email_domains=("other.test",)), Person(), ""),
        (Admission(emails=("dave@example.com",)), Person(), "is not among those"),
        (Admission(emails=("carol@example.com",)), Person(more={"email_verified": False}), "has verified"),
        (Admission(emails=("carol@example.com",)), Person(more={"email_verified": None}), "has verified"),
        (
            Admission(emails=("carol@example.com",), unverified_email=True),
            Person(more={"email_verified": False}),
            "",
        ),
        (Admission(claims=(RequiredClaim("level", ("3", "4")),)), Person(more={"level": 3}), ""),
        (Admission(claims=(RequiredClaim("a.b", ("x",)),)), Person(more={"a": {"b": ["y", "x"]}}), ""),
        (Admission(claims=(RequiredClaim("a.b", ("x",)),)), Person(more={"a": {"b": {"x": 1}}}), "what is required"),
    ],
)
async def test_who_may_enter(admission: Admission, person: Person, says: str) -> None:
    """Groups, addresses, domains by whole names, claims; what is not said is not believed."""
    world = await alone(foreign=ForeignIssuer(admission=admission))
    world.issuer.person = person
    browser = world.browser()

    answer = await browser.log_in()

    if says:
        assert is_page(answer, 403, says)
        assert (await browser.get("/")).status == 302
    else:
        assert (await browser.get("/")).status == 200


async def test_claims_become_header_fields() -> None:
    """Each field that the configuration names is there, empty when the issuer says nothing, so that it replaces the
    client's; a list is joined, and an entry that holds the separator is left out."""  # S-110, S-114
    rules = (
        ClaimHeader("X-Auth-Request-User", "sub"),
        ClaimHeader("X-Auth-Request-Groups", "@groups"),
        ClaimHeader("X-Department", "department"),
        ClaimHeader("X-City", "address.locality"),
        ClaimHeader("Authorization", "@id_token", "Bearer "),
        ClaimHeader("X-Forwarded-Access-Token", "@access_token"),
    )
    foreign = ForeignIssuer(headers=rules, authentik_headers=False, keep_access_token=True)
    world = await alone(foreign=foreign)
    world.issuer.person = Person(groups=["staff", "a,b"], more={"address": {"locality": "Köln"}})
    browser = world.browser()
    await browser.log_in()

    passed = await browser.get("/")

    assert identity(passed) == {}
    assert header(passed, "X-Auth-Request-User") == "sub-carol"
    assert header(passed, "X-Auth-Request-Groups") == "staff"
    assert header(passed, "X-Department") == ""
    assert header(passed, "X-City") == "Köln"
    assert (header(passed, "Authorization") or "").startswith("Bearer ey")
    assert len(header(passed, "X-Forwarded-Access-Token") or "") == 32


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("iss", "https://id.example.test/realms/other", "iss"),
        ("aud", ["somebody-else"], "aud"),
        ("azp", "somebody-else", "azp"),
        ("nonce", "another", "nonce"),
        ("exp", 1_800_000_000 - 3600, "exp"),
        ("at_hash", "AAAAAAAAAAAAAAAAAAAAAA", "at_hash"),
        ("sub", 7, "sub"),
    ],
)
async def test_an_id_token_that_does_not_fit_makes_no_session(name: str, value: object, part: str) -> None:
    """A page names the claim, and nobody is logged in."""  # S-334
    world = await alone(as_authentik=True)
    world.issuer.bend = lambda claims: claims.__setitem__(name, value)
    browser = world.browser()

    answer = await browser.log_in()

    words = "clocks do not agree" if part == "exp" else f"({part})"
    assert is_page(answer, 400, words)
    assert (await browser.get("/")).status == 302


async def test_a_key_that_came_after_the_start_is_fetched_once() -> None:
    """A token signed with a new key makes us look at the issuer's keys; an invented key only every half minute."""
    # S-334
    world = await alone()
    world.clock.advance(60)
    world.issuer.new_key("second")
    certs = world.issuer.paths()["jwks_uri"]
    looks = world.issuer.asked.count(certs)

    browser = world.browser()
    await browser.log_in()
    assert (await browser.get("/")).status == 200
    assert world.issuer.asked.count(certs) == looks + 1

    world.issuer.new_key("third")
    refused = [await world.browser().log_in() for _ in range(3)]
    assert all(is_page(answer, 400, "(kid)") for answer in refused)
    assert world.issuer.asked.count(certs) == looks + 1


@STORES
async def test_a_session_is_renewed_before_its_token_ends(in_file: bool, tmp_path: Path) -> None:
    """One request uses the refresh token, once; who the person is by then is what the application is told; with cookies
    the browser is given the new session, and it survives a restart."""  # S-326
    world = await alone(tmp_path, in_file=in_file)
    browser = world.browser()
    await browser.log_in()
    world.issuer.person.groups.append("admins")
    token = world.issuer.paths()["token_endpoint"]
    before = world.issuer.asked.count(token)

    world.clock.advance(299)
    together = await asyncio.gather(*(browser.get("/") for _ in range(20)))
    assert {answer.status for answer in together} == {200}
    await asyncio.sleep(0)
    world.clock.advance(2)
    passed = await browser.get("/")

    assert passed.status == 200
    assert world.issuer.asked.count(token) == before + 1
    assert identity(passed)["X-authentik-groups"] == "staff|admins"
    world.restart()
    assert identity(await browser.get("/"))["X-authentik-groups"] == "staff|admins"


async def test_without_a_refresh_token_a_session_ends_with_its_token() -> None:
    """Unless the configuration says that it may outlive it; then it lives as long as sessions do."""
    for outlives, status in ((False, 302), (True, 200)):
        world = await alone(foreign=ForeignIssuer(outlives_tokens=outlives))
        world.issuer.gives_refresh_tokens = False
        browser = world.browser()
        await browser.log_in()
        world.clock.advance(400)
        assert (await browser.get("/")).status == status
        world.clock.advance(90_000)
        assert (await browser.get("/")).status == 302


async def test_a_refresh_that_admits_no_longer_ends_the_session() -> None:
    """Who has left the group is out at the next renewal, although their token would still be good."""  # S-321
    world = await alone(foreign=ForeignIssuer(admission=Admission(groups=("staff",))))
    browser = world.browser()
    await browser.log_in()
    world.issuer.person.groups.remove("staff")

    world.clock.advance(280)
    await browser.get("/")
    await asyncio.sleep(0)

    assert (await browser.get("/")).status == 302


@STORES
async def test_sign_out_ends_the_session_everywhere(in_file: bool, tmp_path: Path) -> None:
    """The session first, the login at the issuer then; the old cookies are worth nothing, after a restart neither."""
    # S-323
    world = await alone(tmp_path, in_file=in_file)
    browser = world.browser()
    await browser.log_in()
    kept = dict(browser.cookies)

    gone = await browser.direct("/outpost.goauthentik.io/sign_out")
    browser.cookies, left = dict(kept), browser.cookies
    again = await browser.get("/")
    world.restart()
    await world.learned()
    after = await browser.get("/")

    assert location(gone).startswith("https://id.example.test/realms/main/logout?id_token_hint=ey")
    assert "client_id=outpost-client" in location(gone)
    assert left == {}
    assert (again.status, after.status) == (302, 302)
    assert world.cut


async def test_signing_out_where_the_issuer_has_no_such_place() -> None:
    """Then the session here ends, and a page says so."""
    world = Alone()
    world.issuer.document = {"end_session_endpoint": ""}
    await world.learned()
    browser = world.browser()
    await browser.log_in()

    page = await browser.direct("/outpost.goauthentik.io/sign_out")

    assert is_page(page, 200, "You are signed out")
    assert (await browser.get("/")).status == 302


async def test_a_session_that_is_too_large_for_cookies_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of groups do not fit: nobody is let in by halves, and the log says what to do."""
    world = await alone()
    world.issuer.person = Person(groups=[f"group-with-a-long-name-{number}" for number in range(900)])

    answer = await world.browser().log_in()

    assert answer.status == 503
    assert "session.store: file" in caplog.text


async def test_cookies_of_one_login_fit_into_what_browsers_take() -> None:
    """Many groups make several cookies, each small enough; fewer later take the others away."""
    world = await alone()
    world.issuer.person = Person(groups=[f"group-{number}" for number in range(500)])
    browser = world.browser()
    await browser.log_in()
    assert len(browser.cookies) > 2

    world.issuer.person = Person()
    browser.cookies.pop(next(name for name in browser.cookies if name.count("_") == 2))
    await browser.log_in()

    assert len(browser.cookies) == 2
    assert (await browser.get("/")).status == 200


async def test_a_state_is_good_once_and_for_its_browser_only() -> None:
    """A callback that is used again, or brought by another browser, makes no session."""  # S-310, S-311
    world = await alone()
    carol, mallory = world.browser(), world.browser()
    callback = carol.callback(await carol.get("/"))

    other = await mallory.get(callback)
    before = dict(carol.cookies)
    first = await carol.get(callback)
    carol.cookies = before
    second = await carol.get(callback)

    assert is_page(other, 400, "begun somewhere else")
    assert first.status == 302
    assert second.status == 400


async def test_an_answer_without_the_issuers_name_where_it_promises_one() -> None:
    """RFC 9207: an issuer that says it names itself in its answers must do so."""  # S-333
    world = await alone(foreign=ForeignIssuer(answers_with_issuer=True))
    browser = world.browser()
    callback = browser.callback(await browser.get("/"))

    without = await browser.get(callback.partition("&iss=")[0])

    assert is_page(without, 400, "wrong place")


async def test_the_callback_of_a_former_proxy() -> None:
    """A redirect URI that is registered at the issuer can stay: its path is answered like our own."""
    foreign = ForeignIssuer(redirect_uri="https://wiki.example.test/oauth2/callback")
    world = await alone(foreign=foreign)
    browser = world.browser()
    sent = await browser.get("/x")
    callback = browser.callback(sent)

    assert callback.startswith("/oauth2/callback?code=")
    assert location(await browser.get(callback)) == "https://wiki.example.test/x"
    assert (await browser.get("/x")).status == 200


async def test_api_paths_are_answered_with_a_status() -> None:
    """Even a browser that opens such a path is not sent to log in."""
    world = await alone(foreign=ForeignIssuer(api_paths="^/api/"))

    assert (await world.browser().get("/api/x")).status == 401
    assert (await world.browser().get("/x")).status == 302


async def test_programs_with_tokens_of_the_issuer() -> None:
    """Only where the configuration wants it, only tokens for this client, and by the same rules as everybody."""
    # S-318, S-319
    provider = application(foreign=ForeignIssuer(admission=Admission(groups=("staff",))))
    world = await Alone(provider=provider, as_authentik=True).learned()
    browser = world.browser()
    await browser.log_in()
    token = identity(await browser.get("/"))["X-authentik-jwt"]
    assert (await world.browser().get("/", Authorization=f"Bearer {token}")).status == 302

    world = await Alone(
        provider=msgspec.structs.replace(provider, intercept_header_auth=True), as_authentik=True
    ).learned()
    now = int(world.clock())
    claims = {"iss": world.issuer.issuer, "aud": "outpost-client", "sub": "robot", "iat": now, "exp": now + 60}
    good = world.issuer.sign({**claims, "preferred_username": "robot", "groups": ["staff"]})
    other = world.issuer.sign({**claims, "aud": "other", "preferred_username": "robot", "groups": ["staff"]})
    outside = world.issuer.sign({**claims, "preferred_username": "robot", "groups": []})

    assert identity(await world.browser().get("/", Authorization=f"Bearer {good}"))["X-authentik-username"] == "robot"
    assert (await world.browser().get("/", Authorization=f"Bearer {other}")).status == 401
    assert (await world.browser().get("/", Authorization=f"Bearer {outside}")).status == 401
    assert (await world.browser().get("/", Authorization="Basic cm9ib3Q6eA==")).status == 401


async def test_one_cookie_on_a_refusal_for_nginx() -> None:
    """nginx can pass one on."""
    world = await alone()
    browser = world.browser()

    refused = await browser.get("/", "nginx", **{"X-Original-URL": "https://wiki.example.test/"})

    assert refused.status == 401
    assert len(set_cookies(refused)) == 1


async def test_a_whole_domain_with_one_login() -> None:
    """Every host under it has the login, ticket and sealed session alike; a look-alike host is nobody's."""
    # S-308, S-341
    provider = application(
        mode="forward_domain", cookie_domain="example.test", external_host="https://login.example.test"
    )
    world = await alone(provider=provider)
    browser = world.browser()
    browser.login_host = "login.example.test"

    back = await browser.log_in("/wanted")
    other = await browser.get("/", host="blog.example.test")
    foreign = await browser.get("/", host="evilexample.test")

    assert location(back) == "https://wiki.example.test/wanted"
    assert all("; Domain=example.test" in line for line in set_cookies(back))
    assert len(set_cookies(back)) == 2
    assert identity(other)["X-authentik-username"] == "carol"
    assert foreign.status == 400


async def test_a_remembered_pass_is_no_way_around_a_callback_of_ones_own() -> None:
    """Another tab's login is completed by the outpost, whoever is logged in: its code is not the application's."""
    foreign = ForeignIssuer(redirect_uri="https://wiki.example.test/oauth2/callback")
    world = await Alone(foreign=foreign).learned()
    browser = world.browser()
    await browser.log_in()
    passed = await browser.get("/")

    assert world.answering.still_passes(passed, b"/another/page", b"code=1&state=2")
    assert not world.answering.still_passes(passed, b"/oauth2/callback", b"code=1&state=2")
