"""What other rooms may listen to: the events' own room knows nobody above it."""

from __future__ import annotations

from django.dispatch import Signal

recorded = Signal()
"""An event was written, in a transaction that may still be undone. Arguments: ``action``."""
