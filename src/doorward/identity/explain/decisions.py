"""Why somebody was not let in: the record of the decision, and everything that can be said about it now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.explain import data_plane
from doorward.identity.explain.access import access_now, now
from doorward.identity.explain.sessions import story_of, user_of
from doorward.messages.decisions import REASONS, Decision, FindDecisions, Why
from doorward.messages.explanations import EventLine, Explanation

_MOST_EVENTS = 10
_AROUND = timedelta(minutes=10)
_REMEMBERED = timedelta(days=30)
_WHOLE_ID = 16
"""Characters: events are looked for by the whole id only."""
_UNKNOWN = Why("The reason is one that this version does not know.", "Look at the log of the version that refused.")


def explained(wanted: str) -> list[Explanation]:
    """All records under the id ``wanted``, newest first. Raises data_plane.Unavailable."""
    wanted = wanted.strip()
    found = data_plane.find(FindDecisions(id=wanted, limit=5)).decisions if wanted else ()
    return [explanation_of(decision) for decision in found] or _of_events(wanted)


def _of_events(wanted: str) -> list[Explanation]:
    """A page of the identity provider's own, which refused something else than an application: its events tell."""
    if len(wanted) < _WHOLE_ID:
        return []
    fits = Q(context__http_request__request_id=wanted) | Q(context__request_id=wanted)
    rows = list(Event.objects.filter(fits, created__gt=timezone.now() - _REMEMBERED)[:_MOST_EVENTS])
    if not rows:
        return []
    newest = rows[0]
    asked = newest.context.get("http_request")
    asked = asked if isinstance(asked, dict) else {}
    decision = Decision(
        id=wanted,
        at=newest.created.timestamp(),
        reason="only_events",
        answer="see the events",
        asked_by="identity provider",
        client=newest.client_ip or "",
        method=str(asked.get("method", "")),
        path=str(asked.get("path", "")),
        user=str(newest.user.get("username", "")),
    )
    why = REASONS[decision.reason]
    return [Explanation(decision, why.what, why.remedy, events=tuple(map(_line, rows)))]


def explanation_of(decision: Decision) -> Explanation:
    """``decision`` with what the database knows about its session, its user and its request."""
    why = REASONS.get(decision.reason, _UNKNOWN)
    user = User.objects.filter(username=decision.user).first() if decision.user else user_of(decision.session)
    application = Application.objects.filter(slug=decision.application).first() if decision.application else None
    return Explanation(
        decision=decision,
        what=why.what,
        remedy=why.remedy,
        session=story_of(decision.session),
        access=access_now(application, user) if application is not None and user is not None else None,
        events=tuple(events_of(decision)),
    )


def events_of(decision: Decision) -> list[EventLine]:
    """What was written down under this request's id, around the time of the decision."""
    fits = Q(context__http_request__request_id=decision.id) | Q(context__request_id=decision.id)
    at = datetime.fromtimestamp(decision.at, UTC)
    return [
        _line(event) for event in Event.objects.filter(fits, created__range=(at - _AROUND, at + _AROUND))[:_MOST_EVENTS]
    ]


def _line(event: Event) -> EventLine:
    message = str(event.context.get("message", ""))[:300]
    return EventLine(event.created.timestamp(), event.action, message, str(event.pk))


def denied(application: Application, user: User, *, request_id: str, client: str, method: str, path: str) -> None:
    """Keep a record: the access rules of ``application`` keep ``user`` out."""
    access = access_now(application, user)
    data_plane.tell(
        Decision(
            id=request_id,
            at=now(),
            reason="access_denied",
            status=200,
            answer="page “You may not enter”",
            asked_by="identity provider",
            client=client,
            method=method,
            path=path,
            provider=application.provider_id or 0,
            application=application.slug,
            external_host=access.external_host,
            user=user.username,
            weighed=access.weighed,
        )
    )
