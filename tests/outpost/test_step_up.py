"""Paths that ask for more than the rest of an application: nobody gets there with less, and nobody goes in circles."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.outposts import ProxyProvider, StepUpRule
from outpost.world import BOB, Browser, World, header, identity, is_page, link_of, location, provider, request_of

MFA = StepUpRule("^/admin(/|$)", acr=("mfa", "phr"), amr=("mfa",))
RECENT = StepUpRule("^/settings", max_age=900.0)
BOTH = StepUpRule("^/admin(/|$)", acr=("mfa", "phr"), amr=("mfa",), max_age=900.0)
PASSKEY = StepUpRule("^/keys", acr=("phr",), amr=("user",))
FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Accept": "application/json"}


def guarded(*rules: StepUpRule, **changes: object) -> ProxyProvider:
    return provider(1, "app.example.test", step_up=rules, **changes)


class Place(World):
    """With an issuer that says of its logins what the test wants."""

    def __init__(self, *rules: StepUpRule, **changes: object) -> None:
        super().__init__(guarded(*rules, **changes))
        self.facts: dict[str, Any] = {"acr": "plain", "amr": ["pwd"]}
        self.logged_in_at = self.clock.time
        self.issuer.bend_id_token = self._say

    def _say(self, claims: dict[str, Any]) -> None:
        claims.update({"auth_time": int(self.logged_in_at), **self.facts})

    def show_factor(self, acr: str = "mfa", *methods: str) -> None:
        self.facts = {"acr": acr, "amr": ["pwd", *(methods or ("otp", "mfa"))]}
        self.logged_in_at = self.clock.time


async def arrived(browser: Browser, uri: str) -> bool:
    return (await browser.get(uri)).status == 200


async def test_a_browser_steps_up_and_comes_back_to_where_it_was() -> None:
    """The page asks for a factor; after it was shown the browser is there, and is not asked again."""
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")

    asked = await bob.get("/admin/users?page=2")

    assert request_of(asked)["acr_values"] == "mfa phr"
    assert "max_age" not in request_of(asked)
    place.show_factor()
    back = await bob.get(bob.callback(asked))
    assert location(back) == "https://app.example.test/admin/users?page=2"
    assert await arrived(bob, "/admin/users?page=2") and await arrived(bob, "/admin")


async def test_the_rest_of_the_application_asks_for_nothing() -> None:
    """Paths without a rule pass with the login as it is."""
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")

    assert await arrived(bob, "/") and await arrived(bob, "/administration")


async def test_the_session_goes_on_while_its_holder_steps_up() -> None:
    """Another tab works on meanwhile, and so does the session when the factor is never shown."""
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    await bob.get("/admin")

    assert await arrived(bob, "/mail")


async def test_the_former_session_ends_when_it_was_stepped_up() -> None:
    """What somebody may have copied before is worth nothing afterwards."""  # S-312
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    former = bob.cookie_header()
    asked = await bob.get("/admin")
    place.show_factor()
    await bob.get(bob.callback(asked))

    assert (await bob.get("/", cookie=former)).status == 302
    assert (await bob.get("/admin", cookie=former)).status == 302


async def test_a_stranger_is_asked_for_everything_at_once() -> None:
    """Who begins at such a page logs in once."""
    place = Place(BOTH)
    bob = place.browser()
    asked = await bob.get("/admin")

    assert (request_of(asked)["acr_values"], request_of(asked)["max_age"]) == ("mfa phr", "900")
    place.show_factor()
    await bob.get(bob.callback(asked))
    assert await arrived(bob, "/admin")


async def test_a_login_grows_too_old() -> None:
    """After the time has passed the very same session is asked again, to the second."""
    place = Place(BOTH)
    bob = place.browser()
    place.show_factor()
    await bob.log_in("/admin")
    place.clock.advance(900)
    assert await arrived(bob, "/admin")

    place.clock.advance(1)

    assert request_of(await bob.get("/admin"))["max_age"] == "900"
    assert await arrived(bob, "/")


@pytest.mark.parametrize("at", [None, True, "1800000000", -5, 0])
async def test_an_issuer_that_does_not_say_when(at: object) -> None:
    """A login of unknown age is too old, and the page says so instead of asking for ever."""  # S-433
    place = Place(RECENT)
    place.facts = {} if at is None else {"auth_time": at}
    place._say = lambda claims: claims.update(place.facts)  # type: ignore[method-assign]
    place.issuer.bend_id_token = place._say
    bob = place.browser()
    answer = await bob.log_in("/settings")

    assert is_page(answer, 403, "asks for a recent login")
    assert await arrived(bob, "/")


async def test_a_login_in_the_future_is_none_of_the_last_minutes() -> None:
    """A clock that is wrong by more than a minute does not keep a login fresh."""  # S-340
    place = Place(RECENT)
    place.logged_in_at = place.clock.time + 3600
    bob = place.browser()

    assert is_page(await bob.log_in("/settings"), 403, "asks for a recent login")


async def test_who_has_no_factor_is_told_what_to_do() -> None:
    """One round and no more: a page that leads to where factors are set up."""  # S-330
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    asked = await bob.get("/admin")
    answer = await bob.get(bob.callback(asked))

    assert is_page(answer, 403, "asks for a second factor")
    assert link_of(answer) == "/if/user/factors/"
    assert b"/outpost.goauthentik.io/start?rd=%2Fadmin" in answer.body
    assert place.decisions[-1].reason == "step_up"
    assert await arrived(bob, "/")


async def test_a_factor_is_not_a_passkey() -> None:
    """Phishing-resistant means what it says; a passkey is a second factor as well."""
    place = Place(PASSKEY, MFA)
    bob = place.browser()
    place.show_factor()
    await bob.log_in("/")
    assert await arrived(bob, "/admin")
    assert request_of(await bob.get("/keys"))["acr_values"] == "phr"

    place.show_factor("phr", "user")
    await bob.get(bob.callback(await bob.get("/keys")))

    assert await arrived(bob, "/keys") and await arrived(bob, "/admin")


async def test_all_rules_that_fit_must_be_satisfied() -> None:
    """The strictest of them is what the issuer is asked for."""
    place = Place(StepUpRule("^/a", acr=("mfa", "phr"), max_age=3600), StepUpRule("^/a/b", acr=("phr",), max_age=60))
    bob = place.browser()
    await bob.log_in("/")

    wanted = request_of(await bob.get("/a/b"))

    assert (wanted["acr_values"], wanted["max_age"]) == ("phr", "60")


TRICKS = [
    "/admin", "/admin/", "/%61dmin", "/%61%64%6D%69%6E/x", "//admin", "/./admin", "/x/../admin", "/x/%2e%2e/admin",
    "/admin;x=1", "/;x/admin", "/x;/../admin", "/ADMIN", "/Admin/users", "/admin./users", "/admin%20/users",
    "/%EF%BC%A1dmin/", "/admin//", "/admin/../admin", "/%c0%afadmin", "/x%ff", "/admin?x=/", "/x/./../admin",
]  # fmt: skip


@pytest.mark.parametrize("uri", TRICKS)
@pytest.mark.parametrize("dialect", ["traefik", "nginx", "envoy"])
async def test_no_spelling_gets_around_a_rule(uri: str, dialect: str) -> None:
    """However the path is written, a login without a factor does not get there."""  # S-203, S-204, S-207, S-216
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    bob.dialect = dialect

    assert (await bob.get(uri)).status in ((401, 403) if dialect == "nginx" else (302, 400))


@pytest.mark.parametrize("uri", ["/x%2fadmin", "/x%5cadmin", "/admin%3bx", "/admin%2561", "/admin%23", "/x/..;/admin"])
async def test_escapes_that_servers_read_differently(uri: str) -> None:
    """Nobody gets there, not even who has shown everything."""  # S-205, S-207
    place = Place(MFA)
    bob = place.browser()
    place.show_factor()
    await bob.log_in("/admin")

    assert (await bob.get(uri)).status == 400


async def test_a_rule_that_cannot_be_used_protects_everything() -> None:
    """Nobody can say what it was meant to guard, so it guards all of it."""  # S-212
    place = Place(StepUpRule("^(a+)+$", acr=("mfa",)))
    bob = place.browser()
    await bob.log_in("/")

    assert (await bob.get("/anything")).status == 302


async def test_what_asks_for_more_is_open_to_nobody() -> None:
    """A rule for everybody's paths opens all but what a step-up rule guards."""  # S-211
    place = Place(MFA, skip_path_regex="(?#allowMatchAll)^/")
    stranger = place.browser()

    assert (await stranger.get("/news")).status == 200
    assert (await stranger.get("/admin")).status == 302
    assert place.decisions[-1].skip_rules.endswith("opens it: (?#allowMatchAll)^/; a step-up rule shuts it again")
    assert (await stranger.get("/x/../admin")).status == 302


