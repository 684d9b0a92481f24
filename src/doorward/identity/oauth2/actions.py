"""The writes about OAuth2 providers and what was issued to them: one transaction, one event."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity import durations
from doorward.identity.applications.models import Application, Consent
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.directory.models import User
from doorward.identity.directory.notices import user_written
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2 import federation, live, logout_uris
from doorward.identity.oauth2.models import (
    AuthorizationCode,
    IssuedToken,
    OAuth2Provider,
    RetiringKey,
    ScopeMapping,
)
from doorward.identity.oauth2.provider_rules import validate
from doorward.identity.sources.models import OAuthSource

PUBLISHED_BEFORE_USE = timedelta(minutes=1)
SHORTEST_SECRET = 16
_EDITABLE = frozenset(
    {
        "name",
        "authentication_flow",
        "authorization_flow",
        "invalidation_flow",
        "client_type",
        "client_id",
        "client_secret",
        "redirect_uris",
        "access_code_validity",
        "access_token_validity",
        "refresh_token_validity",
        "include_claims_in_id_token",
        "require_pkce",
        "signing_key",
        "sub_mode",
        "issuer_mode",
        "grant_types",
        "logout_uri",
        "logout_method",
        "encryption_key",
        "refresh_token_threshold",
        "client_authentication",
        "client_jwks",
        "client_jwks_uri",
        "require_pushed_requests",
        "typed_access_tokens",
        "step_up_flow",
    }
)


def create_oauth2_provider(
    actor: Actor,
    *,
    name: str,
    authorization_flow: Flow,
    invalidation_flow: Flow,
    scope_mappings: Iterable[ScopeMapping] = (),
    exchange_from: Iterable[OAuth2Provider] = (),
    jwt_federation_sources: Iterable[OAuthSource] = (),
    **fields: object,
) -> OAuth2Provider:
    """Create a client. It can be used once an application has it. Raises ValidationError.

    ``fields`` are those of ``contracts/identity.md`` section 4.3; id and secret are generated unless given.
    """
    _refuse_unknown(fields)
    provider = OAuth2Provider(name=name, authorization_flow=authorization_flow, invalidation_flow=invalidation_flow)
    _set(provider, fields)
    logout_uris.judge(actor, provider, former="", former_keys="")
    sources = federation.usable(jwt_federation_sources)
    with transaction.atomic():
        warnings = validate(provider)
        provider.save(force_insert=True)
        provider.scope_mappings.set(scope_mappings)
        provider.exchange_from.set(exchange_from)
        provider.jwt_federation_sources.set(sources)
        events.created(actor, provider)
        _warn(actor, provider, warnings)
    return provider


def update_oauth2_provider(
    actor: Actor,
    provider: OAuth2Provider,
    *,
    scope_mappings: Iterable[ScopeMapping] | None = None,
    exchange_from: Iterable[OAuth2Provider] | None = None,
    jwt_federation_sources: Iterable[OAuthSource] | None = None,
    **changes: object,
) -> OAuth2Provider:
    """Change a client. A new signing key is published at once and signs a minute later; the old one stays published
    until its last token has died (S-446). Raises ValidationError."""
    _refuse_unknown(changes)
    with transaction.atomic():
        before, former_key = events.snapshot(provider), provider.signing_key
        former, trusted = _names(provider.scope_mappings), _names(provider.exchange_from)
        former_sources = _names(provider.jwt_federation_sources)
        former_uri, former_keys_uri = provider.logout_uri, provider.client_jwks_uri
        _set(provider, changes)
        logout_uris.judge(actor, provider, former=former_uri, former_keys=former_keys_uri)
        warnings = validate(provider)
        provider.save()
        if scope_mappings is not None:
            provider.scope_mappings.set(scope_mappings)
        if exchange_from is not None:
            provider.exchange_from.set(exchange_from)
        if jwt_federation_sources is not None:
            provider.jwt_federation_sources.set(federation.usable(jwt_federation_sources))
        if former_key is not None and provider.signing_key is not None and former_key.pk != provider.signing_key.pk:
            retire(provider, former_key)
        events.updated(
            actor,
            provider,
            before,
            scope_mappings=(former, _names(provider.scope_mappings)),
            exchange_from=(trusted, _names(provider.exchange_from)),
            jwt_federation_sources=(former_sources, _names(provider.jwt_federation_sources)),
        )
        _warn(actor, provider, warnings)
    return provider


def delete_oauth2_provider(actor: Actor, provider: OAuth2Provider) -> None:
    """Delete a client with everything issued to it; its application stays."""
    with transaction.atomic():
        events.deleted(actor, provider)
        provider.delete()


def revoke_token(provider: OAuth2Provider, text: str) -> None:
    """Take back a token of this client; a refresh token takes all of its authorization along (RFC 7009 section 2.1).

    Nothing happens for an unknown token, or another client's.
    """
    with transaction.atomic():
        row = live.find(text)
        if row is None or row.provider_id != provider.pk:
            return
        family = row.kind == IssuedToken.Kind.REFRESH
        ended = IssuedToken.objects.filter(**({"family": row.family} if family else {"pk": row.pk}))
        ended.update(revoked=True)
        # An outpost may remember whom an access token belongs to.
        events.sessions_ended(ended.filter(kind=IssuedToken.Kind.ACCESS).values_list("token_hash", flat=True))


def revoke_for_login(sid: str) -> None:
    """End what a login led to. Refresh tokens are for offline access, and outlive it."""
    AuthorizationCode.objects.filter(sid=sid).delete()
    IssuedToken.objects.filter(sid=sid, kind=IssuedToken.Kind.ACCESS, revoked=False).update(revoked=True)


def revoke_for_user(user: User, *, except_sid: str = "") -> None:
    """End everything issued to the user, but for what one login that may stay has led to.

    Tokens of no login (offline, machines) have an empty ``sid`` and are never the exception.
    """
    codes, tokens = AuthorizationCode.objects.filter(user=user), IssuedToken.objects.filter(user=user, revoked=False)
    if except_sid:
        codes, tokens = codes.exclude(sid=except_sid), tokens.exclude(sid=except_sid)
    codes.delete()
    tokens.update(revoked=True)


def withdraw_consent(actor: Actor, consent: Consent) -> None:
    """The user no longer wants the application to know them: its tokens about them end too (S-425)."""
    with transaction.atomic():
        user_written.send(User, actor=actor, user=consent.user)
        revoke_for_application(consent.user, consent.application)
        events.deleted(actor, consent)
        consent.delete()


def revoke_for_application(user: User, application: Application) -> None:
    """End everything issued to this application about the user."""
    provider_id = application.provider_id
    AuthorizationCode.objects.filter(user=user, provider_id=provider_id).delete()
    IssuedToken.objects.filter(user=user, provider_id=provider_id, revoked=False).update(revoked=True)


def _names(related: Any) -> list[str]:
    return sorted(related.values_list("name", flat=True))


def retire(provider: OAuth2Provider, key: CertificateKeyPair) -> None:
    """Publish ``key``, which the provider has just given up, for as long as a token that it signed may live."""
    now = timezone.now()
    if provider.retiring_keys.filter(signs_until__gt=now).exists():
        # The key that is replaced has not signed anything yet; the one before it goes on.
        return
    # Tokens may have been issued when they lived longer than they do now.
    last = provider.issued_tokens.filter(kind=IssuedToken.Kind.ACCESS).aggregate(last=Max("expires"))["last"] or now
    RetiringKey.objects.create(
        provider=provider,
        key=key,
        signs_until=now + PUBLISHED_BEFORE_USE,
        published_until=max(last, now + PUBLISHED_BEFORE_USE + durations.parse(provider.access_token_validity)),
    )


def _set(provider: OAuth2Provider, fields: dict[str, object]) -> None:
    """The secret is encrypted for the client id that it belongs to: a new id means sealing it again."""
    secret = fields.get("client_secret")
    if not secret and "client_id" in fields and provider.sealed_client_secret:
        secret = provider.client_secret
    for field, value in fields.items():
        if field != "client_secret":
            setattr(provider, field, value)
    if isinstance(secret, str) and secret:
        if len(secret) < SHORTEST_SECRET:
            raise ValidationError({"client_secret": [_("At least %(count)s characters.") % {"count": SHORTEST_SECRET}]})
        provider.client_secret = secret


def _warn(actor: Actor, provider: OAuth2Provider, warnings: tuple[str, ...]) -> None:
    if warnings:
        events.record(
            "configuration_warning",
            "authentik.providers.oauth2",
            actor,
            provider=provider,
            message="; ".join(warnings),
        )


def _refuse_unknown(fields: dict[str, object]) -> None:
    if unknown := fields.keys() - _EDITABLE:
        raise TypeError(f"an OAuth2 provider has no {', '.join(sorted(unknown))}")
