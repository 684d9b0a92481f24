"""Sets up, changes and removes LDAP sources, and has one copied now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.chores import runner
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.sources.ldap import chores
from doorward.identity.sources.ldap.models import LDAPSource, Sync
from doorward.identity.sources.ldap.places import NotAsked, places_of
from doorward.identity.sources.writing import write

_SAME_SERVER = ("server_uri", "start_tls", "peer_certificate", "bind_cn")


def create(actor: Actor, fields: Mapping[str, Any]) -> LDAPSource:
    """Raises ValidationError."""
    return write(actor, LDAPSource(), fields, _validate, fresh=True)


def update(actor: Actor, source: LDAPSource, changes: Mapping[str, Any]) -> LDAPSource:
    """Raises ValidationError; also where another server would be sent the password that was meant for this one."""
    moved = any(name in changes and changes[name] != getattr(source, name) for name in _SAME_SERVER)
    if moved and source.sealed_bind_password and not changes.get("bind_password"):
        raise ValidationError({"bind_password": [_("Enter the password again when server or name change.")]})
    return write(actor, source, changes, _validate, fresh=False)


def delete(actor: Actor, source: LDAPSource) -> None:
    """Its users and groups stay; nobody logs in with a password of this directory any more (S-526)."""
    with transaction.atomic():
        events.deleted(actor, source)
        source.delete()


def want_sync(actor: Actor, source: LDAPSource) -> None:
    """Copy it as soon as possible."""
    with transaction.atomic():
        Sync.objects.update_or_create(source=source, defaults={"wanted": timezone.now()})
        events.record("system_task_execution", "authentik.sources.ldap", actor, source=source, message="Sync wanted")
        transaction.on_commit(lambda: runner.wake(chores.NAME))


def _validate(source: LDAPSource) -> None:
    try:
        places_of(source.server_uri)
    except NotAsked as error:
        raise ValidationError({"server_uri": [str(error)]}) from error
    for name in ("user_object_filter", "group_object_filter"):
        condition = getattr(source, name)
        if not _is_balanced(condition):
            raise ValidationError({name: [_("A filter is in brackets, such as (objectClass=person).")]})
    for name in ("group_membership_field", "user_membership_attribute", "object_uniqueness_field"):
        if not getattr(source, name).replace("-", "").replace(";", "").isalnum():
            raise ValidationError({name: [_("This is no name of an attribute.")]})
    nullable = {
        field.name for field in source._meta.concrete_fields if field.null and field.value_from_object(source) is None
    }
    source.full_clean(exclude=nullable)


def _is_balanced(condition: str) -> bool:
    depth = 0
    for position, character in enumerate(condition):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0 or (depth == 0 and position < len(condition) - 1):
            return False
    return condition.startswith("(") and depth == 0
