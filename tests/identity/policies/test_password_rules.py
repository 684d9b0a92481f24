"""What a password must be like, wherever one is chosen."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.directory.actions import create_user, set_password
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.policies import password_rules
from doorward.identity.policies.models import FormerPassword, PasswordPolicy

pytestmark = pytest.mark.django_db

SOMEBODY = Actor(None, "192.0.2.1", "r")


@pytest.mark.parametrize(
    ("rules", "password", "sentence"),
    [
        ({"length_min": 10}, "123456789", "Use at least 10 characters."),
        ({"length_min": 10}, "1234567890", ""),
        ({"amount_digits": 2}, "abcdefg1", "Use at least 2 digits."),
        ({"amount_uppercase": 1, "amount_lowercase": 1}, "12345678", "Use at least 1 capital letter, 1 small letter."),
        ({"amount_symbols": 1}, "abcdefg1", "Use at least 1 symbol."),
        ({"amount_symbols": 1}, "abcdefg\\", ""),
        ({"amount_digits": 1, "error_message": "Read the poster."}, "abcdefgh", "Read the poster."),
        ({"length_min": 50, "check_static_rules": False}, "12345678", ""),
        ({"check_zxcvbn": True}, "password123", "This password is easy to guess."),
        ({"check_zxcvbn": True}, "seven grey herons at noon", ""),
        ({"check_zxcvbn": True, "zxcvbn_score_threshold": 0}, "tr0ub4dor", ""),
    ],
)
def test_a_policy_says_why(rules: dict[str, Any], password: str, sentence: str) -> None:
    """In a sentence that helps; nothing when it is fine."""
    found = password_rules.refusals([PasswordPolicy(name="p", **rules)], password, None)

    assert bool(found) is bool(sentence)
    assert not sentence or found[0].startswith(sentence)


def test_what_others_know_about_a_user_is_easy_to_guess() -> None:
    """Name and address count as words that anybody tries."""
    policy = PasswordPolicy(name="p", check_zxcvbn=True)
    user = User(username="gwendolyn", name="Gwendolyn Featherstone", email="gwen@featherstone.test")

    assert password_rules.refusals([policy], "gwen@featherstone.test", user)
    assert not password_rules.refusals([policy], "gwen@featherstone.test", None)


def test_the_longest_password_is_judged_quickly() -> None:
    """The estimate's time grows with the square of the length."""  # S-925
    policy = PasswordPolicy(name="p", check_zxcvbn=True)
    password_rules.refusals([policy], "warm up", None)
    begun = time.process_time()
    password_rules.refusals([policy], "aB3$" * 256, None)

    assert time.process_time() - begun < 0.5


def test_the_rules_hold_at_every_door(login_flows: None, bob: User) -> None:
    """Pages and API go through the same action; what the program itself sets is exempt."""
    for refuse in (
        lambda: set_password(SOMEBODY, bob, "password1"),
        lambda: create_user(SOMEBODY, username="carol", password="password1"),
    ):
        with pytest.raises(ValidationError, match="easy to guess"):
            refuse()
    set_password(Actor.system(), bob, "password1")


def test_a_policy_that_no_password_change_uses_binds_nobody(login_flows: None, bob: User) -> None:
    """One that somebody has just made, and not attached yet."""
    PasswordPolicy.objects.create(name="strict", length_min=100)

    set_password(SOMEBODY, bob, "seven grey herons at noon")


def test_former_passwords_do_not_come_back(login_flows: None, bob: User, password: str) -> None:
    """Neither the current one nor the ones before it; older ones are forgotten."""
    PasswordPolicy.objects.update(num_historical_passwords=2)
    for new in ("seven grey herons at noon", "eight grey herons at noon", "nine grey herons at noon"):
        set_password(SOMEBODY, bob, new)
    assert FormerPassword.objects.filter(user=bob).count() == 2

    for former in ("nine grey herons at noon", "eight grey herons at noon", "seven grey herons at noon"):
        with pytest.raises(ValidationError, match="before"):
            set_password(SOMEBODY, bob, former)
    set_password(SOMEBODY, bob, password)


def test_no_former_password_is_kept_unless_a_policy_asks(login_flows: None, bob: User) -> None:
    """And those that were kept go, once none does."""
    PasswordPolicy.objects.update(num_historical_passwords=2)
    set_password(SOMEBODY, bob, "seven grey herons at noon")
    assert FormerPassword.objects.exists()
    PasswordPolicy.objects.update(num_historical_passwords=0)
    set_password(SOMEBODY, bob, "eight grey herons at noon")

    assert not FormerPassword.objects.exists()
