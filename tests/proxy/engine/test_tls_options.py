"""Sets of TLS options: which one a handshake is made with, what each option does, and 421 across sets."""

from __future__ import annotations

import asyncio
import shutil
import ssl

import pytest

from doorward.messages.routing import All, Host, PathPrefix, TlsName, TlsOptions
from net.certificates import Authority, self_signed
from proxy.engine.http2_client import http2_client
from proxy.engine.stage import Stage, get
from proxy.engine.tls import client_context, router, serve, table, tls_client, tls_of

CLOSED = (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)
COMPANY, STRANGERS = Authority("Company"), Authority("Strangers")
BOB, MALLORY = COMPANY.client("bob"), STRANGERS.client("mallory")
MUTUAL = TlsOptions(client_certificate="required", client_ca_pem=COMPANY.pem)
NAMES = ("open.test", "app.test", "*.app.test")


async def with_set(stage: Stage, options: TlsOptions, host: str = "app.test") -> None:
    """``open.test`` with the default options, ``host`` with the given ones."""
    made = table(
        router("open", "open.test", options="default"),
        router("app", host, options="strict@file"),
        certificates=(self_signed(*NAMES),),
        tls_options={"strict@file": options},
        tls_names=(TlsName("web", host, "strict@file"),),
    )
    await serve(stage, made)


async def status(stage: Stage, name: str | None, host: bytes, context: ssl.SSLContext | None = None) -> int:
    client = await tls_client(stage, name, context)
    return (await client.ask(get(host=host))).status


async def test_versions(stage: Stage) -> None:
    """The oldest version of a set is that of its hosts alone."""
    await with_set(stage, TlsOptions(min_version="TLSv1_3"))
    old = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)

    assert await status(stage, "open.test", b"open.test", old) == 200
    assert await status(stage, "app.test", b"app.test") == 200
    with pytest.raises(CLOSED):
        await status(stage, "app.test", b"app.test", old)


async def test_newest_version(stage: Stage) -> None:
    """``maxVersion`` caps what is agreed on."""
    await with_set(stage, TlsOptions(max_version="TLSv1_2"))

    assert tls_of(await tls_client(stage, "app.test")).version() == "TLSv1.2"
    assert tls_of(await tls_client(stage, "open.test")).version() == "TLSv1.3"


