"""Sets up, changes and removes OAuth sources. Their URLs may lead into this network: only superusers write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.egress import client, documents
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.sources import icons
from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth.presets import BY_NAME

URLS = ("authorization_url", "access_token_url", "profile_url", "oidc_well_known_url", "oidc_jwks_url")
_SAME_SERVER = ("provider_type", "access_token_url", "oidc_well_known_url", "consumer_key")
_MANY = frozenset({"user_property_mappings", "group_property_mappings"})


def create(actor: Actor, fields: Mapping[str, Any]) -> OAuthSource:
    """Raises ValidationError. What the provider's type knows better than the defaults is taken from it."""
    preset = BY_NAME.get(str(fields.get("provider_type", "")))
    usual = preset.usual() if preset is not None else {}
    return _write(actor, OAuthSource(), {**usual, **fields}, fresh=True)


def update(actor: Actor, source: OAuthSource, changes: Mapping[str, Any]) -> OAuthSource:
    """Raises ValidationError; also where another server would be sent the secret that was meant for this one."""
    moved = any(name in changes and changes[name] != getattr(source, name) for name in _SAME_SERVER)
    if moved and source.sealed_consumer_secret and not changes.get("consumer_secret"):
        raise ValidationError({"consumer_secret": [_("Enter the secret again when server or key change.")]})
    return _write(actor, source, changes, fresh=False)


def delete(actor: Actor, source: OAuthSource) -> None:
    """Its users stay; nobody logs in through it any more (S-526)."""
    with transaction.atomic():
        events.deleted(actor, source)
        source.delete()


def _write(actor: Actor, source: OAuthSource, fields: Mapping[str, Any], *, fresh: bool) -> OAuthSource:
    with transaction.atomic():
        before = {} if fresh else events.snapshot(source)
        for name, value in fields.items():
            if name not in _MANY:
                setattr(source, name, value)
        _validate(source)
        source.save()
        more = {}
        for name in _MANY & fields.keys():
            related = getattr(source, name)
            former = sorted(map(str, related.all()))
            related.set(fields[name])
            more[name] = (former, sorted(map(str, related.all())))
        if fresh:
            events.created(actor, source)
        else:
            events.updated(actor, source, before, **more)
    documents.forget()  # whatever was believed before, the new settings are tried at once
    return source


def _validate(source: OAuthSource) -> None:
    icons.require_address("icon", source.icon)
    for name in URLS:
        if url := getattr(source, name):
            try:
                client.check(url, private=True)
            except client.Refused as error:
                raise ValidationError({name: [str(error)]}) from error
    preset = BY_NAME[source.provider_type]
    if not (source.oidc_well_known_url or preset.well_known_url) and not all(
        getattr(source, name) or usual
        for name, usual in (
            ("authorization_url", preset.authorization_url),
            ("access_token_url", preset.exchange_url),
            ("profile_url", preset.profile_url),
        )
    ):
        raise ValidationError(
            {"oidc_well_known_url": [_("Write the well-known URL, or those of authorization, token and profile.")]}
        )
