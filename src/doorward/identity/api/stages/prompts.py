"""``/stages/prompt/…/`` and ``/stages/user_write/``: asking for anything, and writing it."""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter, ChoiceFilter
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api import plain_writes
from doorward.identity.api.filtering import Filters, exactly, several, uuid_of
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.api.stages.kinds import OneKind, StageFilters
from doorward.identity.api.stages.serializers import SHARED, StageFields
from doorward.identity.directory.models import User
from doorward.identity.policies.models import PasswordPolicy
from doorward.identity.stages.models import Prompt, PromptStage, UserWriteStage
from doorward.identity.stages.prompt_fields import RESERVED


class PromptStageSerializer(StageFields, serializers.ModelSerializer[PromptStage]):
    fields = serializers.PrimaryKeyRelatedField(many=True, queryset=Prompt.objects.all())  # type: ignore[assignment]
    validation_policies = serializers.PrimaryKeyRelatedField(
        many=True, required=False, queryset=PasswordPolicy.objects.all()
    )

    class Meta:
        model = PromptStage
        fields = [*SHARED, "fields", "validation_policies"]


class PromptSerializer(serializers.ModelSerializer[Prompt]):
    name = serializers.CharField(validators=[UniqueValidator(Prompt.objects.all())])
    placeholder_expression = Fixed(False)
    initial_value_expression = Fixed(False)
    prompt_stages_obj = PromptStageSerializer(source="prompt_stages", many=True, read_only=True)

    class Meta:
        model = Prompt
        fields = [
            "pk",
            "name",
            "field_key",
            "label",
            "type",
            "required",
            "placeholder",
            "initial_value",
            "order",
            "prompt_stages_obj",
            "sub_text",
            "placeholder_expression",
            "initial_value_expression",
        ]

    def validate_field_key(self, key: str) -> str:
        if key in RESERVED:
            raise serializers.ValidationError("The page uses this name itself; choose another.")
        return key


class PromptFilters(Filters):
    field_key = exactly("field_key")
    name = exactly("name")
    label = exactly("label")
    type = ChoiceFilter(field_name="type", choices=Prompt.Type.choices)
    placeholder = exactly("placeholder")


class Prompts(Resource[Prompt]):
    queryset = Prompt.objects.prefetch_related("prompt_stages__flows")
    serializer_class = PromptSerializer
    filterset_class = PromptFilters
    lookup_url_kwarg = "prompt_uuid"
    lookup_value_regex = UUID
    search_fields = ["name", "field_key", "label"]
    orders = {"name": "name", "field_key": "field_key", "order": "order"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> Prompt:
        return plain_writes.create(self.actor, Prompt, data)

    def change(self, instance: Prompt, data: dict[str, Any]) -> Prompt:
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: Prompt) -> None:
        plain_writes.delete(self.actor, instance)


class PromptStageFilters(StageFilters):
    fields = several("fields", "pk", Prompt.objects.all())
    validation_policies = several("validation_policies", "pk", PasswordPolicy.objects.all())


class PromptStages(OneKind[PromptStage]):
    model = PromptStage
    queryset = PromptStage.objects.prefetch_related("flows", "fields", "validation_policies")
    serializer_class = PromptStageSerializer
    filterset_class = PromptStageFilters


class UserWriteStageSerializer(StageFields, serializers.ModelSerializer[UserWriteStage]):
    class Meta:
        model = UserWriteStage
        fields = [
            *SHARED,
            "user_creation_mode",
            "create_users_as_inactive",
            "create_users_group",
            "user_type",
            "user_path_template",
        ]


class UserWriteFilters(StageFilters):
    user_creation_mode = ChoiceFilter(field_name="user_creation_mode", choices=UserWriteStage.CreationMode.choices)
    create_users_as_inactive = BooleanFilter(field_name="create_users_as_inactive")
    create_users_group = uuid_of("create_users_group")
    user_type = ChoiceFilter(field_name="user_type", choices=User.Type.choices)
    user_path_template = exactly("user_path_template")


class UserWriteStages(OneKind[UserWriteStage]):
    model = UserWriteStage
    queryset = UserWriteStage.objects.prefetch_related("flows")
    serializer_class = UserWriteStageSerializer
    filterset_class = UserWriteFilters
