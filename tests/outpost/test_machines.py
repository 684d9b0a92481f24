"""Programs that bring an app password or an access token with every request."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode

import pytest

from doorward.messages.http import HttpAnswer
from doorward.outpost.machines import MAX_FAILURES, WINDOW
from outpost.issuer import Person
from outpost.world import (
    BOB,
    IDENTITY_NAMES,
    MALLORY,
    NAVIGATION,
    World,
    header,
    identity,
    is_page,
    provider,
    set_cookies,
)

PROGRAM = {"Accept": "application/json", "User-Agent": "Script/1"}
KEY = "an-app-password-of-bob"


def basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def challenges(answer: HttpAnswer) -> list[bytes]:
    return [value for name, value in answer.headers if name == b"WWW-Authenticate"]


async def ask(world: World, authorization: str, uri: str = "/api", **changes: str) -> HttpAnswer:
    """A program's request, from one address unless told otherwise."""
    headers = {**PROGRAM, "Authorization": authorization, "X-Forwarded-For": "192.0.2.7", **changes}
    return await world.browser().get(uri, headers=headers)


def bearer(world: World, client: int = 1, person: Person = BOB) -> str:
    clients = list(world.issuer.clients.values())
    return "Bearer " + world.issuer.access_token(clients[client - 1], person)


@pytest.fixture
def world() -> World:
    world = World()
    world.issuer.app_passwords[KEY] = BOB
    return world


@pytest.mark.parametrize("dialect", ["traefik", "caddy", "nginx", "envoy"])
async def test_t13_an_app_password(world: World, dialect: str) -> None:
    """User name and app password pass through every proxy, with everything that an application is told of a browser's
    user, and neither session nor cookie comes of it."""
    browser = world.browser()
    browser.dialect = dialect
    answer = await browser.get("/api", headers={**PROGRAM, "Authorization": basic("bob", KEY)})
    assert (answer.status, set_cookies(answer)) == (200, [])
    assert set(identity(answer)) == set(IDENTITY_NAMES)
    assert identity(answer)["X-authentik-username"] == "bob"
    assert world.store.sessions == {}
    [form] = world.issuer.exchanges
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == "profile ak_proxy openid email"


@pytest.mark.parametrize("form", ["Bearer {}", "bearer  {} ", "BEARER {}"])
async def test_t12_an_access_token(world: World, form: str) -> None:
    """A token that this provider issued passes; what the application is told comes from the issuer's answer."""
    token = bearer(world).removeprefix("Bearer ")
    world.issuer.bend_introspection = lambda said: said.update(groups=["changed"])
    answer = await ask(world, form.format(token))
    assert answer.status == 200
    assert identity(answer)["X-authentik-groups"] == "changed"
    assert identity(answer)["X-authentik-email"] == "bob@example.test"
    assert identity(answer)["X-authentik-jwt"] == token


async def test_a_token_in_basic(world: World) -> None:
    """Programs that can only do Basic send the token as the password of a user that says so."""
    token = bearer(world).removeprefix("Bearer ")
    assert identity(await ask(world, basic("goauthentik.io/token", token)))["X-authentik-username"] == "bob"


async def test_the_field_is_named_as_ours(world: World) -> None:
    """A field that was for us must not reach the application; the answer tells the proxy, asked by a call or not."""
    for fused in (False, True):
        browser = world.browser()
        browser.fused = fused
        answer = await browser.get("/", headers={**PROGRAM, "Authorization": basic("bob", KEY)})  # S-319
        assert header(answer, "X-Doorward-Consumed") == "Authorization"
        ended_by = hashlib.sha256(KEY.encode()).hexdigest() if fused else None
        assert header(answer, "X-Doorward-Session") == ended_by
    browser = world.browser()
    await browser.log_in()
    answer = await browser.get("/", headers={**NAVIGATION, "Authorization": basic("bob", "the application's own")})
    assert (answer.status, header(answer, "X-Doorward-Consumed")) == (200, None)


