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
from doorward.identity.outposts.credentials import ANY
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


def newest() -> int:
    return Change.objects.order_by("-id").values_list("id", flat=True).first() or 0


def expire(token: Token) -> None:
    token.expiring, token.expires = True, timezone.now() - timedelta(seconds=1)
    token.save()


WAYS: dict[str, Callable[[Token, Group], object]] = {
    "deleted": lambda token, staff: directory.delete_token(SYSTEM, token),
    "new key": lambda token, staff: directory.set_token_key(SYSTEM, token),
    "expired by hand": lambda token, staff: expire(token),
    "user deactivated": lambda token, staff: directory.update_user(SYSTEM, token.user, is_active=False),
    "user deleted": lambda token, staff: directory.delete_user(SYSTEM, token.user),
    "new login password": lambda token, staff: directory.set_password(SYSTEM, token.user, "another good password"),
    "out of a group": lambda token, staff: directory.remove_member(SYSTEM, staff, token.user),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_end_of_an_app_password(password: Token, staff: Group, way: str) -> None:
    """By the hash that the outpost can work out from what the program presents."""  # S-321
    before = newest()

    WAYS[way](password, staff)

    assert hashlib.sha256(KEY.encode()).hexdigest() in told_since(before)


def test_a_new_app_password_counts_at_once(bob: User) -> None:
    """Somebody may have tried it before it was there."""
    before = newest()

    directory.create_token(SYSTEM, user=bob, identifier="x", intent=Token.Intent.APP_PASSWORD, key=KEY)

    assert told_since(before) == {hashlib.sha256(KEY.encode()).hexdigest()}


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

    assert ANY in told_since(before)
