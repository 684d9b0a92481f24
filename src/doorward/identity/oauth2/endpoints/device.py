"""``device/``: a program without a browser asks to be let in (RFC 8628 section 3.1)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import clients, denial, device_codes, parameters, scopes
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.endpoints.answers import allow_origin, denied, json_answer, preflight
from doorward.identity.oauth2.pace import Pace, neighbourhood

asked = Pace(20, altogether=10_000)
"""Devices per hour, client and address (``contracts/identity.md`` section 2.1)."""


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def device(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return preflight(request, "POST")
    actor = Actor.of(request)
    form = parameters.read_form(request)
    if isinstance(form, Denial):
        return denied(form, actor)
    claimed = clients.claim(request.headers.get("Authorization", ""), form, actor.client_ip)
    client = claimed if isinstance(claimed, Denial) else clients.authenticate(claimed)
    if isinstance(client, Denial):
        return denied(client, actor)
    if not device_codes.offered(client):
        return denied(denial.UNAUTHORIZED_CLIENT, actor)
    granted = scopes.allowed(form.get("scope").split(), scopes.mappings_of(client.provider))
    if not granted:
        return denied(denial.NO_SCOPE_LEFT, actor)
    if not asked.take(f"{client.provider.pk} {neighbourhood(actor.client_ip)}"):
        return denied(denial.TOO_MANY_DEVICES, actor)
    waiting = device_codes.create(client, granted, actor.client_ip)
    page = device_codes.page()
    body: dict[str, object] = {
        "device_code": waiting.device_code,
        "user_code": waiting.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?{urlencode({'code': waiting.user_code})}",
        "expires_in": int(device_codes.LIFE.total_seconds()),
        "interval": device_codes.INTERVAL,
    }
    return allow_origin(request, json_answer(body), client.provider)
