"""A request's fields to the same ``RequestHead`` that HTTP/1 gives, so that everything above is shared.

Like a head of HTTP/1 it has two halves: the pseudo-fields, of which ``:path`` is new with nearly every request, and the
others, of which a browser has one set for pages, one for images and so on. What the others mean is therefore
remembered, for all connections of the process, and equal ones give the very same tuple.

Two ways to say no: a list of fields that is no HTTP message at all is a ``StreamFault`` (RFC 9113 section 8.1.1); one
that is, but that we do not serve, is ``Rejected`` with the status that HTTP/1 would have got.
"""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.http import Header
from doorward.wire.http1.authority import parse_authority, without_default_port
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.fields import is_token
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.request import RequestHead, parse_length
from doorward.wire.http1.target import parse_target
from doorward.wire.http2.fields import ROLES, Role, check_field_sizes, check_value, malformed

VERSION = b"HTTP/2.0"
_PSEUDO = frozenset((b":method", b":scheme", b":authority", b":path", b":protocol"))
_MOST_REMEMBERED = 1024
_LARGEST_REMEMBERED = 4096
"""What a list of fields may count to be remembered."""
_NOBODY: frozenset[bytes] = frozenset()


class _Regular(Struct, frozen=True):
    """What the fields that are not pseudo-fields mean."""

    headers: tuple[Header, ...]
    """All cookies in one field, where the first one stood (section 8.2.3, S-043)."""
    host: bytes | None
    length: int | None
    expect_continue: bool
    version_13: bool
    """``Sec-WebSocket-Version`` is the one that exists."""
    wants_trailers: bool


_Memory = dict[tuple[Header, ...], _Regular]
_memories: dict[Limits, _Memory] = {}
"""One per set of limits. Keyed by all fields, so it can only say what reading them would say. Emptied when full:
finding the oldest in a dictionary that always loses its oldest takes ever longer."""


class RequestParser:
    """Understands the requests of one connection."""

    __slots__ = ("_limits", "_regular", "_tls")

    def __init__(self, limits: Limits, tls: bool) -> None:
        self._limits = limits
        self._tls = tls
        self._regular = _memories.setdefault(limits, {})

    def parse(self, fields: list[Header], size: int, ended: bool) -> RequestHead:
        """``size`` is what ``fields`` count together; ``ended``: no body follows. Raises StreamFault, Rejected."""
        pseudo, others = _split(fields)
        try:
            regular = self._regular.get(others)
            if regular is None:
                regular = self._read(others, size)
            if ended and regular.length:
                raise malformed("content_length")
            method, target, websocket = self._request_line(pseudo, regular)
            path, query, _ = parse_target(method, target, self._tls)
            host, authority = self._authority(pseudo.get(b":authority"), regular.host)
        except Rejected:
            # What was refused for its meaning may have been no field value to begin with (S-038).
            for value in pseudo.values():
                check_value(value)
            raise
        return RequestHead(
            method=method,
            target=target,
            path=path,
            query=query,
            version=VERSION,
            headers=regular.headers,
            host=host,
            authority=authority,
            body_length=0 if ended or websocket else regular.length,
            keep_alive=True,
            expect_continue=regular.expect_continue,
            connection=_NOBODY,
            websocket=websocket,
            wants_trailers=regular.wants_trailers,
        )

    def _request_line(self, pseudo: dict[bytes, bytes], regular: _Regular) -> tuple[bytes, bytes, bool]:
        """(method, target, is it a WebSocket). Section 8.3.1; RFC 8441 section 4."""
        method = pseudo.get(b":method")
        if method is None or is_token(method) is None:
            raise malformed("method")
        if method == b"CONNECT":
            return self._connect(pseudo, regular)
        if b":protocol" in pseudo:
            raise malformed("protocol")
        target = self._target(pseudo)
        if target[:1] != b"/" and (target != b"*" or method != b"OPTIONS"):
            raise malformed("target")
        if len(method) > self._limits.method:
            raise Rejected(501, "method")
        if method in (b"TRACE", b"TRACK"):
            raise Rejected(405, "trace")
        return method, target, False

    def _connect(self, pseudo: dict[bytes, bytes], regular: _Regular) -> tuple[bytes, bytes, bool]:
        """A WebSocket; from here on it looks like the GET that it is in HTTP/1. Tunnels to elsewhere: no (S-025)."""
        protocol = pseudo.get(b":protocol")
        if b":authority" not in pseudo:
            raise malformed("authority")
        if protocol is None:
            if b":scheme" in pseudo or b":path" in pseudo:
                raise malformed("connect")
            raise Rejected(501, "connect")
        target = self._target(pseudo)
        if target[:1] != b"/":
            raise malformed("target")
        if protocol != b"websocket":
            raise Rejected(501, "protocol")
        if not regular.version_13 or regular.length is not None:
            raise Rejected(400, "websocket")
        return b"GET", target, True

    def _target(self, pseudo: dict[bytes, bytes]) -> bytes:
        """``:path``. ``:scheme`` must be there and is not believed: whether this is TLS, the socket says (S-024)."""
        if pseudo.get(b":scheme", b"").lower() not in (b"http", b"https"):
            raise malformed("scheme")
        target = pseudo.get(b":path")
        if not target:
            raise malformed("target")
        if len(target) > self._limits.request_line:
            raise Rejected(414, "request_line")
        return target

    def _authority(self, authority: bytes | None, host: bytes | None) -> tuple[bytes, bytes]:
        """Whom the request is for; both ways to say it must say the same (S-042)."""
        if authority is None:
            if host is None:
                raise Rejected(400, "host_missing")
            return parse_authority(host)
        parsed = parse_authority(authority)
        if host is not None:
            same = without_default_port(parse_authority(host)[1], self._tls)
            if same != without_default_port(parsed[1], self._tls):
                raise malformed("authority_mismatch")
        return parsed

    def _read(self, others: tuple[Header, ...], size: int) -> _Regular:
        regular = read_regular(others, size, self._limits)
        if size <= _LARGEST_REMEMBERED:
            if len(self._regular) >= _MOST_REMEMBERED:
                self._regular.clear()
            self._regular[others] = regular
        return regular


