"""One program for a module of the security catalogue, and the invariants after each of its tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from security.invariants import Invariants, check_secrets
from security.stage import Stage


@pytest.fixture(scope="session")
def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Started once for all tests that leave it as it was."""
    stage = Stage(tmp_path_factory.mktemp("stage"))
    try:
        yield stage.start()
        stage.looks = -1  # so that the last look is a whole one
        Invariants(stage).check()
        stage.stop()
        check_secrets(stage, everything=True)
    finally:
        stage.end()


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    """The running program, with I1 to I6 checked when the test is over."""
    invariants = Invariants(shared_stage)
    yield shared_stage
    invariants.check()
