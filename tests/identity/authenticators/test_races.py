"""Codes and challenges are used once, also when twenty come at the same moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = 20
PROGRAM = Path(__file__).with_name("race_program.py")
TESTS = PROGRAM.parents[2]


@pytest.fixture(scope="module")
def races(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """How many of twenty succeeded, by kind and round."""
    data = tmp_path_factory.mktemp("state")
    data.chmod(0o700)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])}
    finished = subprocess.run(
        [sys.executable, str(PROGRAM), str(data), str(ROUNDS)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=110,
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    rounds: dict[str, list[int]] = json.loads(finished.stdout.splitlines()[-1])
    return rounds


@pytest.mark.parametrize("kind", ["totp", "recovery", "webauthn", "mailed", "link", "invitation"])
def test_twenty_at_once_one_succeeds(races: dict[str, list[int]], kind: str) -> None:
    """A code of an app, a recovery code, the answer of a key, a code by letter, a link, an invitation."""
    # S-510, S-514, S-515, S-517, S-805
    assert races[kind] == [1] * ROUNDS
