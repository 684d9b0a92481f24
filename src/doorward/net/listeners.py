"""Sockets that listen: bound before privileges are dropped or by each worker itself, many on one port."""

from __future__ import annotations

import socket

BACKLOG = 1024


def listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for ``host`` (empty means all addresses, IPv4 and IPv6) and ``port`` (0 picks one).

    ``SO_REUSEPORT`` lets every worker listen on the same port, and the kernel spread the connections. Raises OSError
    when the port is taken by somebody else or may not be used.
    """
    sockets: list[socket.socket] = []
    try:
        for family, address in _addresses(host):
            chosen = sockets[0].getsockname()[1] if sockets and port == 0 else port
            sockets.append(_listen(family, address, chosen))
    except OSError:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if not host:
        families = [(socket.AF_INET, "0.0.0.0")]  # noqa: S104 - that is what an empty address means
        if socket.has_ipv6 and _ipv6_works():
            families.append((socket.AF_INET6, "::"))
        return families
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _ipv6_works() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Accepted connections inherit it: small writes are complete messages here and must not wait for one another.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
