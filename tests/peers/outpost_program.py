"""``doorward outpost`` as an operator starts it: one process, one configuration file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from peers.processes import eventually, running
from peers.program import DOORWARD
from peers.questions import ask
from security.raw import sent


@contextlib.contextmanager
def outpost(
    folder: Path, port: int, text: str, *, ready: bool = True, tls: Path | None = None, **more: str
) -> Iterator[Path]:
    """Running with the configuration ``text`` until the end; answers the file that it logs to. ``more``: environment.

    With ``ready`` it has reached every issuer by then. ``tls``: it serves TLS with this certificate."""
    config, log = folder / "outpost.yml", folder / "outpost.log"
    config.write_text(dedent(text))
    with running([DOORWARD, "outpost", "--config", config], log=log, port=port, more=more):
        if ready:
            eventually(
                lambda: _is_ready(port, tls),
                within=30,
                what=f"the outpost knows its issuers; it said: {log.read_text()}",
            )
        yield log
    said = log.read_text(errors="replace")
    assert "Traceback" not in said, said


def _is_ready(port: int, tls: Path | None) -> bool:
    # The certificate has no name for loopback: it is nobody's whom a test would want to be sure of.
    if tls is not None:
        received = sent(
            port, b"GET /-/health/ready/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", tls="localhost"
        )
        return received.startswith(b"HTTP/1.1 200")
    return ask(f"http://127.0.0.1:{port}/-/health/ready/").status == 200
