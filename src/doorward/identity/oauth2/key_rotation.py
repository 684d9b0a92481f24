"""A new key in place of one that signs tokens, without anybody being logged out (S-446).

The new pair takes the old one's name and place: every provider that signed with the old one signs with the new one once
it has been published for a minute. The old one stays among the published keys until the last token that it signed has
died; who wants it gone at once deletes it, and its tokens with it.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.crypto import actions as crypto
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2.actions import retire
from doorward.identity.oauth2.models import OAuth2Provider, RetiringKey


def rotate(actor: Actor, pair: CertificateKeyPair, *, valid_days: int = 3650) -> CertificateKeyPair:
    """The new pair, of the same algorithm. Raises ValidationError for a certificate without its private key."""
    if not pair.sealed_key:
        raise ValidationError({"non_field_errors": [_("A certificate without its private key signs nothing.")]})
    with transaction.atomic():
        CertificateKeyPair.objects.select_for_update().get(pk=pair.pk)
        name, managed = pair.name, pair.managed
        pair.name, pair.managed = _former_name(name), None
        pair.save(update_fields=["name", "managed"])
        new = crypto.generate(
            actor, name=name, common_name=name, algorithm=pair.algorithm, valid_days=valid_days, managed=managed
        )
        providers = list(signed_with(pair))
        for provider in providers:
            provider.signing_key = new
            provider.save(update_fields=["signing_key"])
            retire(provider, pair)
        events.record(
            "secret_rotate", "authentik.crypto", actor, secret_of=new, providers=[each.name for each in providers]
        )
        events.outposts_changed()
    return new


def signed_with(pair: CertificateKeyPair) -> QuerySet[OAuth2Provider]:
    """Providers whose tokens it signs."""
    return OAuth2Provider.objects.filter(signing_key=pair).order_by("name")


def used_by(pair: CertificateKeyPair) -> QuerySet[OAuth2Provider]:
    """Providers that sign or encrypt with it."""
    return OAuth2Provider.objects.filter(Q(signing_key=pair) | Q(encryption_key=pair)).order_by("name")


def still_published(pair: CertificateKeyPair) -> RetiringKey | None:
    """The longest time that it is published for after it was replaced; None if it is not."""
    return RetiringKey.objects.filter(key=pair, published_until__gt=timezone.now()).first()


def _former_name(name: str) -> str:
    """One that nobody has: several rotations may fall on one day."""
    wanted = f"{name} until {timezone.now():%Y-%m-%d}"
    taken = set(CertificateKeyPair.objects.filter(name__startswith=wanted).values_list("name", flat=True))
    return next(
        each for each in (wanted, *(f"{wanted} ({number})" for number in range(2, len(taken) + 3))) if each not in taken
    )
