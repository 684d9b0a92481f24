"""The service accounts that stand for programs without an account of their own; each is made on first use."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import User
from doorward.identity.directory.names import folded
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.sources.models import Source


def of(provider: OAuth2Provider) -> User | None:
    """Of a client that shows its secret and nothing else."""
    return _account(f"ak-{provider.name}-client_credentials"[:150], f"Machine user of {provider.name}")


def at_source(provider: OAuth2Provider, source: Source) -> User | None:
    """Of all that come to a provider from a source, and are not connected there."""
    return _account(name_at_source(provider, source), f"Programs of {source.name} at {provider.name}")


def name_at_source(provider: OAuth2Provider, source: Source) -> str:
    """User name of ``at_source``. No slug has an ``@`` in it, so that one name stands for one pair."""
    return f"ak-{provider.name[:90]}@{source.slug}"


def _account(username: str, name: str) -> User | None:
    """None where a person has the name: whoever got hold of it is a person, and no program becomes a person."""
    user = _found(username) or _made(username, name)
    return user if user.type == User.Type.SERVICE_ACCOUNT else None


def _found(username: str) -> User | None:
    return User.objects.filter(folded_username=folded(username)).first()


def _made(username: str, name: str) -> User:
    try:
        with transaction.atomic():
            return directory.create_user(
                Actor.system(),
                username=username,
                name=name,
                path="goauthentik.io/service-accounts",
                type=User.Type.SERVICE_ACCOUNT,
                attributes={"goauthentik.io/user/generated": True},
            )
    except (IntegrityError, ValidationError):
        made_meanwhile = _found(username)  # by another request
        if made_meanwhile is None:
            raise
        return made_meanwhile
