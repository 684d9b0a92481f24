"""``/doorward/reach/…``: who can reach what, what changes would do, and whether statements are true.

For superusers: it tells everybody's access, and a policy that is tried out is executed (S-613).
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.permissions import SuperuserOnly
from doorward.identity.api.resource import Rules
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.policies.models import Policy, PolicyBinding
from doorward.identity.reach import changes, statements
from doorward.identity.reach.world import World

MOST = 100
_EDITABLE = {"negate", "enabled", "expires", "expiring"}


class ReachSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    application = serializers.CharField()
    passing = serializers.BooleanField()
    reason = serializers.CharField()


class ReachQuery(serializers.Serializer[Any]):
    username = serializers.SlugRelatedField(slug_field="username", queryset=User.objects.all(), required=False)
    application = serializers.SlugRelatedField(slug_field="slug", queryset=Application.objects.all(), required=False)
    client_ip = serializers.IPAddressField(required=False, default="")
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10**9)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "username" not in attrs and "application" not in attrs:
            raise serializers.ValidationError("Name a user, an application, or both.")
        return attrs


class ReachPage(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    results = ReachSerializer(many=True)


class Reach(Rules):
    """100 at a time, from ``offset`` on."""

    permission_classes = [SuperuserOnly]

    @extend_schema(
        operation_id="doorward_reach_retrieve",
        parameters=[OpenApiParameter(name, str) for name in ("username", "application", "client_ip", "offset")],
        responses=ReachPage,
        tags=["doorward"],
    )
    def get(self, request: Request) -> Response:
        asked = ReachQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        world = World.load(wanted["client_ip"])
        users = [wanted["username"].pk] if "username" in wanted else list(world.users)
        applications = [wanted["application"].pk] if "application" in wanted else list(world.applications)
        pairs = [(user, key) for key in applications for user in users]
        shown = pairs[wanted["offset"] : wanted["offset"] + MOST]
        results = [_row(world, user, key) for user, key in shown]
        return Response({"count": len(pairs), "results": results})


def _row(world: World, user: int, key: Any) -> dict[str, object]:
    passing, reason = world.why(key, user)
    return {
        "username": world.users[user].username,
        "application": world.applications[key].slug,
        "passing": passing,
        "reason": reason,
    }


class ChangeSerializer(serializers.Serializer[Any]):
    """One change; which fields it needs depends on its kind."""

    kind = serializers.ChoiceField(
        [
            "member_added",
            "member_removed",
            "group_deleted",
            "user_deactivated",
            "binding_added",
            "binding_removed",
            "binding_changed",
            "policy_edited",
        ]
    )
    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)
    group = serializers.PrimaryKeyRelatedField(queryset=Group.objects.all(), required=False)
    policy = serializers.PrimaryKeyRelatedField(queryset=Policy.objects.all(), required=False)
    application = serializers.SlugRelatedField(slug_field="slug", queryset=Application.objects.all(), required=False)
    binding = serializers.PrimaryKeyRelatedField(queryset=PolicyBinding.objects.all(), required=False)
    negate = serializers.BooleanField(required=False)
    enabled = serializers.BooleanField(required=False)
    expires = serializers.DateTimeField(required=False)
    expiring = serializers.BooleanField(required=False)
    policy_fields = serializers.DictField(required=False, default=dict, help_text="Of an edited policy.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        made = _made(attrs)
        if made is None:
            raise serializers.ValidationError("Something that this kind of change is about is missing.")
        return {"made": made}


def _made(attrs: dict[str, Any]) -> changes.Change | None:
    kind, group, user = attrs["kind"], attrs.get("group"), attrs.get("user")
    application, binding, policy = attrs.get("application"), attrs.get("binding"), attrs.get("policy")
    edited = {name: attrs[name] for name in _EDITABLE if name in attrs}
    match kind:
        case "member_added" if group and user:
            return changes.MemberAdded(group, user)
        case "member_removed" if group and user:
            return changes.MemberRemoved(group, user)
        case "group_deleted" if group:
            return changes.GroupDeleted(group)
        case "user_deactivated" if user:
            return changes.UserDeactivated(user)
        case "binding_added" if application and sum(each is not None for each in (user, group, policy)) == 1:
            return changes.BindingAdded(application, {"user": user, "group": group, "policy": policy, **edited})
        case "binding_removed" if binding:
            return changes.BindingRemoved(binding)
        case "binding_changed" if binding and edited:
            return changes.BindingChanged(binding, edited)
        case "policy_edited" if policy and attrs["policy_fields"]:
            return changes.PolicyEdited(policy, _edited(policy, attrs["policy_fields"]))
    return None


def _edited(policy: Policy, fields: dict[str, Any]) -> dict[str, Any]:
    """Checked as if it were saved. Raises ValidationError."""
    own = policy.concrete()
    known = {field.attname for field in own._meta.local_fields} - {"policy_ptr_id"}
    if unknown := fields.keys() - known:
        raise serializers.ValidationError({name: ["This policy has no such field."] for name in sorted(unknown)})
    for name, value in fields.items():
        setattr(own, name, value)
    own.full_clean()
    return {name: getattr(own, name) for name in fields}


class ProposalSerializer(serializers.Serializer[Any]):
    changes = ChangeSerializer(many=True, allow_empty=False)
    client_ip = serializers.IPAddressField(required=False, default="")

    def validate_changes(self, value: list[Any]) -> list[Any]:
        if len(value) > MOST:
            raise serializers.ValidationError(f"At most {MOST} changes at once.")
        return value


class PairSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    application = serializers.CharField()


class DifferenceSerializer(serializers.Serializer[Any]):
    gained = PairSerializer(many=True)
    lost = PairSerializer(many=True)


class ReachChanges(Rules):
    """Who gains and who loses, before anything is saved."""

    permission_classes = [SuperuserOnly]

    @extend_schema(
        operation_id="doorward_reach_changes_create",
        request=ProposalSerializer,
        responses=DifferenceSerializer,
        tags=["doorward"],
    )
    def post(self, request: Request) -> Response:
        asked = ProposalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = [each["made"] for each in asked.validated_data["changes"]]
        found = changes.difference(made, asked.validated_data["client_ip"])
        return Response({"gained": _pairs(found.gained), "lost": _pairs(found.lost)})


def _pairs(pairs: list[tuple[User, Application]]) -> list[dict[str, str]]:
    return [{"username": user.username, "application": application.slug} for user, application in pairs]


class StatementsSerializer(serializers.Serializer[Any]):
    statements = serializers.CharField(max_length=statements.LARGEST, trim_whitespace=False)
    client_ip = serializers.IPAddressField(required=False, default="")


class OutcomeSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    statement = serializers.CharField()
    is_true = serializers.BooleanField()
    reason = serializers.CharField()


class ReachStatements(Rules):
    """What is true of the statements in a file."""

    permission_classes = [SuperuserOnly]

    @extend_schema(
        operation_id="doorward_reach_statements_create",
        request=StatementsSerializer,
        responses=OutcomeSerializer(many=True),
        tags=["doorward"],
    )
    def post(self, request: Request) -> Response:
        asked = StatementsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            read = statements.read(asked.validated_data["statements"])
        except statements.BadStatements as error:
            raise serializers.ValidationError({"statements": [str(error)]}) from error
        return Response(
            [
                {
                    "line": each.statement.line,
                    "statement": str(each.statement),
                    "is_true": each.is_true,
                    "reason": each.reason,
                }
                for each in statements.judge(read, asked.validated_data["client_ip"])
            ]
        )
