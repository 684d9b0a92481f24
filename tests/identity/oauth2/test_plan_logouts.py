"""The OpenID Foundation's certification plans for OpenID providers, case by case: RP-Initiated Logout, Back-Channel
Logout and Front-Channel Logout. Each test is named after the module of the plan that it walks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from doorward.identity.directory.models import User
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2 import logout_delivery
from identity.flow_tab import Tab
from identity.oauth2.conftest import Register
from identity.oauth2.logout_receiver import Receiver
from identity.oauth2.relying_party import CALLBACK, Browser, RelyingParty, fields_of, payload_of

AFTER = "https://rp.example.test/bye"


@pytest.fixture
def profile(register: Register) -> RelyingParty:
    """A client as the plans register it: its logout ends the login."""
    return _profile(register)


def _profile(register: Register, **fields: Any) -> RelyingParty:
    return register(
        "plan",
        redirect_uris=[{"url": CALLBACK}, {"url": AFTER, "redirect_uri_type": "logout"}],
        invalidation_flow=Flow.objects.get(slug="default-invalidation-flow"),
        **fields,
    )


def _leave(browser: Browser, **query: str) -> Tab | str:
    """Ask for the logout; the page that comes, or the address at the client that the browser is sent to."""
    answer = browser.get(f"/application/o/plan/end-session/?{urlencode(query)}")
    while answer.status_code in (302, 303):
        to = answer["Location"]
        if urlsplit(to).netloc:
            return str(to)
        answer = browser.get(to)
    assert answer.status_code == 200
    return Tab(browser, answer.wsgi_request.get_full_path())


def _logged_out(rp: RelyingParty, browser: Browser) -> bool:
    """As the plans find out: a silent request is answered with login_required."""
    answer = fields_of(rp.authorize(browser, prompt="none")["Location"])
    return answer.get("error") == "login_required"


def test_rp_initiated_logout_discovery_endpoint_verification(profile: RelyingParty, browser: Browser) -> None:
    """oidcc-rp-initiated-logout-discovery-endpoint-verification: an https end_session_endpoint is published."""
    document = browser.get("/application/o/plan/.well-known/openid-configuration").json()
    assert document["end_session_endpoint"] == "https://auth.example.test/application/o/plan/end-session/"


def test_rp_initiated_logout(profile: RelyingParty, browser: Browser, bob: User) -> None:
    """oidcc-rp-initiated-logout: hint, address and state; the browser returns with the state, and is logged out."""
    hint = profile.tokens(browser)["id_token"]
    there = _leave(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="a b&c")
    assert isinstance(there, str) and there.startswith(f"{AFTER}?") and fields_of(there) == {"state": "a b&c"}
    assert _logged_out(profile, browser)


def test_rp_initiated_logout_bad_post_logout_redirect_uri(profile: RelyingParty, browser: Browser) -> None:
    """oidcc-rp-initiated-logout-bad-post-logout-redirect-uri: an address that is not registered is not gone to."""
    # S-443
    hint = profile.tokens(browser)["id_token"]
    shown = _leave(browser, id_token_hint=hint, post_logout_redirect_uri=f"{AFTER}/other", state="s")
    assert isinstance(shown, Tab) and "rp.example.test/bye/other" not in shown.text


def test_rp_initiated_logout_modified_id_token_hint(profile: RelyingParty, browser: Browser, bob: User) -> None:
    """oidcc-rp-initiated-logout-modified-id-token-hint: a broken signature is no hint: nobody is sent anywhere."""
    # S-442 S-443
    header, payload, signature = profile.tokens(browser)["id_token"].split(".")
    broken = f"{header}.{payload}.{'A' * len(signature)}"
    assert isinstance(_leave(browser, id_token_hint=broken, post_logout_redirect_uri=AFTER), Tab)
    assert bob.login_sessions.exists()


def test_rp_initiated_logout_no_id_token_hint(profile: RelyingParty, browser: Browser, bob: User) -> None:
    """oidcc-rp-initiated-logout-no-id-token-hint: the person is asked first, then logged out, and stays here."""
    # S-443
    profile.tokens(browser)
    shown = _leave(browser, post_logout_redirect_uri=AFTER, state="s")
    assert isinstance(shown, Tab) and "Sign out of PLAN?" in shown.text
    assert bob.login_sessions.exists()
    browser.post(
        f"/application/o/plan/end-session/confirm/?{urlencode({'post_logout_redirect_uri': AFTER})}", follow=True
    )
    assert not bob.login_sessions.exists()


def test_rp_initiated_logout_no_params(profile: RelyingParty, browser: Browser) -> None:
    """oidcc-rp-initiated-logout-no-params: as without a hint."""  # S-443
    profile.tokens(browser)
    shown = _leave(browser)
    assert isinstance(shown, Tab) and "Sign out of PLAN?" in shown.text


def test_rp_initiated_logout_no_post_logout_redirect_uri(profile: RelyingParty, browser: Browser) -> None:
    """oidcc-rp-initiated-logout-no-post-logout-redirect-uri: logged out, on a page of ours."""
    hint = profile.tokens(browser)["id_token"]
    assert isinstance(_leave(browser, id_token_hint=hint, state="s"), Tab)
    assert _logged_out(profile, browser)


def test_rp_initiated_logout_no_state(profile: RelyingParty, browser: Browser) -> None:
    """oidcc-rp-initiated-logout-no-state: the browser returns without one."""
    hint = profile.tokens(browser)["id_token"]
    assert _leave(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER) == AFTER


def test_rp_initiated_logout_only_state(profile: RelyingParty, browser: Browser) -> None:
    """oidcc-rp-initiated-logout-only-state: nothing to go by, so the person is asked."""  # S-443
    profile.tokens(browser)
    assert isinstance(_leave(browser, state="s"), Tab)


def test_rp_initiated_logout_query_added_to_post_logout_redirect_uri(profile: RelyingParty, browser: Browser) -> None:
    """oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri: another query is another address."""
    # S-443
    hint = profile.tokens(browser)["id_token"]
    assert isinstance(_leave(browser, id_token_hint=hint, post_logout_redirect_uri=f"{AFTER}?foo=bar"), Tab)


def test_backchannel_rp_initiated_logout(
    register: Register,
    receiver: Receiver,
    browser: Browser,
) -> None:
    """oidcc-backchannel-rp-initiated-logout: the client that logs out gets a logout token for the session of its ID
    token, and discovery has said so."""  # S-444
    rp = _profile(register, logout_uri=receiver.uri)
    document = browser.get("/application/o/plan/.well-known/openid-configuration").json()
    assert document["backchannel_logout_supported"] is document["backchannel_logout_session_supported"] is True
    id_token = rp.tokens(browser)["id_token"]
    assert _leave(browser, id_token_hint=id_token, post_logout_redirect_uri=AFTER) == AFTER
    logout_delivery.deliver()
    claims, known = payload_of(receiver.tokens[0]), payload_of(id_token)
    assert {name: claims[name] for name in ("iss", "aud", "sub", "sid")} == {
        name: known[name] for name in ("iss", "aud", "sub", "sid")
    }
    assert "nonce" not in claims and claims["iat"] <= claims["exp"]


def test_frontchannel_rp_initiated_logout(register: Register, browser: Browser) -> None:
    """oidcc-frontchannel-rp-initiated-logout: its address is opened, with issuer and session, in a frame."""
    rp = _profile(register, logout_uri="https://rp.example.test/front", logout_method="frontchannel")
    document = browser.get("/application/o/plan/.well-known/openid-configuration").json()
    assert document["frontchannel_logout_supported"] is document["frontchannel_logout_session_supported"] is True
    id_token = rp.tokens(browser)["id_token"]
    shown = _leave(browser, id_token_hint=id_token, post_logout_redirect_uri=AFTER)
    assert isinstance(shown, Tab)
    query = urlencode({"iss": payload_of(id_token)["iss"], "sid": payload_of(id_token)["sid"]})
    assert f"https://rp.example.test/front?{query}" in shown.text
    assert browser.get(shown.submit())["Location"] == AFTER
