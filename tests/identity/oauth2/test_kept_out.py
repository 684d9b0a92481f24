"""Somebody may not enter an application: administrators hear of it, once and not with every request."""

from __future__ import annotations

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from doorward.identity.applications.models import Application
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.policies.actions import bind
from identity.oauth2.relying_party import Browser, RelyingParty
from identity.web.visitor import Visitor

SYSTEM = Actor.system()


@pytest.fixture
def closed(rp: RelyingParty, staff: Group) -> RelyingParty:
    """For the staff only."""
    bind(SYSTEM, Application.objects.get(slug="rp"), group=staff)
    return rp


def logged_in(user: User) -> Browser:
    browser = Browser()
    browser.log_in_as(user)
    return browser


def told() -> list[Event]:
    return list(Event.objects.filter(action="policy_execution"))


def test_a_person_who_may_not_enter_is_one_event(
    closed: RelyingParty,
    mallory: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """With the person, the application and the rule; more requests of the same login add none, another login does."""
    browser = logged_in(mallory)
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            closed.authorize(browser)

    [event] = told()
    assert event.user["username"] == "mallory"
    assert event.context["application"]["name"] == "RP"
    assert "not a member" in event.context["result"]["messages"][0]
    assert event.context["http_request"]["request_id"]

    with django_capture_on_commit_callbacks(execute=True):
        closed.authorize(logged_in(mallory))
    assert len(told()) == 2


def test_a_program_that_may_not_enter_is_one_event(
    closed: RelyingParty, mallory: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """It comes again and again with the same app password."""
    _, key = directory.create_token(
        SYSTEM, user=mallory, identifier="script", intent=Token.Intent.APP_PASSWORD, expiring=False
    )
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            refused = closed.token(grant_type="password", client_secret=None, username="mallory", password=key)
            assert refused.status_code == 403

    [event] = told()
    assert event.user["username"] == "mallory"


def test_the_events_page_says_who_was_kept_out_of_what(
    closed: RelyingParty, mallory: User, akadmin: User, password: str
) -> None:
    """An administrator finds it by the name of the person and of the application."""
    closed.authorize(logged_in(mallory))

    admin = Visitor("akadmin", password)
    for query in ("mallory", "rp"):
        admin.get(f"/if/admin/events/?action=policy_execution&q={query}")
        assert "was kept out of" in admin.text
        assert "mallory" in admin.text
        assert "application RP" in admin.text
