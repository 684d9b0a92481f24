"""Machine accounts: user, app password and, if asked for, a group of the same name, made together or not at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.directory import actions
from doorward.identity.directory.models import Token, User
from doorward.identity.events.actor import Actor

LIFETIME = timedelta(days=360)
"""Of the app password, when it expires and nobody said when."""


class ServiceAccountRequest(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=150, validators=[UniqueValidator(User.objects.all())])
    create_group = serializers.BooleanField(default=False)
    expiring = serializers.BooleanField(default=True)
    expires = serializers.DateTimeField(required=False)


class ServiceAccountResponse(serializers.Serializer[Any]):
    username = serializers.CharField()
    token = serializers.CharField()
    user_uid = serializers.CharField()
    user_pk = serializers.IntegerField()
    group_pk = serializers.CharField(required=False)


def make_account(
    actor: Actor, *, name: str, create_group: bool, expiring: bool, expires: datetime | None = None
) -> dict[str, Any]:
    """Raises ValidationError."""
    with transaction.atomic():
        user = actions.create_user(
            actor, username=name, name=name, type=User.Type.SERVICE_ACCOUNT, path="goauthentik.io/service-accounts"
        )
        answer: dict[str, Any] = {"username": user.username, "user_uid": user.uid, "user_pk": user.pk}
        if create_group:
            group = actions.create_group(actor, name=name)
            actions.add_member(actor, group, user)
            answer["group_pk"] = str(group.pk)
        _, answer["token"] = actions.create_token(
            actor,
            user=user,
            identifier=f"service-account-{user.uuid}-password",
            intent=Token.Intent.APP_PASSWORD,
            expiring=expiring,
            expires=(expires or timezone.now() + LIFETIME) if expiring else None,
        )
    return answer
