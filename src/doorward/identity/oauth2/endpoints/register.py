"""``register/``: a program registers itself as a client (RFC 7591); below it each manages its own entry (RFC 7592).

Not there while no administrator has made a token for it (S-452).
"""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import client_metadata, registration, registration_tokens
from doorward.identity.oauth2.client_metadata import Unacceptable
from doorward.identity.oauth2.endpoints.answers import json_answer
from doorward.identity.oauth2.failure_counter import client_failures
from doorward.identity.oauth2.issuer import absolute, issuer_of
from doorward.identity.oauth2.live import application_of
from doorward.identity.oauth2.models import OAuth2Provider, RegisteredClient
from doorward.identity.oauth2.pace import neighbourhood

LARGEST = 32 * 1024
"""Bytes of a body."""
_DOOR = "register"


@csrf_exempt
@require_http_methods(["POST"])
def register(request: HttpRequest) -> HttpResponse:
    actor = Actor.of(request)
    if not registration_tokens.working():
        raise Http404("Dynamic registration is off: there is no token for it.")

    def registered(body: bytes) -> HttpResponse:
        made = registration.register(actor, _bearer(request), client_metadata.read(body))
        if made is None:
            return _unknown_token(actor)
        return json_answer({**_described(made.client), "registration_access_token": made.access_token}, 201)

    return _guarded(request, actor, registered)


@csrf_exempt
@require_http_methods(["GET", "PUT", "DELETE"])
def manage(request: HttpRequest, client_id: str) -> HttpResponse:
    actor = Actor.of(request)

    def managed(body: bytes) -> HttpResponse:
        client = registration.find(client_id, _bearer(request))
        if client is None:
            return _unknown_token(actor)
        if request.method == "DELETE":
            registration.remove(actor, client)
            return HttpResponse(status=204)
        if application_of(client.provider) is None:  # an administrator has taken it away: it is no client any more
            return _unknown_token(actor)
        if request.method == "PUT":
            registration.update(actor, client, client_metadata.read(body))
        return json_answer(_described(client))

    return _guarded(request, actor, managed)


def _guarded(request: HttpRequest, actor: Actor, answer: Callable[[bytes], HttpResponse]) -> HttpResponse:
    if client_failures.is_exhausted(_DOOR, neighbourhood(actor.client_ip)):
        return _refused(actor, 429, "invalid_token", "Too many wrong tokens; try again in a few minutes.")
    if request.method in ("POST", "PUT") and request.content_type != "application/json":
        return _refused(actor, 415, "invalid_client_metadata", "The body must be application/json.")
    if len(request.body) > LARGEST:
        return _refused(actor, 413, "invalid_client_metadata", "The body is too large.")
    try:
        return answer(request.body)
    except Unacceptable as error:
        return _refused(actor, 400, error.error, error.description)
    except ValidationError:
        return _refused(actor, 400, "invalid_client_metadata", "The client cannot be kept as it describes itself.")


def _described(client: RegisteredClient) -> dict[str, object]:
    """The client as it is registered (RFC 7591 section 3.2.1)."""
    provider = client.provider
    entries = provider.redirect_uris
    public = provider.client_type == OAuth2Provider.ClientType.PUBLIC
    named = {"logout_uri": provider.logout_uri} if provider.logout_uri else {}
    described: dict[str, object] = {
        "client_id": provider.client_id,
        "client_id_issued_at": int(client.created.timestamp()),
        "client_name": provider.application.name,
        "redirect_uris": [entry["url"] for entry in entries if entry.get("redirect_uri_type") != "logout"],
        "post_logout_redirect_uris": [entry["url"] for entry in entries if entry.get("redirect_uri_type") == "logout"],
        "grant_types": provider.grant_types,
        "response_types": ["code"],
        "token_endpoint_auth_method": "none" if public else "client_secret_basic",
        "scope": " ".join(sorted(provider.scope_mappings.values_list("scope_name", flat=True))),
        "issuer": issuer_of(provider),
        "registration_client_uri": absolute(reverse("oauth2-registered", args=[provider.client_id])),
        **{f"{provider.logout_method}_{name}": value for name, value in named.items()},
    }
    if not public:
        described |= {"client_secret": provider.client_secret, "client_secret_expires_at": 0}
    return described


def _bearer(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _unknown_token(actor: Actor) -> HttpResponse:
    client_failures.failed(_DOOR, neighbourhood(actor.client_ip))
    response = _refused(actor, 401, "invalid_token", "The token is missing, used up, expired or another client's.")
    response["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _refused(actor: Actor, status: int, error: str, description: str) -> HttpResponse:
    return json_answer({"error": error, "error_description": description, "request_id": actor.request_id}, status)
