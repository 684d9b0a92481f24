"""What the policies tell the rooms above them, in the transaction in which it happens.

A signal because the arrows point down: policies know nothing of sessions. ``outposts.revocation`` listens. A listener
that fails makes the whole action fail.
"""

from __future__ import annotations

from django.dispatch import Signal

access_changed = Signal()
"""Sent with ``target: PolicyTarget`` after its bindings or its engine mode changed."""
access_ended = Signal()
"""Sent with ``target: PolicyTarget`` after time alone has changed what its bindings say."""
