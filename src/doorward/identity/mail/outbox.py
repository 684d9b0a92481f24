"""Letters are written in the transaction that they are about, and sent when it has been committed.

Writing takes the same time whether there is somebody to write to or not; sending happens beside (``sender``). So
nobody learns from an answer, or from how long it took, who has an account (S-504).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urljoin

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from msgspec import Struct

from doorward.identity.brands.look import look_of
from doorward.identity.brands.queries import current_brand
from doorward.identity.crypto import vault
from doorward.identity.languages.supported import SOURCE, tag_of
from doorward.identity.mail import sender, transport
from doorward.identity.mail.models import Letter

USEFUL_FOR = timedelta(days=2)
LONGEST_SUBJECT = 200


class Body(Struct, frozen=True):
    text: str
    html: str


def is_configured() -> bool:
    """Whether letters can be sent at all."""
    return transport.configured() is not None


def post(
    recipient: str,
    subject: str,
    template: str,
    context: dict[str, object],
    *,
    useless_after: datetime | None = None,
) -> None:
    """Have a letter sent. ``template`` is a name below ``mail/``, as text and as HTML.

    It speaks the language that is active (``languages.choice`` knows which it should be). An empty recipient, or one
    that is no address, makes a letter that is not sent. Does nothing without a transport.
    """
    if not is_configured():
        return
    brand = current_brand()
    everything = {
        **context,
        "brand": brand,
        "logo": urljoin(settings.EXTERNAL_URL, look_of(brand).logo) if look_of(brand).logo else "",
        "subject": subject,
        "language": tag_of(get_language() or SOURCE),
    }
    body = Body(
        str.__str__(render_to_string(f"mail/{template}.txt", everything)).strip() + "\n",
        str.__str__(render_to_string(f"mail/{template}.html", everything)),
    )
    letter = Letter(
        recipient=recipient if _is_address(recipient) else "",
        subject=_one_line(subject),
        useless_after=useless_after or timezone.now() + USEFUL_FOR,
    )
    letter.sealed_body = vault.seal(msgspec.json.encode(body).decode(), place(letter))
    with transaction.atomic():
        letter.save(force_insert=True)
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


def _one_line(text: str) -> str:
    """A subject cannot become another header field (S-519)."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[
        :LONGEST_SUBJECT
    ]
