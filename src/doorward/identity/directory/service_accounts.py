"""Machine accounts: user, app password and, if asked for, a group of the same name, made together or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from doorward.identity.directory import actions
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.events.actor import Actor

LIFETIME = timedelta(days=360)
"""Of the app password, when it expires and nobody said when."""
PATH = "goauthentik.io/service-accounts"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    user: User
    key: str
    """The app password; it is nowhere shown again."""
    group: Group | None


def create(
    actor: Actor, *, name: str, create_group: bool = False, expiring: bool = True, expires: datetime | None = None
) -> ServiceAccount:
    """Raises ValidationError."""
    group = None
    with transaction.atomic():
        user = actions.create_user(actor, username=name, name=name, type=User.Type.SERVICE_ACCOUNT, path=PATH)
        if create_group:
            group = actions.create_group(actor, name=name)
            actions.add_member(actor, group, user)
        token, _ = actions.create_token(
            actor,
            user=user,
            identifier=f"service-account-{user.uuid}-password",
            intent=Token.Intent.APP_PASSWORD,
            expiring=expiring,
            expires=(expires or timezone.now() + LIFETIME) if expiring else None,
        )
        return ServiceAccount(user, actions.view_token_key(actor, token), group)
