"""One login through an OAuth source: the question to the browser, the code for tokens, the tokens for somebody.

Pure but for the questions to the source, all of which go through ``egress.client``. With OpenID Connect the ID token is
what is believed (S-429 to S-435); the profile adds to it and must be about the same subject. With plain OAuth the
profile is all there is, fetched with a token that came over a connection of ours.
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from django.conf import settings
from msgspec import structs

from doorward.identity.egress import client
from doorward.identity.policies.asked import NOTHING_KNOWN, Asked
from doorward.identity.sources import mapping
from doorward.identity.sources.arrival import Arrival
from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth import endpoints as places
from doorward.identity.sources.oauth.attempts import Attempt
from doorward.identity.sources.oauth.client_secrets import client_id, secret
from doorward.identity.sources.oauth.endpoints import Endpoints
from doorward.identity.sources.oauth.errors import SourceFailed
from doorward.identity.sources.oauth.presets import BY_NAME
from doorward.tokens.issuer_keys import Verified
from doorward.tokens.openid import Expected, check_id_token
from doorward.tokens.refused import TokenRefused

Claims = dict[str, object]
LARGEST_INFO = 32 * 1024
"""Bytes of JSON that go along in the session for policies; of a larger answer they see what is mapped, and no more."""


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str
    id_token: str
    answer: Claims


def callback_url(source: OAuthSource) -> str:
    """Where the source sends people back to: what has to be registered there."""
    return f"{settings.EXTERNAL_URL}/source/oauth/callback/{source.slug}/"


def authorization_url(source: OAuthSource, attempt: Attempt) -> str:
    """Where the browser goes to. Raises SourceFailed."""
    endpoints = places.of(source)
    query = {
        "response_type": "code",
        **BY_NAME[source.provider_type].parameters,
        "client_id": client_id(source),
        "redirect_uri": callback_url(source),
        "scope": " ".join(scopes_of(source)),
        "state": attempt.state,
    }
    if endpoints.issuer:
        query["nonce"] = attempt.nonce
    if source.pkce != OAuthSource.Pkce.NONE:
        query["code_challenge"] = _challenge(attempt.verifier, source.pkce)
        query["code_challenge_method"] = source.pkce
    return f"{endpoints.authorization}{'&' if '?' in endpoints.authorization else '?'}{urlencode(query)}"


def scopes_of(source: OAuthSource) -> list[str]:
    """What is asked for: the usual ones of the provider and those written down, or those alone after an asterisk."""
    additional = source.additional_scopes.split()
    replaces = bool(additional) and additional[0].startswith("*")
    usual = () if replaces else BY_NAME[source.provider_type].scopes
    return [scope for scope in dict.fromkeys([*usual, *(each.lstrip("*") for each in additional)]) if scope]


def require_issuer(endpoints: Endpoints, claimed: str | None) -> None:
    """The answer is of the provider that was asked, not of another that was mixed in (RFC 9207).

    Raises SourceFailed.
    """
    if endpoints.issuer and (claimed is not None or endpoints.names_issuer) and claimed != endpoints.issuer:
        raise SourceFailed(f"The answer is not of {endpoints.issuer}.")


def arrived(source: OAuthSource, attempt: Attempt, code: str, iss: str | None, asked: Asked = NOTHING_KNOWN) -> Arrival:
    """Who has come back with ``code``. Raises SourceFailed, mapping.MappingFailed."""
    endpoints = places.of(source)
    require_issuer(endpoints, iss)
    tokens = _redeemed(source, endpoints, attempt, code)
    claims: Claims = {}
    if endpoints.issuer:
        claims = cast(Claims, _checked(source, endpoints, attempt, tokens).claims)
    info = {**claims, **(_profile(endpoints, tokens) if endpoints.profile else {})}
    if claims and info.get("sub") != claims["sub"]:
        raise SourceFailed("The profile is about somebody else than the ID token (OpenID Connect Core section 5.3.2).")
    preset = BY_NAME[source.provider_type]
    if preset.emails_below:
        info["emails"] = _emails(endpoints, tokens, preset.emails_below)
    said = preset.read(info)
    base: dict[str, object] = {"username": said.username, "name": said.name, "email": said.email}
    if said.groups is not None:
        base["groups"] = list(said.groups)
    arrival = mapping.arrival(
        source, said.identifier, base, {"info": info}, email_verified=said.email_verified, asked=asked
    )
    return structs.replace(arrival, info=info) if len(msgspec.json.encode(info)) <= LARGEST_INFO else arrival


def _redeemed(source: OAuthSource, endpoints: Endpoints, attempt: Attempt, code: str) -> Tokens:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback_url(source)}
    if source.pkce != OAuthSource.Pkce.NONE:
        form["code_verifier"] = attempt.verifier
    headers, body = token_request(source, form)
    answer = _asked("POST", endpoints.token, headers, body)
    access_token, id_token = answer.get("access_token"), answer.get("id_token", "")
    if not isinstance(access_token, str) or not access_token or not isinstance(id_token, str):
        raise SourceFailed("The token endpoint has answered without an access token.")
    return Tokens(access_token, id_token, answer)


def token_request(source: OAuthSource, form: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """Headers and body of a question to the token endpoint, with who asks (RFC 6749 section 2.3.1).

    Raises SourceFailed.
    """
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    client, kept = client_id(source), secret(source)
    if source.authorization_code_auth_method == OAuthSource.AuthMethod.BASIC and kept:
        pair = f"{quote(client, safe='')}:{quote(kept, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form = {**form, "client_id": client}
        if kept:
            form["client_secret"] = kept
    return headers, urlencode(form).encode()


def _checked(source: OAuthSource, endpoints: Endpoints, attempt: Attempt, tokens: Tokens) -> Verified:
    if not tokens.id_token:
        raise SourceFailed("The token endpoint has answered without an ID token.")
    try:
        verified = verified_by(source, endpoints, tokens.id_token)
        check_id_token(
            verified,
            Expected(issuer=endpoints.issuer, client_id=client_id(source), nonce=attempt.nonce, now=time.time()),
            tokens.access_token,
        )
    except TokenRefused as error:
        raise SourceFailed(f"The ID token is not believed: {error}.") from error
    return verified


def verified_by(source: OAuthSource, endpoints: Endpoints, token: str) -> Verified:
    """The claims of a token that the source signed. Raises TokenRefused, SourceFailed."""
    try:
        return places.keys(source, endpoints.jwks).verify(token)
    except TokenRefused as refused:
        if refused.part != "kid":
            raise
        moved = places.of(source, newer=True)  # new keys may be elsewhere
        return places.keys(source, moved.jwks, newer=True).verify(token)


def _profile(endpoints: Endpoints, tokens: Tokens) -> Claims:
    return _asked("GET", endpoints.profile, _bearer(tokens), None)


def _emails(endpoints: Endpoints, tokens: Tokens, below: str) -> list[object]:
    """The addresses with what the provider says about each; none where it does not let us see them."""
    url = f"{endpoints.profile.partition('?')[0]}{below}?per_page=100"
    try:
        answer = client.ask("GET", url, headers=_bearer(tokens), private=True)
        found = answer.json()
    except (client.NotAsked, ValueError):
        return []
    return found if answer.status == 200 and isinstance(found, list) else []


def _bearer(tokens: Tokens) -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Authorization": f"Bearer {tokens.access_token}",
        "User-Agent": f"Doorward/{settings.VERSION}",
    }


def _asked(method: str, url: str, headers: dict[str, str], body: bytes | None) -> Claims:
    try:
        answer = client.ask(method, url, headers=headers, body=body, private=True)
    except client.NotAsked as error:
        raise SourceFailed(str(error)) from error
    try:
        found = answer.json()
    except ValueError:
        found = dict(parse_qsl(answer.body.decode("utf-8", "replace")))  # some still answer with a form
    if not isinstance(found, dict) or answer.status != 200 or "error" in found:
        word = str(found.get("error", ""))[:100] if isinstance(found, dict) else ""
        raise SourceFailed(f"{url.partition('?')[0]} answers {answer.status} {word}".rstrip() + ".")
    return found


def _challenge(verifier: str, method: str) -> str:
    if method == OAuthSource.Pkce.PLAIN:
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
