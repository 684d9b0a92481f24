"""Room E of the security contract: codes, and how clients prove themselves at the token endpoint."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import update_user
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.actions import end_all_of
from doorward.identity.oauth2 import failure_counter
from doorward.identity.oauth2.actions import update_oauth2_provider
from doorward.identity.oauth2.models import AuthorizationCode
from doorward.identity.policies.actions import bind
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of

INVALID_GRANT = (400, "invalid_grant")
INVALID_REQUEST = (400, "invalid_request")
INVALID_CLIENT = (401, "invalid_client")


@pytest.mark.parametrize("verifier", [None, "x" * 43, "short", "v" * 129, "é" * 43])
def test_the_verifier_must_answer_the_challenge(rp: RelyingParty, browser: Browser, verifier: str | None) -> None:
    """A missing, foreign or malformed verifier gets nothing."""  # S-408 S-410
    assert error_of(rp.redeem(rp.code(browser), code_verifier=verifier)) == INVALID_GRANT


def test_a_verifier_without_a_challenge_is_a_downgrade(rp: RelyingParty, browser: Browser) -> None:
    """If the challenge got lost on the way, the client's verifier says so."""  # S-409
    update_oauth2_provider(Actor.system(), rp.provider, require_pkce=False)
    code = rp.code(browser, code_challenge=None, code_challenge_method=None)
    assert error_of(rp.redeem(code)) == INVALID_GRANT


