"""Programs register themselves as clients, within what an administrator has laid down (RFC 7591, RFC 7592)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from doorward.identity.applications.actions import delete_application
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.models import OAuth2Provider, RegisteredClient, RegistrationToken, ScopeMapping
from doorward.identity.oauth2.registration_tokens import create_registration_token, delete_registration_token
from identity.oauth2.conftest import EXPLICIT, IMPLICIT, Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of

SYSTEM = Actor.system()
URI = "https://new.apps.example.test/cb"
GOOD: dict[str, Any] = {"redirect_uris": [URI], "client_name": "Notes"}
ENDPOINT = "/application/o/register/"


@pytest.fixture
def key(flows: None, staff: Group) -> str:
    """Of a token for one program below apps.example.test, which staff may enter."""
    return _token(group=staff)


def _token(**changes: Any) -> str:
    fields: dict[str, Any] = {
        "name": "notes",
        "authorization_flow": Flow.objects.get(slug=IMPLICIT),
        "invalidation_flow": Flow.objects.get(slug="default-provider-invalidation-flow"),
        "scope_mappings": list(ScopeMapping.objects.filter(scope_name__in=["openid", "email", "offline_access"])),
        "hosts": [".apps.example.test", "notes.example.test"],
        "expires": timezone.now() + timedelta(hours=1),
        **changes,
    }
    return create_registration_token(SYSTEM, **fields)[1]


def _ask(method: str, path: str, key: str, body: Any = None) -> Any:
    text = b"" if body is None else json.dumps(body).encode()
    return Browser().generic(method, path, text, "application/json", headers={"authorization": f"Bearer {key}"})


def _register(key: str, **changes: Any) -> Any:
    return _ask("POST", ENDPOINT, key, GOOD | changes)


def test_a_program_registers_itself_and_logs_people_in(key: str, browser: Browser, bob: User, mallory: User) -> None:
    """It gets an id, a secret and a token to manage itself; then it is a client like others, for staff only."""
    # S-452
    answer = _register(key, grant_types=["authorization_code", "refresh_token"], scope="openid email profile")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["client_name"], made["redirect_uris"], made["scope"]) == ("Notes", [URI], "email openid")
    assert made["client_secret_expires_at"] == 0
    rp = RelyingParty(OAuth2Provider.objects.get(client_id=made["client_id"]), redirect_uri=URI)
    assert rp.provider.client_secret == made["client_secret"]
    assert rp.userinfo(rp.tokens(browser)["access_token"]).json()["email"] == "bob@example.test"
    other = Browser()
    other.log_in_as(mallory)
    assert "code=" not in rp.authorize(other).headers.get("Location", "")
    event = Event.objects.filter(action="model_created", context__model__model_name="oauth2provider").first()
    assert event is not None


def test_it_is_off(register: Register, browser: Browser) -> None:
    """Without a token that works there is neither an endpoint nor a word of it in the discovery document."""  # S-452
    register("rp")
    path = "/application/o/rp/.well-known/openid-configuration"
    assert _register("anything").status_code == 404
    assert "registration_endpoint" not in browser.get(path).json()
    _token()
    assert browser.get(path).json()["registration_endpoint"] == "https://auth.example.test/application/o/register/"
    RegistrationToken.objects.update(expires=timezone.now())
    assert _register("anything").status_code == 404


def test_tokens_are_used_up(key: str) -> None:
    """Once means once; a refused registration does not count; a wrong token is told apart from nothing."""
    # S-452 S-805
    assert error_of(_register("wrong")) == (401, "invalid_token")
    assert error_of(_register(key, redirect_uris=["https://evil.test/"])) == (400, "invalid_redirect_uri")
    assert _register(key).status_code == 201
    _token(name="another")
    assert error_of(_register(key)) == (401, "invalid_token")
    assert RegisteredClient.objects.count() == 1


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.test/cb",
        "https://apps.example.test.evil.test/cb",
        "https://evilapps.example.test/cb",
        "https://new.apps.example.test@evil.test/cb",
        "https://sub.notes.example.test/cb",
        "http://new.apps.example.test/cb",
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://new.apps.example.test/cb#fragment",
        "com.example.app:/cb",
        "/cb",
        "",
    ],
)
def test_redirect_uris_stay_on_the_named_hosts(key: str, uri: str) -> None:
    """Other hosts, schemes that run code, fragments, plain http."""  # S-401 S-402 S-405 S-452
    assert error_of(_register(key, redirect_uris=[uri])) == (400, "invalid_redirect_uri")
    assert error_of(_register(key, post_logout_redirect_uris=[uri])) == (400, "invalid_redirect_uri")
    assert not OAuth2Provider.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"]},
        {"response_types": ["token"]},
        {"token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"client_name": "a\nb"},
        {"client_name": "x" * 101},
        {"client_name": 5},
        {"backchannel_logout_uri": "http://169.254.169.254/"},
        {"backchannel_logout_uri": "https://127.0.0.1/"},
        {"backchannel_logout_uri": "https://evil.test/"},
    ],
)
def test_what_cannot_be_registered(key: str, changes: dict[str, Any]) -> None:
    """Grants of machines, other response types, clients without a secret unless allowed, addresses inside."""
    # S-452 S-650
    assert error_of(_register(key, **changes)) == (400, "invalid_client_metadata")
    assert not OAuth2Provider.objects.exists()


def test_public_programs_where_they_are_allowed(flows: None, browser: Browser) -> None:
    """They have no secret, must use PKCE, and may return to a loopback address."""  # S-402
    key = _token(public_clients=True)
    made = _register(key, redirect_uris=["http://127.0.0.1/cb"], token_endpoint_auth_method="none").json()
    assert "client_secret" not in made
    rp = RelyingParty(
        OAuth2Provider.objects.get(client_id=made["client_id"]),
        redirect_uri="http://127.0.0.1:49152/cb",
        scope="openid",
    )
    assert rp.tokens(browser)["id_token"]


def test_a_client_manages_itself(key: str, staff: Group) -> None:
    """It reads, changes and removes its own entry with its own token, and nobody else's."""  # S-452
    made = _register(key, backchannel_logout_uri="https://new.apps.example.test/out").json()
    path = made["registration_client_uri"].removeprefix("https://auth.example.test")
    own = made["registration_access_token"]
    assert _ask("GET", path, own).json()["backchannel_logout_uri"] == "https://new.apps.example.test/out"
    assert error_of(_ask("GET", path, key)) == (401, "invalid_token")
    assert error_of(_ask("GET", path, "")) == (401, "invalid_token")
    provider = OAuth2Provider.objects.get()
    assert not provider.logout_uri_trusted
    changed = GOOD | {"client_id": made["client_id"], "redirect_uris": ["https://notes.example.test/cb"]}
    assert _ask("PUT", path, own, changed | {"client_name": "Notes 2"}).json()["client_name"] == "Notes 2"
    assert OAuth2Provider.objects.get().redirect_uris[0]["url"] == "https://notes.example.test/cb"
    for bad in (GOOD, changed | {"redirect_uris": ["https://evil.test/"]}, changed | {"client_secret": "x" * 20}):
        assert _ask("PUT", path, own, bad).status_code == 400
    second = _register(_token(name="second")).json()
    assert error_of(_ask("GET", path, second["registration_access_token"])) == (401, "invalid_token")
    assert _ask("DELETE", path, own).status_code == 204
    assert error_of(_ask("GET", path, own)) == (401, "invalid_token")
    assert Application.objects.count() == OAuth2Provider.objects.count() == 1


