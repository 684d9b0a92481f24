"""Writes about brands: each one transaction with one event."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from doorward.identity.brands import colours, pictures
from doorward.identity.brands.look import THEMES, setting
from doorward.identity.brands.models import Brand
from doorward.identity.directory.errors import Refused
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.languages.supported import LANGUAGES

LONGEST_TITLE = 100
_DOMAIN = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62}\.?)*", re.ASCII)


def create_brand(actor: Actor, *, domain: str, **fields: Any) -> Brand:
    """Raises ValidationError."""
    brand = Brand(domain=domain, **fields)
    with transaction.atomic():
        _validate(brand)
        brand.save(force_insert=True)
        _hand_over_default(actor, brand)
        events.created(actor, brand)
    return brand


def update_brand(actor: Actor, brand: Brand, **changes: Any) -> Brand:
    """Making it the default takes that from the brand that was. Raises ValidationError; Refused for taking away the
    default without naming another."""
    with transaction.atomic():
        before = events.snapshot(brand)
        for name, value in changes.items():
            setattr(brand, name, value)
        _validate(brand)
        brand.save()
        _hand_over_default(actor, brand)
        events.updated(actor, brand, before)
        pictures.forget_unused()
    return brand


def delete_brand(actor: Actor, brand: Brand) -> None:
    """Raises Refused for the default brand: something must be drawn where no other is meant."""
    if brand.default:
        raise Refused(_("The default brand cannot be deleted."))
    with transaction.atomic():
        events.deleted(actor, brand)
        brand.delete()
        pictures.forget_unused()


def _hand_over_default(actor: Actor, brand: Brand) -> None:
    if brand.default:
        for former in Brand.objects.filter(default=True).exclude(pk=brand.pk):
            before = events.snapshot(former)
            former.default = False
            former.save(update_fields=["default"])
            events.updated(actor, former, before)


def _validate(brand: Brand) -> None:
    brand.domain = brand.domain.strip().lower().rstrip(".")
    brand.branding_title = brand.branding_title.strip()
    _require_own_columns(brand)
    for field in ("branding_logo", "branding_favicon"):
        pictures.require_address(field, getattr(brand, field))
    _require_settings(brand)
    absent = {field.name for field in _columns(brand) if field.null and field.value_from_object(brand) is None}
    brand.full_clean(exclude=absent)


def _columns(brand: Model) -> Any:
    return brand._meta.concrete_fields


def _require_own_columns(brand: Brand) -> None:
    if len(brand.domain) > 253 or not _DOMAIN.fullmatch(brand.domain):
        raise ValidationError({"domain": [_("A host name, or the end of one: example.com stands for all below it.")]})
    if Brand.objects.filter(domain__iexact=brand.domain).exclude(pk=brand.pk).exists():
        raise ValidationError({"domain": [_("There is a brand for this domain already.")]})
    if not brand.branding_title or len(brand.branding_title) > LONGEST_TITLE or not brand.branding_title.isprintable():
        raise ValidationError({"branding_title": [_("Between one and %(n)s characters.") % {"n": LONGEST_TITLE}]})


def _require_settings(brand: Brand) -> None:
    """What the pages read out of the attributes must be something that they can show; the rest is the operator's."""
    if not isinstance(brand.attributes, dict):
        raise ValidationError({"attributes": [_("Attributes are a JSON object.")]})
    base, locale = setting(brand, "theme", "base"), setting(brand, "locale")
    if base and base not in THEMES:
        raise ValidationError({"attributes": [_("The theme is automatic, light or dark.")]})
    if locale and locale.lower() not in dict(LANGUAGES):
        raise ValidationError({"attributes": [_("This language is not among those that are spoken here.")]})
    accent, dark = setting(brand, "theme", "accent"), setting(brand, "theme", "accent_dark")
    if accent or dark:
        try:
            colours.palette(accent, dark)
        except ValidationError as error:
            raise ValidationError({"attributes": error.messages}) from error
