"""What each path answers, as traefik/whoami does: text for people, JSON for programs.

``/`` and every path without an answer of its own show the request; ``/api`` shows it as JSON, ``/data`` sends
bytes, ``/bench`` one byte, ``/health`` the status that was stored in it. ``/echo`` is a WebSocket (``echo.py``).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qs

from doorward.whoami.machine import Machine, this_machine
from doorward.whoami.question import PIECE, BadQuestion, Question

TEXT = "text/plain; charset=utf-8"
MAX_WAIT = 3600.0
"""Seconds that ``?wait=`` may take."""

_UNITS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_ALPHABET = b"-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_REPEATED = frozenset({"Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer"})


@dataclass(slots=True)
class Answer:
    """A response; ``length`` None means that nobody knows it before the end."""

    status: int
    fields: tuple[tuple[str, str], ...]
    length: int | None
    pieces: AsyncIterator[bytes]


class Whoami:
    """The application: its name and the one thing it remembers, the stored health."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.health = 200

    async def answer(self, question: Question, remote: str) -> Answer:
        """Answer everything but ``/echo``.

        Args:
            question: the request; its body is read while the answer is written.
            remote: the other end of the connection, ``address:port``.

        Raises BadQuestion when the body is unusable.
        """
        query = parse_qs(question.query, keep_blank_values=True, max_num_fields=1000)
        match question.path:
            case "/bench":
                return _whole(200, b"1", ("Content-Type", "text/plain"), ("Connection", "keep-alive"))
            case "/health":
                return await self._health(question)
            case "/data":
                return _data(query)
        await _wait(_first(query, "wait"))
        machine = this_machine(self.name)
        environment = dict(os.environ) if _true(_first(query, "env")) else None
        if question.path == "/api":
            body = _as_json(question, machine, remote, environment)
            return _whole(200, body, ("Content-Type", "application/json"))
        return _as_text(question, machine, remote, environment)

    async def _health(self, question: Question) -> Answer:
        if question.method != "POST":
            return _whole(self.health, b"")
        text = b""
        async for piece in question.body():
            text += piece
            if len(text) > 16:
                break
        if not re.fullmatch(rb"\s*[2-5][0-9]{2}\s*", text):
            raise BadQuestion(400, "the body must be a status code between 200 and 599")
        self.health = int(text)
        return _whole(200, b"")


def _as_text(question: Question, machine: Machine, remote: str, environment: dict[str, str] | None) -> Answer:
    lines = [f"Name: {machine.name}"] if machine.name else []
    lines += [f"Hostname: {machine.hostname}", *(f"IP: {address}" for address in machine.addresses)]
    lines += [f"RemoteAddr: {remote}", ""]
    before = "\n".join(lines).encode() + _request_head(question)
    after = "".join(f"{key}={value}\n" for key, value in (environment or {}).items()).encode("utf-8", "surrogateescape")
    length = None if question.body_length is None else len(before) + question.body_length + len(after)

    async def pieces() -> AsyncIterator[bytes]:
        yield before
        async for piece in question.body():
            yield piece if question.body_length is not None else b"%x\r\n%b\r\n" % (len(piece), piece)
        if question.body_length is None:
            yield b"0\r\n\r\n"
        yield after

    return Answer(200, (("Content-Type", TEXT),), length, pieces())


def _request_head(question: Question) -> bytes:
    """The request as it would be sent on: Host, User-Agent and framing first, then the fields by name."""
    agent = question.fields.get("User-Agent", ["Go-http-client/1.1"])[0]
    lines = [f"{question.method} {question.target} HTTP/1.1", f"Host: {question.first('Host')}"]
    if agent:
        lines.append(f"User-Agent: {agent}")
    if question.body_length is None:
        lines.append("Transfer-Encoding: chunked")
    elif question.body_length or "Content-Length" in question.fields:
        lines.append(f"Content-Length: {question.body_length}")
    lines += [
        f"{name}: {value}" for name in sorted(question.fields.keys() - _NOT_REPEATED) for value in question.fields[name]
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _as_json(question: Question, machine: Machine, remote: str, environment: dict[str, str] | None) -> bytes:
    shown = {
        name: [value.encode("latin-1").decode("utf-8", "replace") for value in question.fields[name]]
        for name in sorted(question.fields.keys() - {"Host", "Transfer-Encoding"})
    }
    facts = {
        "hostname": machine.hostname,
        "ip": list(machine.addresses),
        "headers": shown,
        "url": question.target,
        "host": question.first("Host"),
        "method": question.method,
        "name": machine.name,
        "remoteAddr": remote,
        "environ": environment,
    }
    text = json.dumps({key: value for key, value in facts.items() if value}, ensure_ascii=False, separators=(",", ":"))
    for unsafe, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(unsafe, escaped)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _data(query: dict[str, list[str]]) -> Answer:
    number = _first(query, "size")
    size = int(number) if re.fullmatch(r"[0-9]{1,12}", number) else 1
    size *= _UNITS.get(_first(query, "unit").lower(), 1)
    fields: tuple[tuple[str, str], ...] = (("Content-Type", TEXT),)
    if _true(_first(query, "attachment")):
        fields = (("Content-Disposition", "Attachment"), *fields)
    return Answer(200, fields, size if size > 1 else 0, _alphabet(size))


async def _alphabet(size: int) -> AsyncIterator[bytes]:
    """``|``, the alphabet again and again, ``|``: any gap in a transfer shows."""
    if size < 2:
        return
    yield b"|"
    block = _ALPHABET * (PIECE // len(_ALPHABET))
    position = 1
    while position < size - 1:
        start = position % len(_ALPHABET)
        piece = block[start : start + size - 1 - position]
        position += len(piece)
        yield piece
    yield b"|"


async def _wait(duration: str) -> None:
    parts = _DURATION_PART.findall(duration)
    if parts and "".join(number + unit for number, unit in parts) == duration:
        await asyncio.sleep(min(MAX_WAIT, sum(float(number) * _SECONDS[unit] for number, unit in parts)))


def _whole(status: int, body: bytes, *fields: tuple[str, str]) -> Answer:
    async def pieces() -> AsyncIterator[bytes]:
        yield body

    return Answer(status, fields, len(body), pieces())


def _first(query: dict[str, list[str]], key: str) -> str:
    return query.get(key, [""])[0]


def _true(text: str) -> bool:
    return text in {"1", "t", "T", "true", "TRUE", "True"}
