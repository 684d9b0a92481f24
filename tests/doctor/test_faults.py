"""Faults that no configuration of a proxy makes: clocks, certificates, an issuer out of reach."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from doorward.doctor.cookies import Cookies
from doorward.doctor.examination import Examination
from doorward.doctor.findings import FAULT, REMEDIES, Finding
from doorward.net.client import Client

MANUAL = Path(__file__).parents[2] / "docs" / "how-to" / "find-out-why.md"
Answer = tuple[int, dict[str, str], str]
Answers = Callable[[str, dict[str, str]], Answer]
"""Target and fields (names in lower case) → status, fields, body."""


class Server:
    """Answers every request with what a function says."""

    def __init__(self, answers: Answers, tls: ssl.SSLContext | None = None) -> None:
        self._answers, self._tls = answers, tls
        self.port = 0

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            status, more, body = self._answers(head[0].split(" ")[1], fields)
            lines = [f"HTTP/1.1 {status} -", "Connection: close", f"Content-Length: {len(body.encode())}"]
            lines += [f"{name}: {value}" for name, value in more.items()]
            writer.write("\r\n".join([*lines, "", body]).encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


async def faults(url: str, **more: str) -> dict[str, Finding]:
    found = [finding async for finding in Examination(url, **more).findings()]  # type: ignore[arg-type]
    return {finding.code: finding for finding in found if finding.verdict == FAULT}


class Chain:
    """An application whose strangers are sent to log in, as an outpost does, and its issuer: one server."""

    def __init__(self) -> None:
        self.clock = 0.0
        """Seconds by which the outpost is ahead."""
        self.login: Answer = (200, {"Date": formatdate(usegmt=True)}, "<title>Log in</title>")
        self.callback: Answer = (400, {"X-authentik-id": "1"}, "<title>The login could not be completed</title>")
        self.cookie = "authentik_proxy_00000000=x; Path=/"
        self.issuer = ""
        self.origin = ""

    def __call__(self, target: str, fields: dict[str, str]) -> Answer:
        if target.startswith("/authorize"):
            return self.login
        if target.startswith("/outpost.goauthentik.io/callback"):
            return self.callback
        if target.startswith("/outpost.goauthentik.io/ping"):
            return 204, {}, ""
        if "application/json" in fields.get("accept", "") and "text/html" not in fields["accept"]:
            return 401, {}, "{}"
        state = {"exp": int(time.time() + self.clock) + 900, "redirect": target}
        said = base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")
        back = f"{self.origin}/outpost.goauthentik.io/callback?X-authentik-auth-callback=true"
        query = urlencode({"client_id": "c", "redirect_uri": back, "response_type": "code", "state": f"h.{said}.s"})
        return 302, {"Location": f"{self.issuer or self.origin}/authorize?{query}", "Set-Cookie": self.cookie}, ""


async def examined(chain: Chain) -> dict[str, Finding]:
    async with Server(chain) as server:
        chain.origin = f"http://app.localhost:{server.port}"
        return await faults(f"{chain.origin}/")


def _late(seconds: float) -> Callable[[Chain], None]:
    def set_clock(chain: Chain) -> None:
        chain.login = (200, {"Date": formatdate(time.time() - seconds, usegmt=True)}, "<title>Log in</title>")

    return set_clock


def _set(**values: object) -> Callable[[Chain], None]:
    def change(chain: Chain) -> None:
        for name, value in values.items():
            setattr(chain, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_set(), set()),
        (_late(300), {"clock_skew"}),
        (_set(clock=-400.0), {"clock_skew"}),
        (_set(login=(400, {}, "<title>Redirect URI Error</title>")), {"redirect_uri_refused"}),
        (_set(login=(502, {}, "<title>Bad Gateway</title>")), {"issuer_unreachable"}),
        (_set(issuer="http://auth.localhost:1"), {"unreachable", "issuer_unreachable"}),
        (_set(issuer="http://auth.invalid"), {"dns", "issuer_unreachable"}),
        (
            _set(callback=(503, {"X-authentik-id": "1"}, "<title>The identity provider does not answer</title>")),
            {"issuer_unreachable_from_outpost"},
        ),
        (_set(callback=(200, {}, "<title>The application</title>")), {"callback_lost"}),
        (_set(callback=(404, {}, "404 page not found")), {"callback_lost"}),
        (_set(cookie="authentik_proxy_00000000=x; Path=/; Domain=other.test"), {"cookie_domain"}),
        (_set(cookie="of_somebody_else=x"), {"cookie_missing"}),
    ],
)
async def test_what_is_wrong_behind_the_front(change: Callable[[Chain], None], expected: set[str]) -> None:
    """One fault at a time in a chain that is right otherwise."""
    chain = Chain()
    change(chain)
    assert set(await examined(chain)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((403, {"X-authentik-id": "1"}, "this address may not ask on behalf of others"), "proxy_not_trusted"),
        ((400, {}, '{"Message": "no app for hostname", "Host": "app"}'), "no_application"),
        ((500, {}, "configuration error"), "headers_not_forwarded"),
        ((401, {}, "unauthorized request"), "signin_not_routed"),
        ((404, {}, "404 page not found"), "no_route"),
        ((502, {}, "<title>Bad Gateway</title>"), "gateway"),
        ((400, {"X-authentik-id": "1"}, "<title>You keep being sent back to log in</title>"), "redirect_loop"),
        ((503, {"X-authentik-id": "1"}, "<title>The login service is not available</title>"), "outpost_error"),
        ((200, {}, "<title>Secrets</title>"), "anonymous_let_through"),
    ],
)
async def test_what_the_first_answer_means(answer: Answer, expected: str) -> None:
    """An answer that leads to no login is explained by itself."""
    async with Server(lambda target, fields: answer) as server:
        assert set(await faults(f"http://app.localhost:{server.port}/")) == {expected}


async def test_a_redirect_to_where_the_browser_is_comes_of_a_scheme_that_nobody_told() -> None:
    """What is behind a proxy that ends TLS sends browsers to https for ever."""
    async with Server(lambda target, fields: (301, {"Location": f"http://{fields['host']}{target}"}, "")) as server:
        assert set(await faults(f"http://app.localhost:{server.port}/")) == {"scheme_loop"}


async def test_two_pages_that_send_to_one_another() -> None:
    """A circle is found, and where it closes."""
    async with Server(lambda target, fields: (302, {"Location": "/b" if target != "/b" else "/"}, "")) as server:
        assert set(await faults(f"http://app.localhost:{server.port}/")) == {"redirect_loop"}


def self_signed(folder: Path, name: str, ends: datetime) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=30))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = folder / "chain.pem"
    chain.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


@pytest.mark.parametrize(
    ("name", "days", "known", "expected"),
    [
        ("app.localhost", 30, False, "tls_untrusted"),
        ("app.localhost", -1, True, "tls_expired"),
        ("other.localhost", 30, True, "tls_wrong_name"),
    ],
)
async def test_certificates_that_browsers_refuse(
    tmp_path: Path, name: str, days: int, known: bool, expected: str
) -> None:
    """Of nobody, out of its time, of another host; the rest of the way is looked at all the same."""
    tls = self_signed(tmp_path, name, datetime.now(UTC) + timedelta(days=days))
    ca_pem = (tmp_path / "chain.pem").read_text() if known else ""
    async with Server(lambda target, fields: (404, {}, ""), tls) as server:
        found = await faults(f"https://app.localhost:{server.port}/", ca_pem=ca_pem)
    assert set(found) == {expected, "no_route"}


async def test_a_certificate_behind_the_redirect_to_https(tmp_path: Path) -> None:
    """Is named as what it is, and the rest of the way is looked at as well."""
    tls = self_signed(tmp_path, "app.localhost", datetime.now(UTC) + timedelta(days=30))
    async with Server(lambda target, fields: (404, {}, ""), tls) as secure:
        secured = {"Location": f"https://app.localhost:{secure.port}/"}
        async with Server(lambda target, fields: (308, secured, "")) as plain:
            found = await faults(f"http://app.localhost:{plain.port}/")
    assert set(found) == {"tls_untrusted", "no_route"}


def test_a_browser_keeps_what_it_may_and_says_why_not() -> None:
    """Domains by whole labels, Secure over https alone, Max-Age=0 takes away."""
    cookies = Cookies()
    assert cookies.take("https://app.example.test/", "a=1; Path=/; Secure") is None
    assert cookies.take("https://app.example.test/", "b=1; Domain=example.test") is None
    foreign = cookies.take("https://app.notexample.test/", "c=1; Domain=example.test")
    plain = cookies.take("http://app.example.test/", "d=1; Secure")
    assert foreign is not None
    assert plain is not None
    assert (foreign.code, plain.code) == ("cookie_domain", "cookie_secure")
    assert [cookie.name for cookie in cookies.of("https://app.example.test/x")] == ["a", "b"]
    assert [cookie.name for cookie in cookies.of("http://other.example.test/")] == ["b"]
    cookies.take("https://app.example.test/", "a=; Path=/; Max-Age=0")
    assert [cookie.name for cookie in cookies.of("https://app.example.test/")] == ["b"]


async def test_a_password_never_shows(tmp_path: Path) -> None:
    """Neither in the examination's own description nor anywhere in what it finds (I5)."""
    examination = Examination("http://app.localhost:1/", "bob", "hunter2")
    assert "hunter2" not in repr(examination)


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_every_fault_says_what_to_do(code: str) -> None:
    """A remedy is a sentence, and stands in the manual as it is."""
    assert REMEDIES[code].endswith(".")
    assert f"| `{code}` | {REMEDIES[code]} |" in MANUAL.read_text()


async def test_the_client_can_leave_dates_in() -> None:
    """A server's clock is read from its answers only by whoever asks for that."""
    from doorward.messages.http import HttpQuestion
    from doorward.net.client import Origin

    async def dates(client: Client, port: int) -> list[bytes]:
        answer = await client.fetch(HttpQuestion(b"GET", b"/", ()), Origin("http", "127.0.0.1", port))
        await client.cut()
        return [name for name, _ in answer.headers if name.lower() == b"date"]

    async with Server(lambda target, fields: (200, {"Date": "x"}, "")) as server:
        asked: list[Awaitable[list[bytes]]] = [
            dates(Client(with_dates=True), server.port),
            dates(Client(), server.port),
        ]
        assert [await each for each in asked] == [[b"Date"], []]
