"""JSON answers of the endpoints for clients: never cached, and readable from a browser only for the client's own
origins, without credentials (S-451)."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import redirects
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.models import OAuth2Provider


def json_answer(body: Mapping[str, object], status: int = 200, *, indent: int | None = None) -> HttpResponse:
    response = JsonResponse(body, status=status, json_dumps_params={"indent": indent})
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


def denied(denial: Denial, actor: Actor) -> HttpResponse:
    """``error``, ``error_description`` and the id under which the log knows this request (C8)."""
    response = json_answer(
        {"error": denial.error, "error_description": denial.description, "request_id": actor.request_id},
        denial.status,
    )
    if denial.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="oauth2"'
    if denial.status == 429:
        response["Retry-After"] = "300"
    return response


def allow_origin(request: HttpRequest, response: HttpResponse, provider: OAuth2Provider | None) -> HttpResponse:
    """Let the page at ``Origin`` read ``response`` if it is the client's; without a client, if it is any client's."""
    response["Vary"] = "Origin"
    origin = request.headers.get("Origin", "")
    if origin and origin != "null" and origin in _origins(provider):
        response["Access-Control-Allow-Origin"] = origin
    return response


def preflight(request: HttpRequest, methods: str) -> HttpResponse:
    """The browser asks beforehand, and does not say for which client."""
    response = allow_origin(request, HttpResponse(status=204), None)
    if "Access-Control-Allow-Origin" in response:
        response["Access-Control-Allow-Methods"] = methods
        response["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response["Access-Control-Max-Age"] = "600"
    return response


def _origins(provider: OAuth2Provider | None) -> frozenset[str]:
    if provider is not None:
        return redirects.origins(provider.redirect_uris)
    return redirects.unique_origins(OAuth2Provider.objects.values_list("redirect_uris", flat=True))
