"""From a proven user to a logged-in one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from doorward.identity.stages.models import UserLoginStage
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db

COOKIE = "__Host-doorward_login"


def test_the_session_gets_a_new_id(client: Client, flows: None, bob: User, password: str) -> None:
    """Whoever planted a session id before the login does not share the login."""  # S-527
    tab = Tab(client)
    before = client.cookies[COOKIE].value

    tab.log_in("bob", password)

    after = client.cookies[COOKIE]
    assert after.value != before
    assert (after["secure"], after["httponly"], after["samesite"], after["path"]) == (True, True, "Lax", "/")
    assert not after["domain"]
    thief = Client()
    thief.cookies[COOKIE] = before
    assert thief.get(LOGIN).status_code == 200


def test_the_session_remembers_how_and_when(client: Client, flows: None, bob: User, password: str) -> None:
    """auth_time and amr of the tokens come from here."""
    Tab(client).log_in("bob", password)

    row = LoginSession.objects.get(user=bob)
    assert row.methods == ["pwd"]
    assert row.authenticated_at is not None
    assert timezone.now() - row.authenticated_at < timedelta(minutes=1)
    assert not row.remembered


def test_a_user_deactivated_in_the_middle_is_refused(client: Client, flows: None, bob: User, password: str) -> None:
    """The last moment counts."""
    UserLoginStage.objects.update(remember_me_offset="days=30")
    tab = Tab(client)
    tab.submit(uid_field="bob")
    tab.submit(password=password)
    User.objects.filter(pk=bob.pk).update(is_active=False)

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "remember_me": "true"})

    assert answer.status_code == 403
    assert not LoginSession.objects.filter(user=bob).exists()


@pytest.mark.parametrize(("answer", "remembered"), [("true", True), ("false", False)])
def test_staying_logged_in_is_asked_where_the_stage_offers_it(
    client: Client, flows: None, bob: User, password: str, answer: str, remembered: bool
) -> None:
    """remember_me_offset: a page with yes and no; an empty answer is neither."""  # S-501
    UserLoginStage.objects.update(remember_me_offset="days=30")
    tab = Tab(client)
    tab.submit(uid_field="bob")
    tab.submit(password=password)
    assert "Stay logged in?" in tab.text
    tab.submit()
    assert "Choose yes or no." in tab.text

    assert tab.submit(remember_me=answer) == "/"
    row = LoginSession.objects.get(user=bob)
    assert row.remembered is remembered
    assert (row.expire_date - timezone.now() > timedelta(days=29)) is remembered


def test_other_sessions_end_where_the_stage_says_so(flows: None, bob: User, password: str) -> None:
    """terminate_other_sessions: one browser at a time."""
    UserLoginStage.objects.update(terminate_other_sessions=True)
    first, second = Client(), Client()
    Tab(first).log_in("bob", password)
    Tab(second).log_in("bob", password)

    assert first.get(LOGIN).status_code == 200
    assert second.get(LOGIN).status_code == 302
