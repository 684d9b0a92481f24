"""What is forgotten at intervals: messages that are too old to be believed, answers that nobody came for.

It asks the tables itself: the modules that fill them bring an XML library along, which most installations never need.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from doorward.identity.chores.book import Chore
from doorward.identity.sources.saml.models import Handed, Seen


def has_old() -> bool:
    now = timezone.now()
    return Seen.objects.filter(until__lt=now).exists() or Handed.objects.filter(until__lt=now).exists()


def forget_old() -> None:
    now = timezone.now()
    Seen.objects.filter(until__lt=now).delete()
    Handed.objects.filter(until__lt=now).delete()


CHORES = (Chore("saml-messages", timedelta(hours=1), forget_old, needed=has_old),)
