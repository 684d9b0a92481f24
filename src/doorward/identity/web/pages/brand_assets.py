"""What pages fetch of a brand: the stylesheet with its colours, and pictures that were uploaded for it.

They are for everybody, because the login page is, and have addresses that change with their content.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from doorward.identity.brands.look import look_of, preview_style
from doorward.identity.brands.models import Brand, Picture

FOR_EVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"


@require_safe
def style(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/brand/<uuid>/style.css``"""
    look = look_of(get_object_or_404(Brand, pk=uuid))
    asked = request.GET.get("v", "")
    return _css(look.style, FOR_EVER if asked and asked == look.style_version else FOR_AN_HOUR)


@require_safe
def preview(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/brand/<uuid>/preview.css``: the same colours, for one part of an administrators' page."""
    return _css(preview_style(get_object_or_404(Brand, pk=uuid)), "no-store")


def _css(text: str, caching: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = caching
    return response


@require_safe
def picture(request: HttpRequest, key: str) -> HttpResponse:
    """``/brand/pictures/<key>``"""
    found = get_object_or_404(Picture, pk=key)
    response = HttpResponse(bytes(found.content), content_type=found.media_type)
    response.headers["Cache-Control"] = FOR_EVER
    # Whoever opens it by its address downloads it; were it ever shown, it could run and fetch nothing (S-614).
    response.headers["Content-Disposition"] = "attachment"
    setattr(response, "whole_policy", "default-src 'none'; sandbox")  # noqa: B010 - no attribute of Django's
    return response
