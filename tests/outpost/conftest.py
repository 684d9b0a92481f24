"""The world that most tests begin with: two applications, one issuer, nobody logged in."""

from __future__ import annotations

import pytest

from outpost.world import World


@pytest.fixture
def world() -> World:
    return World()
