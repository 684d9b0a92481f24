"""Who here is meant by somebody from a source? The one place that decides (S-524 to S-526).

Whoever is connected to the identifier is meant, and nobody else ever is without further ado. For the others the
source's matching mode says what an address or a name in common means:

- Linking by address happens by itself only where the source says that the address was proven, where it was not merely
  claimed here, and where the account opens nothing special; else its owner has to prove that it is theirs.
- Linking by user name always needs that proof: names can be chosen, and change hands (S-525). A directory that one
  administrator runs for both sides may say that its names are fixed (``names_are_fixed``).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.directory.names import folded
from doorward.identity.mail.models import UnprovenAddress
from doorward.identity.roles.queries import NONE, powers_of
from doorward.identity.sources.arrival import Arrival
from doorward.identity.sources.models import Source, UserSourceConnection

PEOPLE = (User.Type.INTERNAL, User.Type.EXTERNAL)


@dataclass(frozen=True, slots=True)
class LogIn:
    """Connected already."""

    user: User


@dataclass(frozen=True, slots=True)
class Link:
    """To be connected with this login."""

    user: User


@dataclass(frozen=True, slots=True)
class Prove:
    """It may be this user; they have to log in as before, and say yes."""

    user: User


@dataclass(frozen=True, slots=True)
class Enrol:
    """Nobody yet."""


@dataclass(frozen=True, slots=True)
class Deny:
    message: str
    """For the visitor."""
    reason: str
    """For administrators."""


Decision = LogIn | Link | Prove | Enrol | Deny


def decide(source: Source, arrival: Arrival, *, names_are_fixed: bool = False) -> Decision:
    """Who ``arrival`` is. Reads only; ``arrivals`` does it."""
    if not source.enabled:
        return Deny(_("This way to log in is closed."), f"The source “{source}” is disabled.")
    connection = (
        UserSourceConnection.objects.filter(source=source, identifier=arrival.identifier).select_related("user").first()
    )
    if connection is not None:
        return LogIn(connection.user) if connection.user.is_active else _deactivated(connection.user)
    match source.user_matching_mode:
        case Source.UserMatching.EMAIL_LINK | Source.UserMatching.EMAIL_DENY:
            return _by_email(source, arrival)
        case Source.UserMatching.USERNAME_LINK | Source.UserMatching.USERNAME_DENY:
            return _by_username(source, arrival, names_are_fixed)
    return Enrol()


def _by_email(source: Source, arrival: Arrival) -> Decision:
    if not arrival.email:
        return Deny(
            _("%(source)s does not say which e-mail address you have.") % {"source": source.name},
            "People are matched by address, and the source named none.",
        )
    found = _with_address(arrival.email)
    if not found:
        return Enrol()
    if source.user_matching_mode == Source.UserMatching.EMAIL_DENY:
        return _taken(_("There is an account with your e-mail address already."), found[0])
    if len(found) > 1:
        return Deny(
            _("There are several accounts with your e-mail address."), f"{len(found)} users share {arrival.email}."
        )
    user = found[0]
    unproven = UnprovenAddress.objects.filter(user=user, email__iexact=arrival.email).exists()
    return _linking(source, user, silently=arrival.email_verified and not unproven)


def _by_username(source: Source, arrival: Arrival, names_are_fixed: bool) -> Decision:
    if not arrival.username:
        return Deny(
            _("%(source)s does not say what your user name is.") % {"source": source.name},
            "People are matched by name, and the source named none.",
        )
    user = User.objects.filter(folded_username=folded(arrival.username)).first()
    if user is None:
        return Enrol()
    if source.user_matching_mode == Source.UserMatching.USERNAME_DENY:
        return _taken(_("There is an account with your user name already."), user)
    return _linking(source, user, silently=names_are_fixed)


def _linking(source: Source, user: User, *, silently: bool) -> Decision:
    if not user.is_active:
        return _deactivated(user)
    if user.type not in PEOPLE:
        return _taken(_("This account cannot be connected."), user)
    if UserSourceConnection.objects.filter(source=source, user=user).exists():
        return _taken(_("Your account is connected to another one at %(source)s.") % {"source": source.name}, user)
    opens_nothing_special = NONE.cover(powers_of(user))
    return Link(user) if silently and opens_nothing_special else Prove(user)


def _with_address(email: str) -> list[User]:
    """Compared letter by letter: databases think that some letters of other alphabets are the same (S-450)."""
    return [user for user in User.objects.filter(email__iexact=email)[:20] if user.email.lower() == email.lower()]


def _taken(message: str, user: User) -> Deny:
    return Deny(message, f"It is “{user.username}”; an administrator or they themselves can connect it.")


def _deactivated(user: User) -> Deny:
    return Deny(_("This account cannot log in."), f"“{user.username}” is deactivated.")
