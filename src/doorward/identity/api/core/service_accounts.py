"""Machine accounts, as the API asks for and describes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.directory import service_accounts
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor


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


def make_account(actor: Actor, **asked: Any) -> dict[str, Any]:
    """Raises ValidationError."""
    made = service_accounts.create(actor, **asked)
    answer = {
        "username": made.user.username,
        "user_uid": made.user.uid,
        "user_pk": made.user.pk,
        "token": made.key,
    }
    return answer if made.group is None else {**answer, "group_pk": str(made.group.pk)}
