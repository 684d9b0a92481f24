"""The whole dance, as relying parties walk it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.oauth2.models import AuthorizationCode, IssuedToken
from identity.oauth2.conftest import EXPLICIT, Register
from identity.oauth2.relying_party import CALLBACK, Browser, RelyingParty, fields_of


def test_implicit_consent_is_one_hop(rp: RelyingParty, browser: Browser) -> None:
    """A logged-in browser goes from authorize straight to the callback, with code, state and issuer."""  # C9 S-438
    response = rp.authorize(browser)
    assert response.status_code == 302
    assert response["Location"].startswith(f"{CALLBACK}?")
    answer = fields_of(response["Location"])
    assert answer.keys() == {"code", "state", "iss"}
    assert answer["state"] == rp.state
    assert answer["iss"] == "https://auth.example.test/application/o/rp/"


def test_tokens_say_who_and_verify(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """The ID token verifies against the published keys and says who logged in, how and when."""
    tokens = rp.tokens(browser)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert set(tokens["scope"].split()) == {"openid", "profile", "email"}
    assert "refresh_token" not in tokens
    published = rp.back.get("/application/o/rp/jwks/").json()
    keys = KeySet.import_key_set(published)
    id_token = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"])
    claims = id_token.claims
    assert claims["iss"] == "https://auth.example.test/application/o/rp/"
    assert claims["aud"] == claims["azp"] == rp.provider.client_id
    assert claims["sub"] == bob.uid
    assert claims["nonce"] == rp.nonce
    assert claims["amr"] == ["pwd"]
    assert claims["acr"] == "goauthentik.io/providers/oauth2/default"
    assert claims["sid"] == bob.login_sessions.get().sid
    assert claims["preferred_username"] == "bob"
    assert claims["groups"] == ["staff"]
    assert claims["email_verified"] is False
    assert {"at_hash", "auth_time", "jti", "exp", "iat"} <= claims.keys()
    access = jwt.decode(tokens["access_token"], keys, algorithms=["ES256"]).claims
    assert access["scope"] == tokens["scope"]
    assert access["uid"]
    assert "nonce" not in access


def test_token_answers_are_not_cached(rp: RelyingParty, browser: Browser) -> None:
    """Tokens never lie in a cache."""
    response = rp.redeem(rp.code(browser))
    assert response["Cache-Control"] == "no-store"
    assert response["Pragma"] == "no-cache"


def test_userinfo_says_the_granted_claims(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """Userinfo answers with the claims of the granted scopes and the same subject."""
    tokens = rp.tokens(browser, scope="openid email")
    answer = rp.userinfo(tokens["access_token"])
    assert answer.status_code == 200
    assert answer.json() == {"sub": bob.uid, "email": "bob@example.test", "email_verified": False}


def test_strangers_log_in_and_come_back(rp: RelyingParty, bob: User, password: str) -> None:
    """Somebody who is not logged in goes through the login pages and ends at the application."""
    browser = Browser()
    response = rp.authorize(browser)
    assert response.status_code == 302
    page = response["Location"]
    assert urlsplit(page).path == "/if/flow/default-authentication-flow/"
    back = parse_qs(urlsplit(page).query)["next"][0]
    assert back.startswith("/application/o/authorize/?")
    location = browser.walk(page, {"uid_field": "bob"}, {"password": password})
    assert location == back
    answer = browser.get(location)
    assert answer["Location"].startswith(CALLBACK)
    assert rp.redeem(fields_of(answer["Location"])["code"]).status_code == 200


def test_explicit_consent_asks_once(register: Register, browser: Browser) -> None:
    """Consent is asked for once; within four weeks there is no second question."""  # C10
    rp = register(authorization_flow=EXPLICIT)
    page = rp.authorize(browser)["Location"]
    assert urlsplit(page).path == f"/if/flow/{EXPLICIT}/"
    shown = browser.get(page).content.decode()
    assert "General Profile Information" in shown
    location = browser.walk(page, {})
    assert fields_of(browser.get(location)["Location"])["code"]
    assert rp.code(browser)


def test_consent_page_url_alone_consents_to_nothing(register: Register, browser: Browser) -> None:
    """Opening the address that follows the consent page again does not skip the question."""  # S-441
    rp = register(authorization_flow=EXPLICIT)
    for _ in range(2):
        response = rp.authorize(browser)
        assert urlsplit(response["Location"]).path.startswith("/if/flow/")


def test_declining_consent_tells_the_client(register: Register, browser: Browser) -> None:
    """Who says no on the consent page is sent back with access_denied."""
    rp = register(authorization_flow=EXPLICIT)
    page = browser.get(rp.authorize(browser)["Location"]).content.decode()
    start = page.index("/application/o/authorize/declined/")
    declined = page[start : page.index('"', start)].replace("&amp;", "&")
    answer = fields_of(browser.get(declined)["Location"])
    assert answer["error"] == "access_denied"
    assert answer["state"] == rp.state


def test_authorization_is_an_event(rp: RelyingParty, browser: Browser) -> None:
    """Every authorization leaves an event that names the application and the user."""  # C16
    rp.code(browser)
    event = Event.objects.get(action="authorize_application")
    assert event.user["username"] == "bob"
    assert event.context["authorized_application"]["name"] == "RP"


def test_secrets_are_stored_as_hashes(rp: RelyingParty, browser: Browser) -> None:
    """Neither codes nor tokens can be read from the database."""
    code = rp.code(browser, scope="openid offline_access")
    tokens = rp.redeem(code).json()
    stored = [*AuthorizationCode.objects.values_list(), *IssuedToken.objects.values_list()]
    text = repr(stored)
    for secret in (code, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in text


def test_the_token_endpoint_costs_few_queries(
    rp: RelyingParty, browser: Browser, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    """Redeeming a code asks the database a bounded number of questions, however many groups there are."""
    code = rp.code(browser)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert rp.redeem(code).status_code == 200
