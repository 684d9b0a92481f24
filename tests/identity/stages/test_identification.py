"""Who are you?"""

from __future__ import annotations

import pytest
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.stages.models import IdentificationStage, PasswordStage
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["bob", "BOB", " bob ", "bob@example.test", "Bob@Example.test"])
def test_name_and_address_in_any_case(client: Client, flows: None, bob: User, password: str, typed: str) -> None:
    """What people type on a phone works."""
    assert Tab(client).log_in(typed, password) == "/"


def test_case_matters_where_the_stage_says_so(client: Client, flows: None, bob: User, password: str) -> None:
    """case_insensitive_matching off."""
    IdentificationStage.objects.update(case_insensitive_matching=False)

    assert Tab(client).log_in("BOB", password) == LOGIN
    assert Tab(client).open("/flows/-/cancel/").open(LOGIN).log_in("bob", password) == "/"


def test_only_the_fields_of_the_stage_identify(client: Client, flows: None, bob: User, password: str) -> None:
    """With user names only, an address names nobody."""
    IdentificationStage.objects.update(user_fields=["username"])
    tab = Tab(client)
    assert '<label for="uid_field">Username</label>' in tab.text

    assert tab.log_in("bob@example.test", password) == LOGIN


def test_an_unknown_name_is_said_at_once_only_where_the_stage_wants_that(client: Client, flows: None) -> None:
    """pretend_user_exists off: a sentence on the first page."""
    IdentificationStage.objects.update(pretend_user_exists=False)
    tab = Tab(client)

    tab.submit(uid_field="nobody")

    assert tab.has("uid_field")
    assert "Failed to authenticate." in tab.text


@pytest.mark.parametrize("typed", ["a\0b", "a" * 255])
def test_what_no_browser_sends_is_400(client: Client, flows: None, typed: str) -> None:
    """NUL, and longer than the longest address."""
    tab = Tab(client)

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "uid_field": typed})

    assert answer.status_code == 400


def test_the_password_on_the_same_page(client: Client, flows: None, bob: User, password: str) -> None:
    """One page instead of two; the password stage that follows has nothing left to ask."""
    IdentificationStage.objects.update(password_stage=PasswordStage.objects.get())
    tab = Tab(client)
    assert tab.has("password")

    tab.submit(uid_field="bob", password="wrong")
    assert "Failed to authenticate." in tab.text
    assert Event.objects.filter(action="login_failed").count() == 1

    assert tab.submit(uid_field="bob", password=password) == "/"