def test_a_deleted_token_freezes_what_it_registered(key: str) -> None:
    """The client goes on working, but what it may become is laid down nowhere any more."""
    made = _register(key).json()
    delete_registration_token(SYSTEM, RegistrationToken.objects.get())
    path = made["registration_client_uri"].removeprefix("https://auth.example.test")
    own = made["registration_access_token"]
    assert _ask("GET", path, own).status_code == 200
    assert _ask("PUT", path, own, GOOD | {"client_id": made["client_id"]}).status_code == 400


def test_a_client_whose_application_is_gone_can_only_be_removed(key: str) -> None:
    """An administrator has deleted the application and left the provider: it is no client any more."""
    made = _register(key).json()
    path = made["registration_client_uri"].removeprefix("https://auth.example.test")
    delete_application(SYSTEM, Application.objects.get())
    assert error_of(_ask("GET", path, made["registration_access_token"])) == (401, "invalid_token")
    assert _ask("DELETE", path, made["registration_access_token"]).status_code == 204


def test_guessing_tokens_is_throttled(key: str) -> None:
    """After thirty wrong ones from one address there is no answer for a while."""
    for _ in range(30):
        _register("wrong")
    assert error_of(_register(key)) == (429, "invalid_token")


@pytest.mark.parametrize(
    "changes",
    [{"hosts": []}, {"hosts": ["https://x.test"]}, {"hosts": ["*"]}, {"uses": 0}, {"expires": timezone.now()}],
)
def test_tokens_that_cannot_be(flows: None, changes: dict[str, Any]) -> None:
    """A token names hosts, a number of uses and an end."""
    with pytest.raises(ValidationError):
        _token(**changes)


def test_its_authorization_flow_is_the_administrators(flows: None, browser: Browser) -> None:
    """A program that registered itself asks for consent if the administrator said so."""
    made = _register(_token(authorization_flow=Flow.objects.get(slug=EXPLICIT))).json()
    rp = RelyingParty(OAuth2Provider.objects.get(client_id=made["client_id"]), redirect_uri=URI)
    assert rp.authorize(browser)["Location"].startswith(f"/if/flow/{EXPLICIT}/")
