"""``/core/tokens/``: users see and manage their own; others' are for superusers and whose roles permit it.

A token belongs to one user for good (S-603), its key is shown once (S-608), and never in a list or detail. One for the
API can be limited to reading and to parts of it (``directory.limits``); a limited token makes none that is wider.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter, ChoiceFilter
from django_filters import IsoDateTimeFilter as DateTimeFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.identity.api.core.people import UserSerializer
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.limited_tokens import known
from doorward.identity.api.permissions import OwnOrPermitted, Permitted, own_or_visible, powers, user_of
from doorward.identity.api.resource import SLUG, Resource
from doorward.identity.applications.models import Application
from doorward.identity.directory import actions
from doorward.identity.directory.limits import MOST
from doorward.identity.directory.models import Token, User
from doorward.identity.policies.queries import verdict

CREATABLE = (Token.Intent.API, Token.Intent.APP_PASSWORD)


class PartsField(serializers.ListField):
    """``resources`` one by one."""

    child = serializers.CharField(max_length=100)

    def get_attribute(self, instance: Token) -> Any:
        return instance.parts

    def to_internal_value(self, data: Any) -> list[str]:
        parts: list[str] = super().to_internal_value(data)
        for part in parts:
            if not known(part):
                raise serializers.ValidationError(f"There is no {part} in this API.")
        return parts


class TokenSerializer(serializers.ModelSerializer[Token]):
    identifier = serializers.SlugField(max_length=255, validators=[UniqueValidator(Token.objects.all())])
    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)
    user_obj = UserSerializer(source="user", read_only=True)
    application = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Application.objects.all(),
        required=False,
        allow_null=True,
        help_text="Slug of the one application that an app password opens; for good.",
    )
    resources = PartsField(
        required=False,
        max_length=MOST,
        help_text="Paths below /api/v3/ that an API token is for, like core/users; empty: all that its user may.",
    )

    class Meta:
        model = Token
        fields = [
            "pk",
            "managed",
            "identifier",
            "intent",
            "user",
            "user_obj",
            "description",
            "expires",
            "expiring",
            "application",
            "read_only",
            "resources",
            "last_used",
        ]
        extra_kwargs = {"read_only": {"help_text": "An API token that changes nothing."}}
        read_only_fields = ["managed", "last_used"]

    def validate_intent(self, intent: str) -> str:
        if intent not in CREATABLE and getattr(self.instance, "intent", None) != intent:
            raise serializers.ValidationError(f"Invalid intent {intent}")
        return intent

    def validate_application(self, application: Application | None) -> Application | None:
        if self.instance is not None and self.instance.application != application:
            raise serializers.ValidationError("A token is for its application for good.")
        return application

    def validate_user(self, user: User) -> User:
        asker = user_of(self.context["request"])
        if self.instance is not None and self.instance.user_id != user.pk:
            raise serializers.ValidationError("A token belongs to its user for good.")
        if user != asker and not powers(self.context["request"]).may("authentik_core.add_token"):
            raise serializers.ValidationError("You can create tokens for yourself only.")
        return user


class TokenFilters(Filters):
    identifier = exactly("identifier")
    intent = ChoiceFilter(field_name="intent", choices=Token.Intent.choices)
    user__username = exactly("user__username")
    description = exactly("description")
    expires = DateTimeFilter(field_name="expires")
    expiring = BooleanFilter(field_name="expiring")
    read_only = BooleanFilter(field_name="read_only")
    managed = exactly("managed")


class KeySerializer(serializers.Serializer[Any]):
    key = serializers.CharField(min_length=20, max_length=512)


class Tokens(Resource[Token]):
    queryset = Token.objects.select_related("user").prefetch_related("user__groups__parents")
    permission_classes = [OwnOrPermitted]
    needs = {"view_key": "authentik_core.view_token_key", "set_key": "authentik_core.set_token_key"}
    serializer_class = TokenSerializer
    filterset_class = TokenFilters
    lookup_field = "identifier"
    lookup_value_regex = SLUG
    search_fields = ["identifier", "user__username", "description"]
    orders = {"identifier": "identifier", "expires": "expires", "user__username": "user__username"}
    ordering = ["identifier"]

    def get_queryset(self) -> QuerySet[Token]:
        return own_or_visible(self.request, super().get_queryset())

    def make(self, data: dict[str, Any]) -> Token:
        data.setdefault("user", user_of(self.request))
        data.setdefault("intent", Token.Intent.API)
        application = data.get("application")
        if application is not None and not verdict(application, data["user"]).passing:
            raise serializers.ValidationError({"application": ["Its user may not enter this application."]})
        token, _ = actions.create_token(self.actor, **data)
        return token

    def change(self, instance: Token, data: dict[str, Any]) -> Token:
        data.pop("user", None)  # unchanged, as validated
        data.pop("application", None)  # the same
        return actions.update_token(self.actor, instance, **data)

    def remove(self, instance: Token) -> None:
        actions.delete_token(self.actor, instance)

    @extend_schema(responses=KeySerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def view_key(self, request: Request, identifier: str) -> Response:
        """The key, the first time that somebody asks. Only its digest is kept afterwards."""
        return Response({"key": actions.view_token_key(self.actor, self.get_object())})

    @extend_schema(request=KeySerializer, responses={204: None})
    @action(detail=True, methods=["post"], permission_classes=[Permitted])
    def set_key(self, request: Request, identifier: str) -> Response:
        """Give the token a key that was chosen elsewhere."""
        asked = KeySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        actions.set_token_key(self.actor, self.get_object(), asked.validated_data["key"])
        return Response(status=204)
