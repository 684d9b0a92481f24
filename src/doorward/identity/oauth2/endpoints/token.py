"""``token/``: from a grant to tokens (``contracts/identity.md`` section 2.3)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import clients, denial, parameters
from doorward.identity.oauth2.clients import ClaimedClient
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.endpoints.answers import allow_origin, denied, json_answer, preflight
from doorward.identity.oauth2.grants import (
    authorization_code,
    client_credentials,
    device_code,
    refresh_token,
    token_exchange,
)
from doorward.identity.oauth2.issue import Tokens
from doorward.identity.oauth2.models import DEVICE_CODE, TOKEN_EXCHANGE
from doorward.identity.oauth2.parameters import Parameters

WITH_CLIENT = {
    "authorization_code": authorization_code.redeem,
    "refresh_token": refresh_token.refresh,
    DEVICE_CODE: device_code.redeem,
    TOKEN_EXCHANGE: token_exchange.exchange,
}
MACHINE = ("client_credentials", "password")
GRANT_TYPES = (*WITH_CLIENT, *MACHINE)


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
def token(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return preflight(request, "POST")
    actor = Actor.of(request)
    form = parameters.read_form(request)
    if isinstance(form, Denial):
        return denied(form, actor)
    claimed = clients.claim(request.headers.get("Authorization", ""), form, actor.client_ip)
    if isinstance(claimed, Denial):
        return denied(claimed, actor)
    tokens = _grant(claimed, form, actor)
    if isinstance(tokens, Denial):
        response = denied(tokens, actor)
    else:
        exchanged = (
            {"issued_token_type": token_exchange.ACCESS_TOKEN} if form.get("grant_type") == TOKEN_EXCHANGE else {}
        )
        response = json_answer(_body(tokens) | exchanged)
    return allow_origin(request, response, claimed.client.provider if claimed.client else None)


def _grant(claimed: ClaimedClient, form: Parameters, actor: Actor) -> Tokens | Denial:
    grant_type = form.get("grant_type")
    if grant_type in MACHINE:
        if claimed.client is not None and "client_credentials" not in claimed.client.provider.grant_types:
            return denial.UNAUTHORIZED_CLIENT
        return client_credentials.grant(claimed, form, actor)
    client = clients.authenticate(claimed)
    if isinstance(client, Denial):
        return client
    grant = WITH_CLIENT.get(grant_type)
    if grant is None:
        return denial.UNSUPPORTED_GRANT if grant_type else denial.NO_GRANT_TYPE
    if grant_type not in client.provider.grant_types:
        return denial.UNAUTHORIZED_CLIENT
    return grant(client, form, actor)


def _body(tokens: Tokens) -> dict[str, object]:
    body: dict[str, object] = {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "scope": tokens.scope,
        "expires_in": tokens.expires_in,
    }
    if tokens.id_token:
        body["id_token"] = tokens.id_token
    if tokens.refresh_token:
        body["refresh_token"] = tokens.refresh_token
    return body
