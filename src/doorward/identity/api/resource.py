"""What every resource shares: strict input, named filters, who may ask, and writes that go through ``actions``.

A resource says how its objects are made, changed and removed in three short methods; the HTTP around them is the
framework's. Nothing saves a model from here: the action does, together with its event and its entry in the change log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.filters import SearchFilter
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from doorward.identity.api.filtering import FilterByName, Filters, OrderByName
from doorward.identity.api.inside import Inside
from doorward.identity.api.permissions import Permitted, visible
from doorward.identity.api.strict_json import StrictJson
from doorward.identity.api.throttles import Strangers
from doorward.identity.api.used_by import UsedByAction
from doorward.identity.events.actor import Actor

M = TypeVar("M", bound=Model)

UUID = "[0-9a-fA-F-]{32,36}"
SLUG = "[-a-zA-Z0-9_]+"
NUMBER = "[0-9]{1,18}"
FILTERS = [FilterByName, OrderByName, SearchFilter]


class Rules(APIView):
    """The settings of a view that are the same everywhere."""

    parser_classes = [StrictJson]
    throttle_classes = [Strangers]
    permission_classes: Sequence[type[BasePermission]] = [Permitted]
    needs: Mapping[str, str | None] = {}
    """Permission that an action asks for, where that is not the verb that it is called; see ``permissions``."""
    need: str | None = None
    """The same for a view without actions. None: superusers only."""
    filterset_class: type[Filters] | None = None
    extra_parameters: tuple[str, ...] = ()
    """Query parameters of the list that are not filters."""
    orders: Mapping[str, str] = {}
    """What ``ordering`` may name, and the column that it means."""
    blueprint_model: str | None = None
    """What blueprints call its objects, where that is not what events or answers call them (``blueprints.doors``)."""

    @property
    def actor(self) -> Actor:
        return self.request.actor if isinstance(self.request, Inside) else Actor.of(self.request._request)


def seen(view: Rules, objects: QuerySet[M]) -> QuerySet[M]:
    """Narrowed to what whoever asks may see, where the view leaves that to ``Permitted`` (S-602)."""
    return visible(view.request, objects) if Permitted in view.permission_classes else objects


class ReadResource(Rules, UsedByAction, ReadOnlyModelViewSet[M], Generic[M]):
    """Listed and read, never written from here."""

    filter_backends = FILTERS

    def get_queryset(self) -> QuerySet[M]:
        return seen(self, super().get_queryset())


class Resource(Rules, UsedByAction, ModelViewSet[M], Generic[M]):
    """Listed, read and written."""

    filter_backends = FILTERS

    def get_queryset(self) -> QuerySet[M]:
        return seen(self, super().get_queryset())

    def make(self, data: dict[str, Any]) -> M:
        raise NotImplementedError

    def change(self, instance: M, data: dict[str, Any]) -> M:
        raise NotImplementedError

    def remove(self, instance: M) -> None:
        raise NotImplementedError

    def perform_create(self, serializer: BaseSerializer[M]) -> None:
        serializer.instance = self.make(serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[M]) -> None:
        assert serializer.instance is not None
        serializer.instance = self.change(serializer.instance, serializer.validated_data)

    def perform_destroy(self, instance: M) -> None:
        self.remove(instance)


def flag(request: Request, name: str, *, default: bool) -> bool:
    """A boolean query parameter; what is neither true nor false counts as ``default``."""
    return {"true": True, "1": True, "false": False, "0": False}.get(
        request.query_params.get(name, "").lower(), default
    )
