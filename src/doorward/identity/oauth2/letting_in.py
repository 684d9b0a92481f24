"""The answer to an authorization request that was allowed: a code, or what else the client asked for."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2 import acr, codes, pushed_requests, response_types
from doorward.identity.oauth2.authorization_request import AuthorizationRequest
from doorward.identity.oauth2.issue import Authorization, issue_in_front
from doorward.identity.oauth2.models import new_family


def let_in(actor: Actor, asked: AuthorizationRequest, user: User, login: LoginSession) -> dict[str, str] | None:
    """What the browser brings back, and the event that says who let whom know what. None for a pushed request that
    has been answered already. Everything that is issued here is one family: it ends together."""
    family, reached = new_family(), acr.reached(asked.acr_values, login.methods)
    provider, fields = asked.client.provider, dict[str, str]()
    with transaction.atomic():
        if asked.return_to.pushed and not pushed_requests.answer(asked.return_to.pushed):
            return None
        if response_types.CODE in asked.response_type:
            fields["code"] = codes.create(asked, user, login, acr=reached, family=family)
        if asked.response_type != {response_types.CODE}:
            authorization = Authorization(
                provider=provider,
                user=user,
                scopes=asked.scopes,
                auth_time=login.authenticated_at or timezone.now(),
                amr=tuple(login.methods),
                family=family,
                nonce=asked.nonce,
                login_session=login.pk,
                sid=login.sid,
                acr=reached,
                claims=asked.claims,
            )
            code = fields.get("code", "")
            fields |= issue_in_front(authorization, asked.mappings, wanted=asked.response_type, code=code)
        events.record(
            "authorize_application",
            "authentik.providers.oauth2",
            actor,
            authorized_application=asked.client.application,
            flow=str(provider.authorization_flow_id),
            scopes=" ".join(asked.scopes),
        )
    return fields
