"""``/managed/blueprints/``: which blueprints are in force, and applying them. For superusers, reading included (S-613).

A blueprint can make superusers, so whoever may apply one is one.
"""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.config.document import MAX_BYTES
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.permissions import SuperuserOnly
from doorward.identity.api.policies.testing import LogEventSerializer
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.blueprints import actions, folder
from doorward.identity.blueprints.errors import Unusable
from doorward.identity.blueprints.models import BlueprintInstance
from doorward.identity.blueprints.queries import text_of, tried
from doorward.identity.blueprints.reading import read
from doorward.identity.blueprints.report import Report


class BlueprintInstanceSerializer(serializers.ModelSerializer[BlueprintInstance]):
    name = serializers.CharField(validators=[UniqueValidator(BlueprintInstance.objects.all())])
    context = serializers.DictField(required=False)  # type: ignore[assignment] # a field, not the serializer's own
    metadata = serializers.DictField(read_only=True)
    managed_models = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = BlueprintInstance
        fields = [
            "pk",
            "name",
            "path",
            "context",
            "last_applied",
            "last_applied_hash",
            "status",
            "enabled",
            "managed_models",
            "metadata",
            "content",
        ]
        read_only_fields = ["last_applied", "last_applied_hash", "status"]


class BlueprintFilters(Filters):
    name = exactly("name")
    path = exactly("path")


class BlueprintMetadata(serializers.Serializer[Any]):
    name = serializers.CharField()
    labels = serializers.DictField()


class BlueprintFile(serializers.Serializer[Any]):
    path = serializers.CharField()
    last_m = serializers.DateTimeField()
    hash = serializers.CharField()
    meta = BlueprintMetadata()


class ImportRequest(serializers.Serializer[Any]):
    file = serializers.FileField(required=False)
    path = serializers.CharField(required=False, help_text="Of a file in the folder, instead of an upload.")
    context = serializers.CharField(required=False, help_text="JSON.")  # type: ignore[assignment]


class ImportResult(serializers.Serializer[Any]):
    logs = LogEventSerializer(many=True)
    success = serializers.BooleanField()


class BlueprintDifferenceSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    database = serializers.JSONField()
    blueprint = serializers.JSONField()


class BlueprintEntrySerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    name = serializers.CharField()
    outcome = serializers.CharField()
    line = serializers.IntegerField()
    differences = BlueprintDifferenceSerializer(many=True)


class BlueprintDriftSerializer(serializers.Serializer[Any]):
    differs = serializers.BooleanField()
    entries = BlueprintEntrySerializer(many=True)
    problems = serializers.ListField(child=serializers.CharField())


class Blueprints(Resource[BlueprintInstance]):
    queryset = BlueprintInstance.objects.all()
    permission_classes = [SuperuserOnly]
    serializer_class = BlueprintInstanceSerializer
    filterset_class = BlueprintFilters
    lookup_url_kwarg = "instance_uuid"
    lookup_value_regex = UUID
    search_fields = ["name", "path"]
    orders = {"name": "name", "path": "path", "last_applied": "last_applied", "status": "status"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> BlueprintInstance:
        return actions.create_instance(self.actor, **data)

    def change(self, instance: BlueprintInstance, data: dict[str, Any]) -> BlueprintInstance:
        return actions.update_instance(self.actor, instance, **data)

    def remove(self, instance: BlueprintInstance) -> None:
        actions.delete_instance(self.actor, instance)

    @extend_schema(responses=BlueprintFile(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def available(self, request: Request) -> Response:
        """The files of the folder, applied or not."""
        return Response([_described(file) for file in folder.files()])

    @extend_schema(request=None, responses=BlueprintInstanceSerializer)
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, instance_uuid: str) -> Response:
        """Apply it now; ``status`` says how that went."""
        instance = self.get_object()
        try:
            actions.apply_instance(self.actor, instance)
        except Unusable as error:
            raise ValidationError({"non_field_errors": [str(problem) for problem in error.problems]}) from error
        return Response(self.get_serializer(instance).data)

    @extend_schema(responses=BlueprintDriftSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def drift(self, request: Request, instance_uuid: str) -> Response:
        """Where the database says something else than the blueprint; nothing is changed. Not in the original."""
        instance = self.get_object()
        try:
            report = tried(text_of(instance), instance.path or instance.name, self.actor, instance.context)
        except Unusable as error:
            problems = [str(problem) for problem in error.problems]
            return Response({"differs": True, "entries": [], "problems": problems})
        return Response(BlueprintDriftSerializer(_drift(report)).data)

    @extend_schema(
        request={"multipart/form-data": ImportRequest},
        responses={200: ImportResult, 400: OpenApiResponse(description="What is wrong with the request.")},
        operation_id="managed_blueprints_import_create",
    )
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[MultiPartParser])
    def import_(self, request: Request) -> Response:
        """Apply an uploaded blueprint once. ``success`` and ``logs`` say how that went."""
        return Response(applied_once(self, request))


def applied_once(view: Any, request: Request) -> dict[str, Any]:
    """The answer to an upload, as ``ImportResult``. Raises ValidationError."""
    asked = ImportRequest(data=request.data)
    asked.is_valid(raise_exception=True)
    text, name = _uploaded(asked.validated_data)
    try:
        context = json.loads(asked.validated_data.get("context") or "{}")
    except (ValueError, RecursionError):
        context = None
    if not isinstance(context, dict):
        raise ValidationError({"context": ["The context is a JSON object."]})
    try:
        report = actions.apply_text(view.actor, text, name, context)
    except Unusable as error:
        return {"success": False, "logs": [_log("error", str(problem)) for problem in error.problems]}
    lines = [_log("warning", str(warning)) for warning in report.warnings]
    lines += [_log("info", f"{done.model} {done.name}: {done.outcome}") for done in report.done]
    return {"success": True, "logs": lines}


def _uploaded(wanted: dict[str, Any]) -> tuple[str, str]:
    upload = wanted.get("file")
    if upload is None:
        file = folder.file_at(wanted.get("path", ""))
        if file is None:
            raise ValidationError({"file": ["A file, or the path of one in the folder of blueprints, is needed."]})
        try:
            return file.text(), file.path
        except Unusable as error:
            raise ValidationError({"path": [str(error)]}) from error
    if upload.size > MAX_BYTES:
        raise ValidationError({"file": [f"Larger than {MAX_BYTES} bytes."]})
    try:
        return upload.read().decode("utf-8-sig"), "upload"
    except UnicodeDecodeError as error:
        raise ValidationError({"file": ["Not UTF-8 text."]}) from error


def _log(level: str, text: str) -> dict[str, Any]:
    return {
        "timestamp": timezone.now(),
        "log_level": level,
        "logger": "doorward.blueprints",
        "event": text,
        "attributes": {},
    }


def _drift(report: Report) -> dict[str, Any]:
    return {"differs": report.differs, "entries": report.done, "problems": [str(each) for each in report.warnings]}


def _described(file: folder.File) -> dict[str, Any]:
    text, name, labels = "", "", {}
    try:
        text = file.text()
        blueprint = read(text, file.path)
        name, labels = blueprint.name, dict(blueprint.labels)
    except Unusable:
        pass  # it is there, and says nothing of itself
    meta = {"name": name or file.path, "labels": labels}
    return {"path": file.path, "last_m": file.modified, "hash": folder.hash_of(text), "meta": meta}
