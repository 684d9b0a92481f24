"""Which events somebody wants to see: the one set of filters, read by the page, the API and the command.

The time and the action are found by indexes. Everything else has to be looked at event by event, so that is done for
the newest ``SEARCHED`` only: whoever searches further back narrows the time.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from doorward.identity.events.models import Event

SEARCHED = 50_000
"""Events that are looked at one by one, at most."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty means all."""

    action: str = ""
    """``custom_`` and what begins with it are one action."""
    username: str = ""
    app: str = ""
    """The part of the program, or what its name begins with."""
    client_ip: str = ""
    """An address, or the beginning of one."""
    text: str = ""
    """In the names of users and objects, in addresses and messages."""
    since: datetime | None = None
    until: datetime | None = None
    searched: int | None = SEARCHED
    """None: look at all of them, for whoever has the time."""

    @property
    def is_searched(self) -> bool:
        """Whether events have to be looked at one by one."""
        return bool(self.username or self.app or self.text or (self.client_ip and not _is_address(self.client_ip)))

    def events(self) -> QuerySet[Event]:
        """Newest first."""
        found = self.indexed()
        if not self.is_searched:
            return found
        if self.searched is not None:
            found = Event.objects.filter(pk__in=found.values("pk")[: self.searched])
        return found.filter(self._looked_at())

    def indexed(self) -> QuerySet[Event]:
        """What the indexes can tell."""
        found = Event.objects.all()
        if self.action:
            found = found.filter(**{"action__startswith" if self.action == "custom_" else "action": self.action})
        if self.since is not None:
            found = found.filter(created__gte=self.since)
        if self.until is not None:
            found = found.filter(created__lte=self.until)
        if _is_address(self.client_ip):
            found = found.filter(client_ip=self.client_ip)
        return found

    def _looked_at(self) -> Q:
        fits = Q()
        if self.username:
            fits &= (
                Q(user__username=self.username)
                | Q(user__on_behalf_of__username=self.username)
                | Q(context__username=self.username)
            )
        if self.app:
            fits &= Q(app__startswith=self.app)
        if self.client_ip and not _is_address(self.client_ip):
            fits &= Q(client_ip__icontains=self.client_ip)
        if self.text:
            fits &= _about(self.text)
        return fits


def _about(text: str) -> Q:
    names = (
        "user__username",
        "context__username",
        "context__model__name",
        "context__authorized_application__name",
        "context__application__name",
        "context__impersonated__name",
        "context__target__name",
        "context__message",
        "client_ip",
        "app",
    )
    fits = Q()
    for name in names:
        fits |= Q(**{f"{name}__icontains": text})
    return fits


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
