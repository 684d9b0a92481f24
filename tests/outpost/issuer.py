"""A small OpenID Connect provider that really signs (ES256) and really checks codes, PKCE and client secrets.

It stands behind the ``IdentityChannel`` port, and a test sends a browser to ``authorize``. ``claims`` and ``sign``
can be bent, to see what the outpost makes of a token that is wrong in one way.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.outposts import ProxyProvider, VerificationKey
from doorward.outpost.ports import IdentityUnreachable
from doorward.tokens import base64url
from doorward.tokens.openid import token_hash

ORIGIN = "https://auth.example.test"


@dataclass(frozen=True)
class Person:
    username: str = "bob"
    name: str = "Bob Example"
    email: str = "bob@example.test"
    groups: tuple[str, ...] = ("staff",)
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def sub(self) -> str:
        return hashlib.sha256(self.username.encode()).hexdigest()


@dataclass
class _Grant:
    request: dict[str, str]
    person: Person


class Issuer:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.key = ECKey.generate_key("P-256", {"kid": "key-1", "alg": "ES256", "use": "sig"})
        self.clients: dict[str, ProxyProvider] = {}
        self._grants: dict[str, _Grant] = {}
        self.reachable = True
        self.bend_id_token: Callable[[dict[str, Any]], None] = lambda claims: None
        self.bend_access_token: Callable[[dict[str, Any]], None] = lambda claims: None
        self.sign = self._sign
        self.exchanges: list[dict[str, str]] = []

    @property
    def public_keys(self) -> tuple[VerificationKey, ...]:
        return (VerificationKey("key-1", "ES256", json.dumps(self.key.as_dict(private=False))),)

    def authorize(self, location: str, person: Person) -> str:
        """What a browser that is logged in as ``person`` is redirected to."""
        assert location.startswith(f"{ORIGIN}/application/o/authorize/?"), location
        request = dict(parse_qsl(urlsplit(location).query, strict_parsing=True))
        assert request["response_type"] == "code"
        assert request["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._grants[code] = _Grant(request, person)
        return f"{request['redirect_uri']}&{urlencode({'code': code, 'state': request['state']})}"

    async def fetch(self, question: HttpQuestion, url: str) -> HttpAnswer:
        if not self.reachable:
            raise IdentityUnreachable("switched off")
        assert (question.method, url) == (b"POST", f"{ORIGIN}/application/o/token/")
        assert question.first(b"host") == b"auth.example.test"
        form = {name: values[0] for name, values in parse_qs(question.body.decode(), strict_parsing=True).items()}
        self.exchanges.append(form)
        client = self.clients.get(form["client_id"])
        if client is None or client.client_secret != form["client_secret"]:
            return _error("invalid_client")
        grant = self._grants.pop(form["code"], None)
        if grant is None or grant.request["redirect_uri"] != form["redirect_uri"]:
            return _error("invalid_grant")
        challenge = base64url.encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge != grant.request["code_challenge"] or form["grant_type"] != "authorization_code":
            return _error("invalid_grant")
        return self._tokens(client, grant)

    def _tokens(self, client: ProxyProvider, grant: _Grant) -> HttpAnswer:
        person, now = grant.person, int(self._now())
        claims: dict[str, Any] = {
            "iss": client.issuer,
            "sub": person.sub,
            "aud": client.client_id,
            "exp": now + int(client.access_token_validity),
            "iat": now,
            "nonce": grant.request["nonce"],
            "sid": hashlib.sha256(b"login of " + person.username.encode()).hexdigest(),
            "preferred_username": person.username,
            "name": person.name,
            "email": person.email,
            "groups": list(person.groups),
            "entitlements": [],
            "ak_proxy": {"user_attributes": person.attributes, "is_superuser": False},
        }
        access = {**claims, "azp": client.client_id, "scope": grant.request["scope"]}
        self.bend_access_token(access)
        access_token = self.sign(access)
        claims["at_hash"] = token_hash(access_token, "ES256")
        self.bend_id_token(claims)
        body = {"access_token": access_token, "token_type": "Bearer", "id_token": self.sign(claims)}
        return HttpAnswer(200, ((b"Content-Type", b"application/json"),), json.dumps(body).encode())

    def _sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": "ES256", "kid": "key-1", "typ": "JWT"}
        return jws.serialize_compact(header, json.dumps(claims), self.key)


def _error(code: str) -> HttpAnswer:
    return HttpAnswer(400, ((b"Content-Type", b"application/json"),), json.dumps({"error": code}).encode())
