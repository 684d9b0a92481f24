"""Which outpost is asking: an outpost's token belongs to the machine account that is named after it."""

from __future__ import annotations

import uuid

from doorward.identity.directory.models import User
from doorward.identity.outposts.models import Outpost

PREFIX = "ak-outpost-"


def is_outposts(user: User) -> bool:
    """Whether this is the account of an outpost. People cannot get one: neither its type nor its name can be chosen."""
    return user.type == User.Type.INTERNAL_SERVICE_ACCOUNT and user.username.startswith(PREFIX)


def outpost_of(user: User) -> Outpost | None:
    """The outpost whose account this is."""
    if not is_outposts(user):
        return None
    try:
        key = uuid.UUID(user.username.removeprefix(PREFIX))
    except ValueError:
        return None
    return Outpost.objects.filter(pk=key).first()
