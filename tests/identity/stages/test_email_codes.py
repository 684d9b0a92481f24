"""Codes by e-mail as a second factor: at the login, while they are set up, and where they prove nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from doorward.identity.authenticators.models import EmailDevice, MailedCode
from doorward.identity.directory.actions import update_user
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.stages.models import AuthenticatorEmailStage, AuthenticatorValidateStage
from identity.factors import give_app, give_codes, give_mailbox
from identity.flow_tab import LOGIN, Tab
from identity.mail.mailbox import code_in, letters, link_in, text_of
from identity.stages.test_authenticator_setup import begin
from identity.stages.test_recovery import ask, press

pytestmark = pytest.mark.django_db

API = "/api/v3/flows/executor/default-authentication-flow/"


@pytest.fixture
def box(bob: User, mail_folder: Path, login_flows: None) -> EmailDevice:
    """bob's mailbox, a factor already; the letter that says so was read."""
    device = give_mailbox(bob)
    letters(mail_folder)
    for letter in mail_folder.glob("*.eml"):
        letter.unlink()
    return device


def after_password(client: Client, password: str) -> Tab:
    tab = Tab(client)
    assert tab.log_in("bob", password) == LOGIN
    return tab


def logged_in() -> list[LoginSession]:
    return list(LoginSession.objects.filter(user__isnull=False))


def test_password_and_letter(client: Client, box: EmailDevice, password: str, mail_folder: Path) -> None:
    """With nothing else to show, the code comes without asking for it; reloading sends no other."""
    tab = after_password(client, password)
    assert "Code from the letter to b•••@example.test" in tab.text
    assert "bob@example.test" not in tab.text
    tab.open()
    (letter,) = letters(mail_folder)
    assert letter["To"] == "bob@example.test"

    assert tab.submit(mailed_code=code_in(letter)) == "/"

    assert logged_in()[0].methods == ["pwd", "otp", "mfa"]
    assert not MailedCode.objects.exists()


def test_beside_an_app_the_letter_is_asked_for(
    client: Client, box: EmailDevice, bob: User, password: str, mail_folder: Path
) -> None:
    """A button; the app's code would still do."""
    give_app(bob)
    letters(mail_folder)
    before = len(list(mail_folder.glob("*.eml")))
    tab = after_password(client, password)
    assert len(letters(mail_folder)) == before
    assert not tab.has("mailed_code")

    tab.submit(send_code=str(box.pk))

    assert tab.has("mailed_code")
    assert tab.has("code")
    assert tab.submit(code="", mailed_code=code_in(letters(mail_folder)[-1])) == "/"


def test_a_wrong_code(client: Client, box: EmailDevice, password: str, mail_folder: Path) -> None:
    """Is told at its field, written down, and cancels the login at the fifth time."""  # S-506, S-511
    tab = after_password(client, password)
    code = code_in(letters(mail_folder)[0])
    wrong = "11111111" if code != "11111111" else "22222222"
    for _ in range(4):
        tab.submit(mailed_code=wrong)
        assert "Invalid Token" in tab.text
    tab.submit(mailed_code=wrong)

    assert "Too many wrong codes" in tab.text
    assert tab.has("uid_field")
    assert Event.objects.filter(action="login_failed", context__device_class="code").count() == 5
    assert not logged_in()


def test_another_code_takes_the_place_of_the_first(
    client: Client, box: EmailDevice, password: str, mail_folder: Path
) -> None:
    """Only the newest counts."""  # S-517
    tab = after_password(client, password)
    first = code_in(letters(mail_folder)[0])
    tab.submit(send_code=str(box.pk))
    second = code_in(letters(mail_folder)[-1])
    assert first != second

    tab.submit(mailed_code=first)
    assert "Invalid Token" in tab.text
    assert tab.submit(mailed_code=second) == "/"


def test_a_code_of_another_browser(client: Client, box: EmailDevice, password: str, mail_folder: Path) -> None:
    """Somebody with the password, in a login of their own, has no use for a code that bob reads to them."""  # S-503
    after_password(client, password)
    of_bob = code_in(letters(mail_folder)[0])
    thief = after_password(Client(), password)

    thief.submit(mailed_code=of_bob)

    assert "Invalid Token" in thief.text
    assert not logged_in()


