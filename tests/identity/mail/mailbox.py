"""Letters that the program has written into its folder."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from doorward.identity.mail import sender


def letters(folder: Path) -> list[EmailMessage]:
    """Everything that was sent until now, the oldest first; sends what waits."""
    sender.deliver_due()
    files = sorted(folder.glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def text_of(letter: EmailMessage) -> str:
    plain = letter.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


def link_in(letter: EmailMessage) -> str:
    """The path of the link, as the browser of its reader would ask for it."""
    found = re.search(r"https://auth\.example\.test(/if/flow/\S+)", text_of(letter))
    assert found, text_of(letter)
    return found[1]


def code_in(letter: EmailMessage) -> str:
    """The digits of a code, as one types them."""
    found = re.search(r"^([0-9]{4}) ([0-9]{4})$", text_of(letter), re.MULTILINE)
    assert found, text_of(letter)
    return found[1] + found[2]
