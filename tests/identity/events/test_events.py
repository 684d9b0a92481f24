"""Events: complete, harmless, and one line each in the log."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.test import RequestFactory

from doorward.identity.directory.models import User
from doorward.identity.events import actions
from doorward.identity.events.actor import Actor
from doorward.identity.events.log_lines import JsonLines
from doorward.identity.events.models import Change, Event
from doorward.identity.events.redaction import REDACTED, clean

SECRET = "correct horse"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "client_secret",
        "sealed_key",
        "key",
        "code",
        "state",
        "access_token",
        "Cookie",
        "code_verifier",
        "jwt",
    ],
)
def test_secrets_become_stars(name: str) -> None:
    """By their name, at any depth."""  # S-802
    cleaned = json.dumps(clean({"outer": [{name: SECRET}]}))

    assert SECRET not in cleaned
    assert REDACTED in cleaned


def test_what_only_sounds_secret_is_shown() -> None:
    """An administrator sees that a validity or a signing key was changed to another."""
    assert clean({"access_token_validity": "hours=2", "username": "bob"}) == {
        "access_token_validity": "hours=2",
        "username": "bob",
    }


def test_anything_becomes_json_that_can_be_stored() -> None:
    """Keys, sets, models, NUL, lone surrogates, megabytes."""  # S-620 S-808
    cleaned = clean({"id": UUID(int=1), "set": {1}, 5: "a\0b\ud800", "long": "x" * 2**20, "deep": [[[]]]})

    text = json.dumps(cleaned)
    assert "\\u0000" not in text
    assert "\\ud800" not in text
    assert len(text) < 5000


def test_an_event_knows_who_where_and_which_request(bob: User) -> None:
    """Actor, address and request id are in every event."""  # S-619
    request = RequestFactory().post("/api/v3/x/", headers={"User-Agent": "curl/8"})
    request.user = bob

    @dataclass
    class Facts:
        client_ip: str = "192.0.2.9"
        request_id: str = "0123456789abcdef"

    request.facts = Facts()  # type: ignore[attr-defined]

    event = actions.record("custom_x", "authentik.core", Actor.of(request), note="n")

    assert event.user == {"pk": bob.pk, "username": "bob", "email": "bob@example.test"}
    assert event.client_ip == "192.0.2.9"
    assert event.context["http_request"] == {
        "path": "/api/v3/x/",
        "method": "POST",
        "user_agent": "curl/8",
        "request_id": "0123456789abcdef",
    }


def test_a_rolled_back_action_has_no_event_and_no_log_line(
    transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    """What did not happen is not told."""
    from django.db import transaction

    with caplog.at_level(logging.INFO, "doorward.events"):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            actions.record("custom_x", "authentik.core", Actor.system())
            raise ZeroDivisionError
        assert not caplog.records
        actions.record("custom_y", "authentik.core", Actor.system())

    assert [record.getMessage() for record in caplog.records] == ["custom_y"]
    assert Event.objects.get().action == "custom_y"


def test_a_log_line_is_one_line() -> None:
    """Nobody's input breaks the line, steers the terminal or fills the disk."""  # S-620
    record = logging.LogRecord("doorward", logging.INFO, "", 1, "a\nb\x1b[31m\u202e%s", ("x" * 10000,), None)
    record.facts = {"action": "login\r\n"}

    line = JsonLines().format(record)

    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 5000
    assert json.loads(line)["event"].startswith("a\nb\x1b[31m\u202exxx")


def test_changes_are_numbered_in_order(db: None) -> None:
    """The log that the data plane follows only ever grows at its end."""
    actions.outposts_changed()
    actions.session_ended("ab" * 32)

    first, second = Change.objects.order_by("id")
    assert (first.kind, first.subject) == ("outposts", "")
    assert (second.kind, second.subject) == ("session-ended", "ab" * 32)