def _split(fields: list[Header]) -> tuple[dict[bytes, bytes], tuple[Header, ...]]:
    """The pseudo-fields, which come first (section 8.3), and the others."""
    pseudo: dict[bytes, bytes] = {}
    for name, value in fields:
        if name not in _PSEUDO:
            break
        if name in pseudo:
            raise malformed("pseudo")
        pseudo[name] = value
    return pseudo, tuple(fields[len(pseudo) :])


def read_regular(fields: tuple[Header, ...], size: int, limits: Limits) -> _Regular:
    """What the ``fields`` of a request mean that are not pseudo-fields. Raises StreamFault, Rejected."""
    single: dict[bytes, bytes] = {}
    cookies: list[bytes] = []
    headers: list[Header] = []
    place = 0
    for field in fields:
        role = ROLES[field]
        if role is Role.PLAIN or role is Role.HOP:
            headers.append(field)
        elif role is Role.COOKIE:
            if not cookies:
                place = len(headers)
                headers.append(field)
            cookies.append(field[1])
        else:
            if role is not Role.TE:
                _note_single(single, field, role)
            elif field[1].lower() != b"trailers":
                raise malformed("te")
            else:
                single[b"te"] = b"trailers"
            headers.append(field)
    if len(cookies) > 1:
        headers[place] = b"cookie", b"; ".join(cookies)
    _check_limits(headers, size, place if cookies else None, limits)
    return _Regular(
        headers=tuple(headers),
        host=single.get(b"host"),
        length=_length(single.get(b"content-length")),
        expect_continue=_expects_continue(single.get(b"expect")),
        version_13=single.get(b"sec-websocket-version") == b"13",
        wants_trailers=b"te" in single,
    )


def _note_single(single: dict[bytes, bytes], field: Header, role: Role) -> None:
    name, value = field
    if name in single:
        if role is Role.LENGTH or role is Role.HOST:
            raise malformed("cl_dup" if role is Role.LENGTH else "host_dup")
        raise Rejected(400, "dup_singleton")
    single[name] = value


def _check_limits(headers: list[Header], size: int, cookie: int | None, limits: Limits) -> None:
    if len(headers) > limits.fields or not check_field_sizes(headers, size, limits.field):
        raise Rejected(431, "header_fields")
    if cookie is not None and headers[cookie][1].count(b";") >= limits.cookies:
        raise Rejected(431, "cookies")


def _length(value: bytes | None) -> int | None:
    if value is None:
        return None
    try:
        return parse_length(value)
    except Rejected as rejected:
        raise malformed(rejected.reason) from None


def _expects_continue(value: bytes | None) -> bool:
    if value is None:
        return False
    if value.lower() != b"100-continue":
        raise Rejected(417, "expectation")
    return True
