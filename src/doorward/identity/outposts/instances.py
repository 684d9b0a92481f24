"""The writes about outposts; ``outposts.actions`` is the face through which other rooms call them."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity import durations
from doorward.identity.applications.models import Provider
from doorward.identity.directory import names
from doorward.identity.directory.actions import create_token, create_user, delete_user
from doorward.identity.directory.models import Token, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.outposts import revocation
from doorward.identity.outposts.collisions import refuse_two
from doorward.identity.outposts.models import EMBEDDED, Outpost

_EDITABLE = frozenset({"name", "config"})


def ensure_embedded(actor: Actor) -> Outpost:
    """The outpost of this program, made if it is missing."""
    found = Outpost.objects.filter(managed=EMBEDDED).first()
    if found is not None:
        return found
    outpost = Outpost(name="authentik Embedded Outpost", managed=EMBEDDED)
    with transaction.atomic():
        outpost.save(force_insert=True)
        events.created(actor, outpost)
        events.outposts_changed()
    return outpost


def create_outpost(
    actor: Actor, *, name: str, providers: Iterable[Provider], config: dict[str, object] | None = None
) -> Outpost:
    """Create an outpost that runs elsewhere, with its service account and token. Raises ValidationError."""
    chosen = list(providers)
    if not chosen:
        raise ValidationError({"providers": [_("This list may not be empty.")]})
    outpost = Outpost(name=name, config=config or {})
    with transaction.atomic():
        _validate(outpost, chosen)
        refuse_two(chosen)
        outpost.save(force_insert=True)
        outpost.providers.set(_bases(chosen))
        user = create_user(
            Actor.system(),
            username=f"ak-outpost-{outpost.pk.hex}",
            name=f"Outpost {name} Service-Account",
            path="goauthentik.io/outposts",
            type=User.Type.INTERNAL_SERVICE_ACCOUNT,
        )
        create_token(
            Actor.system(),
            user=user,
            identifier=token_identifier(outpost),
            intent=Token.Intent.API,
            expiring=False,
            managed=f"goauthentik.io/outpost/{token_identifier(outpost)}",
        )
        events.created(actor, outpost)
        events.outposts_changed()
    return outpost


def update_outpost(
    actor: Actor, outpost: Outpost, *, providers: Iterable[Provider] | None = None, **changes: object
) -> Outpost:
    """Change an outpost; the embedded one keeps its name. Raises ValidationError."""
    if unknown := changes.keys() - _EDITABLE:
        raise TypeError(f"an outpost has no {', '.join(sorted(unknown))}")
    with transaction.atomic():
        before = events.snapshot(outpost)
        for field, value in changes.items():
            setattr(outpost, field, value)
        if outpost.managed == EMBEDDED and outpost.name != before["name"]:
            raise ValidationError({"name": [_("Embedded outpost's name cannot be changed")]})
        former = list(outpost.providers.all())
        wanted = former if providers is None else list(providers)
        _validate(outpost, wanted)
        if providers is not None:
            refuse_two(wanted)
        if not wanted and outpost.managed != EMBEDDED:
            raise ValidationError({"providers": [_("This list may not be empty.")]})
        outpost.save()
        outpost.providers.set(_bases(wanted))
        if events.updated(actor, outpost, before, providers=(_names(former), _names(wanted))):
            kept = {provider.pk for provider in wanted}
            for provider in former:
                if provider.pk not in kept and not provider.outposts.exists():
                    revocation.end_proxy_sessions_of_provider(provider.pk)
            events.outposts_changed()
    return outpost


def assign(actor: Actor, outpost: Outpost, providers: Iterable[Provider]) -> Outpost:
    """Let ``outpost`` serve exactly these providers. Raises ValidationError."""
    return update_outpost(actor, outpost, providers=providers)


def delete_outpost(actor: Actor, outpost: Outpost) -> None:
    """Delete an outpost and its service account. Raises ValidationError for the embedded one."""
    if outpost.managed == EMBEDDED:
        raise ValidationError({"non_field_errors": [_("The embedded outpost cannot be deleted.")]})
    with transaction.atomic():
        served = list(outpost.providers.all())
        events.deleted(actor, outpost)
        account = User.objects.filter(username=f"ak-outpost-{outpost.pk.hex}").first()
        outpost.delete()
        if account is not None:
            delete_user(Actor.system(), account)
        for provider in served:
            if not provider.outposts.exists():
                revocation.end_proxy_sessions_of_provider(provider.pk)
        events.outposts_changed()


def token_identifier(outpost: Outpost) -> str:
    """Identifier of the token with which the outpost asks for its configuration."""
    return f"ak-outpost-{outpost.pk}-api"


def _validate(outpost: Outpost, providers: list[Provider]) -> None:
    names.require_plain(outpost.name, "name")
    names.require_storable(outpost.config, "config")
    if not isinstance(outpost.config, dict):
        raise ValidationError({"config": [_("The configuration is a JSON object.")]})
    interval = outpost.config.get("refresh_interval")
    if interval is not None:
        try:
            durations.parse(interval if isinstance(interval, str) else "")
        except ValidationError as error:
            raise ValidationError({"config": error.messages}) from error
    if any(provider.kind != "proxy" for provider in providers):
        raise ValidationError({"providers": [_("A proxy outpost serves proxy providers only.")]})
    outpost.full_clean()


def _bases(providers: list[Provider]) -> list[Provider]:
    return list(Provider.objects.filter(pk__in=[provider.pk for provider in providers]))


def _names(providers: list[Provider]) -> list[str]:
    return sorted(provider.name for provider in providers)
