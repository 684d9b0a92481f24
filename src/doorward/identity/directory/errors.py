"""What the directory refuses although it is well-formed (the API answers 409)."""

from __future__ import annotations

from django.utils.translation import gettext as _


class Refused(Exception):
    """The change would lock people out (S-621); the text says how to get what one wants instead."""


class Busy(Exception):
    """Too many password checks wait already; try again in a few seconds (the API answers 429)."""


class TooManyAttempts(Exception):
    """This address failed too often (429)."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(
            _("Too many failed attempts; try again in %(seconds)s seconds") % {"seconds": round(retry_after)}
        )
        self.retry_after = retry_after
        """Seconds."""
