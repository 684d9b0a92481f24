"""What the application is told, and what it can never be told."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from doorward.tokens.issuer_keys import IssuerKeys, PublicKey
from outpost.issuer import Person
from outpost.world import World, header, identity, provider


async def told(world: World, person: Person) -> dict[str, str]:
    browser = world.browser(person)
    await browser.log_in()
    answer = await browser.get("/")
    assert answer.status == 200
    return {name.decode(): value.decode() for name, value in answer.headers}


async def with_additional(world: World, additional: Any) -> dict[str, str]:
    return await told(world, Person(attributes={"additionalHeaders": additional}))


async def test_the_twelve(world: World) -> None:
    """Every field with what the contract says, in UTF-8, empty when there is nothing."""  # S-116
    fields = await told(world, Person("zoe", "Zoë  Ω", "zoe@example.test", ("a", "b c")))
    [session] = world.store.sessions.values()
    assert fields == {
        "X-authentik-username": "zoe",
        "X-authentik-groups": "a|b c",
        "X-authentik-entitlements": "",
        "X-authentik-email": "zoe@example.test",
        "X-authentik-name": "Zoë  Ω",
        "X-authentik-uid": session.claims.sub,
        "X-authentik-jwt": session.access_token,
        "X-authentik-meta-jwks": "https://auth.example.test/application/o/app-example-test/jwks/",
        "X-authentik-meta-outpost": "authentik Embedded Outpost",
        "X-authentik-meta-provider": "Provider 1",
        "X-authentik-meta-app": "app-example-test",
        "X-authentik-meta-version": "goauthentik.io/outpost/0.1.0",
        "User-Agent": "Browser/1.0",
    }


async def test_a_group_with_a_pipe_is_left_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It could pass for two groups."""  # S-114, T15
    fields = await told(world, Person(groups=("a", "x|akadmins", "b c")))
    assert fields["X-authentik-groups"] == "a|b c"
    assert "not sent" in caplog.text


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: 1", "a\tb", "a\x00", "a\x7f", "a\x85b"])
async def test_control_characters_never_leave(world: World, bad: str) -> None:
    """A name with a control character is sent empty; U+2028 and other text is just text."""  # S-113
    fields = await told(world, Person(name=bad, groups=("ok", bad)))
    assert (fields["X-authentik-name"], fields["X-authentik-groups"]) == ("", "ok")
    assert (await told(world, Person(name="a\u2028b")))["X-authentik-name"] == "a\u2028b"


@pytest.mark.parametrize(
    "name",
    [
        "X-authentik-groups", "x_authentik_username", "X.Authentik.Jwt", "Host", "Connection", "Content-Length",
        "Transfer-Encoding", "Cookie", "Set-Cookie", "X-Forwarded-For", "X-Forwarded-Anything", "Forwarded",
        "X-Real-Ip", "X-Original-URL", "X-Doorward-Session", "Upgrade", "TE", "Bad Name", "Bad:Name", "", "Ümlaut",
        "A\r\nB", "Sec-WebSocket-Accept", "Location", "User-Agent", "Proxy", "X-Rewrite-URL", "CF-Connecting-IP",
        "X-HTTP-Method-Override", "HTTP2-Settings", "Keep-Alive", "Proxy-Authorization", "Trailer",
    ],
)  # fmt: skip
async def test_additional_headers_that_are_refused(world: World, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that identifies, frames or routes can be set by a user's attributes; it is said in the log."""  # S-115
    caplog.set_level(logging.WARNING)
    fields = await with_additional(world, {name: "evil", "X-Team": "blue"})
    assert "evil" not in fields.values()
    assert fields["X-Team"] == "blue"
    assert "is refused" in caplog.text


async def test_additional_headers_as_text(world: World) -> None:
    """Numbers and truth values as text, everything else empty, and never a line break."""
    fields = await with_additional(
        world,
        {"S": "text", "I": 7, "F": 1.5, "W": 3.0, "B": True, "L": [1], "N": None, "C": "a\nb", "Authorization": "x"},
    )
    assert {name: fields[name] for name in "SIFWBLN"} == {
        "S": "text", "I": "7", "F": "1.5", "W": "3", "B": "true", "L": "", "N": "",
    }  # fmt: skip
    assert "C" not in fields
    assert fields["Authorization"] == "x"


@pytest.mark.parametrize("additional", ["text", ["list"], 7, None])
async def test_additional_headers_that_are_none(world: World, additional: Any) -> None:
    """Something that is no object is nothing."""
    assert len(await with_additional(world, additional)) == 13


async def test_basic_credentials(world: World) -> None:
    """The application's own password, out of the user's attributes; without a password there is no field."""
    world.use(
        provider(
            1,
            "app.example.test",
            basic_auth_enabled=True,
            basic_auth_user_attribute="app_user",
            basic_auth_password_attribute="app_password",
        )
    )
    both = await told(world, Person(attributes={"app_user": "u", "app_password": "p"}))
    assert both["Authorization"] == "Basic dTpw"
    mail = await told(world, Person(attributes={"app_password": "p"}))
    assert mail["Authorization"] == "Basic Ym9iQGV4YW1wbGUudGVzdDpw"
    assert "Authorization" not in await told(world, Person(attributes={"app_user": "u"}))
    numbers = await told(world, Person(attributes={"app_user": 7, "app_password": 7}))
    assert "Authorization" not in numbers


@pytest.mark.parametrize(("user", "password"), [("a:b", "p"), ("a\nb", "p"), ("u", "p\r\n"), ("u", "p\x00")])
async def test_basic_credentials_that_could_be_split_elsewhere(world: World, user: str, password: str) -> None:
    """They are not sent: the application would read another user or another line."""
    fields = {"basic_auth_user_attribute": "u", "basic_auth_password_attribute": "p"}
    world.use(provider(1, "app.example.test", basic_auth_enabled=True, **fields))
    assert "Authorization" not in await told(world, Person(attributes={"u": user, "p": password}))


async def test_the_token_can_be_verified(world: World) -> None:
    """``X-authentik-jwt`` is signed by the published key, for this client, and ends with the session."""  # S-335
    browser = world.browser()
    await browser.log_in()
    token = header(await browser.get("/"), "X-authentik-jwt")
    assert token is not None
    [key] = world.issuer.public_keys
    claims = IssuerKeys((PublicKey(key.kid, key.alg, key.jwk),)).verify(token).claims
    [session] = world.store.sessions.values()
    assert claims["aud"].startswith("client-1-")
    assert claims["exp"] <= session.expires
    world.use(provider(1, "app.example.test", skip_path_regex="^/open$"))
    assert identity(await world.browser().get("/open")) == {}
