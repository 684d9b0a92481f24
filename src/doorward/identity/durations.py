"""Durations as people write them in settings: ``hours=1;minutes=30`` (``contracts/identity.md`` section 12)."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_SECONDS = {
    "microseconds": 1e-6,
    "milliseconds": 1e-3,
    "seconds": 1.0,
    "minutes": 60.0,
    "hours": 3600.0,
    "days": 86400.0,
    "weeks": 604800.0,
}
_LONGEST = 10 * 366 * 86400.0
"""Seconds. Longer than that is a slip of the pen, and would overflow dates."""


def parse(text: str) -> timedelta:
    """``text`` as a length of time, never negative, at most ten years. Raises ValidationError."""
    total = 0.0
    for part in text.split(";"):
        unit, separator, number = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not separator or unit not in _SECONDS:
            raise ValidationError(
                _("“%(text)s” is not a duration; write it like hours=1;minutes=30") % {"text": part.strip()},
                "invalid",
            )
        if not number.isascii() or not number.replace(".", "", 1).isdigit() or len(number) > 16:
            raise ValidationError(
                _("“%(number)s” is not a number of %(unit)s") % {"number": number, "unit": unit}, "invalid"
            )
        total += float(number) * _SECONDS[unit]
    if total > _LONGEST:
        raise ValidationError(_("The longest duration is ten years"), "invalid")
    return timedelta(seconds=total)


def require(text: str) -> None:
    """Raise ValidationError unless ``text`` is a duration; to be named as a model field's validator."""
    parse(text)