async def test_a_script_is_told_what_is_missing() -> None:
    """A 401 as RFC 9470 has it, with an address that steps up and no cookie."""  # S-329
    place = Place(BOTH)
    bob = place.browser()
    await bob.log_in("/")

    answer = await bob.get("/admin/api", headers=FETCH)

    said = json.loads(answer.body)
    assert answer.status == 401 and header(answer, "Set-Cookie") is None
    assert (said["error"], said["acr_values"], said["max_age"]) == ("insufficient_user_authentication", "mfa phr", 900)
    challenge = header(answer, "WWW-Authenticate") or ""
    assert challenge.startswith('Bearer realm="authentik", error="insufficient_user_authentication"')
    assert 'acr_values="mfa phr"' in challenge and 'max_age="900"' in challenge
    assert said["login_url"] == "https://app.example.test/outpost.goauthentik.io/start?step=%2Fadmin%2Fapi"


async def test_a_page_sends_its_user_to_step_up_and_gets_them_back() -> None:
    """The address from the 401, with where to come back to."""
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    url = json.loads((await bob.get("/admin/api", headers=FETCH)).body)["login_url"]

    asked = await bob.direct(url.removeprefix("https://app.example.test") + "&rd=%2Fboard")

    assert request_of(asked)["acr_values"] == "mfa phr"
    place.show_factor()
    assert location(await bob.get(bob.callback(asked))) == "https://app.example.test/board"


