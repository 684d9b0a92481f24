"""TLS in the whole program, from files as an operator writes them: both kinds on one port, options by host, client
certificates, and certificates that are renewed under load without one failed request."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.messages.routing import Certificate
from net.certificates import Authority, self_signed
from peers.processes import eventually, free_port
from peers.program import Program
from security.recording_application import RecordingApplication

COMPANY, STRANGERS = Authority("Company"), Authority("Strangers")


@dataclass
class Site:
    """A program with routes and certificates in files, and an application behind it."""

    folder: Path
    program: Program
    port: int = field(default_factory=free_port)
    balanced: int = field(default_factory=free_port)
    application: RecordingApplication = field(default_factory=RecordingApplication)

    def start(self) -> None:
        assert self.program.config
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "company.pem").write_text(COMPANY.pem)
        self.certify("open.test")
        self.certify("closed.test")
        self.route(0)
        self.program.config.write_text(f"""
entryPoints:
  websecure: {{address: "127.0.0.1:{self.port}"}}
  balanced: {{address: "127.0.0.1:{self.balanced}", proxyProtocol: {{trustedIPs: [127.0.0.1]}}}}
  identity: {{address: ":{self.program.identity_port}"}}
providers:
  providersThrottleDuration: 50ms
  file: {{filename: {self.folder}/routes.yml}}
identity: {{externalUrl: "https://auth.open.test", data: {self.program.data}}}
workers: 2
""")
        self.program.start()

    def certify(self, name: str) -> Certificate:
        """Renew the certificate for ``name``, in the way of a program that knows nothing of us."""
        made = self_signed(name)
        folder = self.folder / "certs"
        folder.mkdir(exist_ok=True)
        for text, suffix in ((made.key_pem, "key"), (made.chain_pem, "crt")):
            path = folder / f"{name}.{suffix}"
            path.with_suffix(".new").write_text(text)
            path.with_suffix(".new").rename(path)
        return made

    def route(self, number: int) -> None:
        """Write the routes anew; they differ from those before."""
        text = f"""
http:
  routers:
    open: {{rule: "Host(`open.test`)", service: a, tls: {{}}}}
    closed: {{rule: "Host(`closed.test`)", service: a, middlewares: [who], tls: {{options: mutual}}}}
    plain: {{rule: "Host(`plain.test`)", service: a}}
    other: {{rule: "Host(`other{number}.test`)", service: a, tls: {{}}}}
  middlewares:
    who: {{passTLSClientCert: {{info: {{subject: {{commonName: true}}}}}}}}
  services:
    a: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{self.application.port}"}}]}}}}
tls:
  certificates: [{{certFile: {self.folder}/certs}}]
  options:
    mutual: {{minVersion: VersionTLS13, clientAuth: {{caFiles: [{self.folder}/company.pem]}}}}
