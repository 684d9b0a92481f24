"""Applications hear that a login has ended: by a message from here, or in a frame of the browser that logs out."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.db.models import F
from joserfc import jws
from joserfc.jwk import KeySet

from doorward.identity.directory.actions import delete_user, update_user
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.logins.actions import end_all_of
from doorward.identity.oauth2 import keys, logout_delivery
from doorward.identity.oauth2.actions import update_oauth2_provider
from doorward.identity.oauth2.models import ClientLogin, LogoutNotice
from doorward.identity.outposts.actions import protect
from doorward.identity.outposts.models import ProxyProvider
from identity.flow_tab import Tab
from identity.oauth2.conftest import Register
from identity.oauth2.logout_receiver import Receiver
from identity.oauth2.relying_party import CALLBACK, Browser, RelyingParty, payload_of

SYSTEM = Actor.system()
INVALIDATION = "/if/flow/default-invalidation-flow/"
FRONT = "https://front.example.test/bye?x=1"


@pytest.fixture
def told(register: Register, receiver: Receiver) -> RelyingParty:
    """A client that hears of logouts by the back channel."""
    return register("told", logout_uri=receiver.uri)


def test_the_message_is_a_logout_token(told: RelyingParty, receiver: Receiver, browser: Browser, bob: User) -> None:
    """Signed, of its own type, about this user and login, for this client, and with no nonce."""  # S-444
    id_token = payload_of(told.tokens(browser)["id_token"])
    Tab(browser, INVALIDATION)
    assert receiver.tokens == []  # logging out does not wait for it
    logout_delivery.deliver()
    keys_of_client: Any = keys.jwks(told.provider)
    published = KeySet.import_key_set(keys_of_client)
    verified = jws.deserialize_compact(receiver.tokens[0], published, algorithms=["RS256", "ES256", "EdDSA", "Ed25519"])
    assert verified.headers()["typ"] == "logout+jwt"
    claims = json.loads(verified.payload)
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert {name: claims[name] for name in ("iss", "sub", "sid", "aud")} == {
        name: id_token[name] for name in ("iss", "sub", "sid", "aud")
    }
    assert claims["exp"] - claims["iat"] == 120 and claims["jti"] and "nonce" not in claims
    event = Event.objects.get(action="system_task_execution")
    assert event.context["message"] == "TOLD was told that a login of bob has ended"
    assert not LogoutNotice.objects.exists()


def test_tokens_signed_with_the_secret_have_the_type_too(
    register: Register, receiver: Receiver, browser: Browser
) -> None:
    """A client without a signing key reads the same token, under its secret."""
    rp = register("hs", logout_uri=receiver.uri, signing_key=None)
    token = logout_delivery.token_of(rp.provider, sub="x", sid="y")
    header = jws.extract_compact(token.encode()).headers()
    assert header == {"alg": "HS256", "typ": "logout+jwt"}


@pytest.mark.parametrize("end", ["administrator", "deactivated", "deleted"])
def test_however_the_login_ends(
    told: RelyingParty, receiver: Receiver, browser: Browser, bob: User, end: str, akadmin: User
) -> None:
    """An administrator ends it, the user is deactivated, or deleted: the client is told each time."""  # S-444 S-322
    sid, sub = payload_of(told.tokens(browser)["id_token"])["sid"], bob.uid
    match end:
        case "administrator":
            end_all_of(SYSTEM, bob)
        case "deactivated":
            update_user(SYSTEM, bob, is_active=False)
        case "deleted":
            delete_user(SYSTEM, bob)
    logout_delivery.deliver()
    claims = payload_of(receiver.tokens[0])
    assert (claims["sid"], claims["sub"]) == (sid, sub)


def test_only_those_who_know_the_login_and_want_to_hear(
    told: RelyingParty, register: Register, receiver: Receiver, browser: Browser, bob: User
) -> None:
    """One message for each client and login, however often it got tokens; none for others."""
    register("also", logout_uri=receiver.uri)
    register("silent").tokens(browser)
    told.tokens(browser)
    told.tokens(browser)
    end_all_of(SYSTEM, bob)
    assert [notice.provider.name for notice in LogoutNotice.objects.all()] == ["told"]
    assert not ClientLogin.objects.exists()


def test_a_client_that_is_down_is_told_later(
    told: RelyingParty, receiver: Receiver, browser: Browser, bob: User
) -> None:
    """It is tried again after half a minute, and ever more seldom; the last failure is an event."""  # S-444
    told.tokens(browser)
    receiver.status = 503
    end_all_of(SYSTEM, bob)
    logout_delivery.deliver()
    logout_delivery.deliver()
    notice = LogoutNotice.objects.get()
    assert (notice.tries, notice.trouble) == (1, "It answered with the status 503.")
    first = receiver.tokens[0]
    for _ in logout_delivery.WAITS:
        LogoutNotice.objects.update(due=F("due") - timedelta(days=1))
        logout_delivery.deliver()
    assert len(receiver.tokens) == len(logout_delivery.WAITS) + 1
    assert payload_of(receiver.tokens[1])["jti"] != payload_of(first)["jti"]
    assert not LogoutNotice.objects.exists()
    event = Event.objects.get(action="system_task_exception")
    assert "could not be told that a login of bob has ended" in event.context["message"]


def test_a_client_that_comes_back_is_told(told: RelyingParty, receiver: Receiver, browser: Browser, bob: User) -> None:
    """The second attempt is as good as the first."""
    told.tokens(browser)
    receiver.status = 500
    end_all_of(SYSTEM, bob)
    logout_delivery.deliver()
    receiver.status = 204
    LogoutNotice.objects.update(due=F("due") - timedelta(minutes=1))
    logout_delivery.deliver()
    assert Event.objects.get(action="system_task_execution").context["tries"] == 2


def test_addresses_inside_are_for_superusers(
    told: RelyingParty, receiver: Receiver, browser: Browser, bob: User, akadmin: User
) -> None:
    """Whoever is no superuser cannot have this network asked: refused when written, and when sent."""  # S-650
    clerk, root = Actor(bob, None, "r"), Actor(akadmin, None, "r")
    for uri in ("http://169.254.169.254/", "http://127.0.0.1:6379/", "file:///etc/passwd", "https://x.test/#f"):
        with pytest.raises(ValidationError):
            update_oauth2_provider(clerk, told.provider, logout_uri=uri)
    with pytest.raises(ValidationError):
        update_oauth2_provider(root, told.provider, logout_uri="http://169.254.169.254/latest/")
    update_oauth2_provider(root, told.provider, logout_uri=receiver.uri)
    told.tokens(browser)
    type(told.provider).objects.update(logout_uri_trusted=False)
    end_all_of(SYSTEM, bob)
    logout_delivery.deliver()
    assert receiver.tokens == []
    assert "inside this network" in Event.objects.get(action="system_task_exception").context["message"]


def test_what_cannot_be_told_any_more_is_dropped(
    told: RelyingParty, receiver: Receiver, browser: Browser, bob: User
) -> None:
    """An administrator took the address away meanwhile."""
    told.tokens(browser)
    end_all_of(SYSTEM, bob)
    type(told.provider).objects.update(logout_uri="")
    logout_delivery.deliver()
    assert receiver.tokens == [] and not LogoutNotice.objects.exists()


@pytest.fixture
def framed(register: Register) -> RelyingParty:
    """A client that hears of logouts in a frame."""
    uris = [{"url": CALLBACK}, {"url": "https://rp.example.test/out", "redirect_uri_type": "logout"}]
    flow = Flow.objects.get(slug="default-invalidation-flow")
    return register(
        "framed", logout_uri=FRONT, logout_method="frontchannel", redirect_uris=uris, invalidation_flow=flow
    )


def test_frames_tell_applications(framed: RelyingParty, browser: Browser, bob: User) -> None:
    """Logging out shows a page with the application's address in a frame, issuer and session with it, and a policy
    that lets in frames of exactly that origin; then it goes on."""  # S-444
    sid = payload_of(framed.tokens(browser)["id_token"])["sid"]
    tab = Tab(browser, INVALIDATION)
    assert not bob.login_sessions.exists()
    query = urlencode({"iss": "https://auth.example.test/application/o/framed/", "sid": sid})
    assert f'<iframe src="{FRONT}&{query}"' in tab.text
    policy = tab.response["Content-Security-Policy"]
    assert "frame-src https://front.example.test;" in policy and "script-src 'self';" in policy
    assert tab.submit() == "/"


def test_frames_come_before_the_way_back(framed: RelyingParty, browser: Browser, bob: User) -> None:
    """A client's own logout shows the frames of all, then sends the browser to the client."""
    hint = framed.tokens(browser)["id_token"]
    back = "https://rp.example.test/out"
    query = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": back, "state": "s"})
    started = browser.get(f"/application/o/framed/end-session/?{query}")
    tab = Tab(browser, started["Location"])
    assert "<iframe" in tab.text
    assert "form-action 'self' https://rp.example.test" in tab.response["Content-Security-Policy"]
    there = tab.submit()
    assert browser.get(there)["Location"] == f"{back}?state=s"


def test_signing_out_of_a_protected_application_tells_others(framed: RelyingParty, browser: Browser, bob: User) -> None:
    """Its sign-out ends the login, so the frames are shown there too."""
    protect(SYSTEM, name="Whoami", slug="whoami", external_host="https://app.example.test")
    provider = ProxyProvider.objects.get()
    whoami = RelyingParty(provider, redirect_uri=provider.redirect_uris[0]["url"], scope="openid")
    framed.tokens(browser)
    query = urlencode(
        {
            "id_token_hint": whoami.tokens(browser)["id_token"],
            "post_logout_redirect_uri": "https://app.example.test/bye",
        }
    )
    started = browser.get(f"/application/o/whoami/end-session/?{query}")
    tab = Tab(browser, started["Location"])
    assert "https://front.example.test/bye" in tab.text
    assert browser.get(tab.submit())["Location"] == "https://app.example.test/bye"


def test_nobody_to_tell_is_no_page(rp: RelyingParty, browser: Browser) -> None:
    """Without clients that want frames logging out is what it was."""
    rp.tokens(browser)
    answer: Any = browser.get(INVALIDATION)
    assert urlsplit(answer["Location"]).path == "/"
