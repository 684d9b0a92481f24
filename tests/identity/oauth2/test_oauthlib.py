"""oauthlib as the client, unmodified: it prepares every request and judges every answer, and knows nothing of us."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import pytest
from oauthlib.oauth2 import (
    BackendApplicationClient,
    InvalidGrantError,
    MismatchingStateError,
    WebApplicationClient,
)

from doorward.identity.directory.models import User
from identity.oauth2.relying_party import CALLBACK, Browser, RelyingParty

BASE = "https://auth.example.test/application/o"
SCOPE = ["openid", "profile", "offline_access"]


@pytest.fixture
def anybody() -> Browser:
    """Who is nobody: the program that the client is."""
    return Browser()


def sent(program: Browser, request: tuple[str, dict[str, str], str], rp: RelyingParty) -> Any:
    """What oauthlib has prepared, sent with the client's password; the answer."""
    url, headers, body = request
    known = b64encode(f"{rp.provider.client_id}:{rp.provider.client_secret}".encode()).decode()
    headers = {name: value for name, value in headers.items() if name != "Content-Type"}
    return program.generic(
        "POST",
        urlsplit(url).path,
        body,
        content_type="application/x-www-form-urlencoded",
        headers={**headers, "Authorization": f"Basic {known}"},
    )


def test_it_logs_in(rp: RelyingParty, browser: Browser, anybody: Browser, bob: User) -> None:
    """Code with PKCE and state, tokens, userinfo, refresh with another token, revocation; a code works once."""
    client = WebApplicationClient(rp.provider.client_id)
    verifier = client.create_code_verifier(64)
    url, _, _ = client.prepare_authorization_request(
        f"{BASE}/authorize/",
        state="of-this-login",
        redirect_url=CALLBACK,
        scope=SCOPE,
        code_challenge=client.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
    )
    landed = browser.get(url.removeprefix("https://auth.example.test"))["Location"]
    with pytest.raises(MismatchingStateError):
        client.parse_request_uri_response(landed, state="of another")

    exchange = client.prepare_token_request(
        f"{BASE}/token/",
        authorization_response=landed,
        redirect_url=CALLBACK,
        state="of-this-login",
        code_verifier=verifier,
    )
    first = client.parse_request_body_response(sent(anybody, exchange, rp).content.decode(), scope=SCOPE)
    assert {"access_token", "refresh_token", "id_token", "expires_at"} <= set(first)

    url, headers, _ = client.add_token(f"{BASE}/userinfo/", "GET")
    assert anybody.get(urlsplit(url).path, headers=headers).json()["preferred_username"] == "bob"

    renewal = client.prepare_refresh_token_request(f"{BASE}/token/", refresh_token=first["refresh_token"], scope=SCOPE)
    second = client.parse_request_body_response(sent(anybody, renewal, rp).content.decode(), scope=SCOPE)
    assert second["refresh_token"] != first["refresh_token"]

    revocation = client.prepare_token_revocation_request(
        f"{BASE}/revoke/", second["refresh_token"], token_type_hint="refresh_token"
    )
    assert sent(anybody, revocation, rp).status_code == 200
    url, headers, _ = client.add_token(f"{BASE}/userinfo/", "GET")
    assert anybody.get(urlsplit(url).path, headers=headers).status_code == 401
    with pytest.raises(InvalidGrantError):
        client.parse_request_body_response(sent(anybody, exchange, rp).content.decode(), scope=SCOPE)


def test_a_program_comes_as_itself(rp: RelyingParty, anybody: Browser) -> None:
    """Client credentials."""
    rp.provider.grant_types = [*rp.provider.grant_types, "client_credentials"]
    rp.provider.save()
    client = BackendApplicationClient(rp.provider.client_id, scope=["openid", "profile"])

    answer = sent(anybody, client.prepare_token_request(f"{BASE}/token/"), rp)

    token = client.parse_request_body_response(answer.content.decode(), scope=["openid", "profile"])
    url, headers, _ = client.add_token(f"{BASE}/userinfo/", "GET")
    assert token["token_type"].lower() == "bearer"
    assert anybody.get(urlsplit(url).path, headers=headers).status_code == 200
