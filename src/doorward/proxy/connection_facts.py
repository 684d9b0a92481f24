"""What is known about a client connection when it begins to speak."""

from __future__ import annotations

import asyncio

from doorward.net.arrival import Arrival
from doorward.net.peer_certificate import client_chain
from doorward.proxy.request import ConnectionFacts


def connection_facts(transport: asyncio.BaseTransport, arrival: Arrival | None, port: int) -> ConnectionFacts:
    """The facts of a connection to our ``port``; ``arrival`` is None when it began with a request."""
    if arrival is None:
        peer = transport.get_extra_info("peername")
        return ConnectionFacts(peer[0].partition("%")[0] if isinstance(peer, tuple) else "", port, tls=False)
    if not arrival.tls_options:
        return ConnectionFacts(arrival.peer, port, tls=False)
    connection = transport.get_extra_info("ssl_object")
    chain = client_chain(connection) if connection is not None else ()
    return ConnectionFacts(arrival.peer, port, tls=True, tls_options=arrival.tls_options, client_chain=chain)
