"""What the logins tell the rooms above them, in the transaction in which it happens (see ``directory.notices``)."""

from __future__ import annotations

from django.dispatch import Signal

leaving = Signal()
"""Sent with ``login: LoginSession`` before its own browser logs out. Receivers answer with the addresses (a tuple of
URLs) of applications that the browser is to open in frames, so that they hear of it."""

login_ended = Signal()
"""Sent with ``user: User`` and ``sid: str``: this login is over, and whatever it led to must end (S-322)."""

farewell = Signal()
"""Sent with ``login: LoginSession`` before its own browser logs out. Receivers answer with what the stranger's session
is to know that follows on it (a dict, or None)."""
