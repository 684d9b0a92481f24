"""The writes about proxy providers; ``outposts.actions`` is the face through which other rooms call them.

What is forced on every save (``contracts/identity.md`` section 4.4): confidential, claims in the ID token, redirect
URIs computed from the outside URL, the scopes that the outpost needs. Unlike the original there is always a signing
key, so that applications can verify ``X-authentik-jwt``.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity import durations
from doorward.identity.applications.models import Application, Provider
from doorward.identity.crypto.queries import signing_key
from doorward.identity.directory import names
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2 import federation
from doorward.identity.oauth2.models import OAuth2Provider, ScopeMapping
from doorward.identity.oauth2.scopes import OFFLINE_ACCESS
from doorward.identity.outposts import external_host as hosts
from doorward.identity.outposts import internal_host as inside
from doorward.identity.outposts import open_paths, revocation, step_up
from doorward.identity.outposts.collisions import refuse_second
from doorward.identity.outposts.credentials import IN_DOUBT
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.sources.models import OAuthSource

DEFAULT_VALIDITY = "hours=24"
SCOPES = ("openid", "profile", "email", "entitlements", "ak_proxy")
"""What every outpost asks for."""
_EDITABLE = frozenset(
    {
        "name",
        "external_host",
        "internal_host",
        "internal_host_ssl_validation",
        "mode",
        "cookie_domain",
        "skip_path_regex",
        "step_up_rules",
        "step_up_flow",
        "intercept_header_auth",
        "basic_auth_enabled",
        "basic_auth_user_attribute",
        "basic_auth_password_attribute",
        "redirect_everything",
        "skip_preflight",
        "keep_posts",
        "cookie_prefix",
        "idle_limit",
        "access_token_validity",
        "refresh_token_validity",
        "authentication_flow",
        "authorization_flow",
        "invalidation_flow",
    }
)
_SEALED = frozenset({"sealed_client_secret", "sealed_cookie_secret"})
"""Made by the first save."""
_ENDS_SESSIONS = frozenset({"external_host", "mode", "cookie_domain", "cookie_prefix", "access_token_validity"})
"""After a change of one of these the sessions that exist are not what a new login would make."""


def create_proxy_provider(
    actor: Actor,
    *,
    name: str,
    external_host: str,
    authorization_flow: Flow,
    invalidation_flow: Flow,
    mode: str = ProxyProvider.Mode.PROXY,
    scope_mappings: Iterable[ScopeMapping] = (),
    renew_sessions: bool | None = None,
    jwt_federation_providers: Iterable[OAuth2Provider] = (),
    jwt_federation_sources: Iterable[OAuthSource] = (),
    **fields: object,
) -> ProxyProvider:
    """Create a proxy provider. It serves once an application and an outpost have it. Raises ValidationError.

    ``renew_sessions``: with the scope ``offline_access`` or without; None: as ``scope_mappings`` say.
    """
    _refuse_unknown(fields)
    provider = ProxyProvider(
        name=name,
        external_host=external_host,
        authorization_flow=authorization_flow,
        invalidation_flow=invalidation_flow,
        mode=mode,
        access_token_validity=DEFAULT_VALIDITY,
    )
    for field, value in fields.items():
        setattr(provider, field, value)
    with transaction.atomic():
        _force(provider)
        provider.full_clean(exclude=_SEALED)
        provider.save(force_insert=True)
        provider.scope_mappings.set(_scopes(scope_mappings, renew_sessions))
        provider.jwt_federation_providers.set(jwt_federation_providers)
        provider.jwt_federation_sources.set(federation.usable(jwt_federation_sources))
        events.created(actor, provider)
        _warn_of_domain(actor, provider)
        _warn_of_open_paths(actor, provider)
        events.outposts_changed()
    return provider


def update_proxy_provider(
    actor: Actor,
    provider: ProxyProvider,
    *,
    scope_mappings: Iterable[ScopeMapping] | None = None,
    renew_sessions: bool | None = None,
    jwt_federation_providers: Iterable[OAuth2Provider] | None = None,
    jwt_federation_sources: Iterable[OAuthSource] | None = None,
    **changes: object,
) -> ProxyProvider:
    """Change a proxy provider; validated as a whole, whichever fields are given. Raises ValidationError.

    ``renew_sessions``: with the scope ``offline_access`` or without from now on; None: as it is.
    """
    _refuse_unknown(changes)
    with transaction.atomic():
        before = events.snapshot(provider)
        for field, value in changes.items():
            setattr(provider, field, value)
        _force(provider)
        if provider.outposts.exists() and Application.objects.filter(provider_id=provider.pk).exists():
            refuse_second(provider.external_host, provider.mode, provider.cookie_domain, but=provider.pk)
        provider.full_clean(exclude=_SEALED)
        provider.save()
        former = sorted(provider.scope_mappings.values_list("name", flat=True))
        wanted = list(provider.scope_mappings.all()) if scope_mappings is None else list(scope_mappings)
        provider.scope_mappings.set(_scopes(wanted, renew_sessions))
        now = sorted(provider.scope_mappings.values_list("name", flat=True))
        trusted_before = _names(provider)
        if jwt_federation_providers is not None:
            provider.jwt_federation_providers.set(jwt_federation_providers)
        trusted = (trusted_before, _names(provider))
        sources_before = federation.names(provider)
        if jwt_federation_sources is not None:
            provider.jwt_federation_sources.set(federation.usable(jwt_federation_sources))
        sources = (sources_before, federation.names(provider))
        if events.updated(
            actor,
            provider,
            before,
            scope_mappings=(former, now),
            jwt_federation_providers=trusted,
            jwt_federation_sources=sources,
        ):
            if sources_before != sources[1] or trusted[0] != trusted[1]:
                events.session_ended(IN_DOUBT)
            if former != now or any(before[field] != getattr(provider, field) for field in _ENDS_SESSIONS):
                revocation.end_sessions_of_provider(provider.pk)
            if any(before[field] != getattr(provider, field) for field in ("mode", "cookie_domain")):
                _warn_of_domain(actor, provider)
            if before["skip_path_regex"] != provider.skip_path_regex:
                _warn_of_open_paths(actor, provider)
            events.outposts_changed()
    return provider


def delete_provider(actor: Actor, provider: Provider) -> None:
    """Delete a provider of any kind with the sessions and tokens made through it; its application stays."""
    with transaction.atomic():
        concrete = provider.concrete()
        revocation.end_sessions_of_provider(concrete.pk)
        events.deleted(actor, concrete)
        concrete.delete()
        events.outposts_changed()


def _force(provider: ProxyProvider) -> None:
    names.require_plain(provider.name, "name")
    provider.external_host = hosts.normalised(provider.external_host)
    provider.redirect_uris = hosts.redirect_uris(provider.external_host)
    provider.client_type = OAuth2Provider.ClientType.CONFIDENTIAL
    provider.include_claims_in_id_token = True
    if provider.signing_key is None:
        provider.signing_key = signing_key()
    if provider.mode == ProxyProvider.Mode.PROXY and not provider.internal_host:
        raise ValidationError({"internal_host": [_("Internal host cannot be empty when forward auth is disabled.")]})
    if provider.internal_host:
        provider.internal_host = inside.normalised(provider.internal_host, provider.external_host)
    if provider.basic_auth_enabled and not (
        provider.basic_auth_user_attribute and provider.basic_auth_password_attribute
    ):
        text = "User and password attributes must be set when basic auth is enabled."
        raise ValidationError({"basic_auth_enabled": [text]})
    if provider.mode == ProxyProvider.Mode.FORWARD_DOMAIN:
        _require_domain(provider)
    _require_prefix(provider)
    _require_durations(provider)
    open_paths.require_usable(provider.skip_path_regex)
    open_paths.require_meant(provider)
    provider.step_up_rules = step_up.normalised(provider.step_up_rules)


def _require_domain(provider: ProxyProvider) -> None:
    if not hosts.covers(provider.cookie_domain, provider.external_host):
        raise ValidationError({"cookie_domain": [_("The external host does not lie under this domain.")]})
    if not hosts.is_kept_by_browsers(provider.cookie_domain):
        raise ValidationError(
            {"cookie_domain": [_("A domain of at least two parts: browsers keep no cookie for this.")]}
        )


def _require_prefix(provider: ProxyProvider) -> None:
    """Browsers do not keep a cookie that is not what its name says: every login would go in circles."""
    if provider.cookie_prefix and not provider.external_host.startswith("https://"):
        text = "Browsers keep such a cookie only where the outside URL begins with https."
        raise ValidationError({"cookie_prefix": [text]})
    if provider.cookie_prefix == ProxyProvider.CookiePrefix.HOST and provider.domain:
        text = "A __Host- cookie belongs to one host: with a login for a whole domain only __Secure- can be used."
        raise ValidationError({"cookie_prefix": [text]})


def _warn_of_domain(actor: Actor, provider: ProxyProvider) -> None:
    """Every host under the domain is sent the session cookie, also one that no proxy of ours stands before (S-341)."""
    if provider.mode == ProxyProvider.Mode.FORWARD_DOMAIN:
        events.record(
            "configuration_warning",
            "authentik.providers.proxy",
            actor,
            message=f"All hosts under {provider.cookie_domain} receive the session cookie of “{provider.name}”: "
            "whoever controls one of them can act as its visitors at the others",
            provider=provider,
        )


def _warn_of_open_paths(actor: Actor, provider: ProxyProvider) -> None:
    """A rule that opens more than it seems to works, and is not silent (S-211)."""
    for doubt in open_paths.doubts(provider):
        events.record(
            "configuration_warning",
            "authentik.providers.proxy",
            actor,
            message=f"Unauthenticated paths of “{provider.name}”: {doubt}",
            provider=provider,
        )


def _require_durations(provider: ProxyProvider) -> None:
    for field in ("access_token_validity", "refresh_token_validity", "idle_limit"):
        try:
            length = durations.parse(getattr(provider, field))
        except ValidationError as error:
            raise ValidationError({field: error.messages}) from error
        if not length and field != "idle_limit":
            raise ValidationError({field: [_("Longer than nothing.")]})


def _names(provider: ProxyProvider) -> list[str]:
    return sorted(provider.jwt_federation_providers.values_list("name", flat=True))


def _scopes(wanted: Iterable[ScopeMapping], renew_sessions: bool | None) -> list[ScopeMapping]:
    """``wanted`` and what every outpost needs; with or without what gets it refresh tokens, where that is said."""
    needed = [*SCOPES, OFFLINE_ACCESS] if renew_sessions else SCOPES
    kept = [mapping for mapping in wanted if renew_sessions is not False or mapping.scope_name != OFFLINE_ACCESS]
    return [*kept, *ScopeMapping.objects.filter(scope_name__in=needed, managed__isnull=False)]


def _refuse_unknown(fields: dict[str, object]) -> None:
    if unknown := fields.keys() - _EDITABLE:
        raise TypeError(f"a proxy provider has no {', '.join(sorted(unknown))}")
