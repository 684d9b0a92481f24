"""A small OpenID Connect relying party that walks the whole dance through Django's test client."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.logins.session_store import SessionStore
from doorward.identity.oauth2.models import OAuth2Provider

HOST = "auth.example.test"
CALLBACK = "https://rp.example.test/cb"


class Browser(Client):
    """A browser at the identity provider."""

    def __init__(self, **options: Any) -> None:
        super().__init__(headers={"host": HOST}, **options)

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["secure"] = True
        return super().generic(*args, **kwargs)

    def log_in_as(self, user: User, methods: tuple[str, ...] = ("pwd",)) -> SessionStore:
        """A login session, without walking through the flow."""
        store = SessionStore(
            self.cookies[name].value if (name := settings.SESSION_COOKIE_NAME) in self.cookies else None
        )
        store.begin_login(user, methods, None)
        assert store.session_key is not None
        self.cookies[name] = store.session_key
        return store

    def walk(self, page: str, *answers: dict[str, str]) -> str:
        """Answer the pages of a flow one after the other; says where the last one leads."""
        location = page
        for answer in answers:
            shown = self.get(location)
            assert shown.status_code == 200, shown.content
            hidden = _HiddenFields()
            hidden.feed(shown.content.decode())
            posted = self.post(location, {**hidden.fields, **answer})
            assert posted.status_code in {302, 303}, posted.content
            location = posted["Location"]
            while urlsplit(location).path.startswith("/if/flow/"):
                following = self.get(location)
                if following.status_code == 200:
                    break
                location = following["Location"]
        return location


class _HiddenFields(HTMLParser):
    """What a page's form sends along by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        field = dict(attrs)
        if tag == "input" and field.get("type") == "hidden" and field.get("name"):
            self.fields[field["name"] or ""] = field.get("value") or ""


def fields_of(location: str) -> dict[str, str]:
    """The parameters that a redirect brings to the client."""
    parts = urlsplit(location)
    return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment, keep_blank_values=True).items()}


def payload_of(token: str) -> dict[str, Any]:
    """What a token says; its signature is somebody else's business."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


@dataclass
class RelyingParty:
    """One registered client, as its own program sees it."""

    provider: OAuth2Provider
    redirect_uri: str = CALLBACK
    scope: str = "openid profile email"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    back: Browser = field(default_factory=Browser)
    """The program's own connection, without the user's cookies."""

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def question(self, **changes: str | None) -> dict[str, str]:
        asked: dict[str, str | None] = {
            "client_id": self.provider.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": self.scope,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def authorize(self, browser: Browser, **changes: str | None) -> Any:
        return browser.get(f"/application/o/authorize/?{urlencode(self.question(**changes))}")

    def code(self, browser: Browser, **changes: str | None) -> str:
        """A code for whoever is logged in in ``browser``; there must be nothing to ask."""
        response = self.authorize(browser, **changes)
        assert response.status_code == 302, response.content
        return fields_of(response["Location"])["code"]

    def redeem(self, code: str, **changes: str | None) -> Any:
        return self.token(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.redirect_uri,
                "code_verifier": self.verifier,
                **changes,
            }
        )

    def refresh(self, refresh_token: str, **changes: str | None) -> Any:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **changes)

    def token(self, **form: str | None) -> Any:
        body: dict[str, str | None] = {"client_id": self.provider.client_id}
        if self.provider.client_type == OAuth2Provider.ClientType.CONFIDENTIAL:
            body["client_secret"] = self.provider.client_secret
        return self.post("token", **{**body, **form})

    def post(self, endpoint: str, headers: dict[str, str] | None = None, /, **form: str | None) -> Any:
        return self.back.post(
            f"/application/o/{endpoint}/",
            urlencode({name: value for name, value in form.items() if value is not None}),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )

    def introspect(self, token: str) -> dict[str, Any]:
        response = self.post(
            "introspect",
            client_id=self.provider.client_id,
            client_secret=self.provider.client_secret,
            token=token,
        )
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        return answer

    def userinfo(self, access_token: str) -> Any:
        return self.back.get("/application/o/userinfo/", headers={"authorization": f"Bearer {access_token}"})

    def tokens(self, browser: Browser, **changes: str | None) -> dict[str, Any]:
        """The whole dance."""
        response = self.redeem(self.code(browser, **changes))
        assert response.status_code == 200, response.content
        tokens: dict[str, Any] = response.json()
        return tokens


def error_of(response: Any) -> tuple[int, str]:
    """Status and ``error`` of a refusal, which must also carry the id that the log knows it by (C8)."""
    body = json.loads(response.content)
    assert body["error_description"] and body["request_id"]
    return response.status_code, body["error"]
