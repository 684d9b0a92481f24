"""Ask for access, give it, refuse it, take it back; each is on the record.

Of two who decide at once one does: a conditional UPDATE of the request says who. Nobody decides about themselves, also
not while they act as somebody else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity import durations
from doorward.identity.access_requests import letters, queries
from doorward.identity.access_requests.models import AccessOffer, AccessRequest
from doorward.identity.applications.models import Application
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import bind, unbind, update_binding
from doorward.identity.policies.asked import NOTHING_KNOWN, Asked
from doorward.identity.policies.queries import verdict

APP = "authentik.core"
LONGEST_TEXT = 1000
MOST_A_DAY = 20
"""Requests of one user; each writes to people."""
_Status = AccessRequest.Status


def set_offer(
    actor: Actor,
    application: Application,
    *,
    enabled: bool,
    longest: str,
    approver_users: list[User],
    approver_groups: list[Group],
) -> AccessOffer:
    """Let an application be asked for, or not any more. What was given stays until it ends. Raises ValidationError."""
    if enabled and not approver_users and not approver_groups:
        raise ValidationError({"approver_groups": [_("Name at least one group or user who decides.")]})
    with transaction.atomic():
        offer = AccessOffer.objects.filter(application=application).first() or AccessOffer(application=application)
        is_new, before = offer._state.adding, events.snapshot(offer)
        was = ([], []) if is_new else _names(offer)
        offer.enabled, offer.longest = enabled, longest
        offer.full_clean()
        offer.save()
        offer.approver_users.set(approver_users)
        offer.approver_groups.set(approver_groups)
        now = _names(offer)
        if is_new:
            events.created(actor, offer)
        else:
            events.updated(actor, offer, before, approver_users=(was[0], now[0]), approver_groups=(was[1], now[1]))
    return offer


def remove_offer(actor: Actor, offer: AccessOffer) -> None:
    """It cannot be asked for any more; what was given stays until it ends."""
    with transaction.atomic():
        events.deleted(actor, offer)
        offer.delete()


def _names(offer: AccessOffer) -> tuple[list[str], list[str]]:
    users = sorted(user.username for user in offer.approver_users.all())
    return users, sorted(group.name for group in offer.approver_groups.all())


def ask(
    actor: Actor,
    application: Application,
    user: User,
    *,
    reason: str,
    until: datetime,
    asked: Asked = NOTHING_KNOWN,
) -> AccessRequest:
    """Ask whoever decides. Raises ValidationError, and Refused where there is nothing to ask for."""
    offer = queries.offer_of(application)
    if offer is None:
        raise Refused(_("This application cannot be asked for."))
    _require(reason, until, timezone.now() + durations.parse(offer.longest))
    if verdict(application, user, asked).passing:
        raise Refused(_("You may enter already."))
    day = timezone.now() - timedelta(days=1)
    if AccessRequest.objects.filter(user=user, created__gt=day).count() >= MOST_A_DAY:
        raise Refused(_("That is enough for one day. Ask again tomorrow."))
    try:
        with transaction.atomic():
            request = AccessRequest.objects.create(
                application=application, user=user, reason=reason.strip(), until=until
            )
            _record("created", actor, request)
            letters.to_approvers(request, offer)
    except IntegrityError as twice:
        raise Refused(_("You have asked already. Whoever decides has not answered yet.")) from twice
    return request


def approve(actor: Actor, request: AccessRequest, *, until: datetime | None = None, answer: str = "") -> AccessRequest:
    """Give access until the date that was asked for, or an earlier one. Raises PermissionDenied, Refused,
    ValidationError."""
    _require_decider(actor, request)
    ends = min(until or request.until, request.until)
    if ends <= timezone.now():
        raise ValidationError({"until": [_("That is over already.")]})
    with transaction.atomic():
        _decide(actor, request, _Status.APPROVED, answer, until=ends)
        if not request.user.is_active:
            raise Refused(_("The account is deactivated."))
        binding = bind(
            actor,
            request.application,
            user=request.user,
            order=_last_order(request.application),
            is_grant=True,
            expiring=True,
            expires=ends,
        )
        AccessRequest.objects.filter(pk=request.pk).update(binding=binding)
        request.refresh_from_db()
        _record("approved", actor, request)
        letters.to_user(request)
    return request


def deny(actor: Actor, request: AccessRequest, *, answer: str = "") -> AccessRequest:
    """Refuse it. Raises PermissionDenied, Refused where somebody was faster."""
    _require_decider(actor, request)
    with transaction.atomic():
        _decide(actor, request, _Status.DENIED, answer)
        _record("denied", actor, request)
        letters.to_user(request)
    return request


def shorten(actor: Actor, request: AccessRequest, *, until: datetime) -> AccessRequest:
    """Have it end earlier than was said. Raises PermissionDenied, Refused, ValidationError."""
    _require_decider(actor, request)
    with transaction.atomic():
        _require_live(request)
        assert request.binding is not None
        if not timezone.now() < until < request.until:
            raise ValidationError({"until": [_("Earlier than it ends now, and later than this moment.")]})
        update_binding(actor, request.binding, expires=until)
        AccessRequest.objects.filter(pk=request.pk).update(until=until)
        request.refresh_from_db()
        letters.to_user(request)
    return request


def revoke(actor: Actor, request: AccessRequest, *, answer: str = "") -> AccessRequest:
    """Take back what was given; it ends at once. Whoever has it may give it back. Raises PermissionDenied, Refused."""
    if not (actor.user is not None and actor.user.pk == request.user_id):
        _require_decider(actor, request)
    with transaction.atomic():
        _require_live(request)
        binding = request.binding
        assert binding is not None
        _decide(actor, request, _Status.REVOKED, answer, former=_Status.APPROVED)
        unbind(actor, binding)
        request.refresh_from_db()
        _record("revoked", actor, request)
        letters.to_user(request)
    return request


def withdraw(actor: Actor, request: AccessRequest) -> AccessRequest:
    """The user no longer asks. Raises PermissionDenied, Refused."""
    if actor.user is None or actor.user.pk != request.user_id:
        raise PermissionDenied
    with transaction.atomic():
        before = events.snapshot(request)
        _decide(actor, request, _Status.WITHDRAWN, "")
        events.updated(actor, request, before)
    return request


def _require(reason: str, until: datetime, latest: datetime) -> None:
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise ValidationError({"reason": [_("Say in a few words what for.")]})
    if until <= timezone.now():
        raise ValidationError({"until": [_("That is over already.")]})
    if until > latest + timedelta(minutes=1):
        local = latest.strftime("%Y-%m-%d %H:%M UTC")
        raise ValidationError({"until": [_("Not later than %(latest)s.") % {"latest": local}]})


def _require_decider(actor: Actor, request: AccessRequest) -> None:
    theirs = {request.user_id}
    is_own = actor.impersonator is not None and actor.impersonator.pk in theirs
    if actor.user is None or is_own or not queries.may_decide(actor.user, request):
        raise PermissionDenied(_("That is not for you to decide."))


def _require_live(request: AccessRequest) -> None:
    request.refresh_from_db()
    if not AccessRequest.objects.filter(queries.live(), pk=request.pk).exists():
        raise Refused(_("That has ended already."))


def _decide(
    actor: Actor,
    request: AccessRequest,
    status: str,
    answer: str,
    *,
    until: datetime | None = None,
    former: str = _Status.PENDING,
) -> None:
    """The one place where a status changes, for whoever comes first."""
    changes: dict[str, object] = {} if until is None else {"until": until}
    done = AccessRequest.objects.filter(pk=request.pk, status=former).update(
        status=status,
        decided_by=actor.user,
        decided_at=timezone.now(),
        answer=answer.strip()[:LONGEST_TEXT],
        **changes,
    )
    if not done:
        raise Refused(_("Somebody has decided that already."))
    request.refresh_from_db()


def _last_order(application: Application) -> int:
    last = application.bindings.order_by("order").last()
    return 0 if last is None else last.order + 1


def _record(what: str, actor: Actor, request: AccessRequest) -> None:
    events.record(
        f"access_request_{what}",
        APP,
        actor,
        access_request={
            "pk": str(request.pk),
            "application": request.application.slug,
            "user": request.user.username,
            "reason": request.reason,
            "until": request.until.isoformat(),
            "answer": request.answer,
        },
    )
