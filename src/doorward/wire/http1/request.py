"""A request head: from bytes to ``RequestHead``, or ``Rejected`` with the reason (security contract, room A).

A head has two halves that vary differently: the request line is new with nearly every request, while a browser has
one header block for pages, one for images and so on. Blocks that were seen lately are therefore remembered together
with what strict parsing made of them, for all connections of the process; an unseen block is always parsed strictly.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from functools import lru_cache

from msgspec import Struct

from doorward.messages.http import Header
from doorward.wire.http1.authority import parse_authority, without_default_port
from doorward.wire.http1.errors import Rejected, WireError
from doorward.wire.http1.fields import is_token, line_end_fault, parse_fields
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.target import parse_target
from doorward.wire.http1.trailers import wants_trailers

_digits = re.compile(rb"[0-9]{1,19}").fullmatch
_version = re.compile(rb"HTTP/[0-9]\.[0-9]").fullmatch

_SINGLETONS = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"authorization",
        b"content-type",
        b"origin",
        b"expect",
        b"sec-websocket-key",
        b"sec-websocket-version",
    )
)
"""Twice is a smuggling attempt or a bug: refused (S-003, S-004, S-007, S-021, S-044)."""
_LISTS = frozenset((b"connection", b"upgrade", b"cookie", b"te"))
_READ = _SINGLETONS | _LISTS
_DUPLICATE_REASONS = {b"host": "host_dup", b"content-length": "cl_dup", b"transfer-encoding": "te_dup"}


class RequestHead(Struct, frozen=True):
    """A request line and its fields, validated. Shared between equal requests: never changed.

    A Struct because one is made for most requests: a frozen dataclass of this size takes twenty times as long.
    """

    method: bytes
    target: bytes
    """As it stood on the request line."""
    path: bytes
    """Canonical (S-201), starts with ``/``; ``*`` only for ``OPTIONS *``."""
    query: bytes | None
    """Raw, without the question mark; None when the target had none."""
    version: bytes
    """``HTTP/1.1`` or ``HTTP/1.0``."""
    headers: tuple[Header, ...]
    """Every field in the order received, names as written, connection fields and Host included."""
    host: bytes
    """Lower case, without port and trailing dot; empty when an HTTP/1.0 request named none."""
    authority: bytes
    """Host as to be passed on: lower case, port kept, trailing dot dropped."""
    body_length: int | None
    """Bytes of body that follow: 0 for none, None for chunked."""
    keep_alive: bool
    """The client wants to go on using the connection."""
    expect_continue: bool
    """The client waits for ``100 Continue`` before it sends the body."""
    connection: frozenset[bytes]
    """The tokens of every ``Connection`` field, lower case."""
    websocket: bool
    """A valid WebSocket handshake (RFC 6455 section 4.2.1)."""
    wants_trailers: bool = False
    """The client said that it reads fields after the body (``TE: trailers``)."""


class _Block(Struct, frozen=True):
    """What a header block means, for one HTTP version."""

    headers: tuple[Header, ...]
    host: bytes
    authority: bytes
    body_length: int | None
    keep_alive: bool
    expect_continue: bool
    connection: frozenset[bytes]
    websocket: bool
    wants_trailers: bool


_seen: dict[tuple[bytes, bytes, Limits], _Block] = {}
"""The oldest goes first. Keyed by all bytes of the block, so it can only say what parsing would say."""
_MAX_REMEMBERED = 1024
_MAX_REMEMBERED_SIZE = 4096


class HeadParser:
    """Parses the request heads of one connection."""

    __slots__ = ("_head", "_limits", "_raw_head", "_tls")

    def __init__(self, limits: Limits, tls: bool) -> None:
        self._limits = limits
        self._tls = tls
        self._raw_head = b""
        self._head: RequestHead | None = None

    def parse(self, raw: bytes) -> RequestHead:
        """``raw`` is everything up to and including the empty line. Raises Rejected."""
        if raw == self._raw_head and self._head is not None:
            return self._head
        line, _, block = raw.partition(b"\r\n")
        method, target, version = self._request_line(line)
        fields = self._block_of(block[:-2], version)
        path, query, authority = parse_target(method, target, self._tls)
        if authority is not None and not self._same_authority(authority, fields.authority):
            raise Rejected(400, "authority_mismatch")
        websocket = fields.websocket and method == b"GET"
        head = RequestHead(
            method,
            target,
            path,
            query,
            version,
            fields.headers,
            fields.host,
            fields.authority,
            fields.body_length,
            fields.keep_alive,
            fields.expect_continue,
            fields.connection,
            websocket,
            fields.wants_trailers,
        )
        self._raw_head, self._head = raw, head
        return head

    def _request_line(self, line: bytes) -> tuple[bytes, bytes, bytes]:
        if len(line) > self._limits.request_line:
            raise Rejected(414, "request_line")
        if b"\n" in line or b"\r" in line:
            raise Rejected(400, line_end_fault(line + b"\r\n") or "bare_cr")
        method, space, rest = line.partition(b" ")
        if is_token(method) is None:
            raise Rejected(400, "method")
        if len(method) > self._limits.method:
            raise Rejected(501, "method")
        target, last_space, version = rest.rpartition(b" ")
        if not space or not last_space:
            raise Rejected(400, "version")
        if version not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise Rejected(505 if _version(version) else 400, "version")
        if method == b"CONNECT":
            raise Rejected(501, "connect")
        if method in (b"TRACE", b"TRACK"):
            raise Rejected(405, "trace")
        return method, target, version

    def forget(self) -> None:
        """Free the memory: nothing is expected soon."""
        self._raw_head, self._head = b"", None

    def _block_of(self, raw: bytes, version: bytes) -> _Block:
        key = (raw, version, self._limits)
        block = _seen.get(key)
        if block is not None:
            return block
        if len(raw) > self._limits.header:
            raise Rejected(431, "header_size")
        block = parse_block(raw, version, self._limits)
        if len(raw) <= _MAX_REMEMBERED_SIZE:
            if len(_seen) >= _MAX_REMEMBERED:
                del _seen[next(iter(_seen))]
            _seen[key] = block
        return block

    def _same_authority(self, one: bytes, other: bytes) -> bool:
        return without_default_port(one, self._tls) == without_default_port(other, self._tls)


def parse_block(raw: bytes, version: bytes, limits: Limits) -> _Block:
    """The meaning of a request's header block. Raises Rejected."""
    try:
        headers = parse_fields(raw)
    except WireError as error:
        raise Rejected(400, error.reason) from None
    if len(headers) > limits.fields or (len(raw) > limits.field and _has_long_field(raw, limits.field)):
        raise Rejected(431, "header_fields")
    single: dict[bytes, bytes] = {}
    connection: frozenset[bytes] = frozenset()
    upgrade: frozenset[bytes] = frozenset()
    te: list[bytes] = []
    cookies = 0
    for name, value in headers:
        key = name.lower()
        if key not in _READ:
            continue
        if key == b"cookie":
            cookies += value.count(b";") + 1
        elif key == b"connection":
            connection |= _tokens(value)
        elif key == b"upgrade":
            upgrade |= _tokens(value)
        elif key == b"te":
            te.append(value)
        elif key in single:
            raise Rejected(400, _DUPLICATE_REASONS.get(key, "dup_singleton"))
        else:
            single[key] = value
    if cookies > limits.cookies:
        raise Rejected(431, "cookies")
    host, authority = _host(single.get(b"host"), version)
    return _Block(
        headers=tuple(headers),
        host=host,
        authority=authority,
        body_length=_body_length(single, version),
        keep_alive=_keep_alive(connection, version),
        expect_continue=_expect_continue(single.get(b"expect"), version),
        connection=connection,
        websocket=b"upgrade" in connection and b"websocket" in upgrade and _is_handshake(single, version),
        wants_trailers=version == b"HTTP/1.1" and wants_trailers(te),
    )


