"""Which outpost is asking: an outpost's token belongs to the machine account that is named after it."""

from __future__ import annotations

import uuid

from doorward.identity.directory.models import User
from doorward.identity.outposts.models import Outpost

PREFIX = "ak-outpost-"


def outpost_of(user: User) -> Outpost | None:
    """The outpost whose account this is. People cannot get one: neither its type nor its name can be chosen."""
    if user.type != User.Type.INTERNAL_SERVICE_ACCOUNT or not user.username.startswith(PREFIX):
        return None
    try:
        key = uuid.UUID(user.username.removeprefix(PREFIX))
    except ValueError:
        return None
    return Outpost.objects.filter(pk=key).first()
