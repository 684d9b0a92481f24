"""The fixture of the security catalogue (section 1): proxy, outpost, identity provider, recording application, people.

One program runs for a whole module, from a configuration file as an operator writes it. Hosts:

======================== ==================================================================================
``app.example.test``     protected, fused, skip rule ``^/health$``, only the group staff may enter
``app2.example.test``    protected, fused, a second application
``over.example.test``    protected like them, but the outpost is asked over HTTP, through a port of its own
``judged.example.test``  protected by an auth server of the test's, which says who it is
``mixed.example.test``   ``/public`` without authentication, everything else with
``proxied.example.test`` no route of a file: in proxy mode, where a test has made it so
``open.example.test``    no authentication
``auth.example.test``    the identity provider
======================== ==================================================================================
"""

from __future__ import annotations

import base64
import itertools
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from peers.api import Api
from peers.processes import free_port
from peers.program import Program
from peers.proxies import IDENTITY_HEADERS
from security.raw import Response, one_response, sent
from security.recording_application import RecordingApplication
from security.visitor import Visitor

NAMES = ("app", "app2", "over", "judged", "mixed", "proxied", "open", "auth")
PROTECTED = frozenset(f"{name}.example.test" for name in ("app", "app2", "over", "judged", "mixed", "proxied"))
BOB = "bobs-very-long-password"
MALLORY = "mallorys-very-long-password"
CUT = Response(0, (), b"")
"""The connection was closed without an answer, as it is when a session ends while a request with it is under way."""
FORGED = "forged"
"""Stands in every value that a test makes up for a field which is not the client's to set."""


