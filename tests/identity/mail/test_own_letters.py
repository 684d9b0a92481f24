"""Letters in an administrator's own words: the right ones are sent, faults are told and stop nobody."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.mail import composing, outbox
from doorward.identity.stages.models import EmailStage
from identity.mail.mailbox import letters, link_in, text_of
from identity.stages.test_recovery import ask

pytestmark = pytest.mark.django_db
Write = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "_told", set())


def html_of(letter: EmailMessage) -> str:
    body = letter.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def test_a_reset_in_ones_own_words(
    client: Client, login_flows: None, bob: User, mail_folder: Path, write_letter: Write
) -> None:
    """Subject, text and HTML; the link in it works."""
    write_letter("password_reset.txt", "Subject: {{ title }}, for {{ name }}\n\nDear {{ name }}, go to\n\n{{ url }}\n")
    ask(client, "bob")

    (letter,) = letters(mail_folder)
    assert letter["Subject"] == "Doorward, for Bob"
    assert text_of(letter).startswith("Dear Bob, go to")
    assert client.get(link_in(letter)).status_code == 200
    assert "<strong>Doorward</strong>" in html_of(letter), "in the usual frame"
    assert f'<a href="https://auth.example.test{link_in(letter)}">' in html_of(letter)


def test_each_reader_gets_their_language(bob: User, mail_folder: Path, write_letter: Write) -> None:
    """Their own file, else the one for all, else the built-in words."""
    write_letter("notice.de.html", "<p>Moin {{ name }}! {{ what }}</p>")
    about: dict[str, object] = {"user": bob, "what": "It rains."}
    for language in ("de", "fr"):
        with translation.override(language):
            outbox.post("bob@example.test", "News", "notice", about)

    german, french = letters(mail_folder)
    assert text_of(german) == "Moin Bob! It rains.\n"
    assert '<html lang="de">' in html_of(german)
    assert "Bonjour Bob" in text_of(french)


def test_a_whole_page_is_sent_as_it_is(bob: User, mail_folder: Path, write_letter: Write) -> None:
    """With its title as the subject, and names that are no HTML."""  # S-519
    page = (
        '<html lang="{{ language }}"><head><title>Hello</title></head><body>{{ name }}: <b>{{ code }}</b></body></html>'
    )
    write_letter("email_otp.html", page)
    bob.name = "<i>Bob</i>"
    outbox.post("bob@example.test", "Your code", "email_otp", {"user": bob, "code": "1234 5678", "minutes": 10})

    (letter,) = letters(mail_folder)
    assert letter["Subject"] == "Hello"
    assert html_of(letter).strip() == page.replace("{{ language }}", "en").replace(
        "{{ name }}", "&lt;i&gt;Bob&lt;/i&gt;"
    ).replace("{{ code }}", "1234 5678")
    assert text_of(letter) == "<i>Bob</i>: 1234 5678\n"


def test_a_subject_stays_one_line(bob: User, mail_folder: Path, write_letter: Write) -> None:
    """Whatever somebody is called."""  # S-519
    write_letter("notice.txt", "Subject: For {{ name }}\n\n{{ what }}")
    bob.name = "Bob\r\nBcc: everybody@example.test"
    outbox.post("bob@example.test", "News", "notice", {"user": bob, "what": "x"})

    (letter,) = letters(mail_folder)
    assert (letter["Subject"], letter["Bcc"]) == ("For Bob Bcc: everybody@example.test", None)


def test_a_faulty_template_keeps_nobody_waiting(
    client: Client, login_flows: None, bob: User, mail_folder: Path, write_letter: Write
) -> None:
    """The built-in letter is sent, and an event says once what is wrong where."""
    write_letter("password_reset.html", "<p>Hello {{ nmae }}</p>")
    ask(client, "bob")
    ask(Client(), "bob")

    assert all("Choose" in html_of(letter) and link_in(letter) for letter in letters(mail_folder))
    event = Event.objects.get(action="configuration_error")
    assert "password_reset.html:1: there is no variable 'nmae'; did you mean 'name'?" in event.context["message"]


def test_a_stage_sends_a_letter_that_only_files_define(
    client: Client, login_flows: None, bob: User, mail_folder: Path, write_letter: Write, tmp_path: Path
) -> None:
    """And the built-in one, once they are gone."""
    write_letter("hello.txt", "Hello: {{ url }}")
    EmailStage.objects.update(template="email/hello.html")
    ask(client, "bob")
    (tmp_path / "templates" / "email" / "hello.txt").unlink()
    ask(Client(), "bob")

    own, usual = letters(mail_folder)
    assert text_of(own).startswith("Hello: https://")
    assert "new password" in text_of(usual)
    assert "there is no file of this name" in Event.objects.get(action="configuration_error").context["message"]


def test_nobody_learns_who_has_an_account(
    client: Client, login_flows: None, bob: User, mail_folder: Path, write_letter: Write
) -> None:
    """A letter to nobody is written in the same words, and never sent."""  # S-504
    write_letter("password_reset.txt", "Subject: For {{ username }}\n\n{{ url }}")
    ask(client, "nobody-at-all")

    assert letters(mail_folder) == []
