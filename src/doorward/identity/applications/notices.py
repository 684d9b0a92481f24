"""What the applications tell the rooms above them, in the transaction in which it happens."""

from __future__ import annotations

from django.dispatch import Signal

provider_given = Signal()
"""Sent with ``actor: Actor`` and ``provider: Provider`` before an application comes to have this provider, or loses it.
``roles.guard`` listens and may raise PermissionDenied."""

application_changed = Signal()
"""Sent with ``application: Application`` after it was created or changed or before it is deleted, and with ``severed``:
the key of the provider whose sessions and tokens no longer mean this application, or None."""