async def test_a_websocket_is_judged_at_its_handshake() -> None:
    """No 101 with less than the path asks for."""  # S-226
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    bob.scheme = "wss"

    assert (await bob.get("/admin/live", headers={"Upgrade": "websocket"})).status == 401
    assert (await bob.get("/live", headers={"Upgrade": "websocket"})).status == 200


async def test_nginx_and_its_start() -> None:
    """nginx sees the status, and sends the browser to ``start``, which knows what is wanted."""
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    bob.dialect = "nginx"
    refused = await bob.get("/admin/x")
    assert refused.status == 401 and header(refused, "Set-Cookie") is None

    asked = await bob.direct("/outpost.goauthentik.io/start?rd=https://app.example.test/admin/x?a=1")

    assert request_of(asked)["acr_values"] == "mfa phr"
    place.show_factor()
    assert location(await bob.direct(bob.callback(asked))) == "https://app.example.test/admin/x?a=1"
    assert await arrived(bob, "/admin/x?a=1")


async def test_start_does_not_ask_who_has_enough() -> None:
    """A live session that satisfies the page is sent straight on."""
    place = Place(MFA)
    bob = place.browser()
    place.show_factor()
    await bob.log_in("/admin")

    assert location(await bob.direct("/outpost.goauthentik.io/start?rd=/admin")) == "https://app.example.test/admin"


@pytest.mark.parametrize("machines", [False, True])
@pytest.mark.parametrize("kind", ["bearer", "basic"])
async def test_programs_never_have_a_factor(kind: str, machines: bool) -> None:
    """They are refused with a reason, unless the rule lets them off."""  # S-319
    rule = msgspec.structs.replace(MFA, machines=machines)
    place = Place(rule)
    place.show_factor()
    place.issuer.app_passwords["pass-word"] = BOB
    if kind == "bearer":
        authorization = f"Bearer {place.issuer.access_token(place.configuration.providers[0], BOB)}"
    else:
        authorization = f"Basic {b64encode(b'bob:pass-word').decode()}"
    program = place.browser()

    other = await program.get("/x", headers={"Authorization": authorization})
    answer = await program.get("/admin", headers={"Authorization": authorization})
    program.dialect = "nginx"
    by_status = await program.get("/admin", headers={"Authorization": authorization})

    assert other.status == 200
    if machines:
        assert (answer.status, by_status.status) == (200, 200)
    else:
        assert (answer.status, by_status.status) == (401, 403)
        assert json.loads(answer.body)["error"] == "insufficient_user_authentication"
        assert place.decisions[-1].reason == "step_up_program"


