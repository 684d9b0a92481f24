"""Letters are written with what they are about, sent once, and tried again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from doorward.identity.directory.actions import set_password, update_user
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.mail import outbox, sender
from doorward.identity.mail.models import Letter
from identity.mail.mail_server import mail_server
from identity.mail.mailbox import letters, text_of

pytestmark = pytest.mark.django_db

NOTICE = {"user": User(username="bob", name="Bob"), "what": "Something happened."}


def test_without_a_mail_server_nothing_is_written(bob: User) -> None:
    """No row, no error."""
    outbox.post("bob@example.test", "Hello", "notice", NOTICE)

    assert not Letter.objects.exists()


def test_a_letter_is_sent_and_forgotten(mail_folder: Path) -> None:
    """As text and HTML, from the address that the setting names, with an event."""
    outbox.post("bob@example.test", "Hello", "notice", NOTICE)
    (letter,) = letters(mail_folder)

    assert (letter["To"], letter["From"], letter["Subject"]) == ("bob@example.test", "login@example.test", "Hello")
    assert "Something happened." in text_of(letter)
    assert letter.get_body(("html",)) is not None
    assert not Letter.objects.exists()
    assert Event.objects.get(action="email_sent").context["to_email"] == "bob@example.test"


def test_what_is_undone_is_not_written_about(mail_folder: Path) -> None:
    """A letter belongs to the transaction of its cause."""
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.post("bob@example.test", "Hello", "notice", NOTICE)
        raise RuntimeError

    assert letters(mail_folder) == []


def test_a_waiting_letter_is_sealed(mail_folder: Path) -> None:
    """Links in it open accounts."""  # S-803
    outbox.post("bob@example.test", "Hello", "password_reset", {**NOTICE, "url": "https://secret", "minutes": 30})

    assert "https://secret" not in str(Letter.objects.values())


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: evil@evil.test", "Hello\nX: y", "Hello\x00", "x" * 5000])
def test_a_subject_is_one_line(mail_folder: Path, subject: str) -> None:
    """Nobody writes header fields through it."""  # S-519
    outbox.post("bob@example.test", subject, "notice", NOTICE)
    (letter,) = letters(mail_folder)

    assert letter["Bcc"] is None
    assert letter["X"] is None
    assert letter["Subject"].startswith(("Hello", "xxx"))


@pytest.mark.parametrize(
    "recipient", ["", "nobody", "a@b.test\nBcc: evil@evil.test", "a@b.test, evil@evil.test", "Bob <a@b.test>"]
)
def test_what_is_no_address_gets_no_letter(mail_folder: Path, recipient: str) -> None:
    """One address, or none."""  # S-519
    outbox.post(recipient, "Hello", "notice", NOTICE)

    assert letters(mail_folder) == []
    assert not Letter.objects.exists()


def test_names_are_escaped(mail_folder: Path) -> None:
    """HTML in a name is text in the letter; template signs are themselves."""  # S-519, S-531
    user = User(username="x", name='<img src=x onerror="alert(1)">{{ 7|add:7 }}')
    outbox.post("bob@example.test", "Hello", "notice", {**NOTICE, "user": user})
    (letter,) = letters(mail_folder)

    html = letter.get_body(("html",))
    assert html is not None
    assert "<img" not in html.get_content()
    assert "{{ 7|add:7 }}" in text_of(letter)


def test_a_server_that_is_down_is_tried_again(settings: Settings) -> None:
    """With growing pauses; the first failure is an event; nothing is sent twice."""
    with mail_server() as server:
        settings.MAIL = f"smtp://127.0.0.1:{server.port}?from=login@example.test&tls=no"
        server.refuses = True
        outbox.post("bob@example.test", "Hello", "notice", NOTICE)
        assert sender.deliver_due() == 0
        assert Event.objects.filter(action="system_task_exception").count() == 1
        assert sender.deliver_due() == 0, "its time has not come"
        pauses = []
        for _ in range(3):
            letter = Letter.objects.get()
            pauses.append((letter.next_try - timezone.now()).total_seconds())
            Letter.objects.update(next_try=timezone.now())
            sender.deliver_due()
        assert pauses == sorted(pauses)

        server.refuses = False
        Letter.objects.update(next_try=timezone.now())
        assert sender.deliver_due() == 1
        assert sender.deliver_due() == 0

    assert len(server.letters) == 1


def test_a_letter_that_is_of_no_use_any_more_is_not_sent(mail_folder: Path) -> None:
    """A link that has expired helps nobody."""
    outbox.post("bob@example.test", "Hello", "notice", NOTICE, useless_after=timezone.now() - timedelta(seconds=1))

    assert letters(mail_folder) == []


def test_who_loses_a_password_or_an_address_is_told(mail_folder: Path, bob: User) -> None:
    """The former address is written to, not the new one."""  # S-518
    update_user(Actor.system(), bob, email="evil@evil.test")
    set_password(Actor.system(), bob, "seven grey herons at noon")
    first, second = letters(mail_folder)

    assert (first["To"], second["To"]) == ("bob@example.test", "evil@evil.test")
    assert "address of your account was changed" in text_of(first)
    assert "password of your account was changed" in text_of(second)
