"""Write what happened (``Event``, for people) and what changed (``Change``, for the data plane).

Both are rows in the caller's transaction: an action that fails leaves neither. The log line of an event goes out
when the transaction has been committed.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, models, transaction
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.events import places, redaction
from doorward.identity.events.actor import Actor
from doorward.identity.events.log_lines import log_event
from doorward.identity.events.models import Change, Event
from doorward.identity.events.retention import end_of
from doorward.identity.events.signals import recorded
from doorward.identity.events.subjects import describe, module

Fields = dict[str, object]
_SET_UP = frozenset({"model_created", "model_updated", "password_set"})
"""What the program does by itself when it starts: in the database, but no news on anybody's terminal."""
_PLACED = frozenset({"login", "login_failed", "authorize_application", "suspicious_request", "impersonation_started"})
"""Events of which it matters from where on earth they came; known only where there is a database of places."""


def record(action: str, app: str, actor: Actor, **context: object) -> Event:
    """Write one event. ``context`` may hold anything: it is made JSON, and secrets in it (by name) become stars."""
    cleaned = redaction.clean(context)
    assert isinstance(cleaned, dict)
    if actor.path:
        cleaned["http_request"] = redaction.clean(
            {
                "path": actor.path,
                "method": actor.method,
                "user_agent": actor.user_agent,
                "request_id": actor.request_id,
            }
        )
    if action in _PLACED:
        cleaned.update(places.known(actor.client_ip))
    now = timezone.now()
    event = Event.objects.create(
        action=action,
        app=app,
        client_ip=actor.client_ip,
        user=_who(actor),
        context=cleaned,
        brand={},
        created=now,
        expires=end_of(action, now),
    )
    if not (actor == Actor.system() and action in _SET_UP):
        transaction.on_commit(lambda: log_event(event, actor.request_id))
    recorded.send(Event, action=action)
    return event


def _who(actor: Actor) -> Fields:
    if actor.user is None:
        return {}
    if actor.impersonator is not None:
        return {**_person(actor.impersonator), "on_behalf_of": _person(actor.user)}
    return _person(actor.user)


def _person(user: User) -> Fields:
    return {"pk": user.pk, "username": user.username, "email": user.email}


def snapshot(instance: models.Model) -> Fields:
    """The object's own columns as they are now; take it before a change, give it to ``updated`` after."""
    return {field.attname: field.value_from_object(instance) for field in instance._meta.concrete_fields}


def created(actor: Actor, instance: models.Model, **more: object) -> Event:
    """``model_created``; ``more`` is what else its reader should know."""
    return record("model_created", module(type(instance)), actor, model=describe(instance), **more)


def updated(actor: Actor, instance: models.Model, before: Fields, **more: object) -> Event | None:
    """``model_updated`` with old and new values of what differs; None when nothing differs.

    Secrets are stars, and so is every value of ``attributes``. ``more`` names changes outside the
    object's own columns, e.g. ``groups=(old, new)``.
    """
    after = snapshot(instance)
    pairs = {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
    pairs.pop("last_updated", None)
    pairs.update({name: pair for name, pair in more.items() if isinstance(pair, tuple) and pair[0] != pair[1]})
    if not pairs:
        return None
    diff = redaction.Judged({name: _difference(name, old, new) for name, (old, new) in pairs.items()})
    return record("model_updated", module(type(instance)), actor, model=describe(instance), diff=diff)


def _difference(name: str, old: object, new: object) -> Fields:
    """A secret's name says that it is one, unless it is a switch or a number (``token_length``); of one it is
    told whether there was any. What people keep in ``attributes`` under a name of theirs may be one too, so only the
    keys that differ are told."""
    if redaction.is_secret(name) and not all(isinstance(each, bool | int | None) for each in (old, new)):
        old, new = (redaction.REDACTED if each else each for each in (old, new))
    elif name == "attributes" and isinstance(old, dict) and isinstance(new, dict):
        old, new = (
            {key: redaction.REDACTED for key, value in mine.items() if key not in other or other[key] != value}
            for mine, other in ((old, new), (new, old))
        )
    return {"previous_value": old, "new_value": new}


def deleted(actor: Actor, instance: models.Model) -> Event:
    """``model_deleted``; to be called before the object is deleted, while it still has its key."""
    return record("model_deleted", module(type(instance)), actor, model=describe(instance))


def outposts_changed() -> None:
    """Tell the data plane that something in ``OutpostConfiguration`` may differ from now on."""
    _append(Change.Kind.OUTPOSTS, "")


def session_ended(id_hash_hex: str) -> None:
    """Tell the data plane that the proxy session with this id hash is over."""
    sessions_ended([id_hash_hex])


def sessions_ended(id_hashes_hex: Iterable[str]) -> None:
    """``session_ended`` for many."""
    _append(Change.Kind.SESSION_ENDED, *id_hashes_hex)


def _append(kind: Change.Kind, *subjects: str) -> None:
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # Numbers are drawn before the commit: without this lock a reader could pass 6 before 5 is visible.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [0x446F6F72])
        Change.objects.bulk_create([Change(kind=kind, subject=subject) for subject in subjects], batch_size=500)
