"""Who would miss an object: shown by clients before they delete it.

Read off the models' own relations, so that a new relation appears by itself; only what a user can see under a name
of its own counts (not, for example, the tokens that were issued).
"""

from __future__ import annotations

from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.limited_tokens import shows
from doorward.identity.api.permissions import powers
from doorward.identity.applications.models import Application, Consent, Provider
from doorward.identity.brands.models import Brand
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.events.subjects import labels
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.models import LoginSession
from doorward.identity.outposts.models import Outpost
from doorward.identity.policies.models import PasswordPolicy, PolicyBinding
from doorward.identity.roles.catalogue import view_of
from doorward.identity.roles.models import Role
from doorward.identity.stages.models import (
    AuthenticatorStaticStage,
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    IdentificationStage,
    PasswordStage,
    Prompt,
    PromptStage,
    UserWriteStage,
)

SHOWN: frozenset[type[models.Model]] = frozenset(
    {
        Application,
        AuthenticatorStaticStage,
        AuthenticatorTOTPStage,
        AuthenticatorValidateStage,
        AuthenticatorWebAuthnStage,
        Brand,
        Consent,
        Flow,
        FlowStageBinding,
        Group,
        IdentificationStage,
        LoginSession,
        Outpost,
        PasswordPolicy,
        PasswordStage,
        PolicyBinding,
        Prompt,
        PromptStage,
        Provider,
        Role,
        Token,
        User,
        UserWriteStage,
    }
)

MOST = 100
"""Objects listed per relation."""


class UsedBySerializer(serializers.Serializer[Any]):
    app = serializers.CharField()
    model_name = serializers.CharField()
    pk = serializers.CharField()
    name = serializers.CharField()
    action = serializers.ChoiceField(["cascade", "cascade_many", "set_null", "set_default", "left_dangling"])


class UsedByAction:
    """Gives a resource its ``<id>/used_by/``."""

    @extend_schema(responses=UsedBySerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def used_by(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        instance: models.Model = self.get_object()  # type: ignore[attr-defined]
        held = powers(request)
        limits = request.auth.limits if isinstance(request.auth, Token) else None
        return Response(
            [
                each
                for each in users_of(instance)
                if held.may(view_of(each["app"], each["model_name"]), each["pk"])
                and shows(limits, each["app"], each["model_name"])
            ]
        )


def users_of(instance: models.Model) -> list[dict[str, str]]:
    """Everything with a name of its own that refers to ``instance``, and what deleting it would do to that."""
    found = []
    for relation in instance._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and not relation.concrete and relation.is_relation):
            continue
        model = relation.related_model
        if model not in SHOWN or getattr(relation, "parent_link", False) or _goes_through_another(relation):
            continue
        others = model._base_manager.filter(**{relation.field.name: instance})  # type: ignore[union-attr]
        action_name = _consequence(relation)
        app, model_name = labels(model)
        found += [
            {"app": app, "model_name": model_name, "pk": _key(other), "name": str(other), "action": action_name}
            for other in others[:MOST]
        ]
    return found


def _goes_through_another(relation: Any) -> bool:
    """A many-to-many relation whose link is an object of its own is shown as that object."""
    return bool(relation.many_to_many and not relation.through._meta.auto_created)


def _key(other: models.Model) -> str:
    return str(other.uuid if isinstance(other, FlowStageBinding) else other.pk)


def _consequence(relation: Any) -> str:
    if relation.many_to_many:
        return "cascade_many"
    if relation.on_delete is models.CASCADE:
        return "cascade"
    if relation.on_delete is models.SET_NULL:
        return "set_null"
    return "left_dangling"