async def test_cipher_suites(stage: Stage) -> None:
    """Of TLS 1.2 only what is listed."""
    await with_set(stage, TlsOptions(max_version="TLSv1_2", ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"))
    other = client_context()
    other.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")

    cipher = tls_of(await tls_client(stage, "app.test")).cipher()
    assert cipher is not None
    assert cipher[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    with pytest.raises(CLOSED):
        await tls_client(stage, "app.test", other)


@pytest.mark.parametrize(("client", "agreed"), [("X25519:P-384", "secp384r1"), ("P-521:P-256", "prime256v1")])
async def test_curves_are_taken_in_our_order(stage: Stage, client: str, agreed: str) -> None:
    """The first of ours that the client has, whatever it likes best."""
    await with_set(stage, TlsOptions(groups=("secp384r1", "prime256v1")))

    assert f"Server Temp Key: ECDH, {agreed}" in await openssl(stage, "-groups", client)


async def test_a_client_without_any_of_our_curves_is_refused(stage: Stage) -> None:
    """Nothing else is agreed on behind the list's back."""
    await with_set(stage, TlsOptions(groups=("secp384r1", "secp521r1")))

    assert "Server Temp Key" not in await openssl(stage, "-groups", "X25519")


async def openssl(stage: Stage, *options: str) -> str:
    """What ``openssl s_client`` tells about a handshake for ``app.test``."""
    command = shutil.which("openssl")
    assert command, "openssl is needed: apt-get install openssl"
    process = await asyncio.create_subprocess_exec(
        command, "s_client", "-connect", f"127.0.0.1:{stage.port}", "-servername", "app.test", *options,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await asyncio.wait_for(process.communicate(), 10)
    return told.decode("latin-1")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_certificate_that_is_required(stage: Stage, version: ssl.TLSVersion) -> None:
    """None and a stranger's end in the handshake; one of the listed authority is let in."""
    await with_set(stage, MUTUAL)

    assert await status(stage, "app.test", b"app.test", client_context(BOB, maximum_version=version)) == 200
    for identity in (None, MALLORY):
        with pytest.raises(CLOSED):
            await status(stage, "app.test", b"app.test", client_context(identity, maximum_version=version))
    assert [request.values(b"host") for request in stage.application.requests] == [[b"app.test"]]


async def test_a_client_certificate_that_is_optional(stage: Stage) -> None:
    """None will do, a stranger's will not."""
    await with_set(stage, TlsOptions(client_certificate="optional", client_ca_pem=COMPANY.pem))

    assert await status(stage, "app.test", b"app.test") == 200
    assert await status(stage, "app.test", b"app.test", client_context(BOB)) == 200
    with pytest.raises(CLOSED):
        await status(stage, "app.test", b"app.test", client_context(MALLORY))


async def test_an_intermediate_authority_is_enough(stage: Stage) -> None:
    """An authority that is listed is trusted although it is not its own root."""
    department = COMPANY.authority("Department")
    await with_set(stage, TlsOptions(client_certificate="required", client_ca_pem=department.pem))

    assert await status(stage, "app.test", b"app.test", client_context(department.client("ann"))) == 200
    with pytest.raises(CLOSED):
        await status(stage, "app.test", b"app.test", client_context(BOB))


@pytest.mark.parametrize("name", ["other.test", None])
async def test_sni_strict(stage: Stage, name: str | None) -> None:
    """A name that no certificate holds, or none at all, ends with an alert."""
    made = table(router("app", "app.test"), tls_options={"default": TlsOptions(sni_strict=True)})
    await serve(stage, made)

    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        await tls_client(stage, name)
    assert await status(stage, "one.test", b"app.test") == 200


@pytest.mark.parametrize("offered", [["h3"], ["acme-tls/1"]])
async def test_a_client_without_a_common_protocol_is_refused(stage: Stage, offered: list[str]) -> None:
    """RFC 7301: better no connection than one that each side understands otherwise."""  # S-903
    await serve(stage, table())
    context = client_context()
    context.set_alpn_protocols(offered)

    with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
        await tls_client(stage, "one.test", context)


@pytest.mark.parametrize(
    ("ours", "agreed"), [(("http/1.1",), "http/1.1"), (("h2",), "h2"), (("http/1.1", "h2"), "http/1.1")]
)
async def test_protocols_of_a_set(stage: Stage, ours: tuple[str, ...], agreed: str) -> None:
    """Only what the set lists is spoken with its hosts, the first of ours that the client has."""
    await with_set(stage, TlsOptions(protocols=ours))
    context = client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])

    assert tls_of(await tls_client(stage, "app.test", context)).selected_alpn_protocol() == agreed


async def test_session_tickets_may_be_off(stage: Stage) -> None:
    """No ticket is handed out."""
    await with_set(stage, TlsOptions(session_tickets=False))

    assert "New session ticket" not in await openssl(stage, "-tls1_2")
    assert "TLS session ticket:" not in await openssl(stage, "-tls1_2")


@pytest.mark.parametrize("options", [{}, {"strict@file": TlsOptions(broken="its authority cannot be read")}])
async def test_options_that_do_not_exist_close_their_host(stage: Stage, options: dict[str, TlsOptions]) -> None:
    """The handshake is refused; never is a client let in with other options than those that were meant."""  # S-705
    made = table(
        router("open", "one.test", options="default"),
        router("app", "app.test", options="strict@file"),
        tls_options=options,
        tls_names=(TlsName("web", "app.test", "strict@file"),),
    )
    await serve(stage, made)

    with pytest.raises(ssl.SSLError):
        await tls_client(stage, "app.test")
    assert await status(stage, "one.test", b"one.test") == 200
    assert await status(stage, "one.test", b"app.test") == 421


HOSTS = [b"app.test", b"APP.Test", b"app.test.", b"app.test:443", b"App.test.:443"]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_request_over_another_hosts_handshake_is_misdirected(stage: Stage, host: bytes) -> None:
    """Whoever shook hands without a certificate is not let in by a Host field, however it is written."""  # S-047
    await with_set(stage, MUTUAL)
    client = await tls_client(stage, "open.test")

    answer = await client.ask(get(host=host))

    assert (answer.status, answer.body) == (421, b"Misdirected Request\n")
    assert stage.application.requests == []
    assert (await client.ask(get(host=b"open.test"))).status == 200


async def test_streams_are_misdirected_one_by_one(stage: Stage) -> None:
    """HTTP/2: a browser that joins hosts on one connection is told so for the one that needs its own."""  # S-047
    await with_set(stage, MUTUAL)
    client = await http2_client(stage, "open.test")

    asked = [client.ask(host=host) for host in (b"open.test", b"app.test", b"open.test", b"APP.test.")]

    assert [(await client.reply(stream)).status for stream in asked] == [200, 421, 200, 421]
    assert {tuple(request.values(b"host")) for request in stage.application.requests} == {(b"open.test",)}


@pytest.mark.parametrize("target", [b"https://app.test/", b"https://APP.test:443/"])
async def test_absolute_targets_are_misdirected_as_well(stage: Stage, target: bytes) -> None:
    """The host of the target counts, as it does for routing."""  # S-047
    await with_set(stage, MUTUAL)
    client = await tls_client(stage, "open.test")

    assert (await client.ask(get(target, host=b"app.test"))).status == 421
    assert stage.application.requests == []


@pytest.mark.parametrize("host", [b"a.app.test", b"A.APP.test.", b"app.test"])
async def test_options_of_a_wildcard(stage: Stage, host: bytes) -> None:
    """``*.app.test`` holds for each name under it, and not for the domain itself."""  # S-047
    await with_set(stage, MUTUAL, "*.app.test")
    without = await tls_client(stage, "open.test")

    assert (await without.ask(get(host=host))).status == (404 if host == b"app.test" else 421)
    assert await status(stage, "b.app.test", b"a.app.test", client_context(BOB)) == 200
    with pytest.raises(CLOSED):
        await status(stage, "a.app.test", b"a.app.test")


@pytest.mark.parametrize("name", ["APP.test", "app.test"])
async def test_the_name_of_the_handshake_has_one_form(stage: Stage, name: str) -> None:
    """A client cannot leave its set by writing the name in another way."""  # S-047
    await with_set(stage, MUTUAL)

    with pytest.raises(CLOSED):
        await status(stage, name, b"app.test")


async def test_an_exact_name_under_a_wildcard_has_its_own_set(stage: Stage) -> None:
    """The most exact name decides, for the handshake and for the request alike."""
    made = table(
        router("open", All((Host("open.app.test"), PathPrefix("/o"))), options="default"),
        router("wild", "*.app.test", options="strict@file"),
        certificates=(self_signed(*NAMES),),
        tls_options={"strict@file": MUTUAL},
        tls_names=(TlsName("web", "*.app.test", "strict@file"), TlsName("web", "open.app.test", "default")),
    )
    await serve(stage, made)

    client = await tls_client(stage, "open.app.test")
    assert (await client.ask(get(b"/o", host=b"open.app.test"))).status == 200
    assert (await client.ask(get(b"/x", host=b"open.app.test"))).status == 421
    assert (await client.ask(get(b"/o", host=b"a.app.test"))).status == 421


async def test_a_router_without_host_serves_every_set(stage: Stage) -> None:
    """It asks for nothing but what holds for the host; that still must be the handshake's."""
    made = table(
        router("app", All((Host("app.test"), PathPrefix("/app"))), options="strict@file"),
        router("rest"),
        tls_options={"strict@file": MUTUAL},
        tls_names=(TlsName("web", "app.test", "strict@file"),),
    )
    await serve(stage, made)

    assert await status(stage, "app.test", b"app.test", client_context(BOB)) == 200
    assert await status(stage, "one.test", b"other.test") == 200
    assert await status(stage, "one.test", b"app.test") == 421
    assert await status(stage, "app.test", b"other.test", client_context(BOB)) == 421


async def test_an_entry_points_own_set(stage: Stage) -> None:
    """It holds for every name of which no router speaks, and for clients that name none."""
    made = table(
        router("rest"),
        router("open", "one.test", options="default"),
        tls_options={"strict@file": MUTUAL},
        tls_names=(TlsName("web", "", "strict@file"), TlsName("web", "one.test", "default")),
    )
    await serve(stage, made)

    assert await status(stage, "one.test", b"one.test") == 200
    assert await status(stage, None, b"x.test", client_context(BOB)) == 200
    with pytest.raises(CLOSED):
        await status(stage, None, b"x.test")
