"""Clients that register, change and remove themselves (RFC 7591, RFC 7592): each one transaction.

A registration makes a provider and an application for it, open to the group that the administrator's token names.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from doorward.identity.applications import actions as applications
from doorward.identity.crypto import vault
from doorward.identity.crypto.queries import signing_key
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import actions, registration_tokens
from doorward.identity.oauth2.client_metadata import Metadata, Unacceptable, judge
from doorward.identity.oauth2.live import application_of
from doorward.identity.oauth2.models import OAuth2Provider, RegisteredClient, RegistrationToken, ScopeMapping
from doorward.identity.policies import actions as policies

_Type, _Method = OAuth2Provider.ClientType, OAuth2Provider.LogoutMethod


@dataclass(frozen=True, slots=True)
class Registered:
    client: RegisteredClient
    access_token: str
    """With it the client manages its registration; kept nowhere."""


def register(actor: Actor, key: str, metadata: Metadata) -> Registered | None:
    """None for a key that registers nothing. Raises Unacceptable, ValidationError."""
    with transaction.atomic():
        token = registration_tokens.use(key)
        if token is None:
            return None
        judge(metadata, token)
        mark = secrets.token_hex(4)
        name = metadata.client_name.strip() or "Registered client"
        provider = actions.create_oauth2_provider(
            actor,
            name=f"{name} ({mark})",
            authorization_flow=token.authorization_flow,
            invalidation_flow=token.invalidation_flow,
            scope_mappings=_scopes(metadata, token),
            signing_key=signing_key(),
            **_fields(metadata),
        )
        application = applications.create_application(actor, name=name, slug=f"registered-{mark}", provider=provider)
        if token.group is not None:
            policies.bind(actor, application, group=token.group)
        access_token = secrets.token_urlsafe(48)
        client = RegisteredClient.objects.create(provider=provider, by=token, access_hash=vault.digest(access_token))
    return Registered(client, access_token)


def find(client_id: str, access_token: str) -> RegisteredClient | None:
    """The client that this token manages, if it is the one that is named."""
    if not access_token:
        return None
    rows = RegisteredClient.objects.select_related("provider__application", "provider__signing_key", "by")
    return rows.filter(access_hash=vault.digest(access_token), provider__client_id=client_id).first()


def update(actor: Actor, client: RegisteredClient, metadata: Metadata) -> None:
    """Replace what the client said of itself. Raises Unacceptable, ValidationError."""
    provider, token = client.provider, client.by
    if token is None:
        raise Unacceptable(
            "invalid_client_metadata", "The token that registered this client is gone; it stays as it is."
        )
    if metadata.client_id != provider.client_id or metadata.client_secret not in ("", provider.client_secret):
        raise Unacceptable("invalid_client_metadata", "client_id and client_secret cannot be chosen.")
    if metadata.is_public != (provider.client_type == _Type.PUBLIC):
        raise Unacceptable("invalid_client_metadata", "A client with a secret keeps it, one without gets none.")
    judge(metadata, token)
    with transaction.atomic():
        actions.update_oauth2_provider(actor, provider, scope_mappings=_scopes(metadata, token), **_fields(metadata))
        application = application_of(provider)
        if application is not None and metadata.client_name.strip() not in ("", application.name):
            applications.update_application(actor, application, name=metadata.client_name.strip())


def remove(actor: Actor, client: RegisteredClient) -> None:
    """The client, its application, and everything that was issued to it."""
    with transaction.atomic():
        application = application_of(client.provider)
        if application is not None:
            applications.delete_application(actor, application)
        actions.delete_oauth2_provider(actor, OAuth2Provider.objects.get(pk=client.provider_id))


def _fields(metadata: Metadata) -> dict[str, Any]:
    back, front = metadata.backchannel_logout_uri, metadata.frontchannel_logout_uri
    return {
        "client_type": _Type.PUBLIC if metadata.is_public else _Type.CONFIDENTIAL,
        "redirect_uris": metadata.uris,
        "grant_types": list(metadata.grant_types),
        "logout_uri": back or front,
        "logout_method": _Method.FRONTCHANNEL if front else _Method.BACKCHANNEL,
    }


def _scopes(metadata: Metadata, token: RegistrationToken) -> list[ScopeMapping]:
    """What it asked for of what it may have; all of that when it asked for nothing in particular."""
    wanted = set(metadata.scope.split())
    return [mapping for mapping in token.scope_mappings.all() if not wanted or mapping.scope_name in wanted]
