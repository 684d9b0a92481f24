"""One session and a million that a worker knows: memory for each, and whether finding one becomes dearer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from figures import Column, Effort, Goal, Scenario, Values, Worthless
from house import House

FEW, MANY, QUICK_MANY = 1000, 1_000_000, 100_000
_PROGRAM = Path(__file__).parents[1] / "known_sessions.py"
_NEEDS = 12_000
"""Bytes of memory for each session that must be free before this is tried."""


def measure_sessions(variant: str, house: House, effort: Effort) -> Values:
    number = FEW if variant == "few" else QUICK_MANY if effort.quick else MANY
    if number * _NEEDS > _free_memory():
        raise Worthless(f"{number:,} sessions need {number * _NEEDS >> 20} MiB of free memory")
    said = subprocess.run([sys.executable, str(_PROGRAM), str(number)], capture_output=True, text=True, check=False)
    if said.returncode:
        raise Worthless(said.stderr.strip()[-300:])
    found: Values = json.loads(said.stdout)
    return found


def _free_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


SCENARIOS = (
    Scenario(
        "sessions",
        f"Decisions by a worker that knows {FEW:,} sessions and by one that knows {MANY:,} (in process)",
        ("few", "many"),
        measure_sessions,
        columns=(
            Column("cpu", "CPU µs/decision"),
            Column("bytes", "bytes/session", 0),
            Column("first", "µs when first seen"),
            Column("asked again", "share forgotten", 2),
            Column("number", "sessions", 0, "more"),
        ),
        reference="",
        goals=(Goal("many", "cpu", 1.25, "few"),),
        turns=1,
    ),
)
