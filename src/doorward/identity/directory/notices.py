"""What the directory tells the rooms above it, in the transaction in which it happens.

Signals because the arrows point down: the directory knows nothing of logins, proxy sessions and tokens, but they must
end with it (S-321). ``logins.revocation`` and ``outposts.revocation`` listen. A listener that fails makes the whole
action fail: nobody is deactivated by half.
"""

from __future__ import annotations

from django.dispatch import Signal

trust_ended = Signal()
"""Sent with ``user: User`` and ``except_sid: str`` (a login that may stay, or ""): whatever this user's past logins
led to must end: deactivated, about to be deleted, or a new password."""

rights_changed = Signal()
"""Sent with ``users: list[User]`` after their groups, or what these groups mean, changed."""

subject_leaving = Signal()
"""Sent with ``subject: User | Group`` before it is deleted. ``policies.guard`` listens and may raise Refused."""

password_chosen = Signal()
"""Sent with ``user: User`` (perhaps not saved yet) and ``password: str`` before a password becomes somebody's.
``policies.password_rules`` listens and may raise ValidationError."""

password_replaced = Signal()
"""Sent with ``user: User`` and ``former: str``, the hash that was in force until now."""

address_changed = Signal()
"""Sent with ``user: User`` and ``former: str``, the e-mail address until now."""

attributes_changed = Signal()
"""Sent with ``before`` and ``after``, both ``dict``, of a user or group that is new or whose attributes changed."""

user_written = Signal()
"""Sent with ``actor: Actor`` and ``user: User`` before anything about a user who exists is changed: columns, password,
groups, tokens, factors, logins. ``roles.guard`` listens and may raise PermissionDenied."""

groups_given = Signal()
"""Sent with ``actor: Actor`` and ``groups: list[Group]`` before a user comes into these groups; as above."""

groups_taken = Signal()
"""Sent with ``actor: Actor`` and ``groups: list[Group]`` before a user leaves these groups; as above."""

group_written = Signal()
"""Sent with ``actor: Actor``, ``group: Group``, ``parents: list[Group]`` (new ones) and ``is_superuser: bool`` (as it
will be) before a group is made, changed or deleted; as above."""
