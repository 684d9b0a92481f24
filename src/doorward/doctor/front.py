"""The way to a server: its name, its port, its certificate."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509

from doorward.doctor.browser import system_authorities
from doorward.doctor.findings import DOUBT, FAULT, GOOD, REMEDIES, Finding
from doorward.doctor.places import NoAddress, Places

PATIENCE = 10.0
"""Seconds for a connection, TLS included."""
SOON = 14
"""Days before its end in which a certificate is worth a word."""


def fault(code: str, text: str) -> Finding:
    return Finding(FAULT, code, text, REMEDIES[code])


async def way_to(url: str, places: Places, ca_pem: str, what: str = "the proxy") -> AsyncIterator[Finding]:
    """Findings about name, connection and certificate; none more after a fault that makes them pointless."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    try:
        address = await places.address(host)
    except NoAddress as error:
        yield fault("dns", f"The name {host} does not resolve: {error}.")
        return
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(address, port)
        await _let_go(writer)
    except (OSError, TimeoutError) as error:
        why = getattr(error, "strerror", "") or str(error) or "no answer"
        yield fault("unreachable", f"No connection to {what} at {host} ({address} port {port}): {why}.")
        return
    yield Finding(GOOD, "reachable", f"{host} is {address}, and port {port} answers.")
    if tls:
        async for finding in _certificate(host, address, port, ca_pem):
            yield finding


async def _certificate(host: str, address: str, port: int, ca_pem: str) -> AsyncIterator[Finding]:
    context = ssl.create_default_context(cadata=f"{ca_pem}\n{system_authorities()}" if ca_pem else None)
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        yield _bad_certificate(host, error)
        return
    except (OSError, TimeoutError) as error:
        yield fault("tls", f"No TLS with {host}: {getattr(error, 'reason', '') or error or 'no answer'}.")
        return
    raw = writer.get_extra_info("ssl_object").getpeercert(True)
    await _let_go(writer)
    ends = x509.load_der_x509_certificate(raw).not_valid_after_utc
    days = (ends - datetime.now(UTC)).days
    if days < SOON:
        text = f"The certificate of {host} ends in {days} days ({ends:%Y-%m-%d})."
        yield Finding(DOUBT, "tls_ends_soon", text, REMEDIES["tls_expired"])
    else:
        yield Finding(GOOD, "tls", f"The certificate of {host} is in order until {ends:%Y-%m-%d}.")


async def _let_go(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _bad_certificate(host: str, error: ssl.SSLCertVerificationError) -> Finding:
    said = (error.verify_message or str(error)).rstrip(".")
    if "expired" in said or "not yet valid" in said:
        return fault("tls_expired", f"The certificate of {host} is out of its time: {said}.")
    if "ostname mismatch" in said or "IP address mismatch" in said:
        return fault("tls_wrong_name", f"The certificate is not for {host}: {said}.")
    return fault("tls_untrusted", f"The certificate of {host} is of nobody whom this machine trusts: {said}.")
