"""Create, change and delete applications."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.applications.launch import NO_TILE, is_web_url
from doorward.identity.applications.models import Application, Provider
from doorward.identity.applications.notices import application_changed, provider_given
from doorward.identity.directory import names
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.policies.models import PolicyTarget
from doorward.identity.policies.notices import access_changed

RESERVED_SLUGS = frozenset({"authorize", "token", "device", "userinfo", "introspect", "revoke", "par", "register"})
"""Path segments beside ``/application/o/<slug>/``."""
_EDITABLE = frozenset(
    {
        "name",
        "slug",
        "group",
        "provider",
        "policy_engine_mode",
        "open_in_new_tab",
        "meta_launch_url",
        "meta_icon",
        "meta_description",
        "meta_publisher",
        "meta_hide",
    }
)


def create_application(
    actor: Actor, *, name: str, slug: str, provider: Provider | None = None, **fields: object
) -> Application:
    """Create an application; until something is bound to it everybody may enter. Raises ValidationError."""
    _refuse_unknown(fields)
    application = Application(name=name, slug=slug, provider=_base(provider))
    for field, value in fields.items():
        setattr(application, field, value)
    with transaction.atomic():
        if application.provider is not None:
            provider_given.send(Application, actor=actor, provider=application.provider)
        _validate(application)
        application.save(force_insert=True)
        events.created(actor, application)
        application_changed.send(Application, application=application, severed=None)
    return application


def update_application(actor: Actor, application: Application, **changes: object) -> Application:
    """Change an application. Raises ValidationError."""
    _refuse_unknown(changes)
    with transaction.atomic():
        before, former = events.snapshot(application), application.provider
        for field, value in changes.items():
            setattr(application, field, _base(value) if isinstance(value, Provider) else value)
        if application.provider != former:
            for provider in filter(None, (former, application.provider)):
                provider_given.send(Application, actor=actor, provider=provider)
        _validate(application)
        application.save()
        if events.updated(actor, application, before):
            # The slug is part of the issuer: what was issued under the old one no longer verifies.
            moved = before["provider_id"] != application.provider_id or before["slug"] != application.slug
            severed = before["provider_id"] if moved else None
            application_changed.send(Application, application=application, severed=severed)
            if before["policy_engine_mode"] != application.policy_engine_mode:
                access_changed.send(PolicyTarget, target=application)
    return application


def delete_application(actor: Actor, application: Application) -> None:
    """Delete an application; its provider stays, and serves nobody until another application has it."""
    with transaction.atomic():
        events.deleted(actor, application)
        application_changed.send(Application, application=application, severed=application.provider_id)
        application.delete()


def _base(provider: Provider | None) -> Provider | None:
    if provider is None or type(provider) is Provider:
        return provider
    return Provider.objects.get(pk=provider.pk)


def _validate(application: Application) -> None:
    names.require_plain(application.name, "name")
    for field in ("group", "meta_icon", "meta_description", "meta_publisher"):
        names.require_storable(getattr(application, field), field)
    if application.slug in RESERVED_SLUGS:
        raise ValidationError(
            {"slug": [_("The slug '%(slug)s' is reserved and cannot be used.") % {"slug": application.slug}]}
        )
    url = application.meta_launch_url
    if url and url != NO_TILE and not is_web_url(url):
        raise ValidationError({"meta_launch_url": [_("An http:// or https:// URL.")]})
    application.full_clean()


def _refuse_unknown(fields: dict[str, object]) -> None:
    if unknown := fields.keys() - _EDITABLE:
        raise TypeError(f"an application has no {', '.join(sorted(unknown))}")
