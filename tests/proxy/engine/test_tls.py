"""TLS at an entry point: certificates by name, replaced while serving."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from cryptography import x509
from msgspec.structs import replace

from doorward.net.tls import CertificateUnusable
from net.certificates import self_signed
from proxy.engine.stage import Client, Stage, get

ONE = self_signed("one.test")
WILD = self_signed("*.wild.test", "two.test")
DEFAULT = self_signed("default.test")


async def tls_client(stage: Stage, name: str | None, **options: object) -> Client:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    for option, value in options.items():
        setattr(context, option, value)
    client = Client(
        *await asyncio.open_connection("127.0.0.1", stage.port, ssl=context, server_hostname=name or "", limit=1 << 20)
    )
    stage.clients.append(client)
    return client


def shown(client: Client) -> str:
    """The common name of the certificate that was shown."""
    connection = client.writer.get_extra_info("ssl_object")
    leaf = x509.load_der_x509_certificate(connection.getpeercert(True))
    return str(leaf.subject.rfc4514_string()).removeprefix("CN=")


async def start(stage: Stage) -> None:
    stage.entry_point = replace(stage.entry_point, tls=True)
    await stage.start()
    stage.engine.use_certificates((ONE, WILD), DEFAULT)


@pytest.mark.parametrize(
    ("name", "certificate"),
    [
        ("one.test", "one.test"),
        ("ONE.test", "one.test"),
        ("two.test", "*.wild.test"),
        ("a.wild.test", "*.wild.test"),
        ("a.b.wild.test", "default.test"),
        ("wild.test", "default.test"),
        ("other.test", "default.test"),
        (None, "default.test"),
    ],
)
async def test_certificates_by_name(stage: Stage, name: str | None, certificate: str) -> None:
    """Exact name, then a wildcard for one label, then the default."""
    await start(stage)

    client = await tls_client(stage, name)

    assert shown(client) == certificate
    assert (await client.ask(get(b"/x"))).body == b"/x\n"
    assert stage.application.requests[0].values(b"x-forwarded-proto") == [b"https"]
    assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"


async def test_certificates_are_replaced_while_serving(stage: Stage) -> None:
    """New handshakes see the new one, connections that stand go on."""
    await start(stage)
    old = await tls_client(stage, "one.test")

    stage.engine.use_certificates((self_signed("one.test", "new"),), DEFAULT)
    new = await tls_client(stage, "two.test")

    assert (await old.ask(get())).status == (await new.ask(get())).status == 200
    assert shown(new) == "default.test"


async def test_a_bad_certificate_changes_nothing(stage: Stage) -> None:
    """The key must belong to the chain."""  # S-705
    await start(stage)

    with pytest.raises(CertificateUnusable):
        stage.engine.use_certificates((replace(ONE, key_pem=WILD.key_pem),), None)

    assert shown(await tls_client(stage, "one.test")) == "one.test"


async def test_without_certificates_nobody_is_served(stage: Stage) -> None:
    """The handshake is refused; nothing is shown that nobody configured."""
    stage.entry_point = replace(stage.entry_point, tls=True)
    await stage.start()

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await tls_client(stage, "one.test")


async def test_old_tls_is_refused(stage: Stage) -> None:
    """TLS 1.2 is the least."""
    await start(stage)

    assert (
        await (await tls_client(stage, "one.test", maximum_version=ssl.TLSVersion.TLSv1_2)).ask(get())
    ).status == 200
    with pytest.warns(DeprecationWarning), pytest.raises((ssl.SSLError, ConnectionError)):
        await tls_client(
            stage, "one.test", minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1
        )


async def test_plain_http_on_the_tls_port_is_closed(stage: Stage) -> None:
    """Nothing of it is reflected."""  # S-049
    await start(stage)
    client = await stage.client()

    await client.send(get(b"/reflect"))

    assert b"reflect" not in await client.rest()


async def test_large_answers_over_tls(stage: Stage) -> None:
    """Four megabytes up and down."""
    await start(stage)
    client = await tls_client(stage, "one.test")
    body = bytes(range(256)) * 16384

    answer = await client.ask(b"PUT /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    assert answer.body == b"/x\n" + body


async def test_a_refusal_over_tls_is_readable(stage: Stage) -> None:
    """The answer arrives before the close."""
    await start(stage)
    client = await tls_client(stage, "one.test")

    answer = await client.ask(b"GET / HTTP/1.1\r\n\r\n")

    assert answer.status == 400
    assert await client.closed()
