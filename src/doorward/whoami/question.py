"""Reads one HTTP/1.1 request from a stream, strictly.

The application stands behind a proxy, but people also start it alone: what is ambiguous (two lengths, a folded
field, white space before a colon) is refused and the connection closed, never repaired (RFC 9112 sections 5
and 6). The body is not collected: whoever answers takes it piece by piece.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

MAX_HEAD = 65536
"""Bytes of request line and header section together."""
MAX_FIELDS = 100
PIECE = 65536
"""Bytes of body taken at a time."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!-~]{1,8192}) HTTP/1\.([01])")
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_DIGITS = re.compile(rb"[0-9]{1,15}")


class BadQuestion(Exception):
    """What arrived is no request that we answer.

    Attributes:
        status: the answer, after which the connection is closed.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True)
class Question:
    """A request: its head, and its body as a stream that is read once."""

    method: str
    target: str
    http_1_0: bool
    fields: dict[str, list[str]]
    """Field values by canonical name (``X-Real-Ip``), in the order received."""
    body_length: int | None
    """Bytes that follow; None when the body comes in chunks."""
    reader: asyncio.StreamReader
    read: int = field(default=0, init=False)
    finished: bool = field(default=False, init=False)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def keep_alive(self) -> bool:
        options = {option.strip().lower() for value in self.fields.get("Connection", ()) for option in value.split(",")}
        return "close" not in options and not (self.http_1_0 and "keep-alive" not in options)

    def first(self, name: str) -> str:
        """The first value of the field with this canonical name, or the empty string."""
        values = self.fields.get(name)
        return values[0] if values else ""

    async def body(self) -> AsyncIterator[bytes]:
        """The body, in pieces of at most ``PIECE`` bytes.

        Raises BadQuestion when it is cut short or badly framed.
        """
        if self.body_length is None:
            async for piece in self._chunks():
                yield piece
        else:
            async for piece in self._exactly(self.body_length):
                yield piece
        self.finished = True

    async def _exactly(self, length: int) -> AsyncIterator[bytes]:
        while length:
            piece = await self.reader.read(min(length, PIECE))
            if not piece:
                raise BadQuestion(400, "the body is shorter than announced")
            length -= len(piece)
            self.read += len(piece)
            yield piece

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            match = _CHUNK_LINE.fullmatch(await _line(self.reader, 256))
            if not match:
                raise BadQuestion(400, "bad chunk size")
            size = int(match[1], 16)
            if not size:
                break
            async for piece in self._exactly(size):
                yield piece
            if await self.reader.readexactly(2) != b"\r\n":
                raise BadQuestion(400, "a chunk is longer than announced")
        while await _line(self.reader, 8192) != b"\r\n":
            pass  # trailers are dropped (RFC 9110 section 6.5.1)


async def read_question(reader: asyncio.StreamReader) -> Question | None:
    """The next request on this connection, or None when the client has closed it between requests.

    Raises BadQuestion, or asyncio.IncompleteReadError when the head is cut short.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadQuestion(431, "the header section is too long") from None
    except asyncio.IncompleteReadError as cut:
        if not cut.partial:
            return None
        raise
    lines = head[:-4].split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(lines[0])
    if not match:
        raise BadQuestion(400, "bad request line")
    if len(lines) - 1 > MAX_FIELDS:
        raise BadQuestion(431, "too many fields")
    fields = _fields(lines[1:])
    http_1_0 = match[3] == b"0"
    if len(fields.get("Host", ())) != 1 and not (http_1_0 and "Host" not in fields):
        raise BadQuestion(400, "exactly one Host field is needed")
    return Question(
        method=match[1].decode(),
        target=match[2].decode(),
        http_1_0=http_1_0,
        fields=fields,
        body_length=_body_length(fields, http_1_0),
        reader=reader,
    )


def canonical(name: str) -> str:
    """``x-real-IP`` → ``X-Real-Ip``: how field names look in the answers."""
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def _fields(lines: list[bytes]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for line in lines:
        match = _FIELD_LINE.fullmatch(line)
        if not match:
            raise BadQuestion(400, "bad header field")
        fields.setdefault(canonical(match[1].decode()), []).append(match[2].decode("latin-1"))
    return fields


def _body_length(fields: dict[str, list[str]], http_1_0: bool) -> int | None:
    """RFC 9112 section 6.3; None means chunked."""
    codings = fields.get("Transfer-Encoding")
    lengths = fields.get("Content-Length")
    if codings:
        if lengths or http_1_0 or len(codings) > 1 or codings[0].lower() != "chunked":
            raise BadQuestion(400, "the body's length is ambiguous")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not _DIGITS.fullmatch(lengths[0].encode("latin-1")):
        raise BadQuestion(400, "bad Content-Length")
    return int(lengths[0])


async def _line(reader: asyncio.StreamReader, limit: int) -> bytes:
    try:
        line = await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError:
        line = b""
    if not line or len(line) > limit:
        raise BadQuestion(400, "a line of the body's framing is too long")
    return line
