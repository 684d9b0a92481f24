"""Tell the data plane when the credentials of programs are no longer what they were (S-321).

An outpost remembers for some seconds whom an app password or an access token belongs to. It names what it remembers,
and the connections that were opened with it, by the secret's SHA-256, which is also how we keep secrets. So the end of
a credential is told exactly like the end of a session, and cuts the same things.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models.signals import post_delete, pre_save

from doorward.identity.directory.models import Token, User
from doorward.identity.directory.notices import rights_changed, trust_ended
from doorward.identity.events import actions as events
from doorward.identity.policies.notices import access_changed

ANY = "00" * 32
"""Nobody's: told when credentials may mean something else from now on. What is remembered about them is forgotten."""
_DECISIVE = frozenset({"key_hash", "intent", "user", "expires", "expiring"})


def _saving(sender: type, *, instance: Token, update_fields: Iterable[str] | None, **_: object) -> None:
    if update_fields is not None and _DECISIVE.isdisjoint(update_fields):
        return
    before = Token.objects.filter(pk=instance.pk, intent=Token.Intent.APP_PASSWORD).values_list("key_hash", flat=True)
    ended = set(before)
    if instance.intent == Token.Intent.APP_PASSWORD:
        ended.add(instance.key_hash)  # a new one too: it may have been tried before, and found wrong
    events.sessions_ended(sorted(ended))


def _deleted(sender: type, *, instance: Token, **_: object) -> None:
    if instance.intent == Token.Intent.APP_PASSWORD:
        events.session_ended(instance.key_hash)


def _trust_ended(sender: type, *, user: User, **_: object) -> None:
    _end_of([user])


def _rights_changed(sender: type, *, users: Iterable[User], **_: object) -> None:
    _end_of(users)


def _access_changed(sender: type, **_: object) -> None:
    events.session_ended(ANY)


def _end_of(users: Iterable[User]) -> None:
    own = Token.objects.filter(user__in=list(users), intent=Token.Intent.APP_PASSWORD)
    events.sessions_ended([ANY, *own.values_list("key_hash", flat=True)])


def listen() -> None:
    """Connect to the rooms below; called once, when Django has started."""
    pre_save.connect(_saving, sender=Token, dispatch_uid="outposts.credentials.saving")
    post_delete.connect(_deleted, sender=Token, dispatch_uid="outposts.credentials.deleted")
    trust_ended.connect(_trust_ended, dispatch_uid="outposts.credentials.trust")
    rights_changed.connect(_rights_changed, dispatch_uid="outposts.credentials.rights")
    access_changed.connect(_access_changed, dispatch_uid="outposts.credentials.access")
