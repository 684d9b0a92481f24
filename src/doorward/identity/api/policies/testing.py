"""What policies say about somebody, in authentik's shape."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from doorward.identity.directory.models import User
from doorward.identity.policies.judges import Said


class PolicyTestSerializer(serializers.Serializer[Any]):
    """Whom to judge, and what a flow would know (``prompt_data`` …)."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all())
    context = serializers.DictField(required=False, default=dict)  # type: ignore[assignment]


class LogEventSerializer(serializers.Serializer[Any]):
    timestamp = serializers.DateTimeField()
    log_level = serializers.ChoiceField(["info", "warning", "error"])
    logger = serializers.CharField()
    event = serializers.CharField()
    attributes = serializers.DictField()


class PolicyTestResult(serializers.Serializer[Any]):
    passing = serializers.BooleanField()
    messages = serializers.ListField(child=serializers.CharField())
    log_messages = LogEventSerializer(many=True)


def result_of(said: Said, policy: str) -> dict[str, object]:
    """As ``PolicyTestResult``."""
    now = timezone.now()
    log = [
        {"timestamp": now, "log_level": "info", "logger": policy, "event": line, "attributes": {}} for line in said.log
    ]
    return {"passing": said.passing, "messages": list(said.messages), "log_messages": log}
