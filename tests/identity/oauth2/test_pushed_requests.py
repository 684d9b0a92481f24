"""Pushed authorization requests (RFC 9126)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.oauth2 import pushed_requests
from doorward.identity.oauth2.models import OAuth2Provider, PushedRequest
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of, fields_of


def push(rp: RelyingParty, **changes: str | None) -> Any:
    """The answer to a pushed request."""
    return rp.post("par", **rp.question(**changes), client_secret=rp.provider.client_secret)


def opened(rp: RelyingParty, browser: Browser, reference: str, **more: str) -> Any:
    """What a browser that comes with a reference is told."""
    query = urlencode({"client_id": rp.provider.client_id, "request_uri": reference, **more})
    return browser.get(f"/application/o/authorize/?{query}")


def test_a_pushed_request_is_answered_once(rp: RelyingParty, browser: Browser) -> None:
    """What the client pushed is what counts, whatever stands beside the reference; the second time it is over."""
    pushed = push(rp)
    assert pushed.status_code == 201
    reference = pushed.json()["request_uri"]
    assert reference.startswith("urn:ietf:params:oauth:request_uri:")
    assert 0 < pushed.json()["expires_in"] <= 600
    landed = opened(rp, browser, reference, scope="email", state="forged")
    fields = fields_of(landed["Location"])
    assert fields["state"] == rp.state
    tokens = rp.redeem(fields["code"])
    assert tokens.json()["scope"] == rp.scope
    again = opened(rp, browser, reference)
    assert again.status_code == 400
    assert "Location" not in again


def test_who_is_not_logged_in_comes_back_to_it(rp: RelyingParty, bob: User) -> None:
    """The reference outlives the login that it leads to."""
    reference = push(rp).json()["request_uri"]
    browser = Browser()
    assert opened(rp, browser, reference)["Location"].startswith("/if/flow/")
    browser.log_in_as(bob)
    assert "code" in fields_of(opened(rp, browser, reference)["Location"])


def test_a_reference_is_one_browsers(rp: RelyingParty, browser: Browser, mallory: User) -> None:
    """Somebody who has seen a reference that is in use cannot take it over."""
    reference = push(rp).json()["request_uri"]
    opened(rp, Browser(), reference)
    other = Browser()
    other.log_in_as(mallory)
    refused = opened(rp, other, reference)
    assert refused.status_code == 400
    assert "Location" not in refused


def test_a_reference_expires(rp: RelyingParty, browser: Browser) -> None:
    """After its time it is worth nothing."""
    reference = push(rp).json()["request_uri"]
    PushedRequest.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert opened(rp, browser, reference).status_code == 400


def test_a_reference_belongs_to_its_client(rp: RelyingParty, register: Register, browser: Browser) -> None:
    """Another client's id does not go with it."""
    reference = push(rp).json()["request_uri"]
    assert opened(register("rp2"), browser, reference).status_code == 400
    assert "code" in fields_of(opened(rp, browser, reference)["Location"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.test/cb"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"request_uri": "https://evil.test/request"}, "request_uri_not_supported"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"response_type": "banana"}, "unsupported_response_type"),
        ({"scope": "unknown"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_is_refused_at_once(rp: RelyingParty, changes: dict[str, str | None], error: str) -> None:
    """The client learns what is wrong before a browser is sent anywhere."""
    # S-437
    assert error_of(push(rp, **changes)) == (400, error)
    assert not PushedRequest.objects.exists()


def test_a_confidential_client_proves_itself(rp: RelyingParty) -> None:
    """Nobody pushes in another's name."""
    wrong = rp.post("par", **rp.question(), client_secret="x" * 40)
    assert error_of(wrong) == (401, "invalid_client")


def test_a_provider_can_demand_it(register: Register, browser: Browser) -> None:
    """A request in a URL is refused then; discovery says so."""
    rp = register(require_pushed_requests=True)
    refused = fields_of(rp.authorize(browser)["Location"])
    assert refused["error"] == "invalid_request"
    document = browser.get("/application/o/rp/.well-known/openid-configuration").json()
    assert document["require_pushed_authorization_requests"] is True
    assert document["pushed_authorization_request_endpoint"] == "https://auth.example.test/application/o/par/"
    assert "code" in fields_of(opened(rp, browser, push(rp).json()["request_uri"])["Location"])


def test_only_so_many_wait(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public client, whose requests anybody can push, cannot fill the database."""
    monkeypatch.setattr(pushed_requests, "MOST_WAITING", 2)
    rp = register(client_type=OAuth2Provider.ClientType.PUBLIC)
    statuses = [rp.post("par", **rp.question()).status_code for _ in range(3)]
    assert statuses == [201, 201, 429]


def test_no_is_an_answer_too(register: Register, browser: Browser) -> None:
    """Whoever declines consent is back at the application, and the request is used up."""
    rp = register(authorization_flow="default-provider-authorization-explicit-consent")
    reference = push(rp).json()["request_uri"]
    assert opened(rp, browser, reference)["Location"].startswith("/if/flow/")
    query = urlencode({"client_id": rp.provider.client_id, "request_uri": reference})
    declined = browser.get(f"/application/o/authorize/declined/?{query}")
    assert fields_of(declined["Location"])["error"] == "access_denied"
    assert opened(rp, browser, reference).status_code == 400
