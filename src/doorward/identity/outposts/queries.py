"""Read outposts, and compose what the data plane must know."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db.models import Max

import doorward.messages.outposts as messages
from doorward.identity import durations
from doorward.identity.crypto.vault import Unreadable
from doorward.identity.events.models import Change
from doorward.identity.oauth2.issuer import endpoints_of
from doorward.identity.oauth2.keys import verification_keys
from doorward.identity.outposts import additional_headers, step_up
from doorward.identity.outposts.models import EMBEDDED, Outpost, ProxyProvider

_log = logging.getLogger("doorward.outposts")


def embedded() -> Outpost:
    """The outpost of this program. Raises Outpost.DoesNotExist before the first start."""
    return Outpost.objects.get(managed=EMBEDDED)


def position() -> int:
    """The newest place in the change log; 0 when nothing was ever written."""
    newest: int | None = Change.objects.aggregate(newest=Max("id"))["newest"]
    return newest or 0


def configuration(outpost: Outpost | None = None) -> messages.OutpostConfiguration:
    """All proxy providers that the outpost (by default the embedded one) serves. One that cannot be read is left out,
    and said to be."""
    outpost = outpost or Outpost.objects.filter(managed=EMBEDDED).first()
    at = position()
    providers = []
    if outpost is not None:
        served = (
            ProxyProvider.objects.filter(outposts=outpost, application__isnull=False)
            .select_related("application", "signing_key")
            .prefetch_related("scope_mappings", "jwt_federation_providers", "jwt_federation_sources")
            .order_by("pk")
        )
        for provider in served:
            try:
                providers.append(_described(provider, outpost))
            except Unreadable:
                _log.exception("the secrets of proxy provider “%s” cannot be read: it is not served", provider.name)
    return messages.OutpostConfiguration(
        position=at,
        providers=tuple(providers),
        version=settings.VERSION,
        additional_headers=additional_headers.names(),
    )


def _described(provider: ProxyProvider, outpost: Outpost) -> messages.ProxyProvider:
    endpoints = endpoints_of(provider)
    return messages.ProxyProvider(
        pk=provider.pk,
        name=provider.name,
        outpost=outpost.name,
        application_slug=provider.application.slug,
        application_name=provider.application.name,
        external_host=provider.external_host,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        cookie_secret=provider.cookie_secret,
        issuer=endpoints.issuer,
        authorization_endpoint=endpoints.authorization,
        token_endpoint=endpoints.token,
        end_session_endpoint=endpoints.end_session,
        jwks_uri=endpoints.jwks,
        keys=verification_keys(provider),
        scopes=tuple(sorted({mapping.scope_name for mapping in provider.scope_mappings.all()})),
        mode=provider.mode,
        cookie_domain=provider.cookie_domain,
        access_token_validity=durations.parse(provider.access_token_validity).total_seconds(),
        skip_path_regex=provider.skip_path_regex,
        step_up=step_up.described(provider.step_up_rules),
        intercept_header_auth=provider.intercept_header_auth,
        basic_auth_enabled=provider.basic_auth_enabled,
        basic_auth_user_attribute=provider.basic_auth_user_attribute,
        basic_auth_password_attribute=provider.basic_auth_password_attribute,
        redirect_everything=provider.redirect_everything,
        skip_preflight=provider.skip_preflight,
        keep_posts=provider.keep_posts,
        cookie_prefix=provider.cookie_prefix,
        refresh_token_validity=durations.parse(provider.refresh_token_validity).total_seconds(),
        idle_limit=durations.parse(provider.idle_limit).total_seconds(),
        introspection_endpoint=endpoints.introspection,
        trusts_other_clients=_trusts_others(provider),
        internal_host=provider.internal_host,
        internal_host_ssl_validation=provider.internal_host_ssl_validation,
    )


def _trusts_others(provider: ProxyProvider) -> bool:
    sources = provider.jwt_federation_sources.all()
    return bool(provider.jwt_federation_providers.all()) or any(source.enabled for source in sources)
