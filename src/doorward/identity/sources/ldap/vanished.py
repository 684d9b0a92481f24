"""Whoever is not in their directory any more, or is disabled there, cannot log in here either (S-524).

They are deactivated, not deleted: what was theirs stays, and they are back when the directory has them again. A mark in
their attributes, which nothing from outside can write, tells those whom an administrator here has deactivated apart.
"""

from __future__ import annotations

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.sources.ldap.models import LDAPSource

MARK = "goauthentik.io/sources/ldap/deactivated"


def deactivate(actor: Actor, source: LDAPSource, user: User) -> User:
    """Raises Refused for the last superuser."""
    return directory.update_user(actor, user, is_active=False, attributes={**user.attributes, MARK: source.slug})


def was_ours(source: LDAPSource, user: User) -> bool:
    """It was this source that deactivated them."""
    return bool(user.attributes.get(MARK) == source.slug)


def let_in_again(actor: Actor, user: User) -> User:
    attributes = {key: value for key, value in user.attributes.items() if key != MARK}
    return directory.update_user(actor, user, is_active=True, attributes=attributes)
