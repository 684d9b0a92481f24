"""The issuer itself says that a login has ended."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from doorward.outpost.ports import StoreUnavailable
from doorward.outpost.standalone.ledger import Ledger
from outpost.alone import Alone
from outpost.world import header, identity

EVENT = "http://schemas.openid.net/event/backchannel-logout"
STORES = pytest.mark.parametrize("in_file", [False, True], ids=["cookies", "file"])


async def logged_in(**arguments: Any) -> tuple[Alone, Any, str]:
    world = await Alone(**arguments).learned()
    browser = world.browser()
    await browser.log_in()
    passed = await browser.get("/")
    return world, browser, world.issuer.sid_of(identity(passed)["X-authentik-jwt"])


@STORES
@pytest.mark.parametrize("names", ["sid", "sub", "both"])
async def test_the_session_ends_at_once_and_for_good(in_file: bool, names: str, tmp_path: Path) -> None:
    """Whatever the token names, what is open is cut, and a restart brings nothing back; others stay logged in."""
    world, browser, sid = await logged_in(in_file=in_file, file=tmp_path / "sessions.sqlite3")
    world.issuer.person.username = "dave"
    other = world.browser()
    await other.log_in()
    named = {"sid": {"sid": sid}, "sub": {"sub": "sub-carol"}, "both": {"sid": sid, "sub": "sub-carol"}}[names]

    answer = await world.log_out(world.issuer.logout_token(**named))

    assert answer.status == 200
    assert header(answer, "Cache-Control") == "no-store"
    assert (await browser.get("/")).status == 302
    assert (await other.get("/")).status == 200
    assert len(world.cut) == 1
    world.restart()
    await world.learned()
    assert (await browser.get("/")).status == 302
    assert (await other.get("/")).status == 200


@STORES
async def test_a_login_that_was_ended_before_it_was_completed(in_file: bool, tmp_path: Path) -> None:
    """A callback that comes after the logout makes no session."""  # S-325
    world = await Alone(in_file=in_file, file=tmp_path / "sessions.sqlite3").learned()
    world.issuer.bend = lambda claims: claims.__setitem__("sid", "the-login")
    browser = world.browser()
    callback = browser.callback(await browser.get("/"))

    assert (await world.log_out(world.issuer.logout_token(sid="the-login"))).status == 200
    answer = await browser.get(callback)

    assert answer.status == 400
    assert b"logged out meanwhile" in answer.body
    assert (await browser.get("/")).status == 302


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://id.example.test/realms/other"},
        {"aud": "somebody-else"},
        {"iat": 1_700_000_000},
        {"iat": "now"},
        {"iat": None},
        {"exp": 1_700_000_000},
        {"jti": None},
        {"events": {}},
        {"events": {EVENT: "yes"}},
        {"events": None},
        {"nonce": "n"},
        {"sid": None},
        {"sid": 7},
        {"sid": ""},
    ],
    ids=repr,
)
async def test_a_token_that_says_something_else_ends_nothing(changes: dict[str, Any]) -> None:
    """One thing wrong with it, and it is a 400."""
    world, browser, sid = await logged_in()

    answer = await world.log_out(world.issuer.logout_token(**{"sid": sid, **changes}))

    assert answer.status == 400
    assert b"invalid_request" in answer.body
    assert (await browser.get("/")).status == 200


async def test_nobody_elses_signature_and_no_second_use() -> None:
    """A token of another key is refused, and a good one is good once."""
    world, browser, sid = await logged_in()
    good = world.issuer.logout_token(sid=sid)
    forged = (await Alone().learned()).issuer.logout_token(sid=sid)

    assert (await world.log_out(forged)).status == 400
    assert (await browser.get("/")).status == 200
    assert (await world.log_out(good)).status == 200
    assert (await world.log_out(good)).status == 400


async def test_other_methods_and_forms() -> None:
    """Only a POST of one token."""  # S-339
    world, browser, sid = await logged_in()
    token = world.issuer.logout_token(sid=sid)

    assert (await world.log_out(token, method="GET")).status == 405
    assert (await world.log_out(f"{token}&logout_token=x")).status == 400
    assert (await world.log_out("x" * 70_000)).status == 400
    assert (await browser.get("/")).status == 200


async def test_an_id_token_is_no_logout_token() -> None:
    """What an application is shown of its user cannot be used to log that user out."""
    world, browser, _ = await logged_in()
    id_token = identity(await browser.get("/"))["X-authentik-jwt"]

    assert (await world.log_out(id_token)).status == 400
    assert (await browser.get("/")).status == 200


@STORES
async def test_what_could_not_be_ended_may_be_said_again(
    in_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 503 promises that another try helps; after a success the same token ends nothing more."""
    world, browser, sid = await logged_in(in_file=in_file, file=tmp_path / "sessions.sqlite3")
    token = world.issuer.logout_token(sid=sid)
    change = Ledger.change

    def full(self: Ledger, statement: str, values: Iterable[object] = ()) -> int:
        if "ending" in statement:
            raise StoreUnavailable("the disk is full")
        return change(self, statement, values)

    with monkeypatch.context() as trouble:
        trouble.setattr(Ledger, "change", full)
        assert (await world.log_out(token)).status == 503
    assert (await browser.get("/")).status == 200

    assert (await world.log_out(token)).status == 200
    assert (await browser.get("/")).status == 302
    assert (await world.log_out(token)).status == 400
