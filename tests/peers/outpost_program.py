"""``doorward outpost`` as an operator starts it: one process, one configuration file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from peers.processes import eventually, running
from peers.program import DOORWARD
from peers.questions import ask


@contextlib.contextmanager
def outpost(folder: Path, port: int, text: str, *, ready: bool = True, **more: str) -> Iterator[Path]:
    """Running with the configuration ``text`` until the end; answers the file that it logs to. ``more``: environment.

    With ``ready`` it has reached every issuer by then."""
    config, log = folder / "outpost.yml", folder / "outpost.log"
    config.write_text(dedent(text))
    with running([DOORWARD, "outpost", "--config", config], log=log, port=port, more=more):
        if ready:
            eventually(
                lambda: ask(f"http://127.0.0.1:{port}/-/health/ready/").status == 200,
                within=30,
                what=f"the outpost knows its issuers; it said: {log.read_text()}",
            )
        yield log
    said = log.read_text(errors="replace")
    assert "Traceback" not in said, said
