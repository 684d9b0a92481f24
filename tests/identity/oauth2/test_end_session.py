"""Leaving an application."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from doorward.identity.applications.actions import update_application
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.actions import update_oauth2_provider
from doorward.identity.outposts.actions import protect, update_proxy_provider
from doorward.identity.outposts.models import ProxyProvider
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, payload_of

AFTER = "https://rp.example.test/bye"
CALLBACK = "https://rp.example.test/cb"


@pytest.fixture
def leaving(register: Register) -> RelyingParty:
    """A client that has registered an address to come back to after the logout."""
    return register(redirect_uris=[{"url": CALLBACK}, {"url": AFTER, "redirect_uri_type": "logout"}])


@pytest.fixture
def protected(flows: None) -> RelyingParty:
    """A protected application, whose outpost is the client."""
    protect(Actor.system(), name="Whoami", slug="whoami", external_host="https://app.example.test")
    provider = ProxyProvider.objects.get()
    return RelyingParty(provider, redirect_uri=provider.redirect_uris[0]["url"], scope="openid profile ak_proxy")


def _end(rp: RelyingParty, browser: Browser, **query: str) -> Any:
    slug = rp.provider.application.slug
    return browser.get(f"/application/o/{slug}/end-session/?{urlencode(query)}")


def test_clients_get_their_browser_back(leaving: RelyingParty, browser: Browser, bob: User) -> None:
    """With a hint and a registered address the browser returns with the state; the login here goes on."""
    hint = leaving.tokens(browser)["id_token"]
    response = _end(leaving, browser, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s&t")
    assert response["Location"] == f"{AFTER}?state=s%26t"
    assert bob.login_sessions.exists()


@pytest.mark.parametrize("uri", ["https://evil.test/", CALLBACK, "javascript:alert(1)"])
def test_unregistered_addresses_are_not_followed(leaving: RelyingParty, browser: Browser, uri: str) -> None:
    """An address that is not registered for logouts ends at our own page."""  # S-443
    hint = leaving.tokens(browser)["id_token"]
    response = _end(leaving, browser, id_token_hint=hint, post_logout_redirect_uri=uri)
    assert urlsplit(response["Location"]).path == "/if/flow/default-provider-invalidation-flow/"
    assert browser.get(response["Location"]).status_code == 200


def test_without_a_hint_of_this_client_there_is_no_redirect(
    leaving: RelyingParty, register: Register, browser: Browser
) -> None:
    """No hint, or another client's: the browser stays here."""  # S-443
    other = register("rp2").tokens(browser)["id_token"]
    for hint in ("", other, "made-up"):
        response = _end(leaving, browser, id_token_hint=hint, post_logout_redirect_uri=AFTER)
        assert urlsplit(response["Location"]).path.startswith("/if/flow/")


def test_signing_out_of_a_protected_application_is_real(protected: RelyingParty, browser: Browser, bob: User) -> None:
    """After the outpost's sign-out the login is over: the next visit asks for the password."""
    hint = protected.tokens(browser)["access_token"]
    response = _end(protected, browser, id_token_hint=hint)
    assert not bob.login_sessions.exists()
    page = browser.get(response["Location"])
    assert page.status_code == 200
    assert "Whoami" in page.content.decode()
    assert urlsplit(protected.authorize(browser)["Location"]).path == "/if/flow/default-authentication-flow/"


@pytest.mark.parametrize(
    ("uri", "followed"),
    [
        ("https://app.example.test/bye?x=1", True),
        ("https://app.example.test.evil.test/", False),
        ("https://app.example.test@evil.test/", False),
        ("http://app.example.test/bye", False),
        ("//app.example.test/bye", False),
    ],
)
def test_protected_applications_get_their_browser_back(
    protected: RelyingParty, browser: Browser, bob: User, uri: str, followed: bool
) -> None:
    """Any page of the application itself may follow its sign-out, and nothing else."""  # S-443
    hint = protected.tokens(browser)["id_token"]
    response = _end(protected, browser, id_token_hint=hint, post_logout_redirect_uri=uri)
    assert (response["Location"] == uri) is followed
    assert not bob.login_sessions.exists()


