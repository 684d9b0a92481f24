"""What is known about a client connection when it begins to speak."""

from __future__ import annotations

import asyncio
import sys

from doorward.config.cipher_suites import standard_name
from doorward.net.arrival import Arrival
from doorward.net.peer_certificate import client_chain
from doorward.proxy.request import ConnectionFacts


def connection_facts(transport: asyncio.BaseTransport, arrival: Arrival | None, port: int) -> ConnectionFacts:
    """The facts of a connection to our ``port``; ``arrival`` is None when it began with a request."""
    peer = transport.get_extra_info("peername")
    # Ten thousand connections of one peer need its address once.
    address, peer_port = (sys.intern(peer[0].partition("%")[0]), peer[1]) if isinstance(peer, tuple) else ("", 0)
    if arrival is None:
        return ConnectionFacts(address, port, tls=False, peer_port=peer_port)
    if arrival.peer != address:
        peer_port = 0
    if not arrival.tls_options:
        return ConnectionFacts(arrival.peer, port, tls=False, peer_port=peer_port)
    connection = transport.get_extra_info("ssl_object")
    if connection is None:
        return ConnectionFacts(arrival.peer, port, tls=True, tls_options=arrival.tls_options, peer_port=peer_port)
    return ConnectionFacts(
        arrival.peer,
        port,
        tls=True,
        tls_options=arrival.tls_options,
        client_chain=client_chain(connection),
        peer_port=peer_port,
        tls_version=(connection.version() or "").removeprefix("TLSv"),
        tls_cipher=standard_name((connection.cipher() or ("",))[0]),
    )
