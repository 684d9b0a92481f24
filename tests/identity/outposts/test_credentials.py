"""Whatever happens to a program's credential, the workers hear of it under the name by which they know it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change
from doorward.identity.outposts.credentials import DIFFER, IN_DOUBT
from doorward.identity.policies.actions import unbind
from doorward.identity.policies.models import PolicyBinding

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()
KEY = "k" * 40


@pytest.fixture
def password(bob: User) -> Token:
    token, _ = directory.create_token(
        SYSTEM, user=bob, identifier="phone", intent=Token.Intent.APP_PASSWORD, expiring=False, key=KEY
    )
    return token


def told_since(position: int) -> set[str]:
    return set(Change.objects.filter(id__gt=position, kind="session-ended").values_list("subject", flat=True))


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def newest() -> int:
    return Change.objects.order_by("-id").values_list("id", flat=True).first() or 0


def expire(token: Token) -> None:
    token.expiring, token.expires = True, timezone.now() - timedelta(seconds=1)
    token.save()


ENDS: dict[str, Callable[[Token], object]] = {
    "deleted": lambda token: directory.delete_token(SYSTEM, token),
    "new key": lambda token: directory.set_token_key(SYSTEM, token),
    "expired by hand": expire,
    "user deactivated": lambda token: directory.update_user(SYSTEM, token.user, is_active=False),
    "user deleted": lambda token: directory.delete_user(SYSTEM, token.user),
}
OTHER_KEY = "o" * 40


@pytest.fixture
def other(bob: User) -> Token:
    """Another app password of the same person."""
    token, _ = directory.create_token(
        SYSTEM, user=bob, identifier="script", intent=Token.Intent.APP_PASSWORD, expiring=False, key=OTHER_KEY
    )
    return token


@pytest.mark.parametrize("way", ENDS)
def test_the_end_of_an_app_password(password: Token, other: Token, way: str) -> None:
    """By the hash that the outpost can work out from what the program presents; nothing is said of one that stays."""
    # S-321
    before = newest()

    ENDS[way](password)

    told = told_since(before)
    assert hash_of(KEY) in told
    assert (hash_of(OTHER_KEY) in told) == way.startswith("user")


@pytest.mark.parametrize("way", ["new login password", "out of a group"])
def test_who_somebody_is_has_changed(password: Token, staff: Group, way: str) -> None:
    """The app password may be as good as before: whoever has something open with it is asked about, not cut."""
    before = newest()

    if way == "out of a group":
        directory.remove_member(SYSTEM, staff, password.user)
    else:
        directory.set_password(SYSTEM, password.user, "another good password")

    assert told_since(before) == {IN_DOUBT}


def test_a_new_app_password_counts_at_once(bob: User) -> None:
    """Somebody may have tried it before it was there. Who uses it at once is not cut by the news of it."""
    before = newest()

    directory.create_token(SYSTEM, user=bob, identifier="x", intent=Token.Intent.APP_PASSWORD, key=KEY)

    assert told_since(before) == {DIFFER}


def test_another_description_ends_nothing(password: Token) -> None:
    """It is the same credential."""
    before = newest()

    directory.update_token(SYSTEM, password, description="the phone in the kitchen")

    assert told_since(before) == set()


def test_looking_at_a_key_ends_nothing(password: Token) -> None:
    """Neither does a token of another kind."""
    before = newest()

    directory.view_token_key(SYSTEM, password)
    directory.create_token(SYSTEM, user=password.user, identifier="api", intent=Token.Intent.API)

    assert told_since(before) == set()


def test_who_may_enter_has_changed(whoami: Application) -> None:
    """Everything that is remembered about programs is asked again."""
    before = newest()

    binding = PolicyBinding.objects.first()
    assert binding is not None
    unbind(SYSTEM, binding)

    assert IN_DOUBT in told_since(before)
