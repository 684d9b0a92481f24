"""The refresh grant (RFC 6749 section 6), with rotation and the detection of reuse (RFC 9700 section 4.14.2).

Each refresh token works once. Who presents an old one is either the thief or the robbed: nobody can tell, so the
whole family ends (S-424). The family's end of life is fixed at its first token and never moves.
"""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from doorward.identity import durations
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import denial, live, scopes
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.issue import Tokens, authorization_of, issue
from doorward.identity.oauth2.models import IssuedToken
from doorward.identity.oauth2.parameters import Parameters


def refresh(client: Client, form: Parameters, actor: Actor) -> Tokens | Denial:
    """New tokens for the refresh token in ``form``."""
    presented = form.get("refresh_token")
    if not presented:
        return denial.NO_REFRESH_TOKEN
    with transaction.atomic():
        row = live.find(presented)
        if row is None or row.kind != IssuedToken.Kind.REFRESH or row.provider_id != client.provider.pk:
            return denial.INVALID_GRANT
        mappings = scopes.mappings_of(client.provider)
        granted = row.scope.split()
        requested = form.get("scope").split() or granted
        if not set(requested) <= set(granted):
            return denial.SCOPE_NOT_GRANTED
        # What was taken from the client since then is taken from its tokens as well (S-419).
        row.scope = " ".join(scope for scope in granted if scope in requested and scope in mappings)
        kept = _may_be_kept(row)
        if not (kept or _rotate(row, actor)) or not _stands(row):
            return denial.INVALID_GRANT
        if kept:
            return replace(issue(authorization_of(row), mappings), refresh_token=presented)
        return issue(authorization_of(row), mappings, refresh_until=row.expires)


def _may_be_kept(row: IssuedToken) -> bool:
    """Whether it is given back as it is: the provider renews only those that end soon (``refresh_token_threshold``)."""
    threshold = durations.parse(row.provider.refresh_token_threshold)
    return bool(threshold) and not row.revoked and row.expires > timezone.now() + threshold


def _rotate(row: IssuedToken, actor: Actor) -> bool:
    """Take the token out of use. False if it was out of use already: then the family is revoked."""
    now = timezone.now()
    if IssuedToken.objects.filter(pk=row.pk, revoked=False).update(revoked=True):
        return row.expires > now
    revoked = IssuedToken.objects.filter(family=row.family, revoked=False).update(revoked=True)
    events.record(
        "suspicious_request",
        "authentik.providers.oauth2",
        actor,
        message="A revoked refresh token was presented; all tokens of its authorization are revoked",
        provider=row.provider.name,
        revoked=revoked,
    )
    return False


def _stands(row: IssuedToken) -> bool:
    """Who changed their password did so to end what others might hold (S-425, S-520)."""
    return live.may_still(row) and row.user.password_change_date <= row.auth_time
