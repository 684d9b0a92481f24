"""What the tags of one application may see: context, environment, files, the entries before, the database.

The environment is limited to variables that were set for blueprints, files to the folders of blueprints (S-611): a
blueprint that somebody handed over cannot read what it was not meant to.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Model

from doorward.config.problems import nearest
from doorward.identity.blueprints.doors import door_of, doors
from doorward.identity.blueprints.errors import Follows, Wrong
from doorward.identity.blueprints.objects import find
from doorward.identity.blueprints.tags import NOTHING
from doorward.identity.events.actor import Actor

PREFIX = "DOORWARD_BLUEPRINT_"
LARGEST_FILE = 1 << 18
"""Bytes."""


class Scope:
    """One application of one blueprint."""

    def __init__(self, context: Mapping[str, Any], actor: Actor) -> None:
        self.loops: list[tuple[Any, Any]] = []
        self.steps = 0
        self.letters = 0
        self.actor = actor
        self._context = context
        self._made: dict[str, Model | None] = {}
        self._later: set[str] = set()

    def expect(self, ids: set[str]) -> None:
        """The ids of entries that have not had their turn."""
        self._later |= ids

    def note(self, name: str, instance: Model | None) -> None:
        """The entry ``name`` is about this object; None: about none, because it failed or was left out."""
        if name:
            self._later.discard(name)
            self._made[name] = instance

    def context(self, name: str) -> Any:
        """A value by its name, or by the names that lead to it, with dots between."""
        if name in self._context:
            return self._context[name]
        if name == "goauthentik.io/enterprise/licensed":
            return False
        if name == "goauthentik.io/rbac/models":
            return {each: each for each in doors()}
        found: Any = self._context
        for part in name.split("."):
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif isinstance(found, list) and part.isascii() and part.isdigit() and int(part) < len(found):
                found = found[int(part)]
            else:
                return NOTHING
        return found

    def environment(self, name: str) -> str | None:
        """``DOORWARD_BLUEPRINT_<name>``, whether the file writes the prefix or not."""
        return os.environ.get(name if name.startswith(PREFIX) else PREFIX + name)

    def file(self, path: str) -> str | None:
        """Its text without the last line break. Raises Wrong for what lies elsewhere."""
        if "://" in path or "\0" in path:
            raise Wrong("takes the path of a file in the folder of blueprints")
        folders = [Path(folder).resolve() for folder in settings.BLUEPRINTS]
        for folder in folders:
            real = (folder / path).resolve()
            if real.is_relative_to(folder):
                if real.is_file():
                    return _text_of(real)
            elif Path(path).is_absolute():
                continue
            else:
                raise Wrong(f"{path} leads out of the folder of blueprints")
        if Path(path).is_absolute() and not any(Path(path).is_relative_to(folder) for folder in folders):
            listed = ", ".join(str(folder) for folder in folders)
            raise Wrong(f"{path} is outside of the folder of blueprints ({listed})")
        return None

    def key_of(self, name: str) -> Any:
        if name in self._made:
            instance = self._made[name]
            if instance is None:
                raise Follows
            return instance.pk
        if name in self._later:
            raise Wrong(f"the entry {name!r} comes later; put it before this one")
        near = nearest(name, {*self._made})
        raise Wrong(f"there is no entry with the id {name!r}" + (f"; {near}" if near else ""))

    def found(self, model: str, wanted: Mapping[str, Any]) -> Any:
        instance = find(door_of(model), wanted, "")
        return None if instance is None else instance.pk

    def found_object(self, model: str, wanted: Mapping[str, Any]) -> Any:
        door = door_of(model)
        instance = find(door, wanted, "")
        return None if instance is None else dict(door.serializer(self.actor, "retrieve", instance).data)


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Wrong(f"{path.name} cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST_FILE:
        raise Wrong(f"{path.name} is larger than {LARGEST_FILE} bytes")
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Wrong(f"{path.name} is no UTF-8 text") from error
