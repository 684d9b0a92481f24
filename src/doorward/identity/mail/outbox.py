"""Letters are written in the transaction that they are about, and sent when it has been committed.

Writing takes the same time whether there is somebody to write to or not; sending happens beside (``sender``). So
nobody learns from an answer, or from how long it took, who has an account (S-504).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from msgspec import Struct

from doorward.identity.crypto import vault
from doorward.identity.mail import sender, transport
from doorward.identity.mail.composing import Composed, compose, tell
from doorward.identity.mail.models import Letter

USEFUL_FOR = timedelta(days=2)


class Body(Struct, frozen=True):
    text: str
    html: str


def is_configured() -> bool:
    """Whether letters can be sent at all."""
    return transport.configured() is not None


def post(
    recipient: str,
    subject: str,
    letter: str,
    context: dict[str, object],
    *,
    useless_after: datetime | None = None,
    otherwise: str = "",
) -> None:
    """Have a letter sent. ``letter`` is one of ``config.letters``, or one that only files define; ``otherwise`` is the
    built-in one that stands in for such a letter when its files are not there.

    It speaks the language that is active (``languages.choice`` knows which it should be). An empty recipient, or one
    that is no address, makes a letter that is not sent. Does nothing without a transport.
    """
    if is_configured():
        send(recipient, compose(subject, letter, context, otherwise=otherwise), useless_after=useless_after)


def send(recipient: str, written: Composed, *, useless_after: datetime | None = None) -> None:
    """The same for a letter that is written already."""
    waiting = Letter(
        recipient=recipient if _is_address(recipient) else "",
        subject=written.subject,
        useless_after=useless_after or timezone.now() + USEFUL_FOR,
    )
    body = Body(written.text, written.html)
    waiting.sealed_body = vault.seal(msgspec.json.encode(body).decode(), place(waiting))
    with transaction.atomic():
        tell(written.problems)
        waiting.save(force_insert=True)
        transaction.on_commit(sender.wake)


def place(letter: Letter) -> str:
    """What the body is sealed to."""
    return f"mail.letter.sealed_body:{letter.pk}"


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return text.isascii()
