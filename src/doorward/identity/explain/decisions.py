"""Why somebody was not let in: the record of the decision, and everything that can be said about it now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import Q

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
_UNKNOWN = Why("The reason is one that this version does not know.", "Look at the log of the version that refused.")


def explained(wanted: str) -> list[Explanation]:
    """All records under the id ``wanted``, newest first. Raises data_plane.Unavailable."""
    wanted = wanted.strip()
    found = data_plane.find(FindDecisions(id=wanted, limit=5)).decisions if wanted else ()
    return [explanation_of(decision) for decision in found]


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
        EventLine(event.created.timestamp(), event.action, str(event.context.get("message", ""))[:300], str(event.pk))
        for event in Event.objects.filter(fits, created__range=(at - _AROUND, at + _AROUND))[:_MOST_EVENTS]
    ]


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
