"""The fixture of room D for an outpost on its own: two applications behind it, an issuer that knows nothing of it, and
people at their browsers. Sessions are in cookies; everything is over TLS."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from peers.openid_provider import CLIENT, SECRET, Person, Provider, serving
from peers.outpost_program import outpost
from peers.processes import free_port
from peers.questions import Answer, ask
from security.recording_application import RecordingApplication
from security.stage import make_certificate
from security.visitor import Visitor

KEY = "0123456789abcdef0123456789abcdef"
NAMES = ("app", "app2")
PREFIX = "/outpost.goauthentik.io"


@dataclass
class Alone:
    """Everything; the outpost while ``serving`` lasts."""

    folder: Path
    port: int
    issuer: Provider
    application: RecordingApplication
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """The outpost runs."""
        text = _configuration(self.folder, self.port, self.issuer, self.application.port)
        with outpost(self.folder, self.port, text, tls=self.certificate):
            yield

    @property
    def log(self) -> Path:
        return self.folder / "outpost.log"

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.pem"

    def url(self, name: str = "app") -> str:
        return f"https://{name}.example.test:{self.port}"

    def visitor(self) -> Visitor:
        return Visitor(self.certificate)

    def person(self, username: str, *groups: str) -> None:
        """Who logs in next."""
        self.issuer.person = Person(username, f"{username}@example.com", [*groups] or ["staff"])

    def logged_in(self, username: str = "bob", name: str = "app", path: str = "/wanted") -> Visitor:
        """A browser that has reached the application."""
        self.person(username)
        visitor = self.visitor()
        place, page = visitor.open(f"{self.url(name)}{path}")
        assert "Issuer" in page.text, (place, page)
        place, page = visitor.submit(place, page)
        assert (place, page.status) == (f"{self.url(name)}{path}", 200), (place, page)
        return visitor

    def begun(self, name: str = "app", path: str = "/wanted") -> tuple[Visitor, str]:
        """A browser with the URL of its callback, not opened yet. Whose it is is new every time: logins of one person
        that nobody uses are counted (S-330)."""
        self.person(f"person-{next(self.numbers)}")
        visitor = self.visitor()
        location = visitor.get(f"{self.url(name)}{path}").one("Location")
        return visitor, self.issuer.authorize(urlsplit(location).query).headers["Location"]

    def cookie_of(self, visitor: Visitor, name: str = "app") -> tuple[str, str]:
        """The ``Cookie`` field of the browser: ticket and sealed session."""
        jar = visitor.cookies[f"{name}.example.test"]
        return "Cookie", "; ".join(f"{each}={value}" for each, value in jar.items())

    def get(self, path: str = "/", *headers: tuple[str, str], name: str = "app", method: str = "GET") -> Answer:
        """One request of nobody in particular."""
        fields = headers if any(each == "Accept" for each, _ in headers) else (*headers, ("Accept", "text/html"))
        return ask(f"{self.url(name)}{path}", method=method, headers=fields, ca=self.certificate)


@contextlib.contextmanager
def prepared(folder: Path) -> Iterator[Alone]:
    """Everything but the outpost itself."""
    port, issuer_port = free_port(), free_port()
    make_certificate(folder / "tls.pem", [f"{name}.example.test" for name in NAMES])
    application = RecordingApplication()
    with contextlib.closing(application), serving(issuer_port) as issuer:
        yield Alone(folder, port, issuer, application)


def _configuration(folder: Path, port: int, issuer: Provider, application: int) -> str:
    below = f"""
      - {{path: /api, url: "http://127.0.0.1:{application}", stripPath: true, passHost: false}}"""
    applications = "".join(
        f"""
  {name}:
    externalUrl: https://{name}.example.test:{port}
    upstreams:
      - {{url: "http://127.0.0.1:{application}"}}{below if name == "app2" else ""}
    allow: {{groups: [staff]}}
    headers: {{authRequest: true, forwardedUser: true}}
    skipPaths: ["^/health$"]"""
        for name in NAMES
    )
    return f"""\
listen: "127.0.0.1:{port}"
tls: {{certFile: {folder}/tls.pem, keyFile: {folder}/tls.pem}}
trustedProxies: []
issuer:
  url: {issuer.issuer}
  clientId: {CLIENT}
  clientSecret: "{SECRET}"
  scopes: [openid, profile, email, offline_access]
  connect: 127.0.0.1:{issuer.origin.rpartition(":")[2]}
applications:{applications}
state: {folder}/state
cookie: {{secret: {KEY}}}
"""
