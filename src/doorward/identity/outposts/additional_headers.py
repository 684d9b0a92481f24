"""The header fields that users and groups bring along by their attribute ``additionalHeaders``.

A proxy of our own takes exactly these from the outpost's answer, and no client's copy of one reaches an application,
whoever asks. So a field that one user has is stripped for all others as well, and the set of names is part of what
the data plane is told.
"""

from __future__ import annotations

from collections.abc import Mapping

from doorward.identity.directory.models import Group, User
from doorward.identity.directory.notices import attributes_changed
from doorward.identity.events import actions as events
from doorward.messages.additional_headers import is_free

ATTRIBUTE = "additionalHeaders"
MOST = 200
"""Names that are told; the others, by the alphabet, reach no application in proxy mode."""


def names() -> tuple[str, ...]:
    """Every name that somebody has, in lower case, sorted."""
    found: set[str] = set()
    for model in (User, Group):
        for attributes in model.objects.filter(attributes__has_key=ATTRIBUTE).values_list("attributes", flat=True):
            found |= _of(attributes)
    return tuple(sorted(found)[:MOST])


def _of(attributes: object) -> set[str]:
    fields = attributes.get(ATTRIBUTE) if isinstance(attributes, dict) else None
    return {name.lower() for name in fields if is_free(name)} if isinstance(fields, dict) else set()


def _attributes_changed(
    sender: type, *, before: Mapping[str, object], after: Mapping[str, object], **_: object
) -> None:
    if _of(before) != _of(after):
        events.outposts_changed()


def listen() -> None:
    """Connect to the rooms below; called once, when Django has started."""
    attributes_changed.connect(_attributes_changed, dispatch_uid="outposts.additional_headers")
