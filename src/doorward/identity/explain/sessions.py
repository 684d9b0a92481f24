"""What became of a proxy session, as far as the database still knows."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.events.models import Change, Event
from doorward.identity.outposts.models import ProxyProvider, StoredSession
from doorward.messages.decisions import SESSION_DIGITS
from doorward.messages.explanations import SessionStory

MOMENT = timedelta(seconds=1)
"""What happens in one transaction is written within it."""
_MOST_CAUSES = 5
_MOST_SESSIONS = 50
_ENDING = frozenset(
    {"logout", "model_updated", "model_deleted", "password_set", "secret_rotate", "model_created", "login"}
)


def story_of(digits: str) -> SessionStory | None:
    """The session whose hash begins with ``digits``; None where none was named."""
    if len(digits) < SESSION_DIGITS:
        return None
    row = StoredSession.objects.filter(id_hash__startswith=digits).select_related("user").first()
    if row is not None:
        return _told(row)
    ended = Change.objects.filter(kind=Change.Kind.SESSION_ENDED, subject__startswith=digits).order_by("-id").first()
    if ended is None:
        return SessionStory(digits, "unknown")
    around = Event.objects.filter(created__range=(ended.created - MOMENT, ended.created + MOMENT), action__in=_ENDING)
    causes = tuple(_cause(event) for event in around[:_MOST_CAUSES])
    return SessionStory(digits, "ended", ended=ended.created.timestamp(), causes=causes)


def user_of(digits: str) -> User | None:
    """Whose session it is, while it is stored."""
    row = StoredSession.objects.filter(id_hash__startswith=digits).select_related("user").first() if digits else None
    return row.user if row is not None else None


def live_sessions(provider: ProxyProvider, user: User) -> tuple[SessionStory, ...]:
    """Those with which ``user`` gets in at ``provider`` now."""
    rows = StoredSession.objects.filter(provider=provider, user=user, expires__gt=timezone.now()).order_by("-created")
    return tuple(_told(row) for row in rows.select_related("user")[:_MOST_SESSIONS])


def _told(row: StoredSession) -> SessionStory:
    live = row.expires > timezone.now() and row.user.is_active
    return SessionStory(
        row.id_hash[:SESSION_DIGITS],
        "live" if live else "expired",
        user=row.user.username,
        created=row.created.timestamp(),
        expires=row.expires.timestamp(),
    )


def _cause(event: Event) -> str:
    who = event.user.get("username") or "Doorward"
    model = event.context.get("model")
    what = f" {model.get('model_name', '')} {model.get('name', '')}".rstrip() if isinstance(model, dict) else ""
    return f"{event.action.replace('_', ' ')}{what}, by {who}"
