"""Every failure as the JSON that clients of this API know: ``detail``, or a list of messages per field."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import ProtectedError, RestrictedError
from django.http import HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from doorward.identity.directory.errors import Busy, Refused, TooManyAttempts

NON_FIELD = "non_field_errors"


class Conflict(exceptions.APIException):
    """Well-formed, but refused as things are; the text says what to do instead."""

    status_code = 409
    default_code = "conflict"


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Settings' ``EXCEPTION_HANDLER``. None lets an unexpected error through to the 500 page and the log."""
    return exception_handler(_as_known(error), context)


def _as_known(error: Exception) -> Exception:
    """What the rooms raise, as the exception that says the same over HTTP."""
    if isinstance(error, ModelValidationError):
        return exceptions.ValidationError(messages_of(error))
    if isinstance(error, ProtectedError | RestrictedError):
        return exceptions.ValidationError({NON_FIELD: ["Something else still uses this; see used_by."]})
    if isinstance(error, Refused):
        return Conflict(str(error))
    if isinstance(error, Busy):
        return exceptions.Throttled(wait=1)
    if isinstance(error, TooManyAttempts):
        return exceptions.Throttled(wait=error.retry_after)
    return error


def messages_of(error: ModelValidationError) -> dict[str, list[str]]:
    """Messages by field; Django's ``__all__`` is this API's ``non_field_errors``."""
    if hasattr(error, "error_dict"):
        return {NON_FIELD if field == "__all__" else field: texts for field, texts in error.message_dict.items()}
    return {NON_FIELD: list(error.messages)}


def not_found(_request: HttpRequest) -> JsonResponse:
    """For paths below ``/api/v3/`` that are no resource."""
    return JsonResponse({"detail": "Not found."}, status=404)
