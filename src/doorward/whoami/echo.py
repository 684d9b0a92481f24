"""The WebSocket at ``/echo``: sends back every message it gets (RFC 6455)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib

from doorward.whoami.question import BadQuestion, Question

MAX_FRAME = 1 << 20
"""Bytes of payload in one frame."""
IDLE = 3600.0
"""Seconds without a frame after which the connection is closed."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10


def accept(question: Question) -> bytes:
    """The head of the 101 answer.

    Raises BadQuestion when the request is no WebSocket handshake (section 4.2.1).
    """
    key = question.first("Sec-Websocket-Key")
    upgrades = question.first("Upgrade").lower() == "websocket" and "upgrade" in question.first("Connection").lower()
    if question.method != "GET" or not upgrades or question.first("Sec-Websocket-Version") != "13" or not _nonce(key):
        raise BadQuestion(400, "this is a WebSocket: connect with a WebSocket client")
    digest = base64.b64encode(hashlib.sha1(key.encode("latin-1") + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"
    )


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send every data frame back as it came, answer pings, until either side closes."""
    while True:
        opcode, final, payload = await asyncio.wait_for(_frame(reader), IDLE)
        if opcode == _CLOSE:
            writer.write(_header(_CLOSE, True, len(payload[:2])) + payload[:2])
            await writer.drain()
            return
        if opcode == _PONG:
            continue
        answer = _PONG if opcode == _PING else opcode
        writer.write(_header(answer, final, len(payload)) + payload)
        await writer.drain()


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bool, bytes]:
    first, second = await reader.readexactly(2)
    opcode, final, length = first & 0x0F, bool(first & 0x80), second & 0x7F
    known = opcode in {_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG}
    if first & 0x70 or not known or not second & 0x80:
        raise BadQuestion(400, "a client's frame is masked and uses no extension (sections 5.1 and 5.2)")
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    if length > MAX_FRAME or (opcode >= _CLOSE and (length > 125 or not final)):
        raise BadQuestion(413, "the frame is too long")
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(length)
    key = int.from_bytes((mask * (length // 4 + 1))[:length], "big")
    return opcode, final, (int.from_bytes(payload, "big") ^ key).to_bytes(length, "big")


def _header(opcode: int, final: bool, length: int) -> bytes:
    first = opcode | (0x80 if final else 0)
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")


def _nonce(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
