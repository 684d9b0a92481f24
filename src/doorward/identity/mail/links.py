"""Links in letters: 256 random bits, for one user and one flow, good once and for half an hour (S-517).

Looking at a link changes nothing, because programs that scan mail look at it too; a POST uses it up, by the one
statement that deletes its row. A new link of the same flow kills the old one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.mail.models import MailLink, UnprovenAddress

PARAMETER = "flow_token"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link that was just used up leads to."""

    user: User
    plan: str
    activates: bool


def make(
    user: User, flow: str, plan: str, lifetime: timedelta, *, activates: bool = False, by_hand: bool = False
) -> str:
    """A new link (an absolute URL) that leads ``user`` back into ``plan``."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        MailLink.objects.filter(user=user, flow=flow).delete()
        MailLink.objects.create(
            token_hash=vault.digest(token),
            user=user,
            flow=flow,
            plan=plan,
            activates=activates,
            email=user.email,
            by_hand=by_hand,
            expires=timezone.now() + lifetime,
        )
    return f"{settings.EXTERNAL_URL}{reverse('flow-page', args=[flow])}?{PARAMETER}={token}"


def look(token: str, flow: str) -> MailLink | None:
    """The link, if it is still good for this flow; it stays so."""
    if not 32 <= len(token) <= 64:
        return None
    link = MailLink.objects.select_related("user").filter(token_hash=vault.digest(token), flow=flow).first()
    return link if link is not None and _is_good(link) else None


def use(token: str, flow: str) -> Opened | None:
    """Use the link up; None if it is not good, or somebody else was faster. Proves the address that it went to."""
    link = look(token, flow)
    if link is None or not MailLink.objects.filter(pk=link.pk).delete()[0]:
        return None
    if not link.by_hand:
        UnprovenAddress.objects.filter(user=link.user, email=link.email).delete()
    return Opened(link.user, link.plan, link.activates)


def _is_good(link: MailLink) -> bool:
    user = link.user
    # A changed address takes the trust away from what was sent to the former one.
    return link.expires > timezone.now() and user.email == link.email and (user.is_active or link.activates)


def is_proven(user: User) -> bool:
    """Whether an account may be recovered through its address."""
    return bool(user.email) and not UnprovenAddress.objects.filter(user=user, email=user.email).exists()