async def test_where_header_authentication_is_off(world: World) -> None:
    """The field is the application's: nobody is asked about it and nobody passes by it."""  # S-319
    world.use(provider(1, "app.example.test", intercept_header_auth=False))
    for authorization in (basic("bob", KEY), bearer(world)):
        answer = await ask(world, authorization)
        assert (answer.status, challenges(answer)) == (401, [])
    assert world.issuer.exchanges == []


async def test_open_paths_are_the_applications(world: World) -> None:
    """On a path that is open to everybody the field is neither looked at nor named as ours."""
    world.use(provider(1, "app.example.test", skip_path_regex="^/hook"))
    answer = await ask(world, basic("bob", KEY), "/hook/1")
    assert (answer.status, answer.headers) == (200, ())
    assert world.issuer.exchanges == []


@pytest.mark.parametrize(
    "authorization",
    [
        basic("bob", "wrong"), basic("mallory", KEY), basic("", KEY), basic("bob", ""), "Basic", "Basic !!!",
        "Basic " + b64encode(b"no colon").decode(), "Basic " + b64encode(b"\xff:\xff").decode(),
        basic("bob\n", KEY), basic("b" * 9000, KEY), "Bearer", "Bearer x", "Bearer a.b.c", "Bearer a b",
        "Bearer " + "A" * 20000, "Bearer \u00fc", basic("goauthentik.io/token", "x"), "Digest x", "Negotiate x", KEY,
    ],
)  # fmt: skip
async def test_wrong_credentials(world: World, authorization: str) -> None:
    """401 with a challenge, no redirect, no cookie; to a browser a page."""  # S-319
    answer = await ask(world, authorization)
    assert answer.status == 401
    assert b"The credentials were not accepted." in answer.body
    assert challenges(answer)[0] == b'Bearer realm="authentik"'
    assert set_cookies(answer) == []
    page = await world.browser().get("/", headers={**NAVIGATION, "Authorization": authorization})
    assert is_page(page, 401, "no redirect is performed")
    assert challenges(page) == [b'Bearer realm="authentik"']  # S-329: no password dialogue


async def test_a_basic_challenge_for_programs_only(world: World) -> None:
    """A program that tried Basic is told that Basic would do."""
    answer = await ask(world, basic("bob", "wrong"))
    assert challenges(answer)[1] == b'Basic realm="authentik", charset="UTF-8"'
    assert len(challenges(await ask(world, "Bearer x"))) == 1


async def test_nginx_gets_a_plain_refusal(world: World) -> None:
    """401 with the challenge and without the cookie of a login that nobody begins."""
    browser = world.browser()
    browser.dialect = "nginx"
    answer = await browser.get("/", headers={**NAVIGATION, "Authorization": basic("bob", "wrong")})
    assert (answer.status, set_cookies(answer), len(challenges(answer))) == (401, [], 1)


async def test_another_clients_token(world: World) -> None:
    """It is refused without a question, and where there is a question its answer must name this client."""  # S-318
    assert (await ask(world, bearer(world, client=2))).status == 401
    assert world.issuer.exchanges == []
    token = bearer(world)
    world.issuer.bend_introspection = lambda said: said.update(client_id="another", aud="another")
    assert (await ask(world, token)).status == 401


async def test_an_id_token_or_a_strange_answer(world: World) -> None:
    """An ID token says who logged in somewhere; it is no key. Nor is an answer about somebody else."""
    browser = world.browser()
    await browser.log_in()
    [session] = world.store.sessions.values()
    assert (await ask(world, f"Bearer {session.id_token}")).status == 401
    token = bearer(world)
    for key, value in (("sub", "somebody else"), ("active", "true"), ("active", 1)):
        world.issuer.bend_introspection = lambda said, key=key, value=value: said.update({key: value})  # type: ignore[misc]
        world.outpost.credentials_changed()
        assert (await ask(world, token)).status == 401


async def test_an_issuer_without_introspection(world: World) -> None:
    """Its signature is believed until the token expires; without keys as well nothing is."""
    world.use(provider(1, "app.example.test", introspection_endpoint=""))
    token = bearer(world)
    assert (await ask(world, token)).status == 200
    assert world.issuer.exchanges == []
    browser = world.browser()
    await browser.log_in()
    [session] = world.store.sessions.values()
    assert (await ask(world, f"Bearer {session.id_token}")).status == 401
    world.clock.advance(86400 + 61)
    assert (await ask(world, token)).status == 401


