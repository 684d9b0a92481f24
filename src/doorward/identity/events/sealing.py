"""Append what was written since to the chain: part of the chore ``notifications.follow``.

One replica does it at a time (``chores``); should two, the second finds the next number taken and leaves it. An event
whose transaction took long is sealed with a later batch: its place says when it was sealed, not when it happened.
What carries no valid proof is left unsealed, where ``verifying`` finds it.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from doorward.identity.events import chain, checkpoints, proofs
from doorward.identity.events.models import Event, Link

AT_ONCE = 200
"""Events per transaction: SQLite lets nobody else write meanwhile."""


def seal() -> int:
    """Seal everything that is not; says how many events that were."""
    total = 0
    after = None
    while True:
        waiting = Event.objects.filter(number=None).order_by("created", "pk")
        if after is not None:
            # What could not be sealed in this run is not looked at again and again.
            waiting = waiting.filter(created__gte=after.created).exclude(pk=after.pk)
        batch = list(waiting[:AT_ONCE])
        if not batch:
            break
        after = batch[-1]
        try:
            total += _append(batch)
        except IntegrityError:
            break  # another replica was faster; the rest has its turn in a minute
        if len(batch) < AT_ONCE:
            break
    if total:
        checkpoints.publish(chain.head(chain.beginning()))
    return total


def _append(batch: list[Event]) -> int:
    now = timezone.now()
    with transaction.atomic():
        begun = chain.beginning()
        number, mac = chain.head(begun)
        links: list[Link] = []
        for event in batch:
            if event.proof is None and chain.adopts(begun, now):
                event.proof = proofs.proof_of(event)
            proof = event.proof
            if proof is None or not proofs.same(proof, proofs.proof_of(event)):
                continue
            number += 1
            link = Link(number=number, event=event.pk, proof=proof, expires=event.expires, sealed=now)
            link.mac = mac = chain.link_mac(link, mac)
            event.number = number
            links.append(link)
        Link.objects.bulk_create(links)
        Event.objects.bulk_update([event for event in batch if event.number], ["number", "proof"], batch_size=100)
    return len(links)
