"""The password stage tells nobody who exists, and does not let anybody guess."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from doorward.identity.directory import passwords
from doorward.identity.directory.actions import update_user
from doorward.identity.directory.errors import Busy
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.stages.models import PasswordStage
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db


def pages_of(username: str, *, address: str) -> list[str]:
    """Both pages and the one after a wrong password, without what is random in every page."""
    tab = Tab(Client(headers={"X-Forwarded-For": address}))
    texts = [tab.text]
    tab.submit(uid_field=username)
    texts.append(tab.text)
    tab.submit(password="wrong wrong")
    texts.append(tab.text)
    random = r'(name="(?:step|csrfmiddlewaretoken)" value="|"challenge":")[^"]+'
    neutral = [re.sub(random, r"\1", text) for text in texts]
    return [text.replace(username, "NAME") for text in neutral]


def test_unknown_disabled_and_passwordless_users_look_like_a_wrong_password(
    flows: None, bob: User, mallory: User, akadmin: User
) -> None:
    """Status, body and next stage are the same for everybody."""  # S-504
    update_user(Actor.system(), mallory, is_active=False)
    User.objects.filter(pk=akadmin.pk).update(password=make_password(None))

    expected = pages_of("bob", address="192.0.2.1")

    assert "Invalid password" in expected[2]
    for username in ("nobody", "mallory", "akadmin"):
        assert pages_of(username, address="192.0.2.2") == expected


def test_a_locked_account_looks_like_a_wrong_password(client: Client, flows: None, bob: User, password: str) -> None:
    """After five failures even the right password is not looked at, and nothing says so."""  # S-504, S-506
    PasswordStage.objects.update(failed_attempts_before_cancel=0)
    tab = Tab(client)
    tab.submit(uid_field="bob")
    for number in range(6):
        tab.submit(password=f"wrong {number}")
    failed = tab.text

    tab.submit(password=password)

    assert "Invalid password" in tab.text
    assert re.sub(r'value="[^"]+"', "", tab.text) == re.sub(r'value="[^"]+"', "", failed)


def test_the_limit_does_not_split_by_spelling_or_flow(client: Client, flows: None, bob: User, password: str) -> None:
    """bob, BOB and his address are one account."""  # S-507
    for typed in ("bob", "BOB", "bob@example.test", "Bob", "BOB@EXAMPLE.TEST", "bob"):
        client.get("/flows/-/cancel/")
        Tab(client).log_in(typed, "wrong wrong")
    client.get("/flows/-/cancel/")

    assert Tab(client).log_in("bob", password) == LOGIN


def test_an_address_that_fails_too_often_is_told_so(flows: None) -> None:
    """429, with how long to wait; rotating what one claims to be does not help."""  # S-506, S-508
    browser = Client(headers={"X-Forwarded-For": "192.0.2.7"})
    statuses = []
    for number in range(31):
        browser.get("/flows/-/cancel/")
        tab = Tab(browser)
        tab.submit(uid_field=f"name{number}")
        statuses.append(browser.post(LOGIN, {"step": tab.hidden("step"), "password": "wrong wrong"}))

    assert [answer.status_code for answer in statuses] == [303] * 30 + [429]
    assert "Try again in 5 minutes" in statuses[-1].content.decode()


@pytest.mark.parametrize("password", ["a" * 4097, "é" * 2049, "a\0b", "a" * 1025])
def test_what_is_never_hashed_is_400(client: Client, flows: None, bob: User, password: str) -> None:
    """Too long, or with NUL: refused before any work."""  # S-505
    tab = Tab(client)
    tab.submit(uid_field="bob")

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "password": password})

    assert answer.status_code == 400
    assert not Event.objects.filter(action="login_failed").exists()


def test_a_password_of_a_mebibyte_is_400(client: Client, flows: None, bob: User) -> None:
    """The body is too large to be read at all."""  # S-505
    tab = Tab(client)
    tab.submit(uid_field="bob")

    body = f"step={tab.hidden('step')}&password={'a' * (1 << 20)}"
    answer = client.post(LOGIN, body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code in {400, 413}


def test_after_five_wrong_ones_the_login_starts_again(client: Client, flows: None, bob: User) -> None:
    """failed_attempts_before_cancel: back to the name, with a sentence."""
    tab = Tab(client)
    tab.submit(uid_field="bob")
    for _ in range(5):
        tab.submit(password="wrong wrong")

    assert tab.has("uid_field")
    assert "Too many wrong passwords." in tab.text


def test_when_too_many_log_in_at_once_one_is_asked_to_wait(
    client: Client, flows: None, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """429, and the page stays usable."""

    def busy(*_: object, **more: object) -> bool:
        raise Busy

    tab = Tab(client)
    tab.submit(uid_field="bob")
    monkeypatch.setattr(passwords, "attempt", busy)

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "password": "x"})

    assert answer.status_code == 429
    assert "Wait a few seconds" in answer.content.decode()
    assert b'name="password"' in answer.content


def test_the_password_is_nowhere_kept(client: Client, flows: None, bob: User) -> None:
    """Neither in the page that follows nor in an event."""  # I5
    tab = Tab(client)
    tab.submit(uid_field="bob")
    tab.submit(password="my-mistyped-secret")

    assert "my-mistyped-secret" not in tab.text
    assert all("my-mistyped-secret" not in str(event.context) for event in Event.objects.all())
