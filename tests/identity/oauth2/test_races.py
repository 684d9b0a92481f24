"""One-time things are used once, also when twenty come at the same moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = {"code": 20, "refresh": 10}
PROGRAM = Path(__file__).with_name("race_program.py")
TESTS = PROGRAM.parents[2]


@pytest.fixture(scope="module")
def races(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[int]]]:
    """What rounds of twenty parallel requests were answered."""
    data = tmp_path_factory.mktemp("state")
    data.chmod(0o700)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])}
    finished = subprocess.run(
        [sys.executable, str(PROGRAM), str(data), json.dumps(ROUNDS)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=110,
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    rounds: dict[str, list[list[int]]] = json.loads(finished.stdout.splitlines()[-1])
    return rounds


@pytest.mark.parametrize("kind", ["code", "refresh"])
def test_twenty_at_once_one_succeeds(races: dict[str, list[list[int]]], kind: str) -> None:
    """Of twenty parallel redemptions of one code, or one refresh token, exactly one is answered with tokens."""
    # S-412 S-805
    assert races[kind] == [[200] + [400] * 19] * ROUNDS[kind]
