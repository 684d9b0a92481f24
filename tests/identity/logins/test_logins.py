"""Logging in and out, and what ends with a login."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory

from doorward.identity.applications.models import Application
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins import actions, queries
from doorward.identity.logins.session_store import SessionStore
from identity.proxied import enter, is_known

pytestmark = pytest.mark.django_db


def browser(cookie: str | None = None) -> HttpRequest:
    """A request as it looks behind the middleware."""
    request = RequestFactory().get("/")
    request.session = SessionStore(cookie)
    request.user = request.session.user or AnonymousUser()
    return request


def test_a_login_is_an_event_and_sets_the_user(bob: User) -> None:
    """The request, the row and the event agree on who it is and how they proved it."""  # S-619
    request = browser()

    row = actions.log_in(request, bob, methods=("pwd",), duration=None)

    assert request.user == bob
    assert queries.current(request) == row
    assert queries.sid_of(row) == row.sid
    assert row.methods == ["pwd"]
    event = Event.objects.get(action="login")
    assert event.user["username"] == "bob"
    assert event.context["auth_method"] == "password"
    bob.refresh_from_db()
    assert bob.last_login is not None


def test_remember_me_outlives_the_browser(bob: User) -> None:
    """With a duration the cookie has a life of its own."""
    request = browser()
    actions.log_in(request, bob, methods=("pwd",), duration=timedelta(days=30))

    assert not request.session.get_expire_at_browser_close()
    assert request.session.get_expiry_age() > 29 * 86400


def test_the_deactivated_get_no_session(bob: User) -> None:
    """Whatever they proved, and however long ago the flow began."""  # S-524
    User.objects.filter(pk=bob.pk).update(is_active=False)

    with pytest.raises(actions.NotActive):
        actions.log_in(browser(), bob, methods=("pwd",))


def test_logout_ends_the_proxy_sessions_of_this_login_only(bob: User, whoami: Application) -> None:
    """Signing out of one browser signs out of its applications, and leaves the other browser alone."""  # S-322
    here, there = browser(), browser()
    first = enter(actions.log_in(here, bob, methods=("pwd",)), whoami)
    second = enter(actions.log_in(there, bob, methods=("pwd",)), whoami)
    cookie = here.session.session_key

    actions.log_out(here)

    assert isinstance(here.user, AnonymousUser)
    assert SessionStore(cookie).user is None
    assert not is_known(first)
    assert is_known(second)
    assert Event.objects.get(action="logout").user["username"] == "bob"


def test_logout_of_a_stranger_is_no_event(db: None) -> None:
    """Nobody was logged in, nobody logs out."""
    actions.log_out(browser())

    assert not Event.objects.filter(action="logout").exists()


def test_an_administrator_ends_a_login(akadmin: User, bob: User, whoami: Application) -> None:
    """Ending a session from outside ends it, and its proxy sessions, and says who did it."""  # CVE-2025-29928
    request = browser()
    row = actions.log_in(request, bob, methods=("pwd",))
    session = enter(row, whoami)

    actions.end(Actor(akadmin, None, ""), row)

    assert SessionStore(request.session.session_key).user is None
    assert not is_known(session)
    assert Event.objects.get(action="logout").user["username"] == "akadmin"


def test_logging_out_everywhere_may_spare_this_browser(bob: User) -> None:
    """All logins but one end."""  # S-322
    here, there = browser(), browser()
    mine = actions.log_in(here, bob, methods=("pwd",))
    actions.log_in(there, bob, methods=("pwd",))

    assert actions.end_all_of(Actor(bob, None, ""), bob, except_sid=mine.sid) == 1
    assert queries.of_user(bob) == [mine]


def test_somebody_else_in_the_same_browser_ends_the_former_login(bob: User, mallory: User, whoami: Application) -> None:
    """A shared browser leaves no session of the former user behind."""
    request = browser()
    session = enter(actions.log_in(request, bob, methods=("pwd",)), whoami)

    actions.log_in(request, mallory, methods=("pwd",))

    assert not is_known(session)
    assert SessionStore(request.session.session_key).user == mallory


def test_a_new_password_ends_all_other_logins(bob: User, whoami: Application) -> None:
    """Whoever knew the old password is out; the browser in which it was changed may stay."""  # S-520 S-321
    here, there = browser(), browser()
    mine = actions.log_in(here, bob, methods=("pwd",))
    kept = enter(mine, whoami)
    lost = enter(actions.log_in(there, bob, methods=("pwd",)), whoami)

    directory.set_password(Actor(bob, None, ""), bob, "another good password", keep_sid=mine.sid)

    assert SessionStore(here.session.session_key).user == bob
    assert SessionStore(there.session.session_key).user is None
    assert is_known(kept)
    assert not is_known(lost)


def test_deactivation_ends_everything(akadmin: User, bob: User, whoami: Application) -> None:
    """Logins and proxy sessions of a deactivated user are gone when the action returns."""  # S-321 C15
    request = browser()
    session = enter(actions.log_in(request, bob, methods=("pwd",)), whoami)

    directory.update_user(Actor(akadmin, None, ""), bob, is_active=False)

    assert not bob.login_sessions.exists()
    assert not is_known(session)
