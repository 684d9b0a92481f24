"""The flow page in a browser: plain forms, one step after the other."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db


def test_name_then_password_then_where_one_wanted_to_go(
    client: Client, flows: None, akadmin: User, password: str
) -> None:
    """A user who knows their password ends at the page they asked for."""
    tab = Tab(client, f"{LOGIN}?next=/if/user/")

    assert tab.submit(uid_field="AKADMIN") == f"{LOGIN}?next=%2Fif%2Fuser%2F"
    assert tab.submit(password=password) == "/if/user/"
    assert Event.objects.get(action="login").user["username"] == "akadmin"


def test_a_wrong_password_is_said_on_the_page_and_costs_nothing_else(
    client: Client, flows: None, akadmin: User, password: str
) -> None:
    """The page that follows says "Invalid password", next to the field, and a second try works."""
    tab = Tab(client)
    tab.submit(uid_field="akadmin")
    tab.submit(password="not this")

    assert "Invalid password" in tab.text
    assert 'aria-invalid="true" aria-describedby="password-error"' in tab.text
    assert Event.objects.get(action="login_failed").context["username"] == "akadmin"
    assert tab.submit(password=password) == "/"


def test_every_answer_to_a_form_is_a_redirect(client: Client, flows: None, akadmin: User) -> None:
    """So that reloading and going back never ask to send a password again."""
    tab = Tab(client)

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "uid_field": "akadmin"})

    assert (answer.status_code, answer["Location"]) == (HTTPStatus.SEE_OTHER, LOGIN)


def test_the_fields_are_those_that_password_managers_know(client: Client, flows: None, akadmin: User) -> None:
    """Names, autocomplete and labels, and the user name on the password page too."""
    tab = Tab(client)
    assert 'name="uid_field"' in tab.text
    assert 'autocomplete="username webauthn"' in tab.text
    assert '<label for="uid_field">Email or username</label>' in tab.text

    tab.submit(uid_field="akadmin")
    assert 'type="password" autocomplete="current-password"' in tab.text
    assert 'name="username" value="akadmin" autocomplete="username"' in tab.text


def test_htmx_is_told_to_leave_the_page_at_the_end(client: Client, flows: None, akadmin: User, password: str) -> None:
    """A script cannot follow a redirect to the application; the browser itself must go there."""
    tab = Tab(client, f"{LOGIN}?next=/if/user/")
    tab.submit(uid_field="akadmin")

    answer = client.post(tab.url, {"step": tab.hidden("step"), "password": password}, headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"] == "/if/user/"


def test_somebody_logged_in_has_nothing_to_do_here(client: Client, flows: None, akadmin: User, password: str) -> None:
    """The login page sends them on."""
    Tab(client).log_in("akadmin", password)

    answer = client.get(f"{LOGIN}?next=/if/user/")

    assert (answer.status_code, answer["Location"]) == (HTTPStatus.FOUND, "/if/user/")


def test_an_unknown_flow_is_not_found(client: Client, flows: None) -> None:
    """404, on a page that says so."""
    answer = client.get("/if/flow/no-such-flow/")

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "There is nothing here" in answer.content.decode()


def test_the_default_addresses_lead_to_the_flows_of_the_brand(client: Client, flows: None) -> None:
    """What people bookmark and what other pages link to; the query is kept."""
    login = client.get("/flows/-/default/authentication/?next=/if/user/")
    logout = client.get("/flows/-/default/invalidation/")

    assert login["Location"] == f"{LOGIN}?next=/if/user/"
    assert logout["Location"] == "/if/flow/default-invalidation-flow/"


def test_cancelling_forgets_who_was_named(client: Client, flows: None, akadmin: User) -> None:
    """ "Not you?" leads back to the first page."""
    tab = Tab(client)
    tab.submit(uid_field="akadmin")

    client.get("/flows/-/cancel/")

    assert tab.open().has("uid_field")
