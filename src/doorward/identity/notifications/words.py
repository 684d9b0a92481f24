"""What a notification says: the sentence of the event, in the language of whoever reads it."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.events.sentences import sentence
from doorward.identity.languages.choice import for_letter_to
from doorward.identity.languages.supported import SOURCE

LONGEST = 2000


def body_for(event: Event, user: User | None) -> str:
    """One or two sentences."""
    with translation.override(for_letter_to(user) if user is not None else SOURCE):
        text = sentence(event)
    message = event.context.get("message") or event.context.get("error")
    if isinstance(message, str) and message and message not in text:
        text = f"{text}: {message}"
    return text[:LONGEST]


def address_of(event: Event) -> str:
    """Of the event's page."""
    return f"{settings.EXTERNAL_URL}{reverse('admin-event', args=[event.pk])}"
