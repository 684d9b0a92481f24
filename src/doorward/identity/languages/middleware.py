"""Speaks the language of each request while it is answered."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from doorward.identity.languages.choice import language_of


class Languages:
    """Stands behind whatever says who the user is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(language_of(request), deactivate=True):
            return self._get_response(request)
