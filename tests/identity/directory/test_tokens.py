"""Tokens: shown once, kept as a hash, dead with their user."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from doorward.identity.directory import actions
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.queries import find_by_identifier, token_by_key
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.system import actions as system

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def make(user: User, **fields: object) -> tuple[Token, str]:
    given: dict[str, object] = {"identifier": "ci", "intent": "api", **fields}
    return actions.create_token(SYSTEM, user=user, **given)  # type: ignore[arg-type]


def test_a_key_finds_its_token(bob: User) -> None:
    """The secret works for its intent and for no other."""  # S-608
    token, key = make(bob)

    assert len(key) == 60
    assert token_by_key(key, {"api"}) == token
    assert token_by_key(key, {"app_password"}) is None
    assert token_by_key(key[:-1] + "_", {"api"}) is None
    assert token_by_key("", {"api"}) is None


def test_a_token_lasts_as_long_as_the_settings_say(bob: User) -> None:
    """A day, unless an administrator or its maker says otherwise."""
    token, _ = make(bob)
    assert token.expires is not None
    assert abs(token.expires - timezone.now() - timedelta(days=1)) < timedelta(minutes=5)

    system.update(SYSTEM, default_token_duration="hours=2")
    other, _ = make(bob, identifier="other")
    assert other.expires is not None
    assert abs(other.expires - timezone.now() - timedelta(hours=2)) < timedelta(minutes=5)


def test_only_the_hash_is_kept(bob: User) -> None:
    """Whoever has the database has no key."""  # S-803
    _, key = make(bob)

    row = Token.objects.values().get()
    assert key not in str(row)


def test_a_key_is_viewed_once(akadmin: User, bob: User) -> None:
    """The second look is refused, and the first is an event."""  # S-608
    token, key = make(bob)

    assert actions.view_token_key(Actor(akadmin, None, ""), token) == key
    with pytest.raises(ValidationError):
        actions.view_token_key(Actor(akadmin, None, ""), token)

    assert Event.objects.filter(action="secret_view").get().user["username"] == "akadmin"
    assert key not in str(list(Event.objects.values()))


def test_an_expired_token_is_none(bob: User) -> None:
    """Expiry counts when the key is read."""  # S-811
    _, key = make(bob, expires=timezone.now() - timedelta(seconds=1))

    assert token_by_key(key, {"api"}) is None


def test_a_token_expires_in_a_day_unless_told_otherwise(bob: User) -> None:
    """No token is eternal by accident."""
    token, _ = make(bob)
    eternal, _ = make(bob, identifier="eternal", expiring=False)

    assert token.expires is not None
    assert timedelta(hours=23) < token.expires - timezone.now() <= timedelta(days=1)
    assert eternal.expires is None


def test_a_deactivated_users_token_is_none(bob: User) -> None:
    """Deactivation reaches tokens at once."""  # S-608
    _, key = make(bob)

    actions.update_user(SYSTEM, bob, is_active=False)

    assert token_by_key(key, {"api"}) is None


def test_a_new_key_kills_the_old(bob: User) -> None:
    """set_key replaces; the new key can be viewed once again."""
    token, old = make(bob)

    new = actions.set_token_key(SYSTEM, token)

    assert token_by_key(old, {"api"}) is None
    assert token_by_key(new, {"api"}) == token
    assert actions.view_token_key(SYSTEM, token) == new


def test_a_token_keeps_its_owner(bob: User, mallory: User) -> None:
    """Nobody turns a token into somebody else's."""  # S-603
    token, _ = make(bob)

    with pytest.raises(TypeError):
        actions.update_token(SYSTEM, token, user=mallory)


@pytest.mark.parametrize("key", ["short", "x" * 15, "with a blank in it, but long enough", "ü" * 40])
def test_weak_keys_are_refused(bob: User, key: str) -> None:
    """A chosen key is long enough to be kept by a plain hash."""
    with pytest.raises(ValidationError):
        make(bob, key=key)


def test_an_identifier_finds_a_person_by_name_then_address(bob: User, mallory: User) -> None:
    """Case does not matter; an address that two people share is nobody's."""
    assert find_by_identifier("BOB") == bob
    assert find_by_identifier("Bob@Example.Test") == bob
    assert find_by_identifier("bob@example.test", fields=["username"]) is None
    assert find_by_identifier("BOB", case_insensitive=False) is None
    assert find_by_identifier("' OR 1=1--") is None
    assert find_by_identifier("%") is None
    assert find_by_identifier("bob\0") is None

    actions.update_user(SYSTEM, mallory, email="bob@example.test")

    assert find_by_identifier("bob@example.test") is None
