"""Factors that bob has."""

from __future__ import annotations

import pytest

from doorward.identity.authenticators import recovery_codes
from doorward.identity.authenticators.models import StaticDevice, TOTPDevice
from doorward.identity.directory.models import User
from identity.factors import give_app, give_codes


@pytest.fixture
def app(bob: User) -> TOTPDevice:
    """An app with the known seed."""
    return give_app(bob)


@pytest.fixture
def codes() -> tuple[str, ...]:
    return recovery_codes.generate()


@pytest.fixture
def paper(bob: User, codes: tuple[str, ...]) -> StaticDevice:
    """The recovery codes ``codes``."""
    return give_codes(bob, codes)[0]
