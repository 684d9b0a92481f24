"""Acting as somebody else, to see what they see (S-534).

The act is a login of its own beside the administrator's: what it leads to (proxy sessions, codes, tokens) hangs on it
and ends with it, and it ends with the administrator's login, when that user may no longer log in, and after an hour.
Applications see the other user; each event names both. Nothing about the account itself can be changed meanwhile
(``roles.guard``), so nothing of the act stays.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.brands.models import Brand
from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.logins import actions, queries
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import SessionStore
from doorward.identity.roles.guard import require_not_above
from doorward.identity.roles.queries import powers_of
from doorward.identity.system import queries as system

LONGEST = timedelta(hours=1)
LONGEST_REASON = 500
PERMISSION = "authentik_core.impersonate"
_APP = "authentik.core"


def is_allowed() -> bool:
    """The installation's setting ``impersonation`` (default: yes)."""
    return _setting("impersonation")


def needs_reason() -> bool:
    """The installation's setting ``impersonation_require_reason`` (default: yes)."""
    return _setting("impersonation_require_reason")


def begin(request: HttpRequest, user: User, reason: str) -> LoginSession:
    """Act as ``user`` from now on, under a new session key (S-527).

    Raises PermissionDenied: switched off, not permitted, already acting, or ``user`` may do more. ValidationError:
    oneself, somebody deactivated, or no reason.
    """
    session = request.session
    with transaction.atomic():
        login = queries.current(request)
        if not isinstance(session, SessionStore) or login is None or login.user is None:
            raise ValidationError(_("Only somebody who is logged in with a browser can act as somebody else."))
        _require(login, user)
        reason = _reason(reason)
        events.record("impersonation_started", _APP, Actor.of(request), reason=reason, impersonated=user)
        row = session.step_into(user, timezone.now() + LONGEST)
    request.user = user
    rotate_token(request)
    return row


def end(request: HttpRequest) -> User | None:
    """Be oneself again, under a new key (S-527); says who was impersonated, None if nobody."""
    session, login = request.session, queries.current(request)
    if not isinstance(session, SessionStore) or login is None or login.original is None:
        return None
    with transaction.atomic():
        events.record("impersonation_ended", _APP, Actor.of(request), impersonated=login.user)
        actions.end_silently(login)
        session.step_back(login.original)
    assert login.original.user is not None
    request.user = login.original.user
    rotate_token(request)
    return login.user


def may_go_on(login: LoginSession) -> bool:
    """Whether who acts in ``login`` still might begin to; asked with every request."""
    user, acting = login.user, login.impersonator
    if user is None or acting is None or not is_allowed():
        return False
    own = powers_of(acting)
    return own.may(PERMISSION, user.pk) and own.cover(powers_of(user))


def end_of_the_powerless(sender: type, *, users: list[User], **_: object) -> None:
    """Hears of changed rights: what was entered while acting ends without waiting for a request."""
    for login in LoginSession.objects.filter(impersonator__in=users).select_related("user", "impersonator"):
        if not may_go_on(login):
            actions.end_silently(login)


def _require(login: LoginSession, user: User) -> None:
    assert login.user is not None
    if login.original_id is not None:
        raise PermissionDenied(_("You act as somebody already; stop that first."))
    if not is_allowed():
        raise PermissionDenied(_("Acting as somebody else is switched off here."))
    if not powers_of(login.user).may(PERMISSION, user.pk):
        raise PermissionDenied(_("You may not act as this user."))
    require_not_above(Actor(login.user, None, ""), user)
    if user.pk == login.user.pk:
        raise ValidationError(_("You are this user."))
    if not user.is_active or user.type == User.Type.INTERNAL_SERVICE_ACCOUNT:
        raise ValidationError(_("Nobody can log in as this user, so nobody can act as them."))


def _reason(reason: str) -> str:
    text = reason.replace("\0", "").strip()[:LONGEST_REASON]
    if not text and needs_reason():
        raise ValidationError({"reason": [_("Say why: it is kept with the event.")]})
    return text


def _setting(name: str) -> bool:
    """From the system settings, or from the default brand's attributes: ``{"settings": {"impersonation": false}}``."""
    if not getattr(system.current(), name):
        return False
    brand = Brand.objects.filter(default=True).first()
    settings = brand.attributes.get("settings", {}) if brand is not None else {}
    return not (isinstance(settings, dict) and settings.get(name) is False)
