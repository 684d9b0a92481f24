"""``revoke/``: a client gives up a token of its own (RFC 7009). 200 means it is gone; if the database fails, the
answer is an error, never 200 (S-427)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import actions, clients, denial, parameters
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.endpoints.answers import allow_origin, denied, json_answer, preflight


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def revoke(request: HttpRequest) -> HttpResponse:
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
    if not form.get("token"):
        return denied(denial.NO_TOKEN, actor)
    actions.revoke_token(client.provider, form.get("token"))
    return allow_origin(request, json_answer({}), client.provider)