"""
        temporary = self.folder / "routes.new"
        temporary.write_text(text)
        temporary.rename(self.folder / "routes.yml")

    def connect(self, name: str = "", identity: Certificate | None = None) -> socket.socket:
        """Over TLS when ``name`` is given."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return self.context(identity).wrap_socket(connection, server_hostname=name) if name else connection

    def context(self, identity: Certificate | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if identity is not None:
            path = self.folder / "client.pem"
            path.write_text(identity.chain_pem + identity.key_pem)
            context.load_cert_chain(path)
        return context

    def shown(self, name: str) -> bytes:
        with self.connect(name) as client:
            assert isinstance(client, ssl.SSLSocket)
            return client.getpeercert(True) or b""


def ask(connection: socket.socket, host: str, path: str = "/") -> int:
    """The status of the answer; its body is read."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("closed without an answer")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return int(head.split()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tls")
    made = Site(folder, Program(folder, config=folder / "doorward.yml"))
    try:
        made.start()
        yield made
        made.program.stop()
    finally:
        made.program.end()
        made.application.close()


def test_both_kinds_on_one_port(site: Site) -> None:
    """``tls`` on the routers alone, as people write it: TLS to one, plain HTTP to the other."""
    with site.connect("open.test") as secure, site.connect() as plain:
        assert ask(secure, "open.test") == 200
        assert ask(secure, "plain.test") == 404
        assert ask(plain, "plain.test") == 200
        assert ask(plain, "open.test") == 404


def test_a_host_with_client_certificates(site: Site) -> None:
    """Let in with one of the company's, told to the application; refused in the handshake otherwise; 421 around it."""
    # S-047
    with site.connect("closed.test", COMPANY.client("bob")) as bob:
        assert ask(bob, "closed.test", "/bob") == 200
    for identity in (None, STRANGERS.client("mallory")):
        with pytest.raises((ssl.SSLError, ConnectionError)), site.connect("closed.test", identity) as nobody:
            ask(nobody, "closed.test", "/nobody")
    with site.connect("open.test", COMPANY.client("bob")) as around:
        assert ask(around, "closed.test", "/nobody") == 421

    told = {request.target: request.all(b"X-Forwarded-Tls-Client-Cert-Info") for request in site.application.requests}
    assert told[b"/bob"] == [b"Subject%3D%22CN%3Dbob%22"]
    assert b"/nobody" not in told


def test_behind_a_load_balancer(site: Site) -> None:
    """The PROXY header says whose connection it is, before TLS."""
    connection = socket.create_connection(("127.0.0.1", site.balanced), timeout=10)
    connection.sendall(b"PROXY TCP4 192.0.2.7 127.0.0.1 4096 443\r\n")
    with site.context().wrap_socket(connection, server_hostname="open.test") as client:
        assert ask(client, "open.test", "/balanced") == 200

    (request,) = (request for request in site.application.requests if request.target == b"/balanced")
    assert request.all(b"X-Forwarded-For") == [b"192.0.2.7"]


def test_certificates_and_routes_change_under_load(site: Site) -> None:
    """Fresh handshakes and standing connections, while certificates are renewed and routes rewritten: no failure."""
    failures: list[str] = []
    counts = itertools.count()
    stop = threading.Event()

    def standing() -> None:
        with site.connect("open.test") as client:
            while not stop.is_set():
                status = ask(client, "open.test")
                next(counts)
                if status != 200:
                    failures.append(f"standing: {status}")

    def fresh() -> None:
        while not stop.is_set():
            with site.connect("open.test") as client:
                status = ask(client, "open.test")
                next(counts)
                if status != 200:
                    failures.append(f"fresh: {status}")

    def guarded(work: object) -> None:
        assert callable(work)
        try:
            work()
        except Exception as error:
            failures.append(f"{work.__name__}: {error!r}")  # type: ignore[attr-defined]

    threads = [threading.Thread(target=guarded, args=(work,)) for work in [standing] * 6 + [fresh] * 3]
    for thread in threads:
        thread.start()
    renewed = None
    for number in range(1, 8):
        renewed = site.certify("open.test")
        site.route(number)
        time.sleep(0.4)
    stop.set()
    for thread in threads:
        thread.join(20)

    assert failures == []
    assert next(counts) > 200
    assert renewed is not None
    leaf = x509.load_pem_x509_certificate(renewed.chain_pem.encode()).public_bytes(Encoding.DER)
    eventually(lambda: {site.shown("open.test") for _ in range(6)} == {leaf}, what="every worker shows the new one")


def test_a_bad_renewal_leaves_the_good_one(site: Site) -> None:
    """The key of another certificate: the host stays up with what it had, and the log says why."""  # S-705
    good = site.certify("open.test")
    leaf = x509.load_pem_x509_certificate(good.chain_pem.encode()).public_bytes(Encoding.DER)
    eventually(lambda: site.shown("open.test") == leaf, what="the renewed certificate is shown")

    (site.folder / "certs" / "open.test.key").write_text(self_signed("open.test").key_pem)
    eventually(
        lambda: "the certificate that was read before stays in use" in site.program.errors.read_text(),
        what="the log says that the key does not belong to it",
    )

    assert {site.shown("open.test") for _ in range(4)} == {leaf}
