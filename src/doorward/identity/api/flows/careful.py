"""Writes that could close the last way in are refused with 409 (S-621), like on the pages; ``?sure=true`` says yes."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from doorward.identity.api.resource import flag
from doorward.identity.flows import way_in


class KeepsAWayIn(APIView):
    """Goes before ``Resource`` among the bases."""

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        with way_in.kept(sure=is_sure(self.request)):
            super().perform_create(serializer)  # type: ignore[misc]  # of the resource

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        with way_in.kept(sure=is_sure(self.request)):
            super().perform_update(serializer)  # type: ignore[misc]

    def perform_destroy(self, instance: Model) -> None:
        with way_in.kept(sure=is_sure(self.request)):
            super().perform_destroy(instance)  # type: ignore[misc]


def is_sure(request: Request) -> bool:
    """Whoever asks knows what they do."""
    return flag(request, "sure", default=False)