@dataclass
class Stage:
    """Everything, started by ``start``."""

    folder: Path
    extra_static: str = ""
    """More of the static configuration."""
    database: str = "sqlite"
    """``identity.database``."""
    web_port: int = field(default_factory=free_port)
    trusting_port: int = field(default_factory=free_port)
    program: Program = field(init=False)
    application: RecordingApplication = field(default_factory=RecordingApplication)
    auth_server: RecordingApplication = field(default_factory=RecordingApplication)
    secrets: set[str] = field(default_factory=set)
    """What must not be seen in anything that the program writes (I5)."""
    people: dict[str, int] = field(default_factory=dict)
    applications: dict[str, Any] = field(default_factory=dict)
    looks: int = 0
    """How often the invariants were checked."""
    looked_at: dict[Path, int] = field(default_factory=dict)
    """How far the invariants have read each file of the program's output."""
    expected_trouble: str = ""
    """Stands in every stack trace that may be in the log, because a test caused it."""

    def __post_init__(self) -> None:
        self.program = Program(self.folder, config=self.folder / "doorward.yml")
        self._numbers = itertools.count(1)
        self._sessions: dict[tuple[str, str], tuple[str, str]] = {}
        self._visitors: dict[str, Visitor] = {}

    # --- starting ------------------------------------------------------------------------------------------------

    def start(self) -> Stage:
        self.folder.mkdir(parents=True, exist_ok=True)
        make_certificate(self.certificate, [f"{name}.example.test" for name in NAMES])
        self.relay_port = relay(lambda: self.program.identity_port)
        assert self.program.config
        self.program.config.write_text(self._static())
        (self.folder / "routes.yml").write_text(self._routes())
        self.auth_server.says[b"/auth"] = (
            b"HTTP/1.1 200 OK\r\nX-authentik-username: judge\r\nX-authentik-uid: 1\r\nContent-Length: 0\r\n\r\n"
        )
        self.program.start()
        self.secrets |= {*self.program.secrets, BOB, MALLORY}
        self._people()
        return self

    def stop(self) -> None:
        """Ctrl-C: everything ends by itself, with status 0."""
        process = self.program.process
        assert process
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, self.program.last_words()
        self.program.process = None

    def end(self) -> None:
        self.program.end()
        self.application.close()
        self.auth_server.close()

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.pem"

    def url(self, name: str = "app") -> str:
        return f"https://{name}.example.test:{self.program.https_port}"

    def host(self, name: str = "app") -> bytes:
        return f"{name}.example.test:{self.program.https_port}".encode()

    @property
    def api(self) -> Api:
        return Api(self.program)

    def _static(self) -> str:
        return dedent(f"""\
            entryPoints:
              web:
                address: ":{self.web_port}"
              websecure:
                address: ":{self.program.https_port}"
                http: {{tls: {{}}}}
              trusting:
                address: ":{self.trusting_port}"
                forwardedHeaders: {{trustedIPs: ["127.0.0.0/8", "10.0.0.9/32"]}}
              identity:
                address: ":{self.program.identity_port}"
            providers:
              providersThrottleDuration: 100ms
              file: {{filename: {self.folder}/routes.yml}}
            accessLog: {{format: json}}
            identity:
              externalUrl: {self.url("auth")}
              data: {self.program.data}
              database: {self.database}
            workers: 2
            """) + dedent(self.extra_static)

    def _routes(self) -> str:
        listed = "".join(f"\n          - {name}" for name in IDENTITY_HEADERS)
        auth = f"trustForwardHeader: true\n        authResponseHeaders:{listed}"
        outpost = "/outpost.goauthentik.io/auth/traefik"
        everywhere = "entryPoints: [web, websecure, trusting]"
        return f"""\
http:
  routers:
    app: {{rule: "Host(`app.example.test`)", {everywhere}, middlewares: [fused], service: a}}
    app2: {{rule: "Host(`app2.example.test`)", {everywhere}, middlewares: [fused], service: a}}
    over: {{rule: "Host(`over.example.test`)", {everywhere}, middlewares: [asked], service: a}}
    judged: {{rule: "Host(`judged.example.test`)", {everywhere}, middlewares: [judge], service: a}}
    public: {{rule: "Host(`mixed.example.test`) && PathPrefix(`/public`)", {everywhere}, service: a}}
    mixed: {{rule: "Host(`mixed.example.test`)", {everywhere}, middlewares: [judge], service: a}}
    open: {{rule: "Host(`open.example.test`)", {everywhere}, service: a}}
    auth: {{rule: "Host(`auth.example.test`)", {everywhere}, service: identity@internal}}
  middlewares:
    fused:
      forwardAuth:
        address: http://127.0.0.1:{self.program.identity_port}{outpost}
        {auth}
    asked:
      forwardAuth:
        address: http://127.0.0.1:{self.relay_port}{outpost}
        recheckInterval: 1s
        {auth}
    judge:
      forwardAuth:
        address: http://127.0.0.1:{self.auth_server.port}/auth
        {auth}
  services:
    a: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{self.application.port}"}}]}}}}
tls:
  certificates: [{{certFile: {self.certificate}, keyFile: {self.certificate}}}]
"""

    def _people(self) -> None:
        api = self.api
        staff = api.group("staff")
        self.people["bob"] = api.person("bob", BOB, staff["pk"])["pk"]
        self.people["mallory"] = api.person("mallory", MALLORY)["pk"]
        for name in ("app", "app2", "over"):
            self.applications[name] = api.protect(name, self.url(name))
        api.bind(self.applications["app"], group=staff["pk"])
        provider = api.first("/providers/proxy/", name__iexact="app")
        api.patch(f"/providers/proxy/{provider['pk']}/", skip_path_regex="^/health$")
        self.secrets.add(api.first("/providers/proxy/", name__iexact="app").get("client_secret") or BOB)

    # --- asking --------------------------------------------------------------------------------------------------

    def visitor(self) -> Visitor:
        return Visitor(self.certificate)

    def session(self, name: str = "app", username: str = "bob") -> tuple[str, str]:
        """Name and value of a session cookie; one login per application and person, unless asked for anew."""
        known = self._sessions.get((name, username))
        if known is None:
            known = self._sessions[name, username] = self.fresh_session(name, username)
        return known

    def forget_sessions(self, name: str) -> None:
        """A test has ended the sessions of this application that others may have made."""
        self._sessions = {key: session for key, session in self._sessions.items() if key[0] != name}

    def forget_sessions_of(self, username: str) -> None:
        """A test has signed this person out, which ends their sessions at every application."""
        self._sessions = {key: session for key, session in self._sessions.items() if key[1] != username}

    def fresh_session(self, name: str = "app", username: str = "bob") -> tuple[str, str]:
        visitor = self.logged_in(name, username)
        return visitor.cookie(f"{name}.example.test", "authentik_proxy_")

    def known(self, username: str = "mallory") -> Visitor:
        """A browser that is logged in and that no test logs out: one for all."""
        if username not in self._visitors:
            self._visitors[username] = self.logged_in("app2", username)
        visitor = self._visitors[username]
        return Visitor(visitor.ca, {host: dict(jar) for host, jar in visitor.cookies.items()})

    def logged_in(self, name: str = "app", username: str = "bob") -> Visitor:
        """A browser of ``username`` that has reached the application."""
        password = {"bob": BOB, "mallory": MALLORY, "akadmin": self.program.secrets[0]}.get(username, BOB)
        visitor = self.visitor()
        place, page = visitor.log_in(f"{self.url(name)}/wanted", username, password)
        assert page.status == 200, (place, page)
        assert place == f"{self.url(name)}/wanted"
        self.secrets |= {value for jar in visitor.cookies.values() for value in jar.values() if len(value) > 30}
        return visitor

    def ask(
        self,
        name: str,
        *lines: bytes,
        target: bytes = b"/",
        method: bytes = b"GET",
        port: int | None = None,
        body: bytes = b"",
    ) -> Response:
        """One request as given, over TLS unless ``port`` says otherwise; checks that the answer is this one's (I4)."""
        number = next(self._numbers)
        tls = "" if port else f"{name}.example.test"
        head = [
            b"%b %b HTTP/1.1" % (method, target),
            b"Host: " + self.host(name),
            b"X-Test-Number: %d" % number,
            b"Connection: close",
            *lines,
        ]
        received = sent(port or self.program.https_port, b"\r\n".join([*head, b"", b""]) + body, tls=tls)
        if not received:
            return CUT
        answer = one_response(received)
        if answer.status == 200 and answer.body.startswith(method + b" ") and b"X-Test-Number" in answer.body:
            assert b"X-Test-Number: %d\r\n" % number in answer.body
        return answer

    def reached(self, response: Response) -> bool:
        """The application answered."""
        return response.status == 200 and b"X-Forwarded-Server" in response.body


def cookie_line(session: tuple[str, str]) -> bytes:
    return f"Cookie: {session[0]}={session[1]}".encode()


def make_certificate(path: Path, names: list[str]) -> None:
    """A certificate for ``names`` that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem)


def relay(port: Callable[[], int]) -> int:
    """A port of loopback that is somebody else's: connections to it go on to ``port()``, unseen by configuration."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def join(connection: socket.socket) -> None:
        with suppress(OSError), connection, socket.create_connection(("127.0.0.1", port())) as onward:
            back = threading.Thread(target=pump, args=(onward, connection), daemon=True)
            back.start()
            pump(connection, onward)
            back.join()

    def accept() -> None:
        with listener, suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=join, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


def websocket_lines() -> list[bytes]:
    key = base64.b64encode(b"0123456789abcdef")
    return [
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: " + key,
    ]
