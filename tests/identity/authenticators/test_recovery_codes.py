"""Recovery codes: long enough, kept as hashes, good once."""

from __future__ import annotations

import math

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.authenticators import actions, queries, recovery_codes
from doorward.identity.authenticators.models import StaticDevice, StaticToken
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event

pytestmark = pytest.mark.django_db


def test_ten_codes_of_more_than_forty_bits(codes: tuple[str, ...]) -> None:
    """All different."""  # S-514
    assert len(set(codes)) == 10
    assert math.log2(31 ** len(codes[0].replace("-", ""))) > 40
    assert math.log2(31**recovery_codes.SHORTEST) > 40


def test_each_works_once(paper: StaticDevice, codes: tuple[str, ...]) -> None:
    """However it is typed."""  # S-514
    assert recovery_codes.use(paper, codes[0].upper().replace("-", " "))
    assert not recovery_codes.use(paper, codes[0])
    assert recovery_codes.use(paper, codes[1])
    assert queries.codes_left(paper.user) == 8


@pytest.mark.parametrize("typed", ["", "0", "zzzz-zzzz-zzzz", "a" * 500])
def test_others_do_not_work(paper: StaticDevice, typed: str) -> None:
    """Nothing is used up by guessing."""
    assert not recovery_codes.use(paper, typed)
    assert queries.codes_left(paper.user) == 10


def test_new_codes_kill_the_old(bob: User, paper: StaticDevice, codes: tuple[str, ...]) -> None:
    """A sheet that was lost opens nothing once there is another."""  # S-514
    fresh = recovery_codes.generate()
    device = actions.set_recovery_codes(Actor.system(), bob, fresh, name="Recovery codes")

    assert not recovery_codes.use(paper, codes[0])
    assert not recovery_codes.use(device, codes[0])
    assert recovery_codes.use(device, fresh[0])
    assert StaticDevice.objects.filter(user=bob).count() == 1


def test_the_database_has_hashes_only(paper: StaticDevice, codes: tuple[str, ...]) -> None:
    """Keyed ones, so that a stolen copy cannot be searched; moving a row to another set is useless."""  # S-803
    kept = set(StaticToken.objects.values_list("code_hash", flat=True))

    assert len(kept) == 10
    assert not any(code in stored or code.replace("-", "") in stored for code in codes for stored in kept)


def test_a_hash_moved_to_another_user_is_worth_nothing(
    paper: StaticDevice, mallory: User, codes: tuple[str, ...]
) -> None:
    """Codes are bound to their set."""  # S-803
    theirs = actions.set_recovery_codes(Actor.system(), mallory, recovery_codes.generate(), name="Mine")
    StaticToken.objects.filter(device=paper).update(device=theirs)

    assert not recovery_codes.use(theirs, codes[0])


def test_the_events_have_no_codes(paper: StaticDevice, codes: tuple[str, ...]) -> None:
    """Making them is an event that does not say them."""  # I5
    texts = [str(event.context) for event in Event.objects.all()]

    assert not any(code in text for code in codes for text in texts)


def test_codes_that_could_be_guessed_are_refused(bob: User) -> None:
    """Whatever a stage is set to."""
    with pytest.raises(ValidationError):
        actions.set_recovery_codes(Actor.system(), bob, ["abcd-efgh"], name="Short")


def test_a_set_that_is_used_up_is_no_factor(bob: User, paper: StaticDevice, codes: tuple[str, ...]) -> None:
    """It is listed, so that its owner sees that there are none left, but nobody is asked for it."""
    for code in codes:
        assert queries.has_usable(bob)
        assert recovery_codes.use(paper, code)

    assert not queries.has_usable(bob)
    assert queries.usable(bob) == []
    assert queries.devices(bob) == [paper]