def _has_long_field(raw: bytes, limit: int) -> bool:
    return any(len(line) > limit for line in raw.split(b"\r\n"))


@lru_cache(maxsize=256)
def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset(token.strip(b" \t") for token in value.lower().split(b",")) - {b""}


def _host(value: bytes | None, version: bytes) -> tuple[bytes, bytes]:
    if value is None:
        if version == b"HTTP/1.1":
            raise Rejected(400, "host_missing")
        return b"", b""
    return parse_authority(value)


def _body_length(single: dict[bytes, bytes], version: bytes) -> int | None:
    """RFC 9112 section 6.3 without any of its repairs: whatever is ambiguous is refused (S-001 to S-007)."""
    coding = single.get(b"transfer-encoding")
    length = single.get(b"content-length")
    if coding is not None:
        if version != b"HTTP/1.1":
            raise Rejected(400, "te_http10")
        if length is not None:
            raise Rejected(400, "cl_te")
        if coding.lower() != b"chunked":
            raise Rejected(501 if is_token(coding) else 400, "te_unknown")
        return None
    if length is None:
        return 0
    return parse_length(length)


def parse_length(value: bytes) -> int:
    """``Content-Length``: digits are checked as bytes before int() sees them. Raises Rejected(400, cl_syntax)."""
    if b"," in value and all(_digits(part.strip(b" \t")) for part in value.split(b",")):
        raise Rejected(400, "cl_dup")
    if _digits(value) is None:
        raise Rejected(400, "cl_syntax")
    return int(value)


def _keep_alive(connection: frozenset[bytes], version: bytes) -> bool:
    if b"close" in connection:
        return False
    return version == b"HTTP/1.1" or b"keep-alive" in connection


def _expect_continue(value: bytes | None, version: bytes) -> bool:
    if value is None:
        return False
    if value.lower() != b"100-continue":
        raise Rejected(417, "expectation")
    # RFC 9110 section 10.1.1: an HTTP/1.0 client does not know 1xx, its expectation is ignored.
    return version == b"HTTP/1.1"


def _is_handshake(single: dict[bytes, bytes], version: bytes) -> bool:
    if version != b"HTTP/1.1" or single.get(b"sec-websocket-version") != b"13":
        return False
    if b"content-length" in single or b"transfer-encoding" in single:
        return False
    try:
        return len(a2b_base64(single.get(b"sec-websocket-key", b""), strict_mode=True)) == 16
    except Base64Error:
        return False
