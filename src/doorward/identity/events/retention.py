"""How long events are kept, and their end: the chore ``events.retire``.

An event is told its end when it is written, from the settings of that day; a later change is about what happens from
then on. Only sealed events are deleted. Their links stay until all before them can go as well: then the chain's
beginning moves, under a proof of its own, so that what is left verifies.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from doorward.identity.events import chain, proofs
from doorward.identity.events.models import Chain, Event, Link
from doorward.identity.system import queries as system

AT_ONCE = 500


def end_of(action: str, created: datetime) -> datetime:
    """When an event of this action may be deleted."""
    return created + kept_for(action)


def kept_for(action: str) -> timedelta:
    return system.current().retention_of(action)


def retire() -> int:
    """Delete what is over its time; says how many events that were."""
    now = timezone.now()
    gone = 0
    over = Event.objects.filter(expires__lte=now, number__isnull=False).order_by("expires")
    while keys := list(over.values_list("pk", flat=True)[:AT_ONCE]):
        gone += Event.objects.filter(pk__in=keys).delete()[0]
    while _move_beginning(now):
        pass
    return gone


def _move_beginning(now: datetime) -> bool:
    """Delete the oldest links that nobody needs any more; whether there may be others."""
    with transaction.atomic():
        begun = chain.beginning()
        oldest = list(Link.objects.filter(number__gt=begun.number).order_by("number")[:AT_ONCE])
        kept = set(Event.objects.filter(pk__in=[link.event for link in oldest]).values_list("pk", flat=True))
        if not chain.is_genuine(begun):
            return False  # what was tampered with stays as it was found
        last: Link | None = None
        number, mac = begun.number, begun.mac
        for link in oldest:
            whole = link.number == number + 1 and proofs.same(link.mac, chain.link_mac(link, mac))
            if not whole or link.expires > now or link.event in kept:
                break
            last, number, mac = link, link.number, link.mac
        if last is None:
            return False
        Chain.objects.filter(pk=begun.pk).update(
            number=last.number, mac=last.mac, proof=chain.chain_proof(last.number, last.mac, begun.begun)
        )
        Link.objects.filter(number__lte=last.number).delete()
        return last is oldest[-1] and len(oldest) == AT_ONCE