async def test_what_is_believed_is_believed_for_ten_seconds(world: World) -> None:
    """A thousand requests put one question; after ten seconds a revoked password is out by itself."""
    for _ in range(1000):
        assert (await ask(world, basic("bob", KEY))).status == 200
    assert len(world.issuer.exchanges) == 1
    del world.issuer.app_passwords[KEY]
    world.clock.advance(9.9)
    assert (await ask(world, basic("bob", KEY))).status == 200
    world.clock.advance(0.2)
    assert (await ask(world, basic("bob", KEY))).status == 401


@pytest.mark.parametrize("how", ["hook", "session", "configuration"])
async def test_any_change_forgets_what_was_believed(world: World, how: str) -> None:
    """A revoked token and a new password both count with the next request."""  # S-321
    token = bearer(world)
    assert (await ask(world, token)).status == 200
    assert (await ask(world, basic("bob", "new"))).status == 401
    world.issuer.access_tokens.clear()
    world.issuer.app_passwords["new"] = BOB
    if how == "hook":
        world.outpost.credentials_changed()
    elif how == "session":
        world.outpost.sessions_ended((b"somebody's",))
    else:
        world.use(*world.configuration.providers)
    assert (await ask(world, token)).status == 401
    assert (await ask(world, basic("bob", "new"))).status == 200


