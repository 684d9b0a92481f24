"""Which processes of outposts elsewhere are there: they say so with every question for news, and it is written down
every ten seconds, because each write wakes whoever follows the change log."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from doorward.identity.outposts.models import Outpost, OutpostInstance
from doorward.messages.sessions import Presence

EVERY = timedelta(seconds=10)
ALIVE = timedelta(seconds=30)
"""Silence after which a process is taken to be away."""
KEPT_FOR = timedelta(days=1)
MOST = 50
"""Processes of one outpost that are remembered."""


def seen(outpost: Outpost, said: Presence) -> None:
    """A process of ``outpost`` has just asked."""
    now = timezone.now()
    uid, version, hostname = said.uid[:64], said.version[:64], said.hostname[:255]
    fresh = OutpostInstance.objects.filter(outpost=outpost, uid=uid, version=version, last_seen__gt=now - EVERY)
    if not uid or "\0" in uid + version + hostname or fresh.exists():
        return
    OutpostInstance.objects.update_or_create(
        outpost=outpost, uid=uid, defaults={"version": version, "hostname": hostname, "last_seen": now}
    )
    OutpostInstance.objects.filter(outpost=outpost, last_seen__lt=now - KEPT_FOR).delete()
    surplus = OutpostInstance.objects.filter(outpost=outpost).order_by("-last_seen").values_list("pk", flat=True)[MOST:]
    OutpostInstance.objects.filter(pk__in=list(surplus)).delete()


def instances(outpost: Outpost) -> QuerySet[OutpostInstance]:
    """The processes that were there within a day, the last one first."""
    return OutpostInstance.objects.filter(outpost=outpost, last_seen__gte=timezone.now() - KEPT_FOR).order_by(
        "-last_seen"
    )
