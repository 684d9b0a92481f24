"""S-528: no form of ours is accepted that does not come from a page of ours."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from doorward.identity.directory.models import User
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db

OWN = "https://auth.example.test"
API = "/api/v3/flows/executor/default-authentication-flow/?query="


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def fields_of(tab: Tab, **more: str) -> dict[str, str]:
    return {"step": tab.hidden("step"), "csrfmiddlewaretoken": tab.hidden("csrfmiddlewaretoken"), **more}


def test_our_own_form_is_accepted(browser: Client, flows: None, akadmin: User) -> None:
    """With the token and from our origin."""
    tab = Tab(browser)

    answer = browser.post(LOGIN, fields_of(tab, uid_field="akadmin"), headers={"Origin": OWN})

    assert answer.status_code == 303
    assert tab.open().has("password")


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://auth.example.test", f"{OWN}.evil.test"])
def test_from_elsewhere_even_the_right_token_does_not_count(
    browser: Client, flows: None, akadmin: User, origin: str
) -> None:
    """403, and the stage is where it was."""  # S-528
    tab = Tab(browser)

    answer = browser.post(LOGIN, fields_of(tab, uid_field="akadmin"), headers={"Origin": origin})

    assert answer.status_code == 403
    assert "Please start again" in answer.content.decode()
    assert tab.open().has("uid_field")


def test_neither_origin_nor_token(browser: Client, flows: None, akadmin: User) -> None:
    """403."""  # S-528
    tab = Tab(browser)

    answer = browser.post(LOGIN, {"step": tab.hidden("step"), "uid_field": "akadmin"})

    assert answer.status_code == 403


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x"])
def test_json_in_disguise(browser: Client, flows: None, akadmin: User, content_type: str) -> None:
    """A body that a form elsewhere could send."""  # S-528
    browser.get(API)

    body = json.dumps({"uid_field": "akadmin"})
    answer = browser.post(API, body, content_type=content_type, headers={"Origin": "https://evil.test"})

    assert answer.status_code == 403
    assert answer.json() == {"detail": "Please start again"}


def test_an_old_page_of_ours_is_shown_afresh(browser: Client, flows: None, akadmin: User, password: str) -> None:
    """A tab from before the login: it says why and goes on, it does not scold."""
    old, new = Tab(browser, f"{LOGIN}?next=/old/"), Tab(browser)
    new_fields = fields_of(new, uid_field="akadmin")
    browser.post(LOGIN, new_fields, headers={"Origin": OWN})
    browser.post(LOGIN, fields_of(new.open(), password=password), headers={"Origin": OWN})

    answer = browser.post(old.url, fields_of(old, uid_field="akadmin"), headers={"Origin": OWN})

    assert (answer.status_code, answer["Location"]) == (303, old.url)
    assert browser.get(old.url)["Location"] == "/old/"


def test_a_browser_that_keeps_no_cookies_is_told_so(flows: None, akadmin: User) -> None:
    """A page that says what to do, not the same form again and again."""
    tab = Tab(Client(enforce_csrf_checks=True))

    answer = Client(enforce_csrf_checks=True).post(LOGIN, fields_of(tab, uid_field="akadmin"), headers={"Origin": OWN})

    assert answer.status_code == 403
    assert "cookies are blocked" in answer.content.decode()
