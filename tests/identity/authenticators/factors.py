"""Factors that bob has."""

from __future__ import annotations

import pytest

from doorward.identity.authenticators import actions, recovery_codes, totp
from doorward.identity.authenticators.models import StaticDevice, TOTPDevice
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def app(bob: User) -> TOTPDevice:
    """An app with the seed ``SEED``."""
    return actions.add_totp(Actor.system(), bob, name="Phone", seed=SEED, digits=6, used_step=0)


@pytest.fixture
def codes() -> tuple[str, ...]:
    return recovery_codes.generate()


@pytest.fixture
def paper(bob: User, codes: tuple[str, ...]) -> StaticDevice:
    """The recovery codes ``codes``."""
    return actions.set_recovery_codes(Actor.system(), bob, codes, name="Recovery codes")


def code_at(moment: float, seed: str = SEED, digits: int = 6) -> str:
    """What the app shows at ``moment``."""
    from pyotp import TOTP

    return TOTP(seed, digits=digits).generate_otp(int(moment // totp.STEP))
