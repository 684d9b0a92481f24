"""Whoever has a factor is told what happens to it, so that they notice what they did not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.identity.authenticators import actions, recovery_codes, totp
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from identity.mail.mailbox import letters, text_of

pytestmark = pytest.mark.django_db


def test_a_new_factor_and_its_end_are_told(mail_folder: Path, bob: User) -> None:
    """An intruder cannot add or remove one in silence."""
    device = actions.add_totp(Actor.system(), bob, name="phone", seed=totp.new_seed(), digits=6, used_step=0)
    actions.remove(Actor.system(), device)

    told = [text_of(letter) for letter in letters(mail_folder)]

    assert "An authenticator app was added" in told[0]
    assert "“phone”, was removed" in told[1]


def test_a_used_recovery_code_is_told(mail_folder: Path, bob: User) -> None:
    """A code from a stolen sheet of paper is noticed by whoever it belongs to."""  # S-514
    codes = recovery_codes.generate()
    paper = actions.set_recovery_codes(Actor.system(), bob, codes, name="paper")
    assert not recovery_codes.use(paper, "wrong-code")
    assert recovery_codes.use(paper, codes[0])

    told = [text_of(letter) for letter in letters(mail_folder)]

    assert "New recovery codes were made" in told[0]
    assert "Codes that are left: 9." in told[1]
    assert len(told) == 2
