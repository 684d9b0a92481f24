"""The page on which people look after their factors and the browsers that are not asked for them."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from doorward.identity.authenticators.models import RememberedDevice, StaticDevice, TOTPDevice, WebAuthnDevice
from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from identity.authenticators.soft_key import SoftKey
from identity.factors import code_at, give_app, give_codes, give_key
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db

PAGE = "/if/user/factors/"


@pytest.fixture
def browser(client: Client, login_flows: None, bob: User, password: str) -> Client:
    """bob, logged in with his password."""
    assert Tab(client).log_in("bob", password) == "/"
    return client


@pytest.fixture
def strong(client: Client, login_flows: None, bob: User, password: str) -> Client:
    """bob, logged in with password and app; the browser is remembered."""
    give_app(bob)
    tab = Tab(client)
    tab.log_in("bob", password)
    assert tab.submit(code=code_at(time.time()), remember_device="true") == "/"
    return client


def text(browser: Client, path: str = PAGE) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer
    return unescape(answer.content.decode())


def test_without_a_factor_the_page_says_what_to_do(browser: Client) -> None:
    """And offers every set-up there is."""
    page = text(browser)

    assert "A passkey is safer" in page
    assert "Add a passkey or security key" in page
    assert len(re.findall(r"/flows/-/configure/[0-9a-f-]{36}/", page)) == 3


def test_every_factor_is_listed(browser: Client, bob: User) -> None:
    """With what its owner should know: where a passkey is, how many codes are left."""
    give_app(bob)
    give_codes(bob)
    give_key(bob, SoftKey())
    page = text(browser)

    for words in ("Phone", "Authenticator app", "10 left", "On all your devices", "never"):
        assert words in page
    assert "Make new recovery codes" in page


def test_others_factors_are_not_there(browser: Client, mallory: User) -> None:
    """Neither to see nor to touch."""  # S-602
    theirs = give_app(mallory)

    assert "Phone" not in text(browser)
    for path in (f"{PAGE}{theirs.uuid}/", f"{PAGE}{theirs.uuid}/remove/"):
        assert browser.get(path).status_code == 404
        assert browser.post(path, {"name": "x"}).status_code == 404
    assert TOTPDevice.objects.get().name == "Phone"


def test_a_factor_gets_another_name(browser: Client, bob: User) -> None:
    """Shown as text, whatever it holds."""  # S-530
    app = give_app(bob)
    answer = browser.post(f"{PAGE}{app.uuid}/", {"name": "<img src=x>"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)

    assert "&lt;img src=x&gt;" in browser.get(PAGE).content.decode()
    assert browser.post(f"{PAGE}{app.uuid}/", {"name": " "}).status_code == 400


def test_removing_a_factor_needs_a_login_that_has_shown_one(browser: Client, bob: User, password: str) -> None:
    """A password alone does not do; after the login one is where one wanted to be."""  # S-512
    app = give_app(bob)
    remove = f"{PAGE}{app.uuid}/remove/"
    for answer in (browser.get(remove), browser.post(remove)):
        assert answer.status_code == 302
        assert answer["Location"].startswith(LOGIN)
    assert TOTPDevice.objects.exists()

    tab = Tab(browser, browser.get(remove)["Location"])
    tab.log_in("bob", password)
    assert tab.submit(code=code_at(time.time())) == remove
    assert "It is the last one" in text(browser, remove)
    assert browser.post(remove)["Location"] == PAGE

    assert not TOTPDevice.objects.exists()
    assert "All your other logins have ended" in text(browser)


def test_removing_a_factor_needs_a_login_of_now(strong: Client) -> None:
    """Six minutes are too long."""  # S-512
    app = TOTPDevice.objects.get()
    LoginSession.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))

    assert strong.post(f"{PAGE}{app.uuid}/remove/").status_code == 302
    assert TOTPDevice.objects.exists()


def test_removing_a_factor_ends_what_was_opened_with_it(strong: Client, bob: User, password: str) -> None:
    """Other browsers are logged out, remembered ones are asked again; this one stays."""  # S-520
    TOTPDevice.objects.update(last_step=0)
    other = Client()
    tab = Tab(other)
    tab.log_in("bob", password)
    tab.submit(code=code_at(time.time()))
    assert other.get(PAGE).status_code == 200

    strong.post(f"{PAGE}{TOTPDevice.objects.get().uuid}/remove/")

    assert other.get(PAGE).status_code == 302
    assert strong.get(PAGE).status_code == 200
    assert not RememberedDevice.objects.exists()


def test_strangers_log_in_first(client: Client, login_flows: None) -> None:
    """Every address of the page."""  # S-601
    some = "00000000-0000-4000-8000-000000000000"
    for path in (PAGE, f"{PAGE}{some}/", f"{PAGE}{some}/remove/"):
        assert client.get(path)["Location"].startswith("/flows/-/default/authentication/")
    for path in ("/if/user/browsers/forget/", f"/if/user/browsers/{some}/forget/"):
        assert client.post(path)["Location"].startswith("/flows/-/default/authentication/")


def test_a_remembered_browser_is_shown_and_forgotten(strong: Client, mallory: User) -> None:
    """With "this one" at the one that looks; another user's is not there."""  # S-533, S-602
    assert "this one" in text(strong)
    own = RememberedDevice.objects.get()
    RememberedDevice.objects.update(user=mallory)
    assert strong.post(f"/if/user/browsers/{own.pk}/forget/").status_code == 404
    RememberedDevice.objects.update(user=TOTPDevice.objects.get().user)

    assert strong.post(f"/if/user/browsers/{own.pk}/forget/")["Location"] == PAGE

    assert not RememberedDevice.objects.exists()
    assert strong.post("/if/user/browsers/forget/").status_code == 303


def test_the_way_back_after_a_set_up(strong: Client) -> None:
    """From the page through the set-up to the page, where the new thing stands."""
    page = text(strong)
    addresses = re.findall(r'href="(/flows/-/configure/[^"]+)"', page)
    tab = Tab(strong, strong.get(addresses[2])["Location"])
    assert tab.submit() == PAGE

    assert StaticDevice.objects.exists()
    assert "10 left" in text(strong)


def test_the_menu_leads_there(browser: Client) -> None:
    """From every page of one's own."""
    assert f'href="{PAGE}"' in text(browser, "/if/user/account/")
    assert not WebAuthnDevice.objects.exists()
