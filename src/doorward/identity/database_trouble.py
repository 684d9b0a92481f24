"""A database that does not answer is 503 with the wish to come again, on every page and API call (S-806).

Django turns an exception into a 500 wherever in the chain it happens. It announces each one before; what was announced
for this request decides afterwards which answer it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

RETRY_AFTER = 5
"""Seconds; as long as the database's own patience."""
_MARK = "doorward.database-trouble"


class DatabaseTrouble:
    """Stands outside of everything that touches the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        got_request_exception.connect(_note, dispatch_uid="database-trouble")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.META.get(_MARK):
            text = "The database does not answer. Try again in a few seconds.\n"
            headers = {"Retry-After": str(RETRY_AFTER)}
            return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers=headers)
        return response


def _note(sender: object, *, request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None and isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        request.META[_MARK] = True
