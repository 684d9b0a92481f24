"""The applications of an outpost as its stores look at them: by key, with what binds a session to its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from doorward.outpost.application import Application
from doorward.outpost.standalone.sealing import place_of


class Ended(Protocol):
    """Hears that sessions have ended, so that what is open on them is cut."""

    def __call__(self, provider: int, subject: str, sid: str, ids: list[bytes]) -> None:
        """Those with these ids, and whatever else is known of this person or login at this provider."""
        ...


@dataclass(slots=True)
class Places:
    """``applications`` gives those of the configuration in force."""

    applications: Callable[[], Iterable[Application]]
    _known: dict[int, tuple[Application, bytes]] = field(default_factory=dict)

    def of(self, provider: int) -> tuple[Application, bytes] | None:
        """The application of the proxy provider with this key, and its place (see ``sealing``)."""
        known = self._known.get(provider)
        if known is not None and known[0].provider.pk == provider:
            return known
        for application in self.applications():
            place = place_of(application.provider, application.cookies.name)
            self._known[application.provider.pk] = (application, place)
        return self._known.get(provider)

    def forget(self) -> None:
        """Another configuration is in force."""
        self._known.clear()
