"""TLS clients for the engine's tests, and routing tables for them to meet."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from typing import cast

from cryptography import x509
from msgspec.structs import replace

from doorward.messages import routing as messages
from doorward.messages.routing import Certificate, Host, PathPrefix, Router, RoutingTable, Rule
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.routing import Routes
from net.certificates import self_signed
from proxy.engine.stage import Client, Stage, Workshop

ONE = self_signed("one.test")
WILD = self_signed("*.wild.test", "two.test")
DEFAULT = self_signed("default.test")
ANYTHING = PathPrefix("/")


def router(name: str, rule: Rule | str = ANYTHING, *, tls: bool = True, options: str = "", **more: object) -> Router:
    """A router to the recording application; ``rule`` may be a host."""
    made = Host(rule) if isinstance(rule, str) else rule
    values = {"entry_points": ("web",), "rule_text": name, "priority": 1, "middlewares": (), "service": "app@file"}
    return Router(name=f"{name}@file", rule=made, tls=tls, tls_options=options, **{**values, **more})  # type: ignore[arg-type]


def table(*routers: Router, **more: object) -> RoutingTable:
    """With the three certificates above."""
    values = {"certificates": (ONE, WILD), "default_certificate": DEFAULT}
    return RoutingTable(routers=routers or (router("all"),), **{**values, **more})  # type: ignore[arg-type]


async def serve(stage: Stage, made: RoutingTable) -> None:
    """Start the stage with ``made``."""
    routes = routes_of(stage, made)
    await stage.start(routes)
    stage.engine.use(routes)


def routes_of(stage: Stage, made: RoutingTable) -> Routes:
    app = messages.LoadBalancer("app@file", (messages.Server(stage.application.url),))
    authority = cast(ForwardAuthority, None)
    return Routes.build(replace(made, services={"app@file": app}), Workshop(stage.factory, authority))


def client_context(identity: Certificate | None = None, **options: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that verifies nobody; ``identity`` is the certificate that it has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    if identity is not None:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(identity.chain_pem + identity.key_pem)
            file.flush()
            context.load_cert_chain(file.name)
    for option, value in options.items():
        setattr(context, option, value)
    return context


async def tls_client(
    stage: Stage,
    name: str | None,
    context: ssl.SSLContext | None = None,
    before: bytes = b"",
    **options: ssl.TLSVersion,
) -> Client:
    """Connected, with ``name`` asked for; ``before`` goes out ahead of TLS."""
    context = context or client_context(None, **options)
    if before:
        loop = asyncio.get_running_loop()
        sock = stage.socket()
        await loop.sock_sendall(sock, before)
        made = await asyncio.open_connection(sock=sock, ssl=context, server_hostname=name or "", limit=1 << 20)
    else:
        made = await asyncio.open_connection(
            "127.0.0.1", stage.port, ssl=context, server_hostname=name or "", limit=1 << 20
        )
    client = Client(*made)
    stage.clients.append(client)
    return client


def shown(client: Client) -> str:
    """The common name of the certificate that was shown."""
    leaf = x509.load_der_x509_certificate(tls_of(client).getpeercert(True) or b"")
    return str(leaf.subject.rfc4514_string()).removeprefix("CN=")


def tls_of(client: Client) -> ssl.SSLObject:
    return cast(ssl.SSLObject, client.writer.get_extra_info("ssl_object"))
