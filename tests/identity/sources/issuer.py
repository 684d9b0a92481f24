"""A small OpenID Connect issuer on a socket of its own, which can be told to answer wrongly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey


class Issuer:
    """``claims`` are those of the person who logs in; whatever else a test changes is wrong on purpose."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", parameters={"kid": "one", "alg": "ES256", "use": "sig"})
        self.claims: dict[str, Any] = {
            "sub": "42",
            "preferred_username": "erin",
            "name": "Erin",
            "email": "erin@example.test",
            "email_verified": True,
        }
        self.id_token: dict[str, Any] = {}
        """Claims of the ID token that differ from the right ones; None takes one away."""
        self.profile: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.signing_key: Any = self.key
        self.header: dict[str, Any] = {"alg": "ES256", "kid": "one"}
        self.emails: Any = None
        """What GitHub's list of addresses would say; None where it is not ours to see."""
        self.refuses_client = False
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def log_in(self, location: str) -> dict[str, str]:
        """What a browser does there: somebody logs in, and is sent back with a code. The query of the way back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url}

    def answer(self, method: str, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        self.asked.append((path, form))
        match path:
            case "/.well-known/openid-configuration":
                return 200, {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "userinfo_endpoint": f"{self.url}/userinfo",
                    "jwks_uri": f"{self.url}/jwks",
                    "authorization_response_iss_parameter_supported": True,
                    **self.metadata,
                }
            case "/jwks":
                return 200, {"keys": [self.key.as_dict(private=False)]}
            case "/token":
                if self.refuses_client:
                    return 401, {"error": "invalid_client"}
                asked = self.codes.pop(form.get("code", ""), None)
                if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
                    return 400, {"error": "invalid_grant"}
                return 200, {"access_token": "at", "token_type": "Bearer", "id_token": self._token(asked)}
            case "/userinfo" if authorization == "Bearer at":
                return 200, {**self.claims, **self.profile}
            case "/userinfo/emails" if authorization == "Bearer at" and self.emails is not None:
                return 200, self.emails
        return 404, {}

    def _token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": asked["client_id"],
            "sub": self.claims["sub"],
            "nonce": asked.get("nonce", ""),
            "iat": now,
            "exp": now + 300,
            **self.id_token,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(self.header, kept, self.signing_key, algorithms=["ES256", "HS256"])


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, body: str) -> None:
            form = {name: values[0] for name, values in parse_qs(body).items()}
            path, authorization = self.path.partition("?")[0], self.headers.get("Authorization", "")
            status, found = issuer.answer(self.command, path, form, authorization)
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def running() -> Iterator[Issuer]:
    issuer = Issuer()
    try:
        yield issuer
    finally:
        issuer.stop()