async def test_a_renewed_token_proves_nothing() -> None:
    """Neither does it raise what the login was worth, nor lower it, nor make it younger."""
    place = Place(BOTH, refresh_token_validity=86400.0, access_token_validity=600.0)
    place.issuer.gives_refresh_tokens = True
    bob, eve = place.browser(), place.browser()
    await eve.log_in("/")
    place.show_factor()
    await bob.log_in("/admin")
    place.facts = {}
    place.clock.advance(590)
    assert await arrived(bob, "/")
    assert await arrived(bob, "/admin")
    place.facts = {"acr": "phr", "amr": ["mfa"]}
    place.logged_in_at = place.clock.time + 590

    place.clock.advance(590)

    assert (await eve.get("/admin")).status == 302
    assert (await bob.get("/admin")).status == 302
    assert await arrived(bob, "/")


async def test_a_session_that_is_over_is_no_step_up() -> None:
    """Its absolute end holds: the login begins anew, whatever it was worth."""
    place = Place(MFA, access_token_validity=600.0)
    bob = place.browser()
    place.show_factor()
    await bob.log_in("/admin")
    place.clock.advance(601)

    assert (await bob.get("/admin")).status == 302
    assert place.decisions[-1].reason == "session_gone"


async def test_what_is_remembered_for_one_path_is_not_told_about_another() -> None:
    """Does a yes still stand? Not for a path with a rule, and not when the login has grown old."""  # S-328
    place = Place(BOTH)
    bob = place.browser()
    await bob.log_in("/")
    bob.fused = True
    yes = await bob.get("/")
    assert place.outpost.still_passes(yes, b"/other", None)
    assert not place.outpost.still_passes(yes, b"/admin", None)
    assert not place.outpost.still_passes(yes, b"/ADMIN/x", b"y")
    assert not place.outpost.still_passes(yes, b"//x", None)

    place.show_factor()
    await bob.get(bob.callback(await bob.get("/admin")))
    yes = await bob.get("/admin")

    assert place.outpost.still_passes(yes, b"/admin", None)
    place.clock.advance(901)
    assert not place.outpost.still_passes(yes, b"/admin", None)
    assert place.outpost.still_passes(yes, b"/", None)


async def test_a_new_rule_is_in_force_at_once() -> None:
    """Sessions from before have what their login said, and no yes from before is repeated."""
    place = Place()
    bob = place.browser()
    await bob.log_in("/admin")
    bob.fused = True
    yes = await bob.get("/admin")

    place.use(guarded(MFA))

    assert not place.outpost.still_passes(yes, b"/admin", None)
    assert (await bob.get("/admin")).status == 302


async def test_another_browser_cannot_finish_a_step_up() -> None:
    """What was begun with one session is finished with that one: neither a stranger nor another user can."""  # S-311
    place = Place(MFA)
    bob, mallory = place.browser(), place.browser()
    await bob.log_in("/")
    await mallory.log_in("/")
    place.show_factor()
    callback = mallory.callback(await mallory.get("/admin"))

    stranger = await place.browser().get(callback)
    other = await bob.get(callback)

    assert stranger.status == 400
    assert location(other) == "https://app.example.test/admin"  # bob's own session goes on, as it is
    assert (await bob.get("/admin")).status == 302


async def test_a_step_up_is_finished_once() -> None:
    """The same answer of the issuer again makes no second session."""  # S-310
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    before = dict(bob.cookies)
    callback = bob.callback(await bob.get("/admin"))
    place.show_factor()
    await bob.get(callback)
    bob.cookies = before

    assert (await bob.get(callback)).status >= 400


async def test_a_long_address_comes_back_whole() -> None:
    """What does not fit into the login state is kept, with what it asked for."""  # S-331
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    uri = "/admin?q=" + "x" * 3000
    asked = await bob.get(uri)

    assert len(location(asked)) <= 2048 and request_of(asked)["acr_values"] == "mfa phr"
    place.show_factor()
    assert location(await bob.get(bob.callback(asked))) == f"https://app.example.test{uri}"


