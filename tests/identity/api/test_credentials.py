"""What counts as proof of who is asking (S-608, S-609)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.test import Client
from django.utils import timezone

if TYPE_CHECKING:
    from doorward.identity.directory.models import User

REFUSED = (403, {"detail": "Token invalid/expired"})


def key_of(user: User, **fields: Any) -> str:
    from doorward.identity.directory.actions import create_token
    from doorward.identity.directory.models import Token
    from doorward.identity.events.actor import Actor

    wanted = {"identifier": "mine", "intent": Token.Intent.API} | fields
    return create_token(Actor.system(), user=user, **wanted)[1]


def test_an_app_password_is_no_api_key_of(bob: User, client_with: Any) -> None:
    """It opens applications, not this API."""  # S-608
    key = key_of(bob, intent="app_password")

    assert client_with(key).refused("GET", "core/users/me/") == REFUSED


def test_an_expired_token_is_refused(bob: User, client_with: Any) -> None:
    """From the second on at which it expires."""  # S-608
    key = key_of(bob, expires=timezone.now() - timedelta(seconds=1))

    assert client_with(key).refused("GET", "core/users/me/") == REFUSED


def test_a_deactivated_users_token_is_refused(bob: User, client_with: Any) -> None:
    """At once."""  # S-608, C15
    from doorward.identity.directory.actions import update_user
    from doorward.identity.events.actor import Actor

    api = client_with(key_of(bob))
    api.get("core/users/me/")
    update_user(Actor.system(), bob, is_active=False)

    assert api.refused("GET", "core/users/me/") == REFUSED


@pytest.mark.parametrize("key", ["", " ", "é" * 60, "x" * 2000, "null", "x y"])
def test_nonsense_is_no_token(db: None, client_with: Any, key: str) -> None:
    """Whatever stands after Bearer, the answer is the same."""
    assert client_with(key, even_empty=True).refused("GET", "core/users/me/") == REFUSED


def test_a_token_in_the_address_does_not_count(bob: User, stranger: Any) -> None:
    """Addresses are logged and shared."""  # S-608
    assert stranger.call("GET", f"core/users/me/?access_token={key_of(bob)}").status_code == 403


def browser_of(user: User) -> tuple[Client, str]:
    """A browser in which ``user`` has logged in, with CSRF checks as for a real one, and its CSRF token."""
    from django.conf import settings

    from doorward.identity.logins.actions import log_in
    from doorward.identity.logins.session_store import SessionStore

    request = HttpRequest()
    request.session = SessionStore()
    log_in(request, user, methods=("pwd",))
    token = get_token(request)
    request.session["_csrftoken"] = request.META["CSRF_COOKIE"]
    request.session.save()
    browser = Client(enforce_csrf_checks=True, headers={"host": "auth.example.test"})
    browser.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key or ""
    return browser, token


def create_group(browser: Client, **headers: str) -> int:
    response = browser.post("/api/v3/core/groups/", {"name": "x"}, content_type="application/json", headers=headers)
    return response.status_code


OWN = "https://auth.example.test"


def test_a_browser_writes_with_the_csrf_header(flows: None, akadmin: User) -> None:
    """The session cookie alone changes nothing."""  # S-609
    browser, token = browser_of(akadmin)

    assert browser.get("/api/v3/core/users/me/").status_code == 200
    assert create_group(browser, origin=OWN) == 403
    assert create_group(browser, origin=OWN, **{"x-authentik-csrf": "d" * 32}) == 403
    assert create_group(browser, origin="https://evil.test", **{"x-authentik-csrf": token}) == 403
    assert create_group(browser, origin="null", **{"x-authentik-csrf": token}) == 403
    assert create_group(browser, origin=OWN, **{"x-authentik-csrf": token}) == 201


def test_a_form_of_another_site_is_no_json(flows: None, akadmin: User) -> None:
    """What a cross-site form can send is refused for its media type alone."""  # S-609
    browser, token = browser_of(akadmin)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        response = browser.post(
            "/api/v3/core/groups/",
            b'{"name":"x"}',
            content_type=kind,
            headers={"origin": OWN, "x-authentik-csrf": token},
        )
        assert response.status_code == 415


def test_no_other_site_may_read(stranger: Any) -> None:
    """There are no CORS headers."""  # S-609
    response = stranger.call("OPTIONS", "root/config/")

    assert not [name for name in response.headers if name.lower().startswith("access-control")]
