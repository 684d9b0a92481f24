"""Objects of the database as a blueprint: what would bring them back, here or elsewhere.

Other objects are named by what they are called, not by their keys, which differ from one installation to the next; a
secret is a variable that has to be set where the blueprint is applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml
from django.db.models import Model
from rest_framework.fields import Field, SkipField
from rest_framework.relations import ManyRelatedField, PrimaryKeyRelatedField

from doorward.identity.blueprints.comparing import hidden_value, name_of, plain
from doorward.identity.blueprints.doors import Door, door_for, door_of
from doorward.identity.blueprints.errors import Wrong
from doorward.identity.blueprints.objects import find
from doorward.identity.blueprints.scope import PREFIX
from doorward.identity.blueprints.tags import Tag

NATURAL_KEYS = {
    "authentik_flows.flowstagebinding": ("target", "stage", "order"),
    "authentik_policies.policybinding": ("target", "order", "policy", "group", "user"),
}
"""Fields that an object is found again by, where that is not one name."""
NAMES = ("slug", "identifier", "username", "domain", "name")
PUBLIC = frozenset({"certificate_data"})
"""Written only, and no secret."""


class Unknown(Exception):
    """There is no such object, or blueprints do not know its kind."""


def export(instance: Model) -> str:
    """A blueprint of the object, with what is a part of it."""
    parts = list(_parts(concrete(instance)))
    made = _Export(parts)
    return _text(
        {
            "version": 1,
            "metadata": {"name": f"Export - {name_of(instance)}"},
            "entries": [made.entry(part) for part in parts],
        }
    )


def one_called(model: str, name: str) -> Model:
    """The object of a model with this name, slug, identifier or key. Raises Unknown."""
    try:
        door = door_of(model)
        for field in [*(name for name in NAMES if name in door.fields()), "managed", "pk"]:
            try:
                found = find(door, {field: name})
            except Wrong:
                continue
            if found is not None:
                return found
    except Wrong as wrong:
        raise Unknown(wrong.message) from wrong
    raise Unknown(f"there is no {model} called {name!r}")


def concrete(instance: Model) -> Model:
    """A row of a base table as the object of its own kind."""
    for relation in instance._meta.related_objects:
        if relation.one_to_one and getattr(relation.field.remote_field, "parent_link", False):
            child = getattr(instance, relation.get_accessor_name() or "", None)
            if child is not None:
                return concrete(child)
    return instance


def _parts(instance: Model) -> Iterator[Model]:
    """The object, after what it needs of its own and before what is bound to it."""
    from doorward.identity.applications.models import Application
    from doorward.identity.flows.models import Flow

    if isinstance(instance, Flow):
        yield from _parts_of_flow(instance)
        return
    if isinstance(instance, Application) and instance.provider is not None:
        yield concrete(instance.provider)
    yield instance
    if isinstance(instance, Application):
        yield from _bindings(instance)


def _parts_of_flow(flow: Any) -> Iterator[Model]:
    seen: set[tuple[type[Model], Any]] = set()
    places = list(flow.stage_bindings.order_by("order", "pk"))
    stages = [concrete(place.stage) for place in places]
    targets = [flow, *places]
    policies = [binding.policy for target in targets for binding in target.bindings.all() if binding.policy is not None]
    for part in [
        *(concrete(policy) for policy in policies),
        *(part for stage in stages for part in _needed_by(stage)),
        flow,
        *places,
        *(binding for target in targets for binding in target.bindings.all()),
    ]:
        if (type(part), part.pk) not in seen:
            seen.add((type(part), part.pk))
            yield part


def _needed_by(stage: Model) -> Iterator[Model]:
    """A stage, after the prompts, policies and stages that it names."""
    from doorward.identity.policies.models import Policy
    from doorward.identity.stages.models import Prompt, Stage

    door = door_for(stage)
    for field in door.described().values() if door is not None else ():
        for related in _related(field, stage):
            if isinstance(related, Prompt | Policy | Stage) and related.pk != stage.pk:
                yield concrete(related)
    yield stage


def _related(field: Field[Any, Any, Any, Any], instance: Model) -> list[Model]:
    try:
        if isinstance(field, ManyRelatedField):
            return list(field.get_attribute(instance) or ())
        if isinstance(field, PrimaryKeyRelatedField):
            found = getattr(instance, field.source or "", None)
            return [found] if isinstance(found, Model) else []
    except (SkipField, AttributeError):
        pass
    return []


def _bindings(target: Any) -> Iterable[Model]:
    for binding in target.bindings.all():
        if binding.policy is not None:
            yield concrete(binding.policy)
        yield binding


class _Export:
    def __init__(self, parts: list[Model]) -> None:
        self.ids: dict[tuple[type[Model], Any], str] = {}
        for part in parts:
            self.ids[type(part), part.pk] = self._id(part)
        self.written: set[tuple[type[Model], Any]] = set()

    def _id(self, part: Model) -> str:
        wanted = re.sub(r"[^a-z0-9]+", "-", f"{part._meta.model_name}-{name_of(part)}".lower()).strip("-")
        taken = set(self.ids.values())
        return next(
            name for number in range(1, 10**6) if (name := f"{wanted}-{number}" if number > 1 else wanted) not in taken
        )

    def entry(self, instance: Model) -> dict[str, Any]:
        door = door_for(instance)
        if door is None:
            raise Unknown(f"blueprints do not know {instance._meta.label}")
        identifiers = self.natural_key(door, instance)
        attrs = {
            name: value
            for name, field in door.described().items()
            if name not in identifiers and (value := self.value(door, name, field, instance)) is not _NO_VALUE
        }
        for name, extra in door.extras.items():
            if not extra.is_secret and (shown := extra.shown(instance)):
                attrs[name] = shown
        made: dict[str, Any] = {
            "model": door.name,
            "id": self.ids[type(instance), instance.pk],
            "identifiers": identifiers,
        }
        if attrs and not getattr(instance, "managed", None):
            made["attrs"] = attrs
        elif attrs and door.name == "authentik_outposts.outpost":
            made["attrs"] = {name: attrs[name] for name in ("providers", "config") if name in attrs}
        self.written.add((type(instance), instance.pk))
        return made

    def natural_key(self, door: Door, instance: Model) -> dict[str, Any]:
        managed = getattr(instance, "managed", None)
        if managed:
            return {"managed": managed}
        fields = door.described()
        if door.name in NATURAL_KEYS:
            found = {
                name: self.value(door, name, fields[name], instance, always=True) for name in NATURAL_KEYS[door.name]
            }
            return {name: value for name, value in found.items() if value is not None}
        name = next((name for name in NAMES if name in fields), None)
        return {"pk": str(instance.pk)} if name is None else {name: getattr(instance, fields[name].source or name)}

    def value(
        self, door: Door, name: str, field: Field[Any, Any, Any, Any], instance: Model, *, always: bool = False
    ) -> Any:
        if field.write_only:
            known = hidden_value(door, name, instance)
            if not known:
                return _NO_VALUE
            return known if name in PUBLIC else Tag("Env", _variable(instance, name), 0)
        if isinstance(field, ManyRelatedField):
            found = [self.reference(each) for each in _related(field, instance)]
            return found if found or field.required else _NO_VALUE
        if isinstance(field, PrimaryKeyRelatedField):
            related = _related(field, instance)
            if related:
                return self.reference(related[0])
            return None if always else _NO_VALUE
        try:
            raw: Any = field.get_attribute(instance)
        except (SkipField, AttributeError):
            return _NO_VALUE
        if not always and not field.required and (raw in (None, "", [], {}) or raw == _default(door.model, field)):
            return _NO_VALUE
        return None if raw is None else plain(field.to_representation(raw))

    def reference(self, related: Model) -> Any:
        whole = concrete(related)
        if (type(whole), whole.pk) in self.written:
            return Tag("KeyOf", self.ids[type(whole), whole.pk], 0)
        door = door_for(whole)
        if door is None:
            return str(whole.pk)
        return Tag("Find", [door.name, *([name, value] for name, value in self.natural_key(door, whole).items())], 0)


_NO_VALUE = object()


def _default(model: type[Model], field: Field[Any, Any, Any, Any]) -> Any:
    column = next((each for each in model._meta.concrete_fields if each.name == field.source), None)
    return column.get_default() if column is not None and column.has_default() else _NO_VALUE


def _variable(instance: Model, field: str) -> str:
    words = re.sub(r"[^A-Z0-9]+", "_", f"{name_of(instance)}_{field}".upper()).strip("_")
    return f"{PREFIX}{words}"


_QUOTED = re.compile(r"!(KeyOf|Env) '([\w-]+)'", re.ASCII)
"""The library puts quotes around whatever has a tag; nobody writes them."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _represent_tag(dumper: _Dumper, tag: Tag) -> yaml.Node:
    if isinstance(tag.value, list):
        return dumper.represent_sequence(f"!{tag.name}", tag.value, flow_style=True)
    return dumper.represent_scalar(f"!{tag.name}", str(tag.value))


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(Tag, _represent_tag)
_Dumper.add_representer(str, _represent_text)


def _text(data: dict[str, Any]) -> str:
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return _QUOTED.sub(r"!\1 \2", text)
