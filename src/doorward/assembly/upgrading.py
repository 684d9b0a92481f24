"""What ``doorward upgrade`` does: ask the running supervisor to start this version and to hand over to it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from doorward.messages.handover import NotTakenOver, Running, Said, Saying, TakenOver, TakeOver, WhatRuns, Wish
from doorward.messages.plan import Plan


class Line(Protocol):
    """Both directions of the conversation."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...

    def readline(self) -> bytes: ...


EXTRA = 30.0
"""Seconds beyond its own patience in which the supervisor must have answered."""


class NothingRuns(Exception):
    """No program can be asked on this state folder."""


class Refused(Exception):
    """Nothing was taken over; the text says why."""


def upgrade(
    folder: Path,
    plan_of: Callable[[Running], Plan],
    program: tuple[str, ...],
    patience: float,
    say: Callable[[str], None],
) -> TakenOver:
    """Replace the program that runs on the state folder.

    Args:
        folder: the state folder.
        plan_of: from what runs to what is to run.
        program: command line of the new supervisor.
        patience: seconds in which it must be ready.
        say: takes sentences about the progress.

    Raises NothingRuns, Refused.
    """
    with _connected(folder, patience + EXTRA) as line:
        running = _answer(line, WhatRuns())
        if not isinstance(running, Running):
            raise Refused(_why(running))
        say(f"Version {running.version} runs as process {running.pid}.")
        plan = plan_of(running)
        answer = _answer(line, TakeOver(program, msgspec.msgpack.encode(plan), patience))
        while isinstance(answer, Saying):
            say(answer.text)
            answer = _answer(line)
    if isinstance(answer, TakenOver):
        return answer
    raise Refused(_why(answer))


@contextlib.contextmanager
def _connected(folder: Path, patience: float) -> Iterator[Line]:
    # Where the folder's own path would be too long for the kernel, ``run`` is a link to a short one.
    path = (folder / "run").resolve() / "supervisor.sock"
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(patience)
        try:
            door.connect(str(path))
        except OSError as error:
            raise NothingRuns(f"no Doorward runs on the state folder {folder} ({path}: {error.strerror})") from error
        with door.makefile("rwb") as line:
            yield line


def _answer(line: Line, wish: Wish | None = None) -> Said:
    try:
        if wish is not None:
            line.write(msgspec.json.encode(wish) + b"\n")
            line.flush()
        said: Said = msgspec.json.decode(line.readline(), type=Said)
        return said
    except OSError as error:
        raise Refused(f"the running program does not answer: {error}") from error
    except msgspec.DecodeError as error:
        raise Refused("the running program ended, or does not understand this command; its log says more") from error


def _why(answer: Said) -> str:
    return answer.why if isinstance(answer, NotTakenOver) else f"the running program answered {type(answer).__name__}"
