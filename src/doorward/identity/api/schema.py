"""``/schema/``: this API described in OpenAPI 3, as YAML or JSON.

The generator is a large library that only this page needs: it is imported when somebody first asks, and its work,
which takes a second, is done once per process.
"""

from __future__ import annotations

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

MEDIA_TYPES = {"yaml": "application/vnd.oai.openapi", "json": "application/vnd.oai.openapi+json"}


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """YAML unless JSON is asked for, by ``?format=json`` or the Accept header."""
    wants_json = request.GET.get("format") == "json" or "json" in request.headers.get("Accept", "")
    form = "json" if wants_json else "yaml"
    return HttpResponse(_rendered(form), content_type=MEDIA_TYPES[form])


@lru_cache(maxsize=2)
def _rendered(form: str) -> bytes:
    from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

    from doorward.identity.api.openapi import description

    renderer = OpenApiJsonRenderer() if form == "json" else OpenApiYamlRenderer()
    return renderer.render(description(), renderer_context={})
