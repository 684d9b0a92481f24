"""Codes from an app: right, once, and not for long."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.authenticators import actions, totp
from doorward.identity.authenticators.models import TOTPDevice
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from identity.factors import SEED, code_at

pytestmark = pytest.mark.django_db

NOW = 1_800_000_015.0


def test_the_code_of_now_is_right(app: TOTPDevice) -> None:
    """And the factor says when it was used."""
    assert totp.use(app, code_at(NOW), NOW)

    app.refresh_from_db()
    assert app.last_used is not None


def test_a_code_works_once(app: TOTPDevice) -> None:
    """Also within its half minute."""  # S-510
    assert totp.use(app, code_at(NOW), NOW)
    assert not totp.use(app, code_at(NOW), NOW + 1)


def test_after_a_code_no_earlier_one_works(app: TOTPDevice) -> None:
    """The code before it, still within the tolerance, is refused as well."""  # S-510
    assert totp.use(app, code_at(NOW), NOW)
    assert not totp.use(app, code_at(NOW - 30), NOW)
    assert totp.use(app, code_at(NOW + 30), NOW + 30)


@pytest.mark.parametrize(("offset", "right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_clocks_may_differ_by_one_step(app: TOTPDevice, offset: int, right: bool) -> None:
    """A code is good for its own half minute and the ones beside it."""  # S-510
    assert totp.use(app, code_at(NOW + offset), NOW) is right


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "12 34", "-12345", "+1234.5"])
def test_what_is_no_code_is_wrong(app: TOTPDevice, typed: str) -> None:
    """Too short, too long, or digits of another script."""
    assert not totp.use(app, typed, NOW)


def test_spaces_do_not_matter(app: TOTPDevice) -> None:
    """Apps show ``123 456``."""
    code = code_at(NOW)

    assert totp.use(app, f" {code[:3]} {code[3:]} ", NOW)


def test_eight_digits(bob: User) -> None:
    """As the stage's setting says."""
    app = actions.add_totp(Actor.system(), bob, name="Phone", seed=SEED, digits=8, used_step=0)

    assert totp.use(app, code_at(NOW, digits=8), NOW)


def test_the_code_that_proved_the_app_is_used_up(bob: User) -> None:
    """Enrolling and logging in with the same code would make it good for two."""  # S-510
    step = totp.matching_step(SEED, code_at(NOW), 6, NOW)
    assert step is not None
    app = actions.add_totp(Actor.system(), bob, name="Phone", seed=SEED, digits=6, used_step=step)

    assert not totp.use(app, code_at(NOW), NOW)


def test_the_seed_is_sealed_to_its_row(bob: User, mallory: User, app: TOTPDevice) -> None:
    """Neither readable in the database nor usable in another row."""  # S-803
    other = actions.add_totp(Actor.system(), mallory, name="Phone", seed=totp.new_seed(), digits=6, used_step=0)
    assert SEED not in app.sealed_seed

    TOTPDevice.objects.filter(pk=other.pk).update(sealed_seed=app.sealed_seed)
    other.refresh_from_db()

    with pytest.raises(vault.Unreadable):
        totp.use(other, code_at(NOW), NOW)


def test_the_event_of_a_new_app_has_no_seed(app: TOTPDevice) -> None:
    """It names the app and nothing that opens anything."""  # I5
    event = Event.objects.get(action="model_created", app="authentik.stages.authenticator_totp")

    assert event.context["model"]["name"] == "Phone"
    assert SEED not in str(event.context)


def test_seeds_are_long_and_new() -> None:
    """160 random bits."""  # S-813
    seeds = {totp.new_seed() for _ in range(50)}

    assert len(seeds) == 50
    assert all(len(seed) == 32 for seed in seeds)


def test_the_address_for_the_app() -> None:
    """What the QR code holds, with names that need escaping."""
    url = totp.config_url(SEED, issuer="Door & ward", account="bob", digits=8)

    assert url.startswith("otpauth://totp/Door%20%26%20ward:bob?")
    assert f"secret={SEED}" in url
    assert "digits=8" in url


@pytest.mark.parametrize("name", ["", "   ", "a" * 65, "line\nbreak", "zero\u200bwidth"])
def test_a_factor_has_a_name_that_can_be_read(bob: User, name: str) -> None:
    """Pages and events show it."""
    with pytest.raises(ValidationError):
        actions.add_totp(Actor.system(), bob, name=name, seed=SEED, digits=6, used_step=0)
