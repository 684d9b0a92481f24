"""Which models blueprints know: every resource of the API that can be written, by the name that the world has for it.

The name is read off the resource: what its answers call ``meta_model_name``, or what events call its objects. A
resource whose objects have another name says it in ``blueprint_model``; so a new resource needs one line, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from django.db.models import Model
from rest_framework.fields import Field
from rest_framework.serializers import BaseSerializer

from doorward.identity.api import routes
from doorward.identity.api.described import DescribedSerializer
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.inside import inside
from doorward.identity.api.resource import Resource
from doorward.identity.blueprints.errors import Wrong
from doorward.identity.blueprints.extras import EXTRAS, Extra
from doorward.identity.blueprints.tags import hint
from doorward.identity.events.actor import Actor
from doorward.identity.events.subjects import labels
from doorward.identity.roles.catalogue import kind_of

META_APPLY = "authentik_blueprints.metaapplyblueprint"
NOT_OURS = frozenset({"authentik_blueprints.blueprintinstance"})
"""A blueprint that makes blueprints would escape its own dry run."""


@dataclass(frozen=True)
class Door:
    """One kind of objects, as blueprints write them."""

    name: str
    """``authentik_core.application``."""
    prefix: str
    """Of its resource in the API."""
    resource: type[Resource[Any]]

    @property
    def model(self) -> type[Model]:
        return cast(type[Model], self.resource.queryset.model)  # type: ignore[union-attr]

    @property
    def extras(self) -> dict[str, Extra]:
        """Attributes that only blueprints have."""
        return EXTRAS.get(self.name, {})

    def view(self, actor: Actor, action: str) -> Resource[Any]:
        return inside(self.resource, actor, action)

    def serializer(self, actor: Actor, action: str = "create", *args: Any, **kwargs: Any) -> BaseSerializer[Any]:
        made = self.view(actor, action).get_serializer(*args, **kwargs)
        assert isinstance(made, BaseSerializer)
        return made

    def fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        """What can be written, by its name in the API."""
        return {name: field for name, field in _fields(self.resource).items() if not field.read_only}

    def described(self) -> dict[str, Field[Any, Any, Any, Any]]:
        """What is an object's own: what can be written, but for what has one value only."""
        return {name: field for name, field in self.fields().items() if not isinstance(field, Fixed)}

    def column(self, field: str) -> str:
        """What the database calls it. Raises Wrong for what is no field."""
        first, separator, rest = field.partition("__")
        known = _fields(self.resource)
        if first in known and (source := known[first].source or "*") != "*":
            return f"{source.replace('.', '__')}{separator}{rest}"
        columns = {each.name for each in self.model._meta.get_fields()}
        if first in columns or first == "pk":
            return field
        raise Wrong(f"{self.name} has no field {first!r}{hint(first, {*known, *columns})}", field)


@cache
def _fields(resource: type[Resource[Any]]) -> dict[str, Field[Any, Any, Any, Any]]:
    serializer: Any = inside(resource, Actor.system(), "create").get_serializer()
    return dict(serializer.fields)


@cache
def doors() -> dict[str, Door]:
    """All of them, by name."""
    found = {}
    for prefix, resource in routes.RESOURCES.items():
        if isinstance(resource, type) and issubclass(resource, Resource):
            name = _name_of(resource)
            if name not in NOT_OURS:
                found[name] = Door(name, prefix, resource)
    return found


def _name_of(resource: type[Resource[Any]]) -> str:
    if resource.blueprint_model:
        return resource.blueprint_model
    model: type[Model] = resource.queryset.model  # type: ignore[union-attr]
    serializer: Any = resource.serializer_class
    if issubclass(serializer, DescribedSerializer):
        sample = model()
        if kind := getattr(model, "KIND", ""):
            sample.kind = kind  # type: ignore[attr-defined]
        return str(serializer().describe(sample).meta_model_name)
    kind = kind_of(model)
    return kind.label if kind is not None and kind.model == model._meta.label else ".".join(labels(model))


def door_of(name: Any) -> Door:
    """Raises Wrong."""
    if not isinstance(name, str):
        raise Wrong("the model is a text", "model")
    found = doors().get(name.lower())
    if found is None:
        raise Wrong(f"there is no model {name!r} here{hint(name.lower(), [*doors(), META_APPLY])}", "model")
    return found


def door_for(instance: Model) -> Door | None:
    """The kind of an object; None for what blueprints do not know."""
    return next((door for door in doors().values() if door.model is type(instance)), None)
