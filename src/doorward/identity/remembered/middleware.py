"""Tells where a request begins and ends."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from doorward.identity.remembered import marks


class Remembering:
    """Stands outside of everything that reads configuration."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with marks.during_a_request():
            return self._get_response(request)
