"""Create, change and delete the entitlements of an application. Who has one is bound by ``policies.actions``."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from doorward.identity.applications.models import Application, Entitlement
from doorward.identity.directory import names
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.policies.notices import access_changed

SEPARATOR = "|"
"""Between the names in the header that applications read (``contracts/outpost.md``)."""


def create_entitlement(
    actor: Actor, application: Application, *, name: str, attributes: dict[str, object] | None = None
) -> Entitlement:
    """Nobody has it until somebody is bound to it. Raises ValidationError."""
    with transaction.atomic():
        entitlement = Entitlement(app=application, name=name, attributes=attributes or {})
        _validate(entitlement)
        entitlement.save(force_insert=True)
        events.created(actor, entitlement)
    return entitlement


def update_entitlement(actor: Actor, entitlement: Entitlement, **changes: object) -> Entitlement:
    """Change ``name`` or ``attributes``. Raises ValidationError."""
    if unknown := changes.keys() - {"name", "attributes"}:
        raise TypeError(f"an entitlement has no {', '.join(sorted(unknown))} to change")
    with transaction.atomic():
        before = events.snapshot(entitlement)
        for field, value in changes.items():
            setattr(entitlement, field, value)
        _validate(entitlement)
        entitlement.save()
        if events.updated(actor, entitlement, before) and before["name"] != entitlement.name:
            access_changed.send(Entitlement, target=entitlement)
    return entitlement


def delete_entitlement(actor: Actor, entitlement: Entitlement) -> None:
    """Whoever had it has it no longer, at once."""
    with transaction.atomic():
        events.deleted(actor, entitlement)
        access_changed.send(Entitlement, target=entitlement)
        entitlement.delete()


def _validate(entitlement: Entitlement) -> None:
    names.require_plain(entitlement.name, "name")
    if entitlement.name != entitlement.name.strip():
        raise ValidationError({"name": ["A name neither begins nor ends with a blank."]})
    if SEPARATOR in entitlement.name:
        raise ValidationError({"name": [f"“{SEPARATOR}” stands between names in the header, so none may contain it."]})
    if not isinstance(entitlement.attributes, dict):
        raise ValidationError({"attributes": ["An object is expected."]})
    names.require_storable(entitlement.attributes, "attributes")
    entitlement.full_clean()
