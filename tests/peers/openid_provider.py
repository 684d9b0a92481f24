"""An OpenID Connect provider that has nothing in common with ours: RSA keys, opaque access tokens, claims in the
userinfo, and, where wanted, the URLs and claims that authentik has.

``respond`` is the whole of it, a function of the request. ``serving`` puts it on a port, with a login page for a
browser; the outpost's own tests ask it without a socket and with a clock that they move.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import RSAKey

EVENT = "http://schemas.openid.net/event/backchannel-logout"
CLIENT, SECRET = "outpost-client", "client-secret-with:colon/and+plus"


@dataclass
class Person:
    username: str = "carol"
    email: str = "carol@example.com"
    groups: list[str] = field(default_factory=lambda: ["staff"])
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def sub(self) -> str:
        return f"sub-{self.username}"


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class _Grant:
    request: dict[str, str]
    person: Person
    sid: str


class Provider:
    def __init__(self, origin: str, *, as_authentik: bool = False, now: Callable[[], float] = time.time) -> None:
        self.origin = origin
        self.issuer = f"{origin}/application/o/wiki/" if as_authentik else f"{origin}/realms/main"
        self.now = now
        self.as_authentik = as_authentik
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self.person = Person()
        """Whoever logs in next."""
        self.in_id_token = as_authentik
        """Everything about the person stands in the ID token; else only ``sub``, and the rest in the userinfo."""
        self.gives_refresh_tokens = True
        self.token_life = 300
        self.methods = ["client_secret_post", "client_secret_basic"] if as_authentik else ["client_secret_basic"]
        self.away = False
        self.bend: Callable[[dict[str, Any]], object] = lambda claims: None
        """Changes the claims of ID tokens."""
        self.document: dict[str, Any] = {}
        """Changes the discovery document."""
        self.asked: list[str] = []
        """Path of every request."""
        self.ended: list[dict[str, str]] = []
        """What came to the end-session endpoint."""
        self._codes: dict[str, _Grant] = {}
        self._access: dict[str, _Grant] = {}
        self._refresh: dict[str, _Grant] = {}

    # --- what it publishes ---------------------------------------------------------------------------------------

    def paths(self) -> dict[str, str]:
        if self.as_authentik:
            o = "/application/o"
            return {
                "authorization_endpoint": f"{o}/authorize/",
                "token_endpoint": f"{o}/token/",
                "userinfo_endpoint": f"{o}/userinfo/",
                "end_session_endpoint": f"{o}/wiki/end-session/",
                "introspection_endpoint": f"{o}/introspect/",
                "jwks_uri": f"{o}/wiki/jwks/",
            }
        return {
            "authorization_endpoint": "/realms/main/auth",
            "token_endpoint": "/realms/main/token",
            "userinfo_endpoint": "/realms/main/userinfo",
            "end_session_endpoint": "/realms/main/logout",
            "jwks_uri": "/realms/main/certs",
        }

    def discovery(self) -> dict[str, Any]:
        published: dict[str, Any] = {
            "issuer": self.issuer,
            **{name: self.origin + path for name, path in self.paths().items()},
            "response_types_supported": ["code", "code id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": self.methods,
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }
        if self.as_authentik:
            published |= {
                "backchannel_logout_supported": True,
                "backchannel_logout_session_supported": True,
                "request_parameter_supported": False,
                "claims_parameter_supported": False,
            }
        return published | self.document

    def new_key(self, kid: str) -> None:
        """From now on this one signs, and it is the only one that is published."""
        self.key = RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})

    # --- requests ------------------------------------------------------------------------------------------------

    def respond(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
        path, _, query = target.partition("?")
        self.asked.append(path)
        if self.away:
            return Reply(503)
        if path == urlsplit(self.issuer).path.rstrip("/") + "/.well-known/openid-configuration":
            return _json(self.discovery())
        names = {where: name for name, where in self.paths().items()}
        match names.get(path):
            case "jwks_uri":
                return _json({"keys": [self.key.as_dict(private=False)]})
            case "token_endpoint" if method == "POST":
                return self._token(headers, _form(body.decode()))
            case "userinfo_endpoint":
                return self._userinfo(headers.get("authorization", ""))
            case "authorization_endpoint":
                return self._page(query) if method == "GET" else self.authorize(query)
            case "end_session_endpoint":
                self.ended.append(_form(query))
                return Reply(200, b"You are logged out of the issuer.", {"Content-Type": "text/plain"})
        return Reply(404)

    def _page(self, query: str) -> Reply:
        body = f'<form method="post" action="?{escape(query)}"><h1>Issuer</h1><button id="login">Log in</button></form>'
        return Reply(200, body.encode(), {"Content-Type": "text/html"})

    def authorize(self, query: str) -> Reply:
        """The person logs in: back to the client with a code."""
        request = _form(query)
        assert request["client_id"] == CLIENT, request
        assert request["response_type"] == "code"
        assert request["code_challenge_method"] == "S256"
        assert "openid" in request["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Grant(request, self.person, f"sid-{secrets.token_hex(8)}")
        answer = {"code": code, "state": request["state"], "iss": self.issuer}
        joint = "&" if "?" in request["redirect_uri"] else "?"
        return Reply(302, b"", {"Location": f"{request['redirect_uri']}{joint}{urlencode(answer)}"})

    def _token(self, headers: dict[str, str], form: dict[str, str]) -> Reply:
        if not self._is_client(headers, form):
            return _json({"error": "invalid_client"}, 401)
        if form["grant_type"] == "refresh_token":
            grant = self._refresh.pop(form["refresh_token"], None)
            return _json({"error": "invalid_grant"}, 400) if grant is None else self._tokens(grant, again=True)
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.request["redirect_uri"] != form["redirect_uri"]:
            return _json({"error": "invalid_grant"}, 400)
        challenge = _base64url(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge != grant.request["code_challenge"]:
            return _json({"error": "invalid_grant"}, 400)
        return self._tokens(grant)

    def _is_client(self, headers: dict[str, str], form: dict[str, str]) -> bool:
        if "client_secret_basic" in self.methods and headers.get("authorization", "").startswith("Basic "):
            pair = base64.b64decode(headers["authorization"][6:]).decode()
            name, _, secret = pair.partition(":")
            return (unquote(name), unquote(secret)) == (CLIENT, SECRET)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)

    def _tokens(self, grant: _Grant, *, again: bool = False) -> Reply:
        now = int(self.now())
        access = secrets.token_urlsafe(24)
        self._access[access] = grant
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": [CLIENT],
            "sub": grant.person.sub,
            "sid": grant.sid,
            "iat": now,
            "auth_time": now,
            "exp": now + self.token_life,
            "at_hash": _base64url(hashlib.sha256(access.encode()).digest()[:16]),
        }
        if self.in_id_token:
            claims |= self._about(grant.person)
        if "nonce" in grant.request and not again:
            claims["nonce"] = grant.request["nonce"]
        self.bend(claims)
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.token_life,
            "id_token": self.sign(claims),
        }
        if self.gives_refresh_tokens and "offline_access" in grant.request["scope"].split():
            answer["refresh_token"] = secrets.token_urlsafe(24)
            self._refresh[answer["refresh_token"]] = grant
        return _json(answer)

    def _userinfo(self, authorization: str) -> Reply:
        grant = self._access.get(authorization.removeprefix("Bearer "))
        if grant is None:
            return Reply(401)
        return _json({"sub": grant.person.sub, **self._about(grant.person)})

    @staticmethod
    def _about(person: Person) -> dict[str, Any]:
        return {
            "preferred_username": person.username,
            "name": person.username.title(),
            "email": person.email,
            "email_verified": True,
            "groups": person.groups,
            **person.more,
        }

    def sign(self, claims: dict[str, Any], **header: str) -> str:
        header = {"alg": "RS256", "kid": str(self.key.kid), "typ": "JWT", **header}
        return jws.serialize_compact(header, json.dumps(claims), self.key)

    def logout_token(self, **changes: Any) -> str:
        """A good one, but for ``changes``; None takes a claim away."""
        now = int(self.now())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "events": {EVENT: {}},
            **changes,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None}, typ="logout+jwt")

    def sid_of(self, id_token: str) -> str:
        payload = id_token.split(".")[1]
        claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims["sid"]


@contextlib.contextmanager
def serving(port: int, *, as_authentik: bool = False) -> Iterator[Provider]:
    """The provider on a port of loopback; ``id.localhost`` is its name."""
    provider = Provider(f"http://id.localhost:{port}", as_authentik=as_authentik)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

        def _reply(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            fields = {name.lower(): value for name, value in self.headers.items()}
            reply = provider.respond(method, self.path, fields, body)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _form(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
