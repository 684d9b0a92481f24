"""``userinfo/``: who the bearer of an access token speaks for (OpenID Connect Core section 5.3)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import claims_request, live, parameters, scopes
from doorward.identity.oauth2.endpoints.answers import allow_origin, json_answer, preflight
from doorward.identity.oauth2.parameters import FORM
from doorward.identity.oauth2.person import Person
from doorward.identity.oauth2.subjects import subject_of


@csrf_exempt
@require_http_methods(["GET", "POST", "OPTIONS"])
def userinfo(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return preflight(request, "GET, POST")
    row = live.access_token(_presented(request))
    if row is None:
        refused = _refused(request, 401, "invalid_token", "The access token is missing, expired or revoked.")
        return allow_origin(request, refused, None)
    granted = row.scope.split()
    if scopes.OPENID not in granted:
        refused = _refused(request, 403, "insufficient_scope", "The access token has no scope openid.")
        return allow_origin(request, refused, row.provider)
    person, mappings = Person(row.user, row.provider), scopes.mappings_of(row.provider)
    named = scopes.named(person, claims_request.restored(row.claims).userinfo, mappings)
    claims = named | scopes.claims_of(person, granted, mappings)
    claims["sub"] = subject_of(row.provider, row.user)
    return allow_origin(request, json_answer(claims), row.provider)


def _presented(request: HttpRequest) -> str:
    """From the header or a form; a token in a URL ends up in logs and is not read (S-428)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return token.strip() if scheme.lower() == "bearer" else ""
    if request.method == "POST" and request.content_type == FORM:
        return parameters.read(request.POST).get("access_token")
    return ""


def _refused(request: HttpRequest, status: int, error: str, description: str) -> HttpResponse:
    body = {"error": error, "error_description": description, "request_id": Actor.of(request).request_id}
    response = json_answer(body, status)
    response["WWW-Authenticate"] = f'Bearer error="{error}", error_description="{description}"'
    return response
