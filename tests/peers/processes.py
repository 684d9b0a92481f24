"""Starting, watching and stopping the programs that a test drives."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_handed_out: set[int] = set()
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def environment(**more: str) -> dict[str, str]:
    """Ours, without what other tests may have put there for a Django of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOORWARD_", "DJANGO_"))}
    return {**kept, **more}


def free_port() -> int:
    """A TCP port of loopback that nobody uses now and no other test was given."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        # Tests that run beside these take ports as well, and nobody listens there yet: each run has its own share.
        # (Halved first: Linux hands out every other port here and keeps the rest for connections.)
        if port // 2 % _WORKERS == _WORKER and port not in _handed_out:
            _handed_out.add(port)
            return port


def eventually(condition: Callable[[], object], *, within: float = 10.0, what: str, every: float = 0.02) -> None:
    """Wait until ``condition()`` is true. Raises AssertionError after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(every)


def listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def descendants(pid: int) -> list[int]:
    """All processes below ``pid``, nearest first."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def alive(pid: int) -> bool:
    """The process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def running(
    argv: Sequence[object],
    *,
    log: Path,
    port: int,
    more: Mapping[str, str] | None = None,
    within: float = 20.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """A peer that listens on ``port``, from start to SIGTERM; its output goes to ``log``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(argument) for argument in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(**(more or {})),
            start_new_session=True,
        )
    try:
        eventually(
            lambda: listening(port) or process.poll() is not None, within=within, what=f"{argv[0]} listens on {port}"
        )
        assert process.poll() is None, f"{argv[0]} ended: {log.read_text()[-2000:]}"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
