"""The dance with somebody else's client: Authlib's, which knows nothing of us but RFCs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from doorward.identity.directory.models import User
from identity.oauth2.relying_party import CALLBACK, Browser, RelyingParty


class _ToDjango(httpx2.BaseTransport):
    """Carries requests of the HTTP client into the identity provider."""

    def __init__(self) -> None:
        self._browser = Browser()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer: Any = self._browser.generic(
            request.method,
            f"{urlsplit(str(request.url)).path}?{urlsplit(str(request.url)).query}".rstrip("?"),
            request.read(),
            content_type=request.headers.get("content-type", ""),
            headers={name: value for name, value in request.headers.items() if name != "host"},
        )
        return httpx2.Response(answer.status_code, headers=list(answer.headers.items()), content=answer.content)


def test_authlib_logs_in(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """Found by discovery, code with PKCE, tokens, userinfo, refresh, revocation: all as an independent client does."""
    provider = rp.provider
    client: Any = OAuth2Client(
        provider.client_id,
        provider.client_secret,
        token_endpoint_auth_method="client_secret_basic",
        scope="openid profile offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        transport=_ToDjango(),
    )
    base = "https://auth.example.test/application/o/rp/"
    anybody = httpx2.Client(transport=_ToDjango())
    document = anybody.get(f"{base}.well-known/openid-configuration").json()
    url, state = client.create_authorization_url(
        document["authorization_endpoint"], code_verifier="v" * 64, nonce="n-0S6_WzA2Mj"
    )
    landed = browser.get(url.removeprefix("https://auth.example.test"))["Location"]
    token = client.fetch_token(
        document["token_endpoint"], authorization_response=landed, state=state, code_verifier="v" * 64
    )
    keys = KeySet.import_key_set(anybody.get(document["jwks_uri"]).json())
    verified = jwt.decode(token["id_token"], keys, algorithms=document["id_token_signing_alg_values_supported"])
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": document["issuer"]},
        aud={"essential": True, "value": provider.client_id},
        nonce={"essential": True, "value": "n-0S6_WzA2Mj"},
        sub={"essential": True, "value": bob.uid},
    )
    registry.validate(verified.claims)
    assert client.get(document["userinfo_endpoint"]).json()["preferred_username"] == "bob"
    renewed = client.refresh_token(document["token_endpoint"])
    assert renewed["access_token"] != token["access_token"]
    assert client.introspect_token(document["introspection_endpoint"], renewed["access_token"]).json()["active"]
    assert client.revoke_token(document["revocation_endpoint"], renewed["refresh_token"]).status_code == 200
    assert client.get(document["userinfo_endpoint"]).status_code == 401
