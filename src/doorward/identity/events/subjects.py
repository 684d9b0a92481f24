"""How an event names the object that it is about: authentik's words, so that existing filters keep working."""

from __future__ import annotations

from django.db.models import Model

_APP_LABELS = {
    "directory": "authentik_core",
    "roles": "authentik_rbac",
    "applications": "authentik_core",
    "access_requests": "doorward_access",
    "logins": "authentik_core",
    "policies": "authentik_policies",
    "flows": "authentik_flows",
    "stages": "authentik_stages",
    "brands": "authentik_brands",
    "system": "authentik_tenants",
    "notifications": "authentik_events",
    "crypto": "authentik_crypto",
    "oauth2": "authentik_providers_oauth2",
    "outposts": "authentik_outposts",
    "blueprints": "authentik_blueprints",
    "sources": "authentik_core",
    "sources_ldap": "authentik_sources_ldap",
    "sources_saml": "authentik_sources_saml",
}
_MODEL_LABELS = {
    "proxyprovider": ("authentik_providers_proxy", "proxyprovider"),
    "loginsession": ("authentik_core", "authenticatedsession"),
    "totpdevice": ("authentik_stages_authenticator_totp", "totpdevice"),
    "staticdevice": ("authentik_stages_authenticator_static", "staticdevice"),
    "webauthndevice": ("authentik_stages_authenticator_webauthn", "webauthndevice"),
    "emaildevice": ("authentik_stages_authenticator_email", "emaildevice"),
    "oauthsource": ("authentik_sources_oauth", "oauthsource"),
    "entitlement": ("authentik_core", "applicationentitlement"),
    "rule": ("authentik_events", "notificationrule"),
    "transport": ("authentik_events", "notificationtransport"),
    "webhookmapping": ("authentik_events", "notificationwebhookmapping"),
    "systemsettings": ("authentik_tenants", "settings"),
    "reputation": ("authentik_policies_reputation", "reputation"),
    "remembereddevice": ("authentik_stages_authenticator_validate", "remembereddevice"),
}


def labels(model: type[Model]) -> tuple[str, str]:
    """The application label and the model name under which the world knows ``model``."""
    name = model._meta.model_name or ""
    return _MODEL_LABELS.get(name) or (_APP_LABELS.get(model._meta.app_label, model._meta.app_label), name)


def describe(instance: Model) -> dict[str, str]:
    """``app``, ``model_name``, ``name`` and ``pk`` of an object."""
    app, model_name = labels(type(instance))
    pk = instance.pk.hex if hasattr(instance.pk, "hex") and not isinstance(instance.pk, float) else instance.pk
    return {"app": app, "model_name": model_name, "name": str(instance)[:200], "pk": str(pk)}


def module(model: type[Model]) -> str:
    """An event's ``app`` for ``model``: ``authentik.providers.proxy`` for ``authentik_providers_proxy``."""
    return labels(model)[0].replace("_", ".", 2)
