"""A captcha service as the big ones are: a script for the page and ``siteverify`` for the server, over real HTTP."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

SECRET = "captcha-secret-key"
SCRIPT = """
window.turnstile = { render(place, options) {
  const frame = document.createElement("iframe");
  frame.src = "ORIGIN/frame";
  frame.title = "check";
  place.append(frame);
  if (options.sitekey !== "site") { options["error-callback"](); return; }
  fetch("ORIGIN/token").then((answer) => answer.text()).then(options.callback);
} };
"""


@dataclass(slots=True)
class CaptchaService:
    """What it says, and what it was asked."""

    origin: str = ""
    score: float | None = None
    raw: bytes | None = None
    """What it answers instead of what it should."""
    status: int = 200
    good: set[str] = field(default_factory=set)
    """Answers of visitors that were not checked yet; each is good once."""
    asked: list[dict[str, str]] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    """Paths that browsers asked for."""
    lenient: bool = False
    """Takes an answer as often as it comes."""

    def token(self) -> str:
        made = secrets.token_urlsafe(16)
        self.good.add(made)
        return made

    def verify(self, asked: dict[str, str]) -> dict[str, Any]:
        self.asked.append(asked)
        if asked.get("secret") != SECRET:
            return {"success": False, "error-codes": ["invalid-input-secret"]}
        token = asked.get("response", "")
        if token not in self.good:
            return {"success": False, "error-codes": ["timeout-or-duplicate"]}
        if not self.lenient:
            self.good.discard(token)
        return {
            "success": True,
            "hostname": "auth.example.test",
            **({} if self.score is None else {"score": self.score}),
        }


@contextlib.contextmanager
def captcha_service() -> Iterator[CaptchaService]:
    """One that listens on loopback."""
    service = CaptchaService()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            if self.headers.get("Content-Type") == "application/json":
                asked = json.loads(body)
            else:
                asked = {name: values[0] for name, values in parse_qs(body).items()}
            answer = json.dumps(service.verify(asked)).encode()
            self._say(answer if service.raw is None else service.raw, "application/json", service.status)

        def do_GET(self) -> None:
            service.loaded.append(self.path)
            if self.path.startswith("/api.js"):
                self._say(SCRIPT.replace("ORIGIN", service.origin).encode(), "text/javascript")
            elif self.path == "/token":
                self._say(service.token().encode(), "text/plain")
            else:
                self._say(b"<!doctype html><title>check</title>", "text/html")

        def _say(self, body: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")
            if status in (301, 302):
                self.send_header("Location", f"{service.origin}/siteverify")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing on the terminal of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
