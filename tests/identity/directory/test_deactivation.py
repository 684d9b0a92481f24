"""Deactivation ends everything, at once, and nothing that was handed out before undoes it (S-321, C15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from doorward.identity.directory.actions import create_token, create_user, update_user
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change, Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.mail import links
from doorward.identity.mail.models import MailLink
from doorward.identity.oauth2.models import AuthorizationCode, IssuedToken
from identity import proxied

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group, User

SYSTEM = Actor.system()


@pytest.fixture
def gone(akadmin: User, bob: User) -> Callable[[], None]:
    """Deactivates bob, as an administrator does."""

    def deactivate() -> None:
        update_user(Actor(akadmin, "192.0.2.1", "request"), type(bob).objects.get(pk=bob.pk), is_active=False)

    return deactivate


def test_logins_end(flows: None, bob: User, gone: Any) -> None:
    """Every browser's, a remembered one's too."""
    login = proxied.log_in(bob)
    LoginSession.objects.filter(pk=login.pk).update(remembered=True)
    proxied.log_in(bob)
    gone()
    assert not bob.login_sessions.exists()


def test_proxy_sessions_end_and_workers_are_told(bob: User, whoami: Application, gone: Any) -> None:
    """Applications behind the outpost are left within a second."""
    session = proxied.enter(proxied.log_in(bob), whoami)
    gone()
    assert not proxied.is_known(session)
    assert Change.objects.filter(kind="session-ended", subject=session.id_hash.hex()).exists()


@pytest.mark.parametrize("intent", ["api", "app_password", "recovery", "verification"])
def test_tokens_of_every_intent_are_refused(flows: None, bob: User, gone: Any, intent: str) -> None:
    """API tokens, app passwords, and what a device has."""
    _, key = create_token(SYSTEM, user=bob, identifier="x", intent=intent, expiring=False)
    assert token_by_key(key, [intent]) is not None
    gone()
    assert token_by_key(key, [intent]) is None


def test_a_token_for_one_device_is_refused(bob: User, whoami: Application, gone: Any) -> None:
    """An app password that opens one application opens it no more."""
    _, key = create_token(
        SYSTEM, user=bob, identifier="phone", intent="app_password", application=whoami, expiring=False
    )
    gone()
    assert token_by_key(key, ["app_password"]) is None


@pytest.mark.parametrize("kind", list(IssuedToken.Kind))
def test_issued_tokens_are_revoked(bob: User, whoami: Application, gone: Any, kind: str) -> None:
    """Access tokens, and refresh tokens that were to outlive the login; activation brings none back."""
    login = proxied.log_in(bob)
    IssuedToken.objects.create(
        token_hash="f" * 64,
        kind=kind,
        provider_id=whoami.provider_id,
        user=bob,
        login_session=login,
        sid=login.sid,
        scope="openid offline_access",
        auth_time=timezone.now(),
        expires=timezone.now() + timedelta(days=30),
    )
    gone()
    update_user(SYSTEM, type(bob).objects.get(pk=bob.pk), is_active=True)
    assert IssuedToken.objects.get().revoked


def test_codes_that_wait_to_be_redeemed_are_gone(bob: User, whoami: Application, gone: Any) -> None:
    """A client that comes a second too late gets nothing."""
    login = proxied.log_in(bob)
    AuthorizationCode.objects.create(
        code_hash="e" * 64,
        provider_id=whoami.provider_id,
        user=bob,
        login_session=login,
        sid=login.sid,
        redirect_uri="https://app.example.test/",
        scope="openid",
        auth_time=timezone.now(),
        expires=timezone.now() + timedelta(minutes=1),
    )
    gone()
    assert not AuthorizationCode.objects.exists()


@pytest.mark.parametrize("activates", [True, False])
def test_links_that_were_sent_are_gone(flows: None, bob: User, gone: Any, activates: bool) -> None:
    """Recovery, and the confirmation of an account, which would make it active again."""  # S-524
    links.make(bob, "default-recovery-flow", "{}", timedelta(minutes=30), activates=activates)
    gone()
    assert not MailLink.objects.exists()


def test_browsers_are_no_longer_remembered(flows: None, bob: User, gone: Any) -> None:
    """Whoever is active again shows a second factor again."""  # S-533
    from uuid import uuid4

    from doorward.identity.authenticators.models import RememberedDevice

    RememberedDevice.objects.create(
        user=bob, token_hash="d" * 64, factor=uuid4(), expires=timezone.now() + timedelta(days=30)
    )
    gone()
    assert not RememberedDevice.objects.exists()


def test_acts_of_and_as_the_user_end(flows: None, bob: User, mallory: User, admins: Group, gone: Any) -> None:
    """Bob acted as mallory, and somebody acts as bob."""  # S-534
    own, others = proxied.log_in(bob), proxied.log_in(create_user(SYSTEM, username="other", groups=[admins]))
    for login, user in ((own, mallory), (others, bob)):
        act = proxied.log_in(user)
        LoginSession.objects.filter(pk=act.pk).update(original=login, impersonator=login.user)
    gone()
    assert list(LoginSession.objects.all()) == [others]


def test_values_of_attributes_are_in_no_event(flows: None, bob: User) -> None:
    """A password under a harmless name is not told by the record of its change; the key is."""  # I5
    update_user(SYSTEM, bob, attributes={"wifi": "correct-horse", "floor": 2})
    update_user(SYSTEM, bob, attributes={"wifi": "battery-staple", "floor": 2})

    changes = Event.objects.filter(action="model_updated").order_by("created")
    stars = "*" * 20
    assert [event.context["diff"]["attributes"] for event in changes] == [
        {"previous_value": {}, "new_value": {"wifi": stars, "floor": stars}},
        {"previous_value": {"wifi": stars}, "new_value": {"wifi": stars}},
    ]


def test_a_group_has_several_parents_and_no_circle(flows: None, staff: Group, bob: User, akadmin: User) -> None:
    """Membership is inherited from each; a group is never its own ancestor, however long the way."""
    from django.core.exceptions import ValidationError

    from doorward.identity.directory.actions import create_group, update_group

    site, crew = create_group(SYSTEM, name="site"), create_group(SYSTEM, name="crew")
    top = create_group(SYSTEM, name="top")
    update_group(SYSTEM, staff, parents=[site, crew])
    update_group(SYSTEM, crew, parents=[top])

    assert [group.name for group in bob.all_groups()] == ["crew", "site", "staff", "top"]
    for child in (top, crew):
        with pytest.raises(ValidationError):
            update_group(SYSTEM, child, parents=[staff])
    with pytest.raises(ValidationError):
        update_group(SYSTEM, staff, parents=[staff])
