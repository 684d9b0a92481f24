"""What sources tell their kinds (see ``directory.notices``)."""

from __future__ import annotations

from django.dispatch import Signal

logged_in = Signal()
"""Sent with ``arrival: Arrival`` and ``login: LoginSession``, in the transaction in which somebody from a source logs
in."""
