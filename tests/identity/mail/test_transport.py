"""The setting that says how letters leave, and what it makes of them."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from doorward.config.mail import BadMailUrl
from doorward.identity.mail import transport
from identity.mail.mail_server import mail_server


def a_letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "login@example.test", "bob@example.test", "Hello"
    message.set_content("Grüße\n.\nend\n")
    return message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.test?from=a@b.test", ("smtp", "mail.example.test", 587, True)),
        ("smtps://mail.example.test?from=a@b.test", ("smtps", "mail.example.test", 465, True)),
        ("smtp://localhost:25?from=a@b.test&tls=no", ("smtp", "localhost", 25, False)),
        ("smtp://[::1]:25?from=a@b.test&tls=no", ("smtp", "::1", 25, False)),
        ("file:///var/mail?from=a@b.test", ("file", "", 0, True)),
    ],
)
def test_what_can_be_said(url: str, expected: tuple[str, str, int, bool]) -> None:
    """Kind, host, port and whether TLS is wanted."""
    read = transport.read(url).settings

    assert (read.kind, read.host, read.port, read.tls) == expected


def test_user_and_password_are_decoded_and_not_shown() -> None:
    """A password may hold anything; a printed setting does not."""  # S-818
    read = transport.read("smtp://me:p%40ss%2Fword@mail.example.test?from=a@b.test").settings

    assert (read.username, read.password) == ("me", "p@ss/word")
    assert "p@ss" not in repr(read)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("smtp://mail.example.test", "who the letters come from"),
        ("smtp://mail.example.test?from=nobody", "who the letters come from"),
        ("smtp://mail.example.test?from=a@b.test%0ABcc:x@y.test", "who the letters come from"),
        ("smtp://mail.example.test?from=a@b.test&tls=no", "this machine only"),
        ("smtp://mail.example.test?from=a@b.test&starttls=no", "unknown option starttls"),
        ("smtp://mail.example.test:99999?from=a@b.test", "out of range"),
        ("http://mail.example.test?from=a@b.test", "smtp://host"),
        ("smtp://?from=a@b.test", "smtp://host"),
        ("file://mail?from=a@b.test", "absolute"),
        ("mail.example.test?from=a@b.test", "smtp://host"),
    ],
)
def test_what_cannot_be_said(url: str, reason: str) -> None:
    """With words that help."""
    with pytest.raises(BadMailUrl, match=reason):
        transport.read(url)


def test_a_letter_by_smtp() -> None:
    """As it was written, to whom it is for."""
    with mail_server() as server:
        transport.read(f"smtp://127.0.0.1:{server.port}?from=login@example.test&tls=no").send(a_letter())

    assert server.recipients == ["bob@example.test"]
    assert server.letters[0].get_content().splitlines() == ["Grüße", ".", "end"]


def test_no_letter_goes_in_the_clear_by_mistake() -> None:
    """A server that offers no TLS gets nothing, unless the setting says that it may."""
    with mail_server() as server, pytest.raises(OSError, match="STARTTLS"):
        transport.read(f"smtp://127.0.0.1:{server.port}?from=login@example.test").send(a_letter())

    assert server.letters == []


def test_a_letter_in_a_folder(tmp_path: Path) -> None:
    """A file that only its owner may read, complete when it appears."""  # S-816
    folder = tmp_path / "mail"
    transport.read(f"file://{folder}?from=login@example.test").send(a_letter())

    (file,) = folder.iterdir()
    assert file.suffix == ".eml"
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
