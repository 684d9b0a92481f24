"""Whoever forgot their password gets a link to the address that is known, and nobody learns who has an account."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorward.identity.directory.actions import set_password, update_user
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.models import LoginSession
from doorward.identity.mail.models import MailLink, UnprovenAddress
from doorward.identity.stages.models import EmailStage, UserLoginStage
from identity.factors import code_at, give_app
from identity.flow_tab import LOGIN, Tab
from identity.mail.mailbox import letters, link_in
from identity.stages.test_prompt import GOOD, PERSON, made

pytestmark = pytest.mark.django_db

RECOVERY = "/if/flow/default-recovery-flow/"


def ask(client: Client, name: str, next_url: str = "") -> Tab:
    """Name somebody on the recovery page; answers the page after it."""
    tab = Tab(client, f"{RECOVERY}?next={next_url}" if next_url else RECOVERY)
    tab.submit(uid_field=name)
    return tab


def press(client: Client, link: str) -> Any:
    """The button on the page behind a link."""
    return client.post(link)


def test_without_mail_nothing_is_offered(client: Client, login_flows: None, bob: User) -> None:
    """No link on the login pages, and the flow says why it cannot help."""
    tab = Tab(client)
    assert "Forgot your password?" not in tab.text
    tab.submit(uid_field="bob")
    assert "Forgot your password?" not in tab.text

    recovery = Tab(client, RECOVERY)
    answer = client.post(RECOVERY, {"step": recovery.hidden("step"), "uid_field": "bob"})
    assert answer.status_code == 403
    assert "Letters cannot be sent here" in answer.content.decode()


def test_from_the_login_page_to_a_new_password(client: Client, login_flows: None, bob: User, mail_folder: Path) -> None:
    """Link, button, password, logged in, and on to where one wanted to go; the link is used up."""
    other = LoginSession.objects.create(user=bob, session_key="0" * 64, expire_date=timezone.now() + timedelta(hours=1))
    login = Tab(client, f"{LOGIN}?next=/if/user/account/")
    assert 'href="/if/flow/default-recovery-flow/?next=%2Fif%2Fuser%2Faccount%2F"' in login.text
    ask(client, "bob@example.test", "/if/user/account/")
    (letter,) = letters(mail_folder)
    assert letter["To"] == "bob@example.test"
    link = link_in(letter)

    phone = Client()
    assert "Continue" in phone.get(link).content.decode()
    tab = Tab(phone, press(phone, link)["Location"])
    assert tab.submit(password=GOOD, password_repeat=GOOD) == "/if/user/account/"

    bob.refresh_from_db()
    assert bob.check_password(GOOD)
    assert phone.get("/if/user/account/").status_code == 200
    assert not LoginSession.objects.filter(pk=other.pk).exists()
    assert press(Client(), link).status_code == 400


def test_looking_at_a_link_does_not_use_it_up(client: Client, login_flows: None, bob: User, mail_folder: Path) -> None:
    """Programs that scan mail look at every link in it."""  # S-517
    ask(client, "bob")
    link = link_in(letters(mail_folder)[0])
    for _ in range(3):
        assert Client().get(link).status_code == 200

    assert press(client, link).status_code == 303


@pytest.mark.parametrize("what", ["old", "newer", "other flow", "other user", "deactivated", "new address", "password"])
def test_a_link_that_is_not_good(
    client: Client, login_flows: None, bob: User, mallory: User, mail_folder: Path, what: str
) -> None:
    """Too old, replaced, of another flow or user, or the account has changed since."""  # S-517
    ask(client, "bob")
    link = link_in(letters(mail_folder)[0])
    if what == "old":
        MailLink.objects.update(expires=timezone.now())
    if what == "newer":
        ask(Client(), "bob")
    if what == "other flow":
        link = link.replace("default-recovery-flow", "default-password-change")
    if what == "other user":
        MailLink.objects.update(user=mallory)
    if what == "deactivated":
        update_user(Actor.system(), bob, is_active=False)
    if what == "new address":
        update_user(Actor.system(), bob, email="new@example.test")
    if what == "password":
        set_password(Actor.system(), bob, GOOD)

    assert client.get(link).status_code == 400
    answer = press(client, link)
    assert answer.status_code == 400
    assert "not good any more" in answer.content.decode()


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é" * 43, "A" * 5000])
def test_a_token_that_nobody_made(client: Client, login_flows: None, token: str) -> None:
    """A page that says so."""
    assert client.get(RECOVERY, {"flow_token": token}).status_code == 400


def test_nobody_learns_who_has_an_account(
    login_flows: None, bob: User, mallory: User, akadmin: User, mail_folder: Path
) -> None:
    """Unknown, deactivated, without an address, unproven: the same pages, and letters only where there is one."""
    # S-504
    update_user(Actor.system(), mallory, is_active=False)
    User.objects.filter(pk=akadmin.pk).update(email="")
    pages = {}
    for name in ("bob", "nobody", "mallory", "akadmin", "nobody@example.test"):
        tab = ask(Client(), name)
        pages[re.sub(r'value="[^"]+"', "", tab.text).replace(name, "NAME")] = name

    assert len(pages) == 1, pages.values()
    assert [letter["To"] for letter in letters(mail_folder)] == ["bob@example.test"]


def test_recovery_does_not_go_around_the_second_factor(
    client: Client, login_flows: None, bob: User, mail_folder: Path
) -> None:
    """Whoever reads bob's mail still lacks his app."""  # S-513
    give_app(bob)
    ask(client, "bob")
    link = link_in(letters(mail_folder)[-1])
    tab = Tab(client, press(client, link)["Location"])
    assert "Is it you?" in tab.text
    tab.submit(password=GOOD, password_repeat=GOOD)
    assert tab.has("code")

    tab.submit(code=code_at(time.time()))
    assert tab.submit(password=GOOD, password_repeat=GOOD) == "/"
    assert LoginSession.objects.get(user=bob).methods == ["otp", "mfa"]