@pytest.mark.parametrize(
    ("uri", "followed"),
    [
        ("https://wiki.example.test/bye", True),
        ("https://WIKI.example.test:8443/bye", True),
        ("https://example.test/", True),
        ("https://badexample.test/", False),
        ("https://wiki.example.test.evil.test/", False),
        ("https://wiki.example.test@evil.test/", False),
        ("https://evil.test/?https://wiki.example.test/", False),
        ("http://wiki.example.test/bye", False),
    ],
)
def test_a_protected_domain_gets_its_browser_back_at_any_host(
    protected: RelyingParty, browser: Browser, uri: str, followed: bool
) -> None:
    """Who signed out at one host of a domain returns there, and nowhere outside of the domain."""  # S-308 S-443
    provider = ProxyProvider.objects.get()
    update_proxy_provider(Actor.system(), provider, mode="forward_domain", cookie_domain=".Example.test")
    hint = protected.tokens(browser)["id_token"]
    response = _end(protected, browser, id_token_hint=hint, post_logout_redirect_uri=uri)
    assert (response["Location"] == uri) is followed


def test_a_domain_that_is_not_protected_as_one_is_no_way_back(protected: RelyingParty, browser: Browser) -> None:
    """A cookie domain left behind by a provider for a single application opens nothing."""
    update_proxy_provider(Actor.system(), ProxyProvider.objects.get(), cookie_domain="example.test")
    hint = protected.tokens(browser)["id_token"]
    response = _end(protected, browser, id_token_hint=hint, post_logout_redirect_uri="https://wiki.example.test/")
    assert response["Location"].startswith("/if/flow/")


def test_without_a_hint_the_person_is_asked(protected: RelyingParty, browser: Browser, bob: User) -> None:
    """A bare link must not log anybody out; the answer on the page does."""  # S-443 S-528
    response = _end(protected, browser)
    assert response.status_code == 200
    assert "Sign out of Whoami?" in response.content.decode()
    assert bob.login_sessions.exists()
    forged = Browser(enforce_csrf_checks=True)
    forged.cookies = browser.cookies
    assert (
        forged.post("/application/o/whoami/end-session/confirm/", headers={"origin": "https://evil.test"}).status_code
        == 403
    )
    assert bob.login_sessions.exists()
    browser.post("/application/o/whoami/end-session/confirm/")
    assert not bob.login_sessions.exists()


def test_a_hint_about_somebody_else_logs_nobody_out(
    protected: RelyingParty, browser: Browser, bob: User, mallory: User
) -> None:
    """Mallory's token does not end bob's login."""  # S-442
    other = Browser()
    other.log_in_as(mallory)
    hint = protected.tokens(other)["id_token"]
    assert payload_of(hint)["sub"] == mallory.uid
    response = _end(protected, browser, id_token_hint=hint)
    assert response.status_code == 200
    assert bob.login_sessions.exists()


def test_expired_hints_still_say_who(protected: RelyingParty, browser: Browser, bob: User) -> None:
    """People sign out long after their token has expired."""
    provider = protected.provider
    provider.access_token_validity = "milliseconds=1"
    provider.save()
    hint = protected.tokens(browser)["id_token"]
    _end(protected, browser, id_token_hint=hint)
    assert not bob.login_sessions.exists()


def test_a_flow_that_logs_out_is_run_before_the_way_back(leaving: RelyingParty, browser: Browser, bob: User) -> None:
    """A client whose invalidation flow ends the login gets its browser back afterwards."""
    flow = Flow.objects.get(slug="default-invalidation-flow")
    update_oauth2_provider(Actor.system(), leaving.provider, invalidation_flow=flow)
    hint = leaving.tokens(browser)["id_token"]
    response = _end(leaving, browser, id_token_hint=hint, post_logout_redirect_uri=AFTER)
    while urlsplit(response["Location"]).netloc == "":
        response = browser.get(response["Location"])
    assert response["Location"] == AFTER
    assert not bob.login_sessions.exists()


def test_posts_are_repeated_as_gets(leaving: RelyingParty, browser: Browser) -> None:
    """Another site's form comes without our cookie; the GET that follows comes with it."""
    response = browser.post("/application/o/rp/end-session/", {"state": "x"})
    assert response.status_code == 303
    assert response["Location"] == "/application/o/rp/end-session/?state=x"


def test_strangers_see_the_end_page(protected: RelyingParty) -> None:
    """Who is logged out already is told so, and unknown applications are 404."""
    browser = Browser()
    assert browser.get(_end(protected, browser)["Location"]).status_code == 200
    assert browser.get("/application/o/unknown/end-session/").status_code == 404


def test_a_renamed_application_moves_its_endpoints(leaving: RelyingParty, browser: Browser) -> None:
    """The old address is gone with the old slug."""
    update_application(Actor.system(), Application.objects.get(slug="rp"), slug="rp-new")
    assert browser.get("/application/o/rp/end-session/").status_code == 404
    assert browser.get("/application/o/rp-new/.well-known/openid-configuration").status_code == 200