async def test_a_change_while_the_issuer_is_asked(world: World) -> None:
    """An answer from before the change is not believed; the issuer is asked again."""  # S-325
    world.issuer.gate = asyncio.Event()
    request = asyncio.create_task(ask(world, basic("bob", KEY)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del world.issuer.app_passwords[KEY]
    world.outpost.credentials_changed()
    world.issuer.gate.set()
    assert (await request).status == 401
    assert len(world.issuer.exchanges) == 2


async def test_many_requests_put_one_question(world: World) -> None:
    """Fifty at once wait for one answer, and the first one leaving does not fail the others."""  # S-326
    world.issuer.gate = asyncio.Event()
    requests = [asyncio.create_task(ask(world, basic("bob", KEY))) for _ in range(50)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    requests.pop(0).cancel()
    world.issuer.gate.set()
    assert {answer.status for answer in await asyncio.gather(*requests)} == {200}
    assert len(world.issuer.exchanges) == 1


async def test_what_is_believed_is_believed_for_one_place(world: World) -> None:
    """Neither another provider nor another address nor a credential cut elsewhere shares it."""  # S-328
    world.issuer.app_passwords.clear()
    token = bearer(world)
    assert (await ask(world, token)).status == 200
    other = world.browser(host="app2.example.test")
    fields = {**PROGRAM, "Authorization": token, "X-Forwarded-For": "192.0.2.7"}
    assert (await other.get("/", headers=fields)).status == 401
    asked = len(world.issuer.exchanges)
    assert (await ask(world, token, **{"X-Forwarded-For": "192.0.2.8"})).status == 200
    assert len(world.issuer.exchanges) == asked + 1
    moved = {"X-Forwarded-For": "192.0.2.7B", "Authorization": token[1:]}
    assert (await world.browser().get("/", headers={**PROGRAM, **moved})).status == 401


async def test_trying_out_is_stopped(world: World) -> None:
    """After twenty wrong ones nothing from that address is tried, right or wrong; others do not feel it."""
    for count in range(MAX_FAILURES):
        assert (await ask(world, basic("bob", f"guess {count}"))).status == 401
    answer = await ask(world, basic("bob", KEY))
    assert (answer.status, header(answer, "Retry-After"), set_cookies(answer)) == (429, "300", [])
    assert len(world.issuer.exchanges) == MAX_FAILURES
    assert set(world.issuer.askers) == {b"192.0.2.7"}
    assert (await ask(world, basic("bob", KEY), **{"X-Forwarded-For": "192.0.2.8"})).status == 200
    browser = world.browser()
    browser.dialect = "nginx"
    fields = {**PROGRAM, "Authorization": basic("bob", KEY), "X-Forwarded-For": "192.0.2.7"}
    assert (await browser.get("/", headers=fields)).status == 403
    assert (await world.browser().log_in()).status == 302
    world.clock.advance(WINDOW)
    assert (await ask(world, basic("bob", KEY))).status == 200


async def test_an_old_password_is_one_failure_in_ten_seconds(world: World) -> None:
    """A program that keeps sending it neither burdens the issuer nor shuts its neighbours out at once."""
    for _ in range(100):
        assert (await ask(world, basic("bob", "old"))).status == 401
    assert len(world.issuer.exchanges) == 1
    assert (await ask(world, basic("bob", KEY))).status == 200


@pytest.mark.parametrize("trouble", ["unreachable", "busy", "broken"])
async def test_the_issuer_does_not_answer(world: World, trouble: str) -> None:
    """503, not 401: a program that is told that its password is wrong may throw it away. Nothing is remembered."""
    if trouble == "unreachable":
        world.issuer.reachable = False
    else:
        world.issuer.status = 429 if trouble == "busy" else 502
    for dialect in ("traefik", "nginx"):
        browser = world.browser()
        browser.dialect = dialect
        answer = await browser.get("/", headers={**PROGRAM, "Authorization": basic("bob", KEY)})
        assert (answer.status, header(answer, "Retry-After")) == (503, "5")
    world.issuer.reachable, world.issuer.status = True, 0
    assert (await ask(world, basic("bob", KEY))).status == 200


async def test_a_session_comes_first(world: World) -> None:
    """Somebody who is logged in is who they are, whatever else their request carries."""
    browser = world.browser(MALLORY)
    await browser.log_in()
    answer = await browser.get("/", headers={**NAVIGATION, "Authorization": basic("bob", KEY)})
    assert identity(answer)["X-authentik-username"] == "mallory"
    world.store.sessions.clear()
    world.outpost.sessions_ended((), everything=True)
    answer = await browser.get("/", headers={**PROGRAM, "Authorization": basic("bob", KEY)})
    assert identity(answer)["X-authentik-username"] == "bob"


async def test_two_fields_are_none(world: World) -> None:
    """Two Authorization fields could be read differently by us and by the application."""
    fields = [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "app.example.test"),
        ("X-Forwarded-Uri", "/"),
        ("Authorization", basic("bob", KEY)),
        ("authorization", basic("bob", KEY)),
    ]
    assert (await world.ask("/outpost.goauthentik.io/auth/traefik", fields)).status == 302
    assert world.issuer.exchanges == []


async def test_tokens_that_do_not_fit(world: World) -> None:
    """What the token endpoint gives for an app password is verified like a browser's login."""  # S-334
    for bend in ({"aud": "other"}, {"iss": "https://evil.test/"}, {"exp": 1}, {"sub": ""}):
        world.outpost.credentials_changed()
        world.issuer.bend_id_token = lambda claims, bend=bend: claims.update(bend)  # type: ignore[misc]
        assert (await ask(world, basic("bob", KEY))).status == 401


async def test_credentials_are_never_written_down(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the log nor in a page nor in what an exception would show."""
    caplog.set_level("DEBUG")
    token = bearer(world)
    for authorization in (basic("bob", "secret-guess"), basic("bob", KEY), token, "Bearer secret-guess"):
        answer = await ask(world, authorization)
        assert b"secret-guess" not in answer.body
    assert "secret-guess" not in caplog.text
    assert KEY not in caplog.text
    assert token.removeprefix("Bearer ") not in caplog.text


async def test_a_pass_is_not_carried_on(world: World) -> None:
    """What a program passed with is looked at with every request: there is no session that would tell its end."""
    browser = world.browser()
    browser.fused = True
    answer = await browser.get("/", headers={**PROGRAM, "Authorization": basic("bob", KEY)})
    assert answer.status == 200
    assert not world.outpost.still_passes(answer, b"/", None)
