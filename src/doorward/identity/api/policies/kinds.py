"""What the resources of all kinds of policies share: how they are found, made, changed and removed."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from doorward.identity.api.resource import UUID, Resource
from doorward.identity.policies import actions
from doorward.identity.policies.models import Policy

P = TypeVar("P", bound=Policy)


class OnePolicyKind(Resource[P], Generic[P]):
    """``model`` is the kind; the rest of a resource is its queryset, serializer and filters."""

    model: type[P]
    lookup_url_kwarg = "policy_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> P:
        return actions.create_policy(self.actor, self.model, **data)

    def change(self, instance: P, data: dict[str, Any]) -> P:
        actions.update_policy(self.actor, instance, **data)
        return instance

    def remove(self, instance: P) -> None:
        actions.delete_policy(self.actor, instance)
