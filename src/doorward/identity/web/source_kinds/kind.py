"""What a kind of source brings to the pages about sources: words, offers, and where its own things are done.

A kind whose people come by a browser (``BrowserKind``) brings a form and says how it is written, what its provider has
to be told and how it is tried; the pages are the same for all of them. A kind with pages of its own says where those
are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from django.urls import reverse

from doorward.identity.events.actor import Actor
from doorward.identity.sources.models import Source, UserSourceConnection
from doorward.identity.sources.trial import Finding
from doorward.identity.web.forms.sources import SourceForm


class Offer(NamedTuple):
    """Something to choose on the page where a source is made."""

    title: str
    does: str
    """One sentence, without its full stop."""
    address: str
    icon: str
    """Of the icon set."""


class Told(NamedTuple):
    """Something that whoever runs the other side has to be told, to be copied."""

    label: str
    value: str


class People(NamedTuple):
    """How much a source is used."""

    number: int
    last: object
    """A time, or None."""


class SourceKind(ABC):
    kind: ClassVar[str]
    """As ``Source.kind``."""
    title: ClassVar[str]
    state_template: ClassVar[str] = "admin/parts/source_state.html"
    """Shows ``state`` in the list."""

    @abstractmethod
    def offers(self) -> tuple[Offer, ...]:
        """What the page for a new source lists."""

    @abstractmethod
    def where(self, source: Source) -> str:
        """Where people log in, in a few words."""

    @abstractmethod
    def update(self, actor: Actor, source: Source, changes: Mapping[str, Any]) -> None:
        """Raises ValidationError."""

    @abstractmethod
    def delete(self, actor: Actor, source: Source) -> None:
        """Raises ValidationError."""

    @abstractmethod
    def address(self, source: Source) -> str:
        """Of its page."""

    def state(self, source: Source) -> object:
        """What ``state_template`` shows."""
        return people_of(source)


class BrowserKind(SourceKind):
    """``source`` is always one of this kind (``Source.concrete``)."""

    form: ClassVar[type[SourceForm]]

    @abstractmethod
    def create(self, actor: Actor, values: Mapping[str, Any]) -> Source:
        """Raises ValidationError."""

    @abstractmethod
    def told(self, slug: str) -> tuple[Told, ...]:
        """What to enter at the provider, for a source of this slug."""

    @abstractmethod
    def tried(self, source: Source) -> tuple[Finding, ...]:
        """Asks the other side, and says what is right and what is wrong."""

    def facts(self, source: Source) -> tuple[Told, ...]:
        """What else its page says."""
        return ()

    def address(self, source: Source) -> str:
        return reverse("admin-source", args=[source.slug])


def people_of(source: Source) -> People:
    """Who has come through it."""
    connections = UserSourceConnection.objects.filter(source=source)
    last = (
        connections.filter(last_used__isnull=False).order_by("-last_used").values_list("last_used", flat=True).first()
    )
    return People(connections.count(), last)
