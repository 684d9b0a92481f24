"""``par/``: a client leaves its authorization request here and sends the browser with a reference (RFC 9126)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import authorization_request, clients, denial, parameters, pushed_requests
from doorward.identity.oauth2.authorization_request import PageError, Refusal
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.endpoints.answers import allow_origin, denied, json_answer, preflight
from doorward.identity.oauth2.parameters import Parameters

_PROOFS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def push(request: HttpRequest) -> HttpResponse:
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
    reference = _pushed(client, form)
    if isinstance(reference, Denial):
        return allow_origin(request, denied(reference, actor), client.provider)
    lives = int(pushed_requests.VALID_FOR.total_seconds())
    answer = json_answer({"request_uri": reference, "expires_in": lives}, 201)
    return allow_origin(request, answer, client.provider)


def _pushed(client: Client, form: Parameters) -> str | Denial:
    """Judged as in a browser, and told at once what is wrong (RFC 9126 section 2.3)."""
    if form.get("request_uri"):
        return denial.REQUEST_URI_NOT_SUPPORTED
    values = {name: value for name, value in form.values.items() if name not in _PROOFS}
    values["client_id"] = client.provider.client_id
    if sum(len(name) + len(value) for name, value in values.items()) > pushed_requests.LARGEST:
        return denial.TOO_LARGE
    asked = authorization_request.judge(Parameters(values, frozenset()), pushed=True)
    if isinstance(asked, PageError):
        return denial.REDIRECT_URI_NOT_REGISTERED
    if isinstance(asked, Refusal):
        return asked.denial
    return pushed_requests.push(client.provider, values) or denial.TOO_MANY_PUSHED
