"""What differs between an object before and after a write: field by field, references by name, secrets as stars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from rest_framework.fields import Field, SkipField
from rest_framework.relations import ManyRelatedField, PrimaryKeyRelatedField

from doorward.identity.blueprints.doors import Door
from doorward.identity.blueprints.extras import KEPT_ELSEWHERE
from doorward.identity.blueprints.report import Difference
from doorward.identity.events.redaction import REDACTED, is_secret

Values = Mapping[str, Any]
"""Field → comparable value."""


def values_of(door: Door, instance: Model) -> dict[str, Any]:
    """Every writable field of an object, readable ones as the API shows them, secrets as they are."""
    return {name: _value(door, name, field, instance) for name, field in door.described().items()}


def _value(door: Door, name: str, field: Field[Any, Any, Any, Any], instance: Model) -> Any:
    if field.write_only:
        return hidden_value(door, name, instance)
    try:
        raw: Any = field.get_attribute(instance)
    except (SkipField, AttributeError):
        return None
    if isinstance(field, ManyRelatedField):
        return sorted((_Reference.to(each) for each in raw), key=str)
    if isinstance(field, PrimaryKeyRelatedField):
        related = getattr(instance, _source(field), None)
        return None if related is None else _Reference.to(related)
    if raw is None:
        return None
    return plain(field.to_representation(raw))


def intended(door: Door, validated: Values) -> dict[str, Any]:
    """The values that an object would have after a write of ``validated``, comparable with ``values_of``."""
    found: dict[str, Any] = {}
    for name, field in door.described().items():
        source = _source(field)
        if source not in validated:
            continue
        value = validated[source]
        if isinstance(field, ManyRelatedField):
            found[name] = sorted((_Reference.to(each) for each in value), key=str)
        elif isinstance(value, Model):
            found[name] = _Reference.to(value)
        elif field.write_only or value is None:
            found[name] = value
        else:
            found[name] = plain(field.to_representation(value))
    return found


def _source(field: Field[Any, Any, Any, Any]) -> str:
    return (field.source or "").partition(".")[0]


def hidden_value(door: Door, name: str, instance: Model) -> Any:
    """What an object has under a name that the API only writes; None where it cannot be seen at all."""
    try:
        return getattr(instance, KEPT_ELSEWHERE.get((door.name, name), name), None)
    except Exception:  # noqa: BLE001 - a secret that cannot be unsealed is another one
        return None


def plain(value: Any) -> Any:
    """Without the framework's own kinds of mappings and lists; a set in order."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class _Reference:
    """Another object: compared by its key, shown by its name."""

    key: str
    name: str

    @classmethod
    def to(cls, instance: Model) -> _Reference:
        return cls(str(instance.pk), name_of(instance))

    def __str__(self) -> str:
        return self.name


def name_of(instance: Model) -> str:
    """What people call an object; a base row by what it is a part of."""
    text = str(instance)
    if " object (" in text:
        for part in ("application", "flow", "flowstagebinding"):
            if (whole := getattr(instance, part, None)) is not None:
                return str(whole)
    slug = getattr(instance, "slug", "")
    return str(slug or text)


def differences(door: Door, before: Values, after: Values) -> tuple[Difference, ...]:
    """What is not the same, for the eye."""
    fields = door.described()
    found = []
    for name in after:
        old, new = before.get(name), after[name]
        if old != new:
            hide = fields[name].write_only  # what the API shows is no secret (S-605)
            found.append(Difference(name, _shown(old, hide), _shown(new, hide)))
    return tuple(found)


def _shown(value: Any, hide: bool) -> Any:
    if value is None or value == "":
        return value
    if hide:
        return REDACTED
    if isinstance(value, _Reference):
        return str(value)
    if isinstance(value, list):
        return [_shown(item, False) for item in value]
    if isinstance(value, dict):
        return {key: _shown(item, is_secret(str(key))) for key, item in value.items()}
    return value
