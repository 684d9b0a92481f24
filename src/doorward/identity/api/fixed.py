"""Properties that the original has and that here have one value only.

They are always answered, because its clients require the keys. A request may repeat the value (clients send every
property they know); a request for any other value is refused by name, never silently dropped.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.drainage import set_override
from rest_framework.fields import Field, SkipField, empty

Value = str | int | float | bool | list[Any] | dict[str, Any] | None


class Fixed(Field[Any, Any, Any, Any]):
    """Always ``value``. Raises ValidationError for another one; the empty values count as one another."""

    default_error_messages = {"unsupported": "Doorward does not support this; leave it out, or at {value!r}."}

    def __init__(self, value: Value) -> None:
        super().__init__(required=False, allow_null=True, source="*")
        self.value = value
        set_override(self, "field", _schema(value))

    def run_validation(self, data: Any = empty) -> Any:
        if data is empty or data == self.value or (not data and not self.value):
            raise SkipField
        self.fail("unsupported", value=self.value)

    def get_attribute(self, instance: Any) -> Any:
        return instance

    def to_representation(self, instance: Any) -> Any:
        return self.value


def _schema(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "number"}
    if isinstance(value, list):
        return {"type": "array", "items": {}}
    if isinstance(value, dict):
        return {"type": "object", "additionalProperties": {}}
    return {"type": "string", "nullable": value is None}
