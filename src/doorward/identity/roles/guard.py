"""Nobody raises themselves (S-603): the one place that says no, whichever page, API call or file asked.

It listens to what the directory is about to write. Five rules:

- Whoever does not hold all that somebody else holds changes nothing about that somebody: no password, address, token,
  factor or login, since each of them would be a way to become them.
- Nobody puts people into a group, or a group under another, that gives what they do not hold themselves.
- Whoever acts as somebody else changes nothing about that account: no password, token or factor outlives the act.
- A limited token (``directory.limits``) holds nothing in the sense of the rules above, whoever its user is, and changes
  users, logins and its own kind only: no factor, no connection, nothing else by which somebody could be somebody.
- What makes superusers is for superusers, and so are the accounts of outposts, whose tokens open secrets.

``actor.user`` is None for the program itself and for strangers in a flow; what a flow may do, its stages decide.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext, gettext_noop

from doorward.identity.applications.models import Provider
from doorward.identity.applications.notices import provider_given
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.directory.notices import group_written, groups_given, groups_taken, user_written
from doorward.identity.events.actor import Actor
from doorward.identity.roles.catalogue import named
from doorward.identity.roles.queries import Powers, held_by, powers_given_by, powers_of

ABOVE = gettext_noop("“%(name)s” may do more than you: only somebody who may do as much can change that.")
GIVES_MORE = gettext_noop("The group “%(name)s” gives its members more than you may do yourself.")
ROOT_ONLY = gettext_noop("Only a superuser can make a group of superusers.")
MAY_NOT_PUT = gettext_noop("You may not put users into the group “%(name)s”.")
MAY_NOT_TAKE = gettext_noop("You may not take users out of the group “%(name)s”.")
MAY_NOT_DECIDE = gettext_noop("You may not decide which application has the provider “%(name)s”.")
ACTING = gettext_noop("You act as “%(name)s”: their account is theirs to change.")
LIMITED = gettext_noop("A limited token cannot change this: it could become a way to more than the token is for.")
_BY_LIMITED = {"directory.User", "logins.LoginSession", "outposts.StoredSession"}
"""What belongs to a user and opens nothing."""
ADD = "authentik_core.add_user_to_group"
REMOVE = "authentik_core.remove_user_from_group"


def require_not_above(actor: Actor, user: User) -> None:
    """Raise PermissionDenied if ``user`` may do what ``actor`` may not. People may always change themselves."""
    if actor.user is None or (actor.user.pk == user.pk and actor.limits is None):
        return
    own = held_by(actor)
    if own.everything:
        return
    if user.type == User.Type.INTERNAL_SERVICE_ACCOUNT or not own.cover(powers_of(user)):
        raise PermissionDenied(gettext(ABOVE) % {"name": user})


def require_covered(own: Powers, groups: Iterable[Group]) -> None:
    """Raise PermissionDenied if one of the groups gives more than ``own``."""
    for group in groups:
        if not own.cover(powers_given_by([group])):
            raise PermissionDenied(gettext(GIVES_MORE) % {"name": group})


def _user_written(sender: type, *, actor: Actor, user: User, **_: object) -> None:
    if actor.impersonator is not None and actor.user is not None and actor.user.pk == user.pk:
        raise PermissionDenied(gettext(ACTING) % {"name": user})
    if actor.limits is not None:
        if sender is Token:
            return  # ``directory.tokens`` compares the two
        if sender._meta.label not in _BY_LIMITED:  # type: ignore[attr-defined]
            raise PermissionDenied(gettext(LIMITED))
    require_not_above(actor, user)


def _groups_given(sender: type, *, actor: Actor, groups: list[Group], **_: object) -> None:
    if actor.user is None:
        return
    own = powers_of(actor.user)
    for group in groups:
        if not own.may(ADD, group.pk):
            raise PermissionDenied(gettext(MAY_NOT_PUT) % {"name": group})
    require_covered(held_by(actor), groups)


def _groups_taken(sender: type, *, actor: Actor, groups: list[Group], **_: object) -> None:
    if actor.user is None:
        return
    own = powers_of(actor.user)
    for group in groups:
        if not own.may(REMOVE, group.pk):
            raise PermissionDenied(gettext(MAY_NOT_TAKE) % {"name": group})
    require_covered(held_by(actor), groups)


def _group_written(
    sender: type, *, actor: Actor, group: Group, parents: list[Group], is_superuser: bool, **_: object
) -> None:
    if actor.user is None:
        return
    own = held_by(actor)
    if own.everything:
        return
    if is_superuser:
        raise PermissionDenied(gettext(ROOT_ONLY))
    require_covered(own, [*parents, *([] if group._state.adding else [group])])


def _provider_given(sender: type, *, actor: Actor, provider: Provider, **_: object) -> None:
    """A provider moves between applications by the hand of somebody who may change it."""
    if actor.user is None:
        return
    if not powers_of(actor.user).may(named("change", type(provider.concrete())), provider.pk):
        raise PermissionDenied(gettext(MAY_NOT_DECIDE) % {"name": provider})


def listen() -> None:
    """Connect to the directory; called once, when Django has started."""
    user_written.connect(_user_written, dispatch_uid="roles.guard.user")
    groups_given.connect(_groups_given, dispatch_uid="roles.guard.given")
    groups_taken.connect(_groups_taken, dispatch_uid="roles.guard.taken")
    provider_given.connect(_provider_given, dispatch_uid="roles.guard.provider")
    group_written.connect(_group_written, dispatch_uid="roles.guard.group")