def test_a_code_presented_twice_takes_its_tokens_along(rp: RelyingParty, browser: Browser) -> None:
    """The second time is refused, the tokens of the first time end, and there is an event."""  # S-411 C7
    code = rp.code(browser, scope="openid offline_access")
    tokens = rp.redeem(code).json()
    assert rp.userinfo(tokens["access_token"]).status_code == 200
    assert error_of(rp.redeem(code)) == INVALID_GRANT
    assert rp.userinfo(tokens["access_token"]).status_code == 401
    assert error_of(rp.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert Event.objects.filter(action="suspicious_request").exists()


@pytest.mark.parametrize("client_type", ["confidential", "public"])
def test_a_code_of_another_client_is_burned(register: Register, browser: Browser, client_type: str) -> None:
    """Another client gets nothing for a code, and then neither does its owner."""  # S-413
    rp, thief = register("rp"), register("rp2", client_type=client_type)
    thief.verifier = rp.verifier
    code = rp.code(browser)
    assert error_of(thief.redeem(code)) == INVALID_GRANT
    assert error_of(rp.redeem(code)) == INVALID_GRANT


@pytest.mark.parametrize("uri", [None, "https://rp.example.test/cb2"])
def test_the_redirect_uri_must_be_the_same_again(register: Register, browser: Browser, uri: str | None) -> None:
    """Missing or different, though registered: nothing."""  # S-414
    entries = [{"url": "https://rp.example.test/cb"}, {"url": "https://rp.example.test/cb2"}]
    rp = register(redirect_uris=entries)
    assert error_of(rp.redeem(rp.code(browser), redirect_uri=uri)) == INVALID_GRANT


def test_codes_die_after_a_minute(rp: RelyingParty, browser: Browser) -> None:
    """After 61 seconds a code is worth nothing, whether or not anybody cleaned up."""  # S-415 C7
    code = rp.code(browser)
    row = AuthorizationCode.objects.get()
    assert timedelta(seconds=59) < row.expires - timezone.now() <= timedelta(seconds=60)
    AuthorizationCode.objects.update(expires=row.expires - timedelta(seconds=61))
    assert error_of(rp.redeem(code)) == INVALID_GRANT


def test_codes_end_with_what_they_stand_on(rp: RelyingParty, browser: Browser, bob: User, staff: Group) -> None:
    """Logged out, shut out or deactivated between code and token: no token."""  # S-325 S-421 S-425
    code = rp.code(browser)
    end_all_of(Actor.system(), bob)
    assert error_of(rp.redeem(code)) == INVALID_GRANT
    browser.log_in_as(bob)
    code = rp.code(browser)
    bind(Actor.system(), Application.objects.get(slug="rp"), group=staff, negate=True)
    assert error_of(rp.redeem(code)) == INVALID_GRANT
    Application.objects.get(slug="rp").bindings.all().delete()
    code = rp.code(browser)
    update_user(Actor.system(), bob, is_active=False)
    assert error_of(rp.redeem(code)) == INVALID_GRANT


def _basic(name: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


@pytest.mark.parametrize("secret", [None, "", "wrong", "é"])
def test_confidential_clients_need_their_secret(rp: RelyingParty, browser: Browser, secret: str | None) -> None:
    """Without, with an empty or with a wrong secret the client is refused; the code stays good for the real one."""
    # S-416
    code = rp.code(browser)
    response = rp.redeem(code, client_secret=secret)
    assert error_of(response) == INVALID_CLIENT
    assert response["WWW-Authenticate"].startswith("Basic")
    assert rp.redeem(code).status_code == 200


def test_clients_may_use_basic(rp: RelyingParty, browser: Browser) -> None:
    """The header works as well as the body; both at once, or two names, are refused."""  # S-416
    provider = rp.provider
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": rp.redirect_uri,
        "code_verifier": rp.verifier,
    }
    good = _basic(provider.client_id, provider.client_secret)
    assert rp.post("token", good, **form, code=rp.code(browser)).status_code == 200
    both = rp.post("token", good, **form, code="x", client_secret=provider.client_secret)
    assert error_of(both) == INVALID_REQUEST
    assert error_of(rp.post("token", good, **form, code="x", client_id="other")) == INVALID_REQUEST
    assert error_of(rp.post("token", {"authorization": "Basic !!!"}, **form, code="x")) == INVALID_REQUEST
    assert error_of(rp.post("token", _basic(provider.client_id, "wrong"), **form, code="x")) == INVALID_CLIENT
    assert error_of(rp.post("token", _basic("nobody", "wrong"), **form, code="x")) == INVALID_CLIENT


def test_failing_clients_are_throttled(rp: RelyingParty) -> None:
    """After thirty failures from one address the client waits; the right secret does not help before."""  # S-416
    for _ in range(failure_counter.MOST):
        assert error_of(rp.token(grant_type="authorization_code", client_secret="wrong")) == INVALID_CLIENT
    assert error_of(rp.token(grant_type="authorization_code", client_secret="wrong"))[0] == 429
    assert rp.token(grant_type="authorization_code")["Retry-After"] == "300"


@pytest.mark.parametrize("name", ["grant_type", "code", "client_id", "code_verifier"])
def test_repeated_parameters_are_refused(rp: RelyingParty, browser: Browser, name: str) -> None:
    """Twice is once too often."""  # S-417
    body = f"grant_type=authorization_code&code={rp.code(browser)}&client_id={rp.provider.client_id}&{name}=again"
    response = rp.back.post(
        "/application/o/token/", body + "&code_verifier=x", content_type="application/x-www-form-urlencoded"
    )
    assert error_of(response) == INVALID_REQUEST


def test_only_forms_in_a_post_are_read(rp: RelyingParty) -> None:
    """GET, JSON and parameters in the address are refused, each with its own status."""  # S-418
    assert rp.back.get("/application/o/token/").status_code == 405
    as_json = rp.back.post("/application/o/token/", {"grant_type": "password"}, content_type="application/json")
    assert error_of(as_json) == (415, "invalid_request")
    in_query = rp.back.post(
        "/application/o/token/?grant_type=password", "code=x", content_type="application/x-www-form-urlencoded"
    )
    assert error_of(in_query) == INVALID_REQUEST


def test_unknown_grants_are_refused(rp: RelyingParty) -> None:
    """Token exchange is off, inventions are not supported, and none at all is a malformed request."""  # S-452
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    assert error_of(rp.token(grant_type=exchange)) == (400, "unauthorized_client")
    assert error_of(rp.token(grant_type="made-up")) == (400, "unsupported_grant_type")
    assert error_of(rp.token()) == INVALID_REQUEST
    assert error_of(rp.token(grant_type="authorization_code")) == INVALID_REQUEST
    assert error_of(rp.redeem("made-up")) == INVALID_GRANT


def test_public_clients_have_pkce_only(register: Register, browser: Browser) -> None:
    """A public client redeems with its verifier and no secret; one that claims a secret is not it."""
    rp = register(client_type="public")
    assert rp.redeem(rp.code(browser)).status_code == 200
    assert error_of(rp.redeem(rp.code(browser), client_secret="something")) == INVALID_CLIENT


def test_a_provider_without_application_is_no_client(rp: RelyingParty, browser: Browser) -> None:
    """Taking the application away shuts the client."""  # S-420
    code = rp.code(browser)
    Application.objects.all().delete()
    assert error_of(rp.redeem(code)) == INVALID_CLIENT
    assert rp.authorize(browser).status_code == 400
