"""A small OpenID Connect provider that really signs (ES256) and really checks codes, PKCE and client secrets.

It stands behind the ``IdentityChannel`` port, and a test sends a browser to ``authorize``. ``claims`` and ``sign``
can be bent, to see what the outpost makes of a token that is wrong in one way.
"""

from __future__ import annotations

import asyncio
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


@dataclass
class _Issued:
    client_id: str
    person: Person
    expires: int


class Issuer:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.key = ECKey.generate_key("P-256", {"kid": "key-1", "alg": "ES256", "use": "sig"})
        self.clients: dict[str, ProxyProvider] = {}
        self._grants: dict[str, _Grant] = {}
        self.reachable = True
        self.bend_id_token: Callable[[dict[str, Any]], None] = lambda claims: None
        self.bend_access_token: Callable[[dict[str, Any]], None] = lambda claims: None
        self.bend_introspection: Callable[[dict[str, Any]], None] = lambda said: None
        self.sign = self._sign
        self.exchanges: list[dict[str, str]] = []
        """Every form that came, to whichever endpoint."""
        self.askers: list[bytes | None] = []
        """For whom, as ``X-Forwarded-For`` says."""
        self.app_passwords: dict[str, Person] = {}
        self.access_tokens: dict[str, _Issued] = {}
        """What is active; take one out to revoke it."""
        self.gives_refresh_tokens = False
        self.refresh_tokens: dict[str, _Grant] = {}
        self.rotates = True
        self.bend_answer: Callable[[dict[str, str]], object] = lambda body: None
        self.status = 0
        """When set, every answer has it and no body."""
        self.gate: asyncio.Event | None = None
        """When set, an answer is made at once but arrives only after the gate opens."""

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
        assert question.method == b"POST"
        assert question.first(b"host") == b"auth.example.test"
        assert url == ORIGIN + question.target.decode()
        form = {name: values[0] for name, values in parse_qs(question.body.decode(), strict_parsing=True).items()}
        self.exchanges.append(form)
        self.askers.append(question.first(b"x-forwarded-for"))
        answer = HttpAnswer(self.status) if self.status else self._answer(url, form)
        if self.gate is not None:
            await self.gate.wait()
        return answer

    def _answer(self, url: str, form: dict[str, str]) -> HttpAnswer:
        client = self.clients.get(form["client_id"])
        if client is None or client.client_secret != form["client_secret"]:
            return _error("invalid_client")
        if url == f"{ORIGIN}/application/o/introspect/":
            return self._about(client, form["token"])
        assert url == f"{ORIGIN}/application/o/token/"
        if form["grant_type"] == "client_credentials":
            person = self.app_passwords.get(form.get("password", ""))
            if person is None or person.username != form["username"]:
                return _error("invalid_client")
            return self._tokens(client, _Grant({"scope": form["scope"]}, person))
        if form["grant_type"] == "refresh_token":
            return self._refresh(client, form["refresh_token"])
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
        self.access_tokens[access_token] = _Issued(client.client_id, person, access["exp"])
        if "nonce" in grant.request:
            claims["nonce"] = grant.request["nonce"]
        claims["at_hash"] = token_hash(access_token, "ES256")
        self.bend_id_token(claims)
        body = {"access_token": access_token, "token_type": "Bearer", "id_token": self.sign(claims)}
        if self.gives_refresh_tokens and (self.rotates or "nonce" in grant.request):
            body["refresh_token"] = secrets.token_urlsafe(32)
            self.refresh_tokens[body["refresh_token"]] = _Grant({"scope": grant.request["scope"]}, person)
        self.bend_answer(body)
        return HttpAnswer(200, ((b"Content-Type", b"application/json"),), json.dumps(body).encode())

    def _refresh(self, client: ProxyProvider, presented: str) -> HttpAnswer:
        grant = self.refresh_tokens.get(presented)
        if grant is None:
            self.refresh_tokens.clear()  # a used one: everything that it stands for ends
            return _error("invalid_grant")
        if self.rotates:
            del self.refresh_tokens[presented]
        return self._tokens(client, grant)

    def become(self, person: Person) -> None:
        """From now on this is whom all refresh tokens are about."""
        self.refresh_tokens = {token: _Grant(grant.request, person) for token, grant in self.refresh_tokens.items()}

    def access_token(self, client: ProxyProvider, person: Person) -> str:
        """A token of ``client`` about ``person``, as a program could have got it."""
        before = set(self.access_tokens)
        self._tokens(client, _Grant({"scope": "openid"}, person))
        [token] = self.access_tokens.keys() - before
        return token

    def _about(self, client: ProxyProvider, token: str) -> HttpAnswer:
        issued = self.access_tokens.get(token)
        said: dict[str, Any] = {"active": False}
        if issued is not None and issued.client_id == client.client_id and issued.expires > self._now():
            person = issued.person
            said = {
                "active": True,
                "client_id": client.client_id,
                "aud": client.client_id,
                "exp": issued.expires,
                "sub": person.sub,
                "preferred_username": person.username,
                "groups": list(person.groups),
            }
        self.bend_introspection(said)
        return HttpAnswer(200, ((b"Content-Type", b"application/json"),), json.dumps(said).encode())

    def _sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": "ES256", "kid": "key-1", "typ": "JWT"}
        return jws.serialize_compact(header, json.dumps(claims), self.key)


def _error(code: str) -> HttpAnswer:
    return HttpAnswer(400, ((b"Content-Type", b"application/json"),), json.dumps({"error": code}).encode())
