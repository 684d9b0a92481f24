"""How long a first start takes, from the command to ready, and what the whole tree weighs then."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from figures import Column, Effort, Goal, Scenario, Values
from house import House
from machine import megabytes, tree
from peers.program import Program


def measure_start(variant: str, house: House, effort: Effort) -> Values:
    """The demonstration on an empty state folder, on every core; its weight two seconds after it is ready."""
    with tempfile.TemporaryDirectory(prefix="doorward-start-") as folder:
        program = Program(Path(folder), workers=1)
        try:
            program.start()
            time.sleep(2)
            weighs = megabytes(tree([program.pid]))
            took = program.seconds_to_ready
            program.stop()
        finally:
            program.end()
    return {"seconds": took, "mb": weighs}


SCENARIOS = (
    Scenario(
        "start",
        "doorward demo on an empty folder: from the command to ready, and the whole tree's memory",
        ("doorward",),
        measure_start,
        columns=(Column("seconds", "seconds to ready", 2), Column("mb", "MB (PSS), idle", 0)),
        goals=(Goal("doorward", "seconds", 3.0), Goal("doorward", "mb", 115.0)),
    ),
)
