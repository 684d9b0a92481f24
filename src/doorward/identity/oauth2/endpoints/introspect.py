"""``introspect/``: a client asks about a token of its own (RFC 7662). About anybody else's it learns nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import clients, denial, issue, live, parameters, scopes
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.endpoints.answers import denied, json_answer
from doorward.identity.oauth2.models import IssuedToken
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.oauth2.person import Person


@csrf_exempt
@require_POST
def introspect(request: HttpRequest) -> HttpResponse:
    actor = Actor.of(request)
    form = parameters.read_form(request)
    if isinstance(form, Denial):
        return denied(form, actor)
    claimed = clients.claim(request.headers.get("Authorization", ""), form, actor.client_ip)
    client = claimed if isinstance(claimed, Denial) else clients.authenticate(claimed)
    if isinstance(client, Denial):
        return denied(client, actor)
    if client.is_public:
        # Anybody can say that they are a public client (S-426).
        return denied(denial.INVALID_CLIENT, actor)
    if not form.get("token"):
        return denied(denial.NO_TOKEN, actor)
    return json_answer(_about(client, form))


def _about(client: Client, form: Parameters) -> dict[str, object]:
    row = live.access_token(form.get("token")) or _live_refresh_token(form.get("token"))
    if row is None or row.provider_id != client.provider.pk:
        return {"active": False}
    claims = issue.stored_claims(row, Person(row.user, row.provider), scopes.mappings_of(row.provider))
    return {**claims, "active": True, "scope": row.scope, "client_id": client.provider.client_id}


def _live_refresh_token(token: str) -> IssuedToken | None:
    row = live.find(token)
    return row if row is not None and row.kind == IssuedToken.Kind.REFRESH and live.is_live(row) else None
