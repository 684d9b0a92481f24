"""Pages for requests that lead nowhere."""

from __future__ import annotations

import logging

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from doorward.identity.flows import executor
from doorward.identity.web import errors
from identity.flow_tab import LOGIN

pytestmark = pytest.mark.django_db


def test_not_found_says_so_and_offers_the_start(client: Client, flows: None) -> None:
    """404 with the look of the house, nothing of the address in it, and the request's number."""
    answer = client.get("/no/<script>/such")
    page = answer.content.decode()

    assert answer.status_code == 404
    assert "There is nothing here" in page
    assert "script>/such" not in page
    assert answer["X-authentik-id"] in page


def test_the_api_gets_json(client: Client, flows: None) -> None:
    """A program cannot read a page."""
    answer = client.get("/api/v3/no/such/")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/json"


def test_a_fault_of_ours_is_a_page_too(
    flows: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """500 without a word of what happened inside, and with every header."""

    def fail(*_: object) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(executor, "look", fail)
    caplog.set_level(logging.CRITICAL, "django.request")

    answer = Client(raise_request_exception=False).get(LOGIN)

    assert answer.status_code == 500
    assert "It is our fault, not yours." in answer.content.decode()
    assert "s3cret" not in answer.content.decode()
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_error_pages_need_no_session_and_no_user() -> None:
    """They are what is left when the rest fails."""
    request: HttpRequest = RequestFactory().get("/x")

    assert errors.bad_request(request, Exception()).status_code == 400
    assert errors.permission_denied(request, Exception()).status_code == 403
    assert errors.server_error(request).status_code == 500
