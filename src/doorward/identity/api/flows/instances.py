"""``/flows/instances/``: the flows, by slug."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django_filters import ChoiceFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api import plain_writes
from doorward.identity.api.filtering import Filters, exactly, uuid_of
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.flows.careful import KeepsAWayIn
from doorward.identity.api.managed.blueprints import ImportRequest, ImportResult, applied_once
from doorward.identity.api.resource import SLUG, Resource
from doorward.identity.flows import inspector
from doorward.identity.flows.diagram import mermaid
from doorward.identity.flows.models import Flow


def export_url(flow: Flow) -> str:
    """Where the flow can be had as a blueprint."""
    return f"/api/v3/flows/instances/{flow.slug}/export/"


class FlowSerializer(serializers.ModelSerializer[Flow]):
    policybindingmodel_ptr_id = serializers.UUIDField(source="pk", read_only=True)
    background_url = serializers.CharField(source="background", read_only=True)
    background_themed_urls = Fixed(None)
    stages = serializers.SerializerMethodField()
    policies = Fixed([])
    cache_count = Fixed(0)
    export_url = serializers.SerializerMethodField()

    class Meta:
        model = Flow
        fields = [
            "pk",
            "policybindingmodel_ptr_id",
            "name",
            "slug",
            "title",
            "designation",
            "background",
            "background_url",
            "background_themed_urls",
            "stages",
            "policies",
            "cache_count",
            "policy_engine_mode",
            "compatibility_mode",
            "export_url",
            "layout",
            "denied_action",
            "authentication",
        ]

    def get_export_url(self, flow: Flow) -> str:
        return export_url(flow)

    def get_stages(self, flow: Flow) -> list[str]:
        return [str(binding.stage_id) for binding in flow.stage_bindings.all()]


class FlowSetSerializer(serializers.ModelSerializer[Flow]):
    """A flow, as a stage that is bound into it names it."""

    policybindingmodel_ptr_id = serializers.UUIDField(source="pk", read_only=True)
    background_url = serializers.CharField(source="background", read_only=True)
    export_url = serializers.SerializerMethodField()

    class Meta:
        model = Flow
        fields = [
            "pk",
            "policybindingmodel_ptr_id",
            "name",
            "slug",
            "title",
            "designation",
            "background_url",
            "policy_engine_mode",
            "compatibility_mode",
            "export_url",
            "layout",
            "denied_action",
        ]
        read_only_fields = fields

    def get_export_url(self, flow: Flow) -> str:
        return export_url(flow)


class FlowFilters(Filters):
    flow_uuid = uuid_of("pk")
    name = exactly("name")
    slug = exactly("slug")
    designation = ChoiceFilter(field_name="designation", choices=Flow.Designation.choices)
    denied_action = ChoiceFilter(field_name="denied_action", choices=Flow.DeniedAction.choices)


class CacheSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()


class DiagramSerializer(serializers.Serializer[Any]):
    diagram = serializers.CharField()


class LinkSerializer(serializers.Serializer[Any]):
    link = serializers.CharField()


class Flows(KeepsAWayIn, Resource[Flow]):
    queryset = Flow.objects.prefetch_related("stage_bindings")
    serializer_class = FlowSerializer
    filterset_class = FlowFilters
    lookup_field = "slug"
    lookup_value_regex = SLUG
    search_fields = ["name", "slug", "designation", "title"]
    orders = {"slug": "slug", "name": "name", "designation": "designation"}
    ordering = ["slug"]

    def make(self, data: dict[str, Any]) -> Flow:
        return plain_writes.create(self.actor, Flow, data)

    def change(self, instance: Flow, data: dict[str, Any]) -> Flow:
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: Flow) -> None:
        plain_writes.delete(self.actor, instance)

    @extend_schema(responses=CacheSerializer, filters=False)
    @action(detail=False, pagination_class=None)
    def cache_info(self, request: Request) -> Response:
        """Plans are made anew for every visitor: nothing is cached."""
        return Response({"count": 0})

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"])
    def cache_clear(self, request: Request) -> Response:
        """Answers clients that clear the cache after a change; there is none to clear."""
        return Response(status=204)

    @extend_schema(responses=LinkSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def execute(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Plans the flow for whoever asks, and answers the page that runs it in this session."""
        flow = self.get_object()
        path = inspector.try_out(request._request, flow, f"/if/admin/flows/{flow.slug}/tried/")
        return Response({"link": f"{settings.EXTERNAL_URL}{path}"})

    @extend_schema(responses={(200, "application/yaml"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, pagination_class=None)
    def export(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The flow with all that belongs to it, as a blueprint."""
        from doorward.identity.blueprints.exporting import export as written  # which knows all resources, this one too

        flow = self.get_object()
        name = f'attachment; filename="{flow.slug}.yaml"'
        return HttpResponse(written(flow), content_type="application/yaml", headers={"Content-Disposition": name})

    @extend_schema(
        request={"multipart/form-data": ImportRequest},
        responses=ImportResult,
        operation_id="flows_instances_import_create",
    )
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[MultiPartParser])
    def import_(self, request: Request) -> Response:
        """Take in a flow that was exported, here or elsewhere: a blueprint like any other."""
        return Response(applied_once(self, request))

    @extend_schema(responses=DiagramSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def diagram(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The flow in mermaid's language."""
        return Response({"diagram": mermaid(self.get_object())})