def test_others_mailboxes_cannot_be_chosen(
    client: Client, box: EmailDevice, mallory: User, password: str, mail_folder: Path
) -> None:
    """The button names a factor of one's own, or does nothing."""  # S-602
    theirs = give_mailbox(mallory)
    tab = after_password(client, password)
    before = len(letters(mail_folder))
    tab.submit(send_code=str(theirs.pk))
    assert len(letters(mail_folder)) == before
    assert MailedCode.objects.get().user_id == box.user_id


def test_nobody_but_whoever_knows_the_password_gets_a_letter(
    client: Client, box: EmailDevice, mail_folder: Path
) -> None:
    """A name alone neither sends one nor tells that there is a mailbox."""  # S-504
    tab = Tab(client)
    tab.submit(uid_field="bob")
    tab.submit(password="wrong wrong wrong")
    assert not letters(mail_folder)
    assert "•••" not in tab.text


def test_after_recovery_a_letter_proves_nothing_more(
    client: Client, box: EmailDevice, bob: User, mail_folder: Path
) -> None:
    """One mailbox is one factor: with no other, recovery ends there; with recovery codes it goes on."""
    ask(client, "bob")
    phone = Client()
    link = link_in(letters(mail_folder)[-1])
    tab = Tab(phone, press(phone, link)["Location"])
    assert tab.response.status_code == 403
    assert "came here through your mailbox" in tab.text

    _, codes = give_codes(bob)
    ask(client, "bob")
    tab = Tab(phone, press(phone, link_in(letters(mail_folder)[-1]))["Location"])
    assert "•••" not in tab.text
    tab.submit(send_code=str(box.pk))
    assert not MailedCode.objects.exists()
    tab.submit(recovery_code=codes[0])
    assert tab.has("password_repeat")


def test_the_challenge_of_the_api(
    client: Client, box: EmailDevice, bob: User, password: str, mail_folder: Path
) -> None:
    """authentik's: a client chooses the challenge, then sends the code."""
    give_app(bob)
    after_password(client, password)
    asked = client.get(API).json()
    (challenge,) = [each for each in asked["device_challenges"] if each["device_class"] == "email"]
    assert challenge["challenge"] == {"email": "b•••@example.test"}
    before = len(letters(mail_folder))

    def post(**fields: Any) -> Any:
        return client.post(API, json.dumps(fields), content_type="application/json")

    for nonsense in ({"device_class": "sms", "device_uid": challenge["device_uid"]}, {"device_uid": 7}, {}):
        post(component="ak-stage-authenticator-validate", selected_challenge=nonsense)
    assert len(letters(mail_folder)) == before
    post(component="ak-stage-authenticator-validate", selected_challenge=challenge)
    code = code_in(letters(mail_folder)[-1])

    done = post(component="ak-stage-authenticator-validate", code=code).json()
    assert done["component"] == "xak-flow-redirect"


def test_a_stage_that_does_not_list_it(client: Client, box: EmailDevice, bob: User, password: str) -> None:
    """Then no letter is offered, and its code would not count."""
    give_app(bob)
    AuthenticatorValidateStage.objects.update(device_classes=["totp"])
    tab = after_password(client, password)
    assert "•••" not in tab.text
    tab.submit(send_code=str(box.pk))
    assert not MailedCode.objects.exists()


def test_without_mail_nobody_gets_past(client: Client, box: EmailDevice, password: str, settings: Settings) -> None:
    """The factor is still asked for, and the page says what is wrong."""
    settings.MAIL = ""
    tab = after_password(client, password)
    tab.submit(send_code=str(box.pk))
    assert "Letters cannot be sent here" in tab.text
    tab.submit(mailed_code="12345678")
    assert not logged_in()


# --- setting it up ---------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(client: Client, login_flows: None, bob: User, password: str, mail_folder: Path) -> Client:
    """bob, logged in a moment ago."""
    assert Tab(client).log_in("bob", password) == "/"
    return client


