"""The session and its user, as pages see them."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import SessionStore

pytestmark = pytest.mark.django_db
PAGE = "/if/flow/default-authentication-flow/"


def client() -> Client:
    return Client(raise_request_exception=False, headers={"Host": "auth.example.test"})


def test_djangos_own_login_fills_the_row(bob: User) -> None:
    """Tests and tools that log in by Django's interface get the same session as a flow gives."""
    browser = client()
    browser.force_login(bob)

    row = LoginSession.objects.get()
    assert row.user == bob
    assert row.authenticated_at is not None


def test_reading_a_page_as_a_stranger_writes_no_session(flows: None) -> None:
    """Only a flow that begins leaves a row."""  # S-917
    client().get("/", secure=True)

    assert not LoginSession.objects.exists()


def test_a_database_that_does_not_answer_is_503(flows: None, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it happens; and the next request works."""  # S-806
    browser = client()
    browser.force_login(bob)

    def locked(self: SessionStore) -> dict[str, object]:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(SessionStore, "load", locked)
        answer = browser.get(PAGE, secure=True)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert b"locked" not in answer.content
        assert "Content-Security-Policy" in answer.headers

    assert browser.get(PAGE, secure=True).status_code < 400