def test_a_few_letters_are_enough(login_flows: None, bob: User, mail_folder: Path) -> None:
    """Five per account; the page says the same all along."""  # S-506
    for _ in range(8):
        assert "Look into your mailbox" in ask(Client(), "bob").text

    assert len(letters(mail_folder)) == 5


def test_the_button_sends_it_again(client: Client, login_flows: None, bob: User, mail_folder: Path) -> None:
    """A reload does not."""
    tab = ask(client, "bob")
    tab.open()
    assert len(letters(mail_folder)) == 1
    tab.submit()

    assert len(letters(mail_folder)) == 2
    assert MailLink.objects.count() == 1


def test_an_address_that_its_owner_never_proved_recovers_nothing(
    client: Client, login_flows: None, bob: User, mail_folder: Path
) -> None:
    """Somebody typed it when they made the account; it may be anybody's."""  # S-518
    UnprovenAddress.objects.create(user=bob, email=bob.email)
    ask(client, "bob")
    assert letters(mail_folder) == []

    update_user(Actor.system(), bob, email="bob@real.example.test")
    ask(Client(), "bob")
    assert letters(mail_folder)[-1]["To"] == "bob@real.example.test"


def test_only_the_hash_of_a_link_is_kept(client: Client, login_flows: None, bob: User, mail_folder: Path) -> None:
    """A stolen database opens no account."""  # S-803
    ask(client, "bob")
    token = link_in(letters(mail_folder)[0]).partition("flow_token=")[2]

    assert len(token) == 43
    assert token not in str(MailLink.objects.values())


def test_who_is_logged_in_is_told_before_the_link_is_used_up(
    client: Client, login_flows: None, bob: User, mallory: User, mail_folder: Path, password: str
) -> None:
    """bob's link in mallory's browser changes nothing, and still works afterwards."""
    ask(Client(), "bob")
    link = link_in(letters(mail_folder)[0])
    Tab(client).log_in("mallory", password)

    assert press(client, link).status_code == 403
    assert press(Client(), link).status_code == 303


def test_a_new_account_proves_its_address(client: Client, login_flows: None, mail_folder: Path) -> None:
    """Inactive until its link was opened; then active and logged in."""  # S-518
    path = made(*PERSON, designation="enrollment", create_users_as_inactive=True)
    flow = Flow.objects.get(slug="made")
    letter = EmailStage.objects.create(
        name="letter", template="email/account_confirmation.html", activate_user_on_success=True
    )
    FlowStageBinding.objects.create(flow=flow, stage=letter, order=2)
    FlowStageBinding.objects.create(
        flow=flow, stage=UserLoginStage.objects.get(name="default-authentication-login"), order=3
    )
    tab = Tab(client, path)
    tab.submit(username="carol", email="carol@example.test", password=GOOD)
    assert "Look into your mailbox" in tab.text
    assert UnprovenAddress.objects.exists()
    link = link_in(letters(mail_folder)[0])

    elsewhere = press(Client(), link)
    assert elsewhere.status_code == 400, "a password was typed in the other browser"
    answer = press(client, link)
    assert client.get(answer["Location"])["Location"] == "/"

    carol = User.objects.get(username="carol")
    assert carol.is_active
    assert not UnprovenAddress.objects.exists()
    assert client.get("/if/user/").status_code == 200
