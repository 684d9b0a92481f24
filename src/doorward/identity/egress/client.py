"""Asks other servers something: webhooks, discovery, keys, log-outs. The only way out of the identity provider by HTTP.

One question, one answer (S-650): the address that was checked is the one that is connected to, so that a name which
changes in between gains nothing; no redirect is followed; no proxy of the environment is used; all of it, looking up
the name included, takes ten seconds at most, and an answer 256 KiB. Certificates are checked. At most sixteen
questions are open at a time, so that slow servers cannot take all threads.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from doorward.identity.egress import addresses, resolving

if TYPE_CHECKING:
    from doorward.messages.routing import ClientTls

TIMEOUT = 10.0
"""Seconds."""
LARGEST = 256 * 1024
"""Bytes of an answer's body."""
MOST = 16
"""Questions at a time."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_ALMOST_AN_ADDRESS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?")
_PRINTABLE = re.compile(r"[!-~]+")
_turns = threading.BoundedSemaphore(MOST)


class NotAsked(Exception):
    """There is no answer; the text says why, for administrators."""


class Refused(NotAsked):
    """The URL, or the address it leads to, is none that may be asked. Trying again does not help."""


class Unreachable(NotAsked):
    """No complete answer came in time: no such name, no connection, not trusted, too large, not HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By name in lower case; of several with one name, the last."""
    body: bytes

    def json(self) -> object:
        """The body as JSON. Raises ValueError."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise ValueError(f"not JSON: {error}") from error


def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    private: bool = False,
    limit: int = LARGEST,
    seconds: float = TIMEOUT,
    tls: ClientTls | None = None,
) -> Answer:
    """Send one request and return the answer, whatever its status.

    ``url``: http or https, without user name; a fragment is not sent. ``private``: addresses of this machine and
    network may be asked; only for URLs that a superuser wrote. ``limit``: bytes of the answer's body. ``seconds`` for
    all of it. ``tls``: other authorities than the system's, or a client certificate. Raises Refused, Unreachable.
    """
    if method not in _METHODS:
        raise Refused(f"{method[:20]!r} is no method to ask with.")
    parts, host = _parts(url)
    until = time.monotonic() + seconds
    if not _turns.acquire(timeout=min(1.0, seconds)):
        raise Unreachable("Too many questions are waiting for other servers already; try again later.")
    try:
        address = _allowed(host, private, until - time.monotonic())
        return asyncio.run(
            _asked(method, parts, host, address, dict(headers or {}), body, limit, until - time.monotonic(), tls)
        )
    finally:
        _turns.release()


def check(url: str, *, private: bool = False) -> None:
    """Whether ``url`` is written so that it may be asked, without asking anybody. Raises Refused."""
    _, host = _parts(url)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    _judge(host, address, private)


def _parts(url: str) -> tuple[SplitResult, str]:
    if _PRINTABLE.fullmatch(url) is None or "\\" in url:
        raise Refused("The URL has characters that do not belong in one.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("That is no URL.") from None
    if parts.scheme not in ("http", "https"):
        raise Refused(f"Only http:// and https:// can be asked, not {parts.scheme[:20]!r}.")
    host = (parts.hostname or "").removesuffix(".")
    if not host or port == 0 or parts.username is not None or parts.password is not None or "%" in host:
        raise Refused("The URL needs a host, and may have a port, but neither user name nor password.")
    return parts, host


def _allowed(host: str, private: bool, seconds: float) -> str:
    """The address to connect to. Raises Refused, Unreachable."""
    if host in addresses.METADATA_NAMES:
        raise Refused(f"{host} is no server that may be asked.")
    try:
        found = resolving.addresses_of(host, max(seconds, 0.0))
    except OSError as error:
        raise Unreachable(f"The name {host} cannot be looked up: {error.strerror or error}.") from error
    if not found:
        raise Unreachable(f"The name {host} has no address.")
    # All of them: a name with a good and a bad address is a trick, or a mistake.
    for address in found:
        _judge(host, address, private)
    if _ALMOST_AN_ADDRESS.fullmatch(host) and host != str(found[0]):
        raise Refused(f"{host} is not written as everybody writes an address, such as 10.0.0.7.")
    return str(next((address for address in found if _has_a_way(address)), found[0]))


def _has_a_way(address: addresses.Address) -> bool:
    """This machine has a route there; nothing is sent. Many have no IPv6."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
    except OSError:
        return False
    return True


def _judge(host: str, address: addresses.Address, private: bool) -> None:
    where = host if host == str(address) else f"{host} ({address})"
    if addresses.is_nobodys(address):
        raise Refused(f"{where} is no server that may be asked: the address is reserved.")
    if not private and addresses.is_inside(address):
        raise Refused(f"{where} is inside this network: only a superuser's own settings may lead there.")


async def _asked(
    method: str,
    parts: SplitResult,
    host: str,
    address: str,
    headers: dict[str, str],
    body: bytes | None,
    limit: int,
    seconds: float,
    tls: ClientTls | None,
) -> Answer:
    from doorward.messages.http import HttpQuestion
    from doorward.net import client
    from doorward.net.origin import DEFAULT_PORTS, Origin

    port = parts.port if parts.port is not None else DEFAULT_PORTS[parts.scheme]
    origin = Origin(parts.scheme, host, port, tls=tls if parts.scheme == "https" else None, address=address)
    target = quote(parts.path or "/", safe="/%!$&'()*+,;=:@~") + (f"?{parts.query}" if parts.query else "")
    asking = client.Client()
    try:
        fields = tuple((name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items())
        question = HttpQuestion(method.encode(), target.encode(), fields, body or b"")
        answer = await asking.fetch(question, origin, timeout=max(seconds, 0.01), max_body=limit)
    except UnicodeError as error:
        raise Refused(f"A header is not written in letters that HTTP knows: {error}.") from error
    except client.Unreachable as error:
        raise Unreachable(f"{parts.scheme}://{parts.netloc} does not answer as it should: {error}.") from error
    except client.TooLarge as error:
        raise Unreachable(
            f"{parts.scheme}://{parts.netloc} answers {error.status} with more than {limit:,} bytes."
        ) from error
    finally:
        await asking.cut()
    found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
    return Answer(answer.status, found, answer.body)
