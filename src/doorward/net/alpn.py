"""What client and server agreed on in the TLS handshake."""

from __future__ import annotations

import asyncio


def chose_http2(transport: asyncio.BaseTransport) -> bool:
    """Both ends of ``transport`` speak HTTP/2 (RFC 7301)."""
    connection = transport.get_extra_info("ssl_object")
    return connection is not None and connection.selected_alpn_protocol() == "h2"
