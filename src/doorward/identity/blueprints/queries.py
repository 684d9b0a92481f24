"""Reads about blueprints: their texts, what they would do, and where the database says something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorward.config.problems import Problem
from doorward.identity.blueprints.errors import Unusable
from doorward.identity.blueprints.folder import file_at, files
from doorward.identity.blueprints.models import BlueprintInstance
from doorward.identity.blueprints.reading import Blueprint, read
from doorward.identity.blueprints.report import Report
from doorward.identity.events.actor import Actor


def text_of(instance: BlueprintInstance) -> str:
    """Raises Unusable when its file has gone or cannot be read."""
    if not instance.path:
        return instance.content
    file = file_at(instance.path)
    if file is None:
        raise Unusable([Problem("is not in the folder of blueprints any more", instance.path)])
    return file.text()


def library(wanted: Mapping[str, Any]) -> Blueprint | None:
    """Another blueprint by ``name`` or ``path``: one that is in force here, or a file of the folder."""
    name, path = wanted.get("name"), wanted.get("path")
    for instance in BlueprintInstance.objects.filter(**{"name": name} if name else {"path": path}):
        return read(text_of(instance), instance.path or instance.name)
    for file in files():
        try:
            blueprint = read(file.text(), file.path)
        except Unusable:
            continue
        if (name and blueprint.name == name) or (path and file.path == path):
            return blueprint
    return None


def tried(text: str, file: str, actor: Actor, context: Mapping[str, Any] | None = None) -> Report:
    """What the blueprint would do now; nothing is kept. Raises Unusable."""
    from doorward.identity.blueprints.applying import apply  # the API, which a start without a change never needs

    return apply(read(text, file), actor, dry=True, context=context, library=library)


def drift(instance: BlueprintInstance) -> Report:
    """Where the database says something else than the blueprint. Raises Unusable."""
    return tried(text_of(instance), instance.path or instance.name, Actor.system(), instance.context)
