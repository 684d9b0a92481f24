"""Asking the running program why: one question and one answer on the control process's private socket.

For callers that may block (the command line, the identity provider's pages). A frame is a 4-byte big-endian length
and the MessagePack form of a message of ``messages.decisions``.
"""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec

from doorward.messages.decisions import AdministratorAtWork, Decided, FromExplainer, ToExplainer

LARGEST = 16 << 20
"""Bytes of an answer."""

_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[FromExplainer] = msgspec.msgpack.Decoder(FromExplainer)


class NobodyAnswers(Exception):
    """No program listens there, or it gave no usable answer in time."""


def ask(door: Path, question: ToExplainer, patience: float = 15.0) -> FromExplainer:
    """The answer to ``question``, within ``patience`` seconds. Raises NobodyAnswers."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience)
            connection.connect(str(door))
            connection.sendall(framed(question))
            length = int.from_bytes(_exactly(connection, 4), "big")
            if length > LARGEST:
                raise NobodyAnswers(f"an answer of {length} bytes")
            return _decoder.decode(_exactly(connection, length))
    except (OSError, msgspec.MsgspecError) as error:
        raise NobodyAnswers(str(error)) from error


def tell(door: Path, news: Decided | AdministratorAtWork, patience: float = 0.5) -> None:
    """Hand on what happened, and wait for nothing. Raises NobodyAnswers."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience)
            connection.connect(str(door))
            connection.sendall(framed(news))
    except OSError as error:
        raise NobodyAnswers(str(error)) from error


def framed(message: ToExplainer | FromExplainer) -> bytes:
    body = _encode(message)
    return len(body).to_bytes(4, "big") + body


def _exactly(connection: socket.socket, length: int) -> bytes:
    parts = []
    while length:
        part = connection.recv(min(length, 65536))
        if not part:
            raise NobodyAnswers("the connection was closed")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