async def test_rounds_are_counted() -> None:
    """A browser that does not get through stops at a page, not at the hundredth redirect."""  # S-330
    place = Place(MFA)
    bob = place.browser()
    await bob.log_in("/")
    answers = [await bob.get("/admin") for _ in range(8)]

    assert [answer.status for answer in answers[:4]] == [302] * 4
    assert is_page(answers[-1], 400, "keep being sent back")


async def test_in_a_domain_a_rule_is_about_every_host_or_one() -> None:
    """A path alone counts at all hosts; with scheme and host before it at that one."""  # S-213
    place = World(
        provider(
            1,
            "auth.example.test",
            mode="forward_domain",
            cookie_domain="example.test",
            step_up=(MFA, StepUpRule("^https://wiki.example.test/edit", acr=("mfa",))),
        )
    )
    bob = place.browser(host="wiki.example.test")
    bob.cookie_domain = "example.test"
    asked = await bob.get("/")
    bob.host = "auth.example.test"
    await bob.get(bob.callback(asked))

    async def status(host: str, uri: str) -> int:
        bob.host = host
        place.clock.advance(31)  # nobody goes round in circles here
        return (await bob.get(uri)).status

    assert await status("wiki.example.test", "/") == 200
    assert await status("wiki.example.test", "/admin") == 302
    assert await status("news.example.test", "/admin") == 302
    assert await status("WIKI.example.test:443", "/edit/x") == 302
    assert await status("news.example.test", "/edit/x") == 200
    assert await status("wiki.example.test:8443", "/edit/x") == 302
    bob.scheme = "http"
    assert await status("wiki.example.test", "/edit/x") == 302


async def test_a_refusal_says_which_rule() -> None:
    """``doorward explain`` has the rule, what it asks for, and what the login has."""
    place = Place(BOTH)
    bob = place.browser()
    await bob.log_in("/")
    place.clock.advance(7200)
    await bob.get("/admin")

    said = place.decisions[-1]
    assert said.reason == "step_up"
    assert said.detail == (
        "rule 1 (^/admin(/|$)) asks for a second factor and a login of the last 15 minutes; "
        "the login says acr plain, amr pwd, and it is 2 hours old"
    )


async def test_an_application_without_rules_is_asked_nothing() -> None:
    """Nothing is compiled, and nothing stands in the login's address."""
    place = Place()
    bob = place.browser()
    asked = await bob.get("/admin")

    assert all(each.steps is None for each in place.outpost.applications())
    assert not {"acr_values", "max_age"} & request_of(asked).keys()
    await bob.get(bob.callback(asked))
    assert identity(await bob.get("/admin"))["X-authentik-username"] == "bob"


async def test_nothing_that_a_browser_sends_counts() -> None:
    """Fields and parameters that claim a factor are nobody's word."""
    place = Place(BOTH)
    bob = place.browser()
    await bob.log_in("/")
    claim = {"X-authentik-acr": "mfa", "X-Doorward-Acr": "phr", "Sec-Fetch-Mode": "navigate"}

    assert (await bob.get("/admin?acr=mfa&auth_time=9999999999", headers=claim)).status == 302


def question(path: str, cookie: str) -> HttpQuestion:
    fields = (("X-Forwarded-Uri", path), ("X-Forwarded-Host", "app.example.test"), ("X-Forwarded-Proto", "https"))
    raw = tuple((name.encode(), value.encode()) for name, value in (*fields, ("Cookie", cookie)))
    return HttpQuestion(b"GET", b"/outpost.goauthentik.io/auth/traefik", raw, peer="", trusted=True)


async def test_a_known_session_is_judged_without_waiting() -> None:
    """No question to anybody: the answer comes in the caller's turn."""
    place = Place(MFA)
    bob = place.browser()
    place.show_factor()
    await bob.log_in("/admin")
    await bob.get("/admin")

    answer = place.outpost.answer(question("/admin", bob.cookie_header()))

    assert isinstance(answer, HttpAnswer) and answer.status == 200
