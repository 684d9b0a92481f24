"""Show and replace a client's secret. Both are events of their own (S-605): it never stands in a page by itself."""

from __future__ import annotations

from django.db import transaction

from doorward.identity.directory.models import new_key
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2.models import OAuth2Provider

_APP = "authentik.providers.oauth2"
_LENGTH = 128


def view_client_secret(actor: Actor, provider: OAuth2Provider) -> str:
    """The secret. Raises vault.Unreadable."""
    secret = provider.client_secret
    events.record("secret_view", _APP, actor, provider=provider)
    return secret


def rotate_client_secret(actor: Actor, provider: OAuth2Provider) -> str:
    """Make a new secret and return it; the old one is refused from now on."""
    secret = new_key(_LENGTH)
    with transaction.atomic():
        provider.client_secret = secret
        provider.save(update_fields=["sealed_client_secret"])
        events.record("secret_rotate", _APP, actor, provider=provider)
        events.outposts_changed()
    return secret
