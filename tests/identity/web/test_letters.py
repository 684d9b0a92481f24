"""The administrators' pages about letters: what will be sent, in whose words, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse

from doorward.config.letters import LETTERS
from doorward.identity.directory.models import User
from doorward.identity.languages.supported import LANGUAGES
from doorward.identity.mail.samples import WORDS
from doorward.identity.stages.models import EmailStage
from identity.mail.mailbox import letters, text_of
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
Write = Callable[[str, str], None]


@pytest.mark.parametrize("name", LETTERS)
def test_every_letter_can_be_looked_at(admin: Visitor, name: str) -> None:
    """In every language, as text and in a frame whose content can do nothing."""
    assert name in WORDS
    for code, _ in LANGUAGES:
        assert "built in" in admin.open(f"{reverse('admin-letter', args=[name])}?language={code}")
        page = admin.get(reverse("admin-letter-html", args=[name, code]))
        assert page.status_code == 200
        assert "sandbox" in page["Content-Security-Policy"]
        assert "script-src" not in page["Content-Security-Policy"]
        assert "default-src 'none'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "SAMEORIGIN"


def test_own_words_and_their_faults_are_shown(admin: Visitor, write_letter: Write) -> None:
    """Which languages have them, and which file and line to repair."""
    write_letter("invitation.de.txt", "Subject: Komm!\n\n{{ url }}")
    write_letter("notice.fr.txt", "{{ waht }}")

    page = admin.open(reverse("admin-letters"))
    assert "notice.fr.txt:1: there is no variable 'waht'; did you mean 'what'?" in page
    assert "Komm!" in admin.open(f"{reverse('admin-letter', args=['invitation'])}?language=de")
    faulty = admin.open(f"{reverse('admin-letter', args=['notice'])}?language=fr")
    assert "notice.fr.txt:1" in faulty
    assert "Bonjour" in faulty, "the built-in one is what is sent"


def test_a_test_goes_to_whoever_asks(admin: Visitor, akadmin: User, mail_folder: Path, write_letter: Write) -> None:
    """In the language of the page that it was asked for on, whatever theirs is."""
    write_letter("invitation.de.txt", "Subject: Komm!\n\n{{ url }}")
    at = reverse("admin-letter", args=["invitation"])
    test = reverse("admin-letter-test", args=["invitation", "de"])

    assert "is on its way" in admin.succeed(test, at=at)
    (letter,) = letters(mail_folder)
    assert (letter["To"], letter["Subject"]) == (akadmin.email, "Komm!")
    assert text_of(letter).startswith("https://auth.example.test")


def test_without_a_mail_server_no_test_is_promised(admin: Visitor) -> None:
    """The page says so, and so does the answer."""
    at = reverse("admin-letter", args=["notice"])

    assert "names no mail server" in admin.open(at)
    test = reverse("admin-letter-test", args=["notice", "en"])
    assert "Nothing was sent" in admin.succeed(test, at=reverse("admin-new-role"))


@pytest.mark.parametrize("address", ["nothing/", "invitation/xx/html/", "nothing/de/html/"])
def test_there_are_no_other_letters(admin: Visitor, address: str) -> None:
    """Nor other languages."""
    assert admin.get(f"{reverse('admin-letters')}{address}").status_code == 404


def test_a_stage_is_given_a_letter(admin: Visitor, write_letter: Write) -> None:
    """One of the folder, by its form; one whose file is gone stays chosen until another is."""
    write_letter("hello.txt", "{{ url }}")
    stage = EmailStage.objects.get()
    at = reverse("admin-stage", args=[stage.pk])
    form = {"name": stage.name, "subject": "Hi", "token_expiry": "minutes=30"}

    assert "Your own: hello" in admin.open(at)
    admin.succeed(at, template="email/hello.html", **form)
    assert EmailStage.objects.get().template == "email/hello.html"
    EmailStage.objects.update(template="email/gone.html")
    assert "email/gone.html: its file is gone" in admin.open(at)
    assert admin.send(at, template="email/other.html", **form).status_code == 400