def test_setting_it_up(browser: Client, bob: User, mail_folder: Path) -> None:
    """The letter, the code, a name; then it is on the page of one's factors, and a letter says so."""  # S-512
    assert "Get codes by e-mail" in browser.get("/if/user/factors/").content.decode()
    tab = begin(browser, "email")
    assert "b•••@example.test" in tab.text
    assert not EmailDevice.objects.exists()
    code = code_in(letters(mail_folder)[-1])

    assert tab.submit(code=code, name="Work") == "/if/user/factors/"

    device = EmailDevice.objects.get()
    assert (device.user, device.name, device.email) == (bob, "Work", "bob@example.test")
    page = browser.get("/if/user/factors/").content.decode()
    assert "Work" in page
    assert "bob@example.test" in page
    assert "can be sent to bob@example.test" in text_of(letters(mail_folder)[-1])
    assert LoginSession.objects.get().methods == ["pwd", "otp", "mfa"]


def test_it_is_kept_when_it_was_proved(browser: Client, mail_folder: Path) -> None:
    """A wrong code keeps nothing; after five the letter is worthless, and the page says so."""  # S-512
    tab = begin(browser, "email")
    code = code_in(letters(mail_folder)[-1])
    for _ in range(5):
        tab.submit(code="x")
    assert "of no use any more" in tab.text
    tab.submit(code=code)
    assert not EmailDevice.objects.exists()

    tab.submit(again="true")
    assert tab.submit(code=code_in(letters(mail_folder)[-1])) == "/if/user/factors/"


def test_the_same_address_twice(browser: Client, box: EmailDevice, mail_folder: Path, password: str) -> None:
    """One mailbox is one factor."""
    again = Tab(browser, browser.get(address_of_set_up())["Location"])
    again.log_in("bob", password)
    to = again.submit(mailed_code=code_in(letters(mail_folder)[-1]))
    tab = Tab(browser, browser.get(to)["Location"])
    tab.submit(code=code_in(letters(mail_folder)[-1]))
    assert "Codes can be sent to this address already" in tab.text


def address_of_set_up() -> str:
    return f"/flows/-/configure/{AuthenticatorEmailStage.objects.get().pk}/"


def test_whoever_has_no_address_says_where_to(browser: Client, bob: User, mail_folder: Path) -> None:
    """And proves it; it does not become the address of the account."""
    User.objects.update(email="")
    tab = begin(browser, "email")
    assert tab.has("email")
    tab.submit(email="no address")
    assert "no e-mail address" in tab.text
    tab.submit(email="bob@elsewhere.test")
    letter = letters(mail_folder)[-1]
    assert letter["To"] == "bob@elsewhere.test"
    assert tab.submit(code=code_in(letter)) == "/if/user/factors/"
    bob.refresh_from_db()
    assert (EmailDevice.objects.get().email, bob.email) == ("bob@elsewhere.test", "")


def test_in_a_login_the_address_is_the_stored_one(
    client: Client, login_flows: None, bob: User, password: str, mail_folder: Path
) -> None:
    """Whoever has only the password cannot have the code sent to themselves."""  # S-512
    stage = AuthenticatorValidateStage.objects.get(name="default-authentication-mfa-validation")
    stage.not_configured_action = AuthenticatorValidateStage.NotConfiguredAction.CONFIGURE
    stage.save()
    stage.configuration_stages.set([AuthenticatorEmailStage.objects.get()])
    tab = after_password(client, password)
    tab.submit(email="thief@evil.test")
    assert {letter["To"] for letter in letters(mail_folder)} == {"bob@example.test"}

    update_user(Actor.system(), bob, email="")
    thief = Tab(Client())
    thief.submit(uid_field="bob")
    answer = thief.browser.post(thief.url, {"step": thief.hidden("step"), "password": password})
    assert answer.status_code == 403
    assert "has no e-mail address" in answer.content.decode()


def test_an_administrator_sees_and_removes_it(client: Client, box: EmailDevice, akadmin: User, password: str) -> None:
    """On the page of the user."""
    Tab(client).log_in("akadmin", password)
    page = client.get(f"/if/admin/users/{box.user_id}/").content.decode()
    assert "Codes by e-mail" in page
    client.post(f"/if/admin/users/{box.user_id}/factors/{box.uuid}/remove/")
    assert not EmailDevice.objects.exists()
