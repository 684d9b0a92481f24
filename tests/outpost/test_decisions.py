"""Every refusal leaves a record that says why, under the id that the answer carries; what passes leaves none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doorward.messages.decisions import REASONS
from doorward.messages.http import HttpAnswer
from outpost.world import NAVIGATION, World, provider


def _id(answer: HttpAnswer) -> str:
    return dict(answer.headers)[b"X-authentik-id"].decode()


async def test_a_redirect_to_the_login_is_recorded_and_a_pass_is_not(world: World) -> None:
    """The stranger's first request is explained by its missing session; the requests after the login cost nothing."""
    browser = world.browser()
    first = await browser.get("/a?secret=s3cret")
    [decision] = world.decisions
    assert (decision.id, decision.reason, decision.status, decision.cookie) == (_id(first), "no_session", 302, "none")
    assert (decision.host, decision.path, decision.asked_by) == ("app.example.test", "/a", "Traefik")
    assert decision.external_host == "https://app.example.test"
    assert "s3cret" not in repr(decision)  # I5
    await browser.log_in("/a")
    world.decisions.clear()
    assert (await browser.get("/a")).status == 200
    assert world.decisions == []


async def test_what_the_cookie_was_is_told_apart(world: World) -> None:
    """An ended session, a changed cookie and two different ones are three reasons; no cookie's value is kept."""
    browser = world.browser()
    await browser.log_in("/")
    cookie = browser.cookie_header()
    name, _, value = cookie.partition("=")
    world.store.sessions.clear()
    world.restart()
    world.decisions.clear()
    await browser.get("/", cookie=cookie)
    await browser.get("/", cookie=f"{name}=garbage")
    await browser.get("/", cookie=f"{cookie}; {name}=another")
    assert [(each.reason, each.cookie) for each in world.decisions] == [
        ("session_gone", "session"),
        ("unreadable_cookie", "unreadable"),
        ("duplicate_cookie", "two different"),
    ]
    assert len(world.decisions[0].session) == 12
    assert value not in repr(world.decisions)


async def test_a_script_finds_the_id_in_its_answer(world: World) -> None:
    """A JSON refusal carries the same id as the record."""
    answer = await world.browser().get("/api", headers={"Accept": "application/json"})
    assert json.loads(answer.body)["request_id"] == _id(answer) == world.decisions[0].id
    assert not world.decisions[0].navigation


async def test_a_page_shows_the_id_of_its_record(world: World) -> None:
    """The reference on an error page is the record's id."""
    answer = await world.browser().get("/outpost.goauthentik.io/callback?code=x&state=garbage")
    assert answer.status >= 400
    assert _id(answer) in answer.body.decode()
    assert world.decisions[-1].reason == "own_endpoint"
    assert world.decisions[-1].detail


async def test_a_host_that_is_nobodys_is_answered_with_those_that_there_are(world: World) -> None:
    """The record of an unknown host lists known ones, the answer itself does not (S-219)."""
    answer = await world.browser(host="wrong.example.test").get("/")
    [decision] = world.decisions
    assert (answer.status, decision.reason, decision.provider) == (400, "no_application", 0)
    assert "https://app.example.test" in decision.known_hosts
    assert b"https://app.example.test" not in answer.body


async def test_rules_for_open_paths_are_explained_by_their_number() -> None:
    """A refused path says which rules there were; an unusable rule says which it is."""
    world = World(provider(1, "app.example.test", skip_path_regex="^/health$\n(\n^/late$"))
    browser = world.browser()
    assert (await browser.get("/health")).status == 200
    await browser.get("/late")
    [decision] = world.decisions
    assert (decision.reason, decision.skip_rules) == ("unusable_rule", "rule 2 cannot be used: (")


async def test_a_stranger_who_asks_in_a_browsers_name_is_recorded(world: World) -> None:
    """An address that is no proxy of ours is named in the record (S-120)."""
    answer = await world.ask("/outpost.goauthentik.io/auth/traefik", NAVIGATION, peer="203.0.113.9")
    [decision] = world.decisions
    assert (answer.status, decision.reason, decision.peer, decision.trusted) == (
        403,
        "untrusted_peer",
        "203.0.113.9",
        False,
    )


async def test_what_would_steer_a_terminal_is_escaped(world: World) -> None:
    """Text from outside is cut and made printable before anybody reads it."""
    await world.ask(
        "/outpost.goauthentik.io/auth/traefik",
        {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "\x1b[31mred" + "x" * 2000, "X-Forwarded-Uri": "/"},
    )
    assert world.decisions[0].host.startswith("\\x1b[31mred")
    assert len(world.decisions[0].host) < 600


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_says_what_and_what_to_do(reason: str) -> None:
    """No reason is without a sentence for people, which stands in the manual as well."""
    why = REASONS[reason]
    assert why.what.endswith(".")
    assert why.remedy.endswith(".")
    manual = Path(__file__).parents[2] / "docs" / "how-to" / "find-out-why.md"
    assert f"| `{reason}` | {why.what} |" in manual.read_text()
