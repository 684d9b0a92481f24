"""The connection loop: question in, answer out, keep-alive; a slow client holds nothing for ever."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus

from doorward.whoami.answers import TEXT, Answer, Whoami
from doorward.whoami.echo import accept, echo
from doorward.whoami.question import MAX_HEAD, BadQuestion, Question, read_question

HEAD_TIME = 180.0
"""Seconds that a connection may be idle, its next head included."""
WRITE_TIME = 60.0
"""Seconds without a byte taken, after which the client is given up."""
MAX_DRAINED = 1 << 20
"""Bytes of an unread body that are swallowed to keep the connection."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Running:
    """The application while it listens."""

    def __init__(self, server: asyncio.Server, conversations: dict[asyncio.Task[None], asyncio.StreamWriter]) -> None:
        self._server = server
        self._conversations = conversations

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        self._server.close()
        conversations = dict(self._conversations)
        for task, writer in conversations.items():
            writer.close()
            task.cancel()
        if conversations:
            await asyncio.wait(conversations)
        await self._server.wait_closed()


async def start(port: int, name: str = "", host: str = "127.0.0.1", listener: socket.socket | None = None) -> Running:
    """Listen, and answer in the background until closed.

    Args:
        port: TCP port; 0 takes a free one.
        name: shown as ``Name:``; empty for none.
        host: address to bind; empty means all.
        listener: a socket that listens already, instead of port and host.

    Raises OSError when the address cannot be bound.
    """
    application = Whoami(name)
    conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        conversations[task] = writer
        # A cancelled connection task would make asyncio's streams log a traceback (3.11), so it ends normally.
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _converse(application, reader, writer)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
        del conversations[task]

    if listener is not None:
        server = await asyncio.start_server(connected, sock=listener, limit=MAX_HEAD)
    else:
        server = await asyncio.start_server(connected, host or None, port, limit=MAX_HEAD, reuse_address=True)
    return Running(server, conversations)


async def serve(port: int = 80, name: str = "", host: str = "", started: Callable[[int], None] | None = None) -> None:
    """Listen and answer until cancelled.

    Args:
        port: TCP port; 0 takes a free one.
        name: shown as ``Name:``; empty for none.
        host: address to bind; empty means all.
        started: called once with the port, as soon as connections are accepted.

    Raises OSError when the address cannot be bound.
    """
    running = await start(port, name, host)
    try:
        if started:
            started(running.port)
        await asyncio.get_running_loop().create_future()
    finally:
        await running.close()


async def _converse(application: Whoami, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    remote = _remote(writer)
    while True:
        try:
            question = await asyncio.wait_for(read_question(reader), HEAD_TIME)
            if question is None:
                return
            if question.path == "/echo":
                writer.write(accept(question))
                await echo(reader, writer)
                return
            if question.first("Expect").lower() == "100-continue" and not question.http_1_0:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            answer = await application.answer(question, remote)
        except BadQuestion as bad:
            writer.write(_refusal(bad))
            await _flush(writer)
            return
        if not await _send(writer, question, answer):
            return


async def _send(writer: asyncio.StreamWriter, question: Question, answer: Answer) -> bool:
    """Write the answer; True when the connection can be used again."""
    chunked = answer.length is None and not question.http_1_0
    keep = question.keep_alive and not (answer.length is None and question.http_1_0)
    writer.write(_head(answer, chunked, keep))
    try:
        if question.method != "HEAD":
            async for piece in answer.pieces:
                if piece:
                    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                    await _flush(writer)
            if chunked:
                writer.write(b"0\r\n\r\n")
        if keep and not question.finished:
            async for _ in question.body():
                if question.read > MAX_DRAINED:
                    return False
    except BadQuestion:
        return False  # half an answer is out: closing is all that can be said
    await _flush(writer)
    return keep


def _head(answer: Answer, chunked: bool, keep: bool) -> bytes:
    phrase = _PHRASES.get(answer.status, "")
    lines = [f"HTTP/1.1 {answer.status} {phrase}", f"Date: {formatdate(usegmt=True)}"]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif answer.length is not None and answer.status not in {204, 304}:
        lines.append(f"Content-Length: {answer.length}")
    lines += [f"{name}: {value}" for name, value in answer.fields]
    if not keep:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _refusal(bad: BadQuestion) -> bytes:
    body = f"{bad}\n".encode()
    return (
        f"HTTP/1.1 {bad.status} {_PHRASES[bad.status]}\r\nContent-Type: {TEXT}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


async def _flush(writer: asyncio.StreamWriter) -> None:
    await asyncio.wait_for(writer.drain(), WRITE_TIME)


def _remote(writer: asyncio.StreamWriter) -> str:
    address = writer.get_extra_info("peername")
    if not address:
        raise OSError(errno.ENOTCONN, "the client is gone")
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
