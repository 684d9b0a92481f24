"""The control channel's framing: a 4-byte big-endian length, then MessagePack (``messages.control``)."""

from __future__ import annotations

import asyncio

import msgspec

from doorward.messages.control import FromWorker, ToWorker

LARGEST = 64 << 20
"""Bytes. A routing table of ten thousand routers is below a tenth of it."""

_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


class ChannelClosed(Exception):
    """The other side is gone, or spoke nonsense."""


def encode(message: ToWorker | FromWorker) -> bytes:
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        if length > LARGEST:
            raise ChannelClosed(f"a frame of {length} bytes")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise ChannelClosed("the other side closed") from error


async def read_to_worker(reader: asyncio.StreamReader) -> ToWorker:
    """Raises ChannelClosed, msgspec.DecodeError."""
    return _to_worker.decode(await _read(reader))


async def read_from_worker(reader: asyncio.StreamReader) -> FromWorker:
    """Raises ChannelClosed, msgspec.DecodeError."""
    return _from_worker.decode(await _read(reader))
