"""Who is where: the administrators' list, and everybody's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change, Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.outposts.actions import update_proxy_provider
from doorward.identity.outposts.models import ProxyProvider, StoredSession
from identity import proxied
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
PAGE = "/if/admin/sessions/"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1"


@pytest.fixture
def login(bob: User) -> LoginSession:
    login = proxied.log_in(bob)
    LoginSession.objects.filter(pk=login.pk).update(last_ip="192.0.2.77", last_user_agent=PHONE)
    return login


@pytest.mark.parametrize("query", ["", "bob", "whoami", "192.0.2.77", "iPhone"])
def test_a_session_is_found_by_what_is_known_of_it(
    admin: Visitor, whoami: Application, login: LoginSession, query: str
) -> None:
    """User, application, address, browser; nothing of the session itself is on the page but what ends it."""
    session = proxied.enter(login, whoami)

    text = admin.open(f"{PAGE}?q={query}")

    for known in ("bob", whoami.name, "192.0.2.77", reverse("admin-session-end", args=[session.id_hash.hex()])):
        assert known in text
    assert "bob" not in admin.open(f"{PAGE}?q=nobody-like-this")
    assert session.access_token not in text


def test_what_is_over_is_not_shown(admin: Visitor, whoami: Application, login: LoginSession) -> None:
    """Expired, idle for too long, or of somebody who was deactivated."""
    proxied.enter(login, whoami)
    update_proxy_provider(Actor.system(), ProxyProvider.objects.get(application=whoami), idle_limit="minutes=5")
    StoredSession.objects.update(last_seen=timezone.now() - timedelta(minutes=6))

    assert "192.0.2.77" not in admin.open(PAGE)


def test_one_click_ends_it(admin: Visitor, whoami: Application, login: LoginSession) -> None:
    """The data plane is told, an event says who did it; the login goes on."""
    session = proxied.enter(login, whoami)

    text = admin.succeed(reverse("admin-session-end", args=[session.id_hash.hex()]), PAGE)

    assert f"bob is out of {whoami.name}" in text
    assert not proxied.is_known(session)
    assert Change.objects.filter(kind=Change.Kind.SESSION_ENDED, subject=session.id_hash.hex()).exists()
    assert Event.objects.filter(action="logout", context__application__name=whoami.name).exists()
    assert LoginSession.objects.filter(pk=login.pk).exists()


def test_ending_a_login_ends_what_came_of_it(admin: Visitor, whoami: Application, login: LoginSession) -> None:
    """The list of logins has everybody's, with a mark at the one that looks."""
    session = proxied.enter(login, whoami)
    text = admin.open(f"{PAGE}?kind=logins")
    assert "192.0.2.77" in text
    assert "this one" in text

    admin.succeed(reverse("admin-login-end", args=[login.uuid]), PAGE)

    assert not LoginSession.objects.filter(pk=login.pk).exists()
    assert not proxied.is_known(session)


def test_people_see_and_end_their_own(
    visiting_bob: Visitor, whoami: Application, login: LoginSession, akadmin: User
) -> None:
    """Another's is not there for them."""  # S-602
    own = proxied.enter(login, whoami)
    StoredSession.objects.create(
        id_hash="ab" * 32,
        provider_id=own.provider,
        user=akadmin,
        subject="x",
        sid="y",
        sealed="",
        created=timezone.now(),
        expires=timezone.now() + timedelta(hours=1),
    )
    text = visiting_bob.open("/if/user/account/")
    assert "Applications that you are in" in text
    assert reverse("own-session-end", args=[own.id_hash.hex()]) in text
    assert "ab" * 32 not in text

    assert visiting_bob.send(reverse("own-session-end", args=["ab" * 32]), "/if/user/account/").status_code == 404
    visiting_bob.succeed(reverse("own-session-end", args=[own.id_hash.hex()]), "/if/user/account/")

    assert not proxied.is_known(own)
    assert StoredSession.objects.filter(pk="ab" * 32).exists()
