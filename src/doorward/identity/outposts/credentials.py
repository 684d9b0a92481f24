"""Tell the data plane when the credentials of programs are no longer what they were (S-321).

An outpost remembers for some seconds whom an app password or an access token belongs to. It names what it remembers,
and the connections that were opened with it, by the secret's SHA-256, which is also how we keep secrets. So the end of
a credential is told exactly like the end of a session, and cuts the same things. What changes something about a person
or an application ends no credential by itself: then the outposts ask again about those who have something open; so
they do when a source, or who is connected to it, changes, whose issuer's tokens open an application.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from doorward.identity.directory.models import Token, User
from doorward.identity.directory.notices import rights_changed, trust_ended
from doorward.identity.events import actions as events
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.policies.notices import access_changed
from doorward.identity.sources.models import OAuthSource, UserSourceConnection
from doorward.messages.sessions import CREDENTIALS_DIFFER, PROGRAMS_IN_DOUBT

DIFFER, IN_DOUBT = CREDENTIALS_DIFFER.hex(), PROGRAMS_IN_DOUBT.hex()
_DECISIVE = ("key_hash", "intent", "user_id", "expires", "expiring")
_WRITTEN_AS = frozenset({*_DECISIVE, "user"})


def _saving(sender: type, *, instance: Token, update_fields: Iterable[str] | None, **_: object) -> None:
    if update_fields is not None and _WRITTEN_AS.isdisjoint(update_fields):
        return
    before = Token.objects.filter(pk=instance.pk).first()
    if before is not None and all(getattr(before, name) == getattr(instance, name) for name in _DECISIVE):
        return
    if before is not None and before.intent == Token.Intent.APP_PASSWORD:
        events.session_ended(before.key_hash)
    if instance.intent == Token.Intent.APP_PASSWORD:
        events.session_ended(DIFFER)  # it may have been tried before, and found wrong


def _deleted(sender: type, *, instance: Token, **_: object) -> None:
    if instance.intent == Token.Intent.APP_PASSWORD:
        events.session_ended(instance.key_hash)


def _trust_ended(sender: type, *, user: User, **_: object) -> None:
    own = Token.objects.filter(user=user, intent=Token.Intent.APP_PASSWORD)
    ended = () if user.is_active else own.values_list("key_hash", flat=True)  # those of the deleted go with them
    events.sessions_ended([IN_DOUBT, *ended])


def _changed(sender: type, **_: object) -> None:
    events.session_ended(IN_DOUBT)


def _source_changed(sender: type, *, instance: OAuthSource, **_: object) -> None:
    if _is_trusted(instance.pk):
        events.outposts_changed()
        events.session_ended(IN_DOUBT)


def _connection_changed(sender: type, *, instance: UserSourceConnection, **_: object) -> None:
    if _is_trusted(instance.source_id):
        events.session_ended(IN_DOUBT)


def _is_trusted(source: UUID) -> bool:
    return ProxyProvider.objects.filter(jwt_federation_sources=source).exists()


def listen() -> None:
    """Connect to the rooms below; called once, when Django has started."""
    pre_save.connect(_saving, sender=Token, dispatch_uid="outposts.credentials.saving")
    post_delete.connect(_deleted, sender=Token, dispatch_uid="outposts.credentials.deleted")
    trust_ended.connect(_trust_ended, dispatch_uid="outposts.credentials.trust")
    rights_changed.connect(_changed, dispatch_uid="outposts.credentials.rights")
    access_changed.connect(_changed, dispatch_uid="outposts.credentials.access")
    post_save.connect(_source_changed, sender=OAuthSource, dispatch_uid="outposts.credentials.source")
    pre_delete.connect(_source_changed, sender=OAuthSource, dispatch_uid="outposts.credentials.source_leaving")
    for signal, when in ((post_save, "made"), (post_delete, "ended")):
        signal.connect(
            _connection_changed, sender=UserSourceConnection, dispatch_uid=f"outposts.credentials.connection_{when}"
        )
