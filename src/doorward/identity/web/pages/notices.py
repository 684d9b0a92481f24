"""One sentence that survives the redirect after a form: what was done."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

_KEY = "web.notice"


@dataclass(frozen=True, slots=True)
class Notice:
    text: str
    kind: str = "good"
    """good or warn."""


def leave(request: HttpRequest, text: str, kind: str = "good") -> None:
    """For the next page that this session sees."""
    request.session[_KEY] = [text, kind]


def take(request: HttpRequest) -> Notice | None:
    """What was left, once."""
    left = request.session.pop(_KEY, None)
    return Notice(*left) if left else None
