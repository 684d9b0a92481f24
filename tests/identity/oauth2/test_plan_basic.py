"""The OpenID Foundation's plans for Basic, Form Post and Config OP, case by case: tests have their module's name."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import pytest

from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of, fields_of, payload_of

SCOPES = {
    "oidcc-scope-profile": ("openid profile", {"name", "preferred_username"}),
    "oidcc-scope-email": ("openid email", {"email", "email_verified"}),
    "oidcc-scope-all": ("openid profile email", {"name", "email"}),
    "oidcc-ensure-other-scope-order-succeeds": ("email openid", {"email"}),
}
HARMLESS: dict[str, dict[str, str | None]] = {
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow": {"nonce": None},
    "oidcc-ensure-request-with-unknown-parameter-succeeds": {"extra": "foobar"},
    "oidcc-display-page": {"display": "page"},
    "oidcc-display-popup": {"display": "popup"},
    "oidcc-max-age-10000": {"max_age": "10000"},
    "oidcc-login-hint": {"login_hint": "bob"},
    "oidcc-ui-locales": {"ui_locales": "se"},
    "oidcc-claims-locales": {"claims_locales": "se"},
    "oidcc-prompt-none-logged-in": {"prompt": "none"},
}
AGAIN: dict[str, dict[str, str | None]] = {
    "oidcc-prompt-login": {"prompt": "login"},
    "oidcc-max-age-1": {"max_age": "1"},
    "oidcc-ensure-request-with-acr-values-succeeds": {"acr_values": "1 2"},
}


def test_oidcc_server(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """An ID token for this client and login, and userinfo about the same user."""
    tokens = rp.tokens(browser)
    claims = payload_of(tokens["id_token"])
    assert (claims["iss"], claims["aud"]) == ("https://auth.example.test/application/o/rp/", rp.provider.client_id)
    assert (claims["sub"], claims["nonce"]) == (bob.uid, rp.nonce)
    assert claims["exp"] > claims["iat"]
    assert rp.userinfo(tokens["access_token"]).json()["sub"] == bob.uid


def test_oidcc_response_type_missing(rp: RelyingParty, browser: Browser) -> None:
    """An error at the client."""
    assert fields_of(rp.authorize(browser, response_type=None)["Location"])["error"] == "invalid_request"


def test_oidcc_userinfo_get_post_header_post_body(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """The three ways of asking userinfo that there are."""
    token = rp.tokens(browser)["access_token"]
    assert rp.userinfo(token).json()["sub"] == bob.uid
    assert rp.post("userinfo", {"authorization": f"Bearer {token}"}).json()["sub"] == bob.uid
    assert rp.post("userinfo", access_token=token).json()["sub"] == bob.uid


@pytest.mark.parametrize("module", SCOPES)
def test_scopes(rp: RelyingParty, browser: Browser, module: str) -> None:
    """Userinfo tells what the scope stands for."""
    scope, names = SCOPES[module]
    assert names <= rp.userinfo(rp.tokens(browser, scope=scope)["access_token"]).json().keys()


@pytest.mark.parametrize("module", HARMLESS)
def test_what_changes_nothing(rp: RelyingParty, browser: Browser, module: str) -> None:
    """Whoever is logged in goes straight back to the client, with a code."""
    assert rp.redeem(rp.code(browser, **HARMLESS[module])).status_code == 200


@pytest.mark.parametrize("module", AGAIN)
def test_what_asks_again(rp: RelyingParty, browser: Browser, module: str) -> None:
    """A login that is too old, or not what the client wants, is asked for once more."""
    LoginSession.objects.update(authenticated_at="2020-01-01T00:00:00Z")
    assert rp.authorize(browser, **AGAIN[module])["Location"].startswith("/if/flow/")


def test_oidcc_prompt_none_not_logged_in(rp: RelyingParty, db: None) -> None:
    """Nobody is asked anything."""
    assert fields_of(rp.authorize(Browser(), prompt="none")["Location"])["error"] == "login_required"


@pytest.mark.parametrize("prompt", ["none login", "none consent", "none select_account", "banana"])
def test_prompts_that_exclude_each_other(rp: RelyingParty, browser: Browser, prompt: str) -> None:
    """OpenID Connect Core section 3.1.2.1."""
    assert fields_of(rp.authorize(browser, prompt=prompt)["Location"])["error"] == "invalid_request"


def test_oidcc_id_token_hint(rp: RelyingParty, browser: Browser) -> None:
    """Somebody who is known from an earlier token need not be asked."""
    hint = rp.tokens(browser)["id_token"]
    assert "code" in fields_of(rp.authorize(browser, prompt="none", id_token_hint=hint)["Location"])


def test_oidcc_codereuse_30seconds(rp: RelyingParty, browser: Browser) -> None:
    """The second time is refused, and the first tokens are worth nothing any more."""
    code = rp.code(browser)
    token = rp.redeem(code).json()["access_token"]
    assert error_of(rp.redeem(code)) == (400, "invalid_grant")
    assert rp.userinfo(token).status_code == 401


def test_oidcc_ensure_registered_redirect_uri(rp: RelyingParty, browser: Browser) -> None:
    """A page, not a redirect."""
    refused = rp.authorize(browser, redirect_uri="https://rp.example.test/cb/other")
    assert refused.status_code == 400
    assert "Location" not in refused


def test_oidcc_ensure_post_request_succeeds(rp: RelyingParty, browser: Browser) -> None:
    """A POST is as good as a GET."""
    posted = browser.post(
        "/application/o/authorize/", urlencode(rp.question()), content_type="application/x-www-form-urlencoded"
    )
    assert "code" in fields_of(browser.get(posted["Location"])["Location"])


def test_oidcc_server_client_secret_post_and_basic(rp: RelyingParty, browser: Browser) -> None:
    """Both ways of sending the secret."""
    pair = base64.b64encode(f"{rp.provider.client_id}:{rp.provider.client_secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "redirect_uri": rp.redirect_uri, "code_verifier": rp.verifier}
    basic = rp.post("token", {"authorization": f"Basic {pair}"}, **form, code=rp.code(browser))
    assert basic.status_code == rp.redeem(rp.code(browser)).status_code == 200


def test_oidcc_unsigned_request_object_rejected_as_unsupported(rp: RelyingParty, browser: Browser) -> None:
    """Said in the way that the specification has for it."""
    unsigned = f"{base64.urlsafe_b64encode(b'{}').decode().rstrip('=')}.e30."
    assert fields_of(rp.authorize(browser, request=unsigned)["Location"])["error"] == "request_not_supported"


def test_oidcc_claims_essential(rp: RelyingParty, browser: Browser) -> None:
    """A name that the client must have is told, without the scope for it."""
    tokens = rp.tokens(browser, scope="openid", claims=json.dumps({"userinfo": {"name": {"essential": True}}}))
    assert rp.userinfo(tokens["access_token"]).json()["name"] == "Bob"


def test_oidcc_refresh_token(rp: RelyingParty, register: Register, browser: Browser) -> None:
    """The new ID token is about the same login; another client cannot use the refresh token."""
    tokens = rp.tokens(browser, scope="openid offline_access")
    first = payload_of(tokens["id_token"])
    assert error_of(register("rp2").refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    again = payload_of(rp.refresh(tokens["refresh_token"]).json()["id_token"])
    assert {name: first[name] for name in ("iss", "sub", "aud", "auth_time")} == {
        name: again[name] for name in ("iss", "sub", "aud", "auth_time")
    }


def test_form_post(rp: RelyingParty, browser: Browser) -> None:
    """The Form Post plan: the answer is a page that posts itself, to the one address that its policy allows."""
    page = rp.authorize(browser, response_mode="form_post")
    text = page.content.decode()
    assert page.status_code == 200
    assert f'action="{rp.redirect_uri}"' in text
    assert 'name="code"' in text
    assert "form-action 'self' https://rp.example.test" in page["Content-Security-Policy"]
    assert "unsafe-inline" not in page["Content-Security-Policy"]


def test_oidcc_discovery_endpoint_verification(rp: RelyingParty) -> None:
    """The Config plan: all that is required, https, and one key that signs for RS256 or another named algorithm."""
    document = rp.back.get("/application/o/rp/.well-known/openid-configuration").json()
    assert document["issuer"] == "https://auth.example.test/application/o/rp/"
    endpoints = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert all(value.startswith("https://auth.example.test/") for value in endpoints)
    assert {"jwks_uri", "response_types_supported", "subject_types_supported"} <= document.keys()
    assert "openid" in document["scopes_supported"]
    assert document["claims_parameter_supported"] is True
    keys = rp.back.get("/application/o/rp/jwks/").json()["keys"]
    assert {key["alg"] for key in keys} == set(document["id_token_signing_alg_values_supported"])
    assert not any({"d", "p", "q", "k"} & key.keys() for key in keys)
