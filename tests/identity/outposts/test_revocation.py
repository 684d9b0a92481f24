"""Whatever takes the ground from a proxy session ends it, and says so to the workers, at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from doorward.identity.applications import actions as applications
from doorward.identity.applications.models import Application
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2.models import IssuedToken
from doorward.identity.outposts import actions as outposts
from doorward.identity.outposts import queries
from doorward.identity.outposts.credentials import IN_DOUBT
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.policies.actions import bind, unbind, update_binding
from doorward.identity.policies.models import PolicyBinding
from doorward.messages.sessions import ProxySession
from identity.proxied import enter, is_known, log_in

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


@pytest.fixture
def session(bob: User, whoami: Application) -> ProxySession:
    return enter(log_in(bob), whoami)


def binding() -> PolicyBinding:
    return PolicyBinding.objects.get(target=application())


def provider() -> ProxyProvider:
    return ProxyProvider.objects.get()


def application() -> Application:
    return Application.objects.get()


REASONS: dict[str, Callable[[User, Group], object]] = {
    "out of the group": lambda bob, staff: directory.remove_member(SYSTEM, staff, bob),
    "groups replaced": lambda bob, staff: directory.update_user(SYSTEM, bob, groups=[]),
    "deactivated": lambda bob, staff: directory.update_user(SYSTEM, bob, is_active=False),
    "deleted": lambda bob, staff: directory.delete_user(SYSTEM, bob),
    "new password": lambda bob, staff: directory.set_password(SYSTEM, bob, "another good password"),
    "group renamed": lambda bob, staff: directory.update_group(SYSTEM, staff, name="crew"),
    "binding disabled, another stays": lambda bob, staff: (
        bind(SYSTEM, application(), user=User.objects.exclude(pk=bob.pk).first()),
        update_binding(SYSTEM, binding_of(staff), enabled=False),
    ),
    "binding to somebody else": lambda bob, staff: update_binding(
        SYSTEM, binding(), group=None, user=User.objects.exclude(pk=bob.pk).first()
    ),
    "binding negated": lambda bob, staff: update_binding(SYSTEM, binding(), negate=True),
    "another binding, all must pass": lambda bob, staff: (
        bind(SYSTEM, application(), user=User.objects.exclude(pk=bob.pk).first()),
        applications.update_application(SYSTEM, application(), policy_engine_mode="all"),
    ),
    "application deleted": lambda bob, staff: applications.delete_application(SYSTEM, application()),
    "application has another provider": lambda bob, staff: applications.update_application(
        SYSTEM, application(), provider=None
    ),
    "application has another slug": lambda bob, staff: applications.update_application(
        SYSTEM, application(), slug="other"
    ),
    "provider moved": lambda bob, staff: outposts.update_proxy_provider(
        SYSTEM, provider(), external_host="https://other.example.test"
    ),
    "provider deleted": lambda bob, staff: outposts.delete_provider(SYSTEM, provider()),
    "outpost serves it no more": lambda bob, staff: outposts.assign(SYSTEM, queries.embedded(), []),
    "login ended": lambda bob, staff: end_login(bob),
}


def binding_of(group: Group) -> PolicyBinding:
    return PolicyBinding.objects.get(group=group)


def end_login(bob: User) -> None:
    from doorward.identity.logins.actions import end_all_of

    end_all_of(SYSTEM, bob)


@pytest.mark.parametrize("reason", REASONS)
def test_the_session_ends(reason: str, session: ProxySession, bob: User, mallory: User, staff: Group) -> None:
    """The row is gone and the workers are told, when the action returns."""  # S-321 S-322
    if reason == "deleted":
        bind(SYSTEM, application(), user=mallory)

    REASONS[reason](bob, staff)

    assert not is_known(session)
    ended = Change.objects.filter(kind="session-ended").exclude(subject=IN_DOUBT).values_list("subject", flat=True)
    assert list(ended) == [session.id_hash.hex()]


def test_others_are_left_alone(session: ProxySession, bob: User, mallory: User, staff: Group) -> None:
    """What happens to one user does not log out another, nor does what changes nothing."""
    directory.add_member(SYSTEM, staff, mallory)
    others = enter(log_in(mallory), application())

    directory.remove_member(SYSTEM, staff, bob)
    bind(SYSTEM, application(), user=bob)
    update_binding(SYSTEM, binding_of(staff), order=5)
    applications.update_application(SYSTEM, application(), meta_description="new")
    outposts.update_proxy_provider(SYSTEM, provider(), skip_path_regex="^/health$")

    assert is_known(others)


def test_the_login_survives_the_loss_of_a_right(session: ProxySession, bob: User, staff: Group) -> None:
    """Who may still enter elsewhere is not asked for a password."""
    directory.remove_member(SYSTEM, staff, bob)

    assert LoginSession.objects.filter(user=bob).exists()


def test_sweeping_an_idle_login_takes_no_proxy_session(session: ProxySession, bob: User) -> None:
    """An hour without a visit to the identity provider does not log anybody out of the application they work in."""
    from datetime import timedelta

    from django.utils import timezone

    from doorward.identity.logins.session_store import sweep

    LoginSession.objects.update(last_used=timezone.now() - timedelta(hours=2))
    sweep()

    assert not LoginSession.objects.exists()
    assert is_known(session)


def test_unbinding_one_of_two(session: ProxySession, bob: User, mallory: User, staff: Group) -> None:
    """The binding that let bob in is removed, another one stays: bob is out."""  # S-321
    bind(SYSTEM, application(), user=mallory)

    unbind(SYSTEM, binding_of(staff))

    assert not is_known(session)


def test_tokens_of_a_deleted_application_are_revoked(session: ProxySession, bob: User) -> None:
    """What was issued for it is worth nothing any more."""
    from datetime import timedelta

    from django.utils import timezone

    now = timezone.now()
    IssuedToken.objects.create(
        token_hash="0" * 64,
        kind="access",
        provider=provider(),
        user=bob,
        sid="",
        scope="openid",
        auth_time=now,
        expires=now + timedelta(hours=1),
    )

    applications.delete_application(SYSTEM, application())

    assert IssuedToken.objects.get().revoked
