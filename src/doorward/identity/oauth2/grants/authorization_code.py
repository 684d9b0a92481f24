"""The authorization code grant (RFC 6749 section 4.1.3) with PKCE (RFC 7636).

Presenting a code consumes it, whatever comes of it: one conditional UPDATE, so that of twenty requests at once
exactly one can go on (S-412), and a code that turned up in the wrong hands is worthless afterwards (S-413). A code that
was consumed before takes the tokens of its first redemption with it (S-411). Consuming and issuing are one
transaction: a second request cannot see the one without the other.
"""

from __future__ import annotations

import hmac

from django.db import transaction
from django.utils import timezone

from doorward.identity import durations
from doorward.identity.crypto import vault
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.logins.session_store import is_live
from doorward.identity.oauth2 import claims_request, denial, pkce, scopes
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.issue import Authorization, Tokens, issue
from doorward.identity.oauth2.models import AuthorizationCode, IssuedToken
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict


def redeem(client: Client, form: Parameters, actor: Actor) -> Tokens | Denial:
    """Tokens for the code in ``form``."""
    presented = form.get("code")
    if not presented:
        return denial.NO_CODE
    with transaction.atomic():
        code = _consume(vault.digest(presented), actor)
        if code is None or not _is_for(code, client, form):
            return denial.INVALID_GRANT
        return _issue(code, client)


def _consume(code_hash: str, actor: Actor) -> AuthorizationCode | None:
    now = timezone.now()
    consumed = AuthorizationCode.objects.filter(code_hash=code_hash, used_at=None).update(used_at=now)
    code = (
        AuthorizationCode.objects.select_related("user", "login_session", "provider")
        .filter(code_hash=code_hash)
        .first()
    )
    if code is None:
        return None
    if not consumed:
        _replayed(code, actor)
        return None
    # Expiry is read, never left to whoever cleans up (S-415).
    return code if code.expires > now else None


def _replayed(code: AuthorizationCode, actor: Actor) -> None:
    revoked = IssuedToken.objects.filter(family=code.family, revoked=False).update(revoked=True)
    events.record(
        "suspicious_request",
        "authentik.providers.oauth2",
        actor,
        message="An authorization code was presented a second time; the tokens issued for it are revoked",
        provider=code.provider.name,
        revoked=revoked,
    )


def _is_for(code: AuthorizationCode, client: Client, form: Parameters) -> bool:
    """Bound to the client, the redirect URI and the challenge of the authorization request (S-408 to S-414), and to
    the login it came from."""
    return (
        code.provider_id == client.provider.pk
        and hmac.compare_digest(form.get("redirect_uri").encode(), code.redirect_uri.encode())
        and pkce.proves(form.optional("code_verifier"), code.code_challenge)
        and code.login_session is not None
        and is_live(code.login_session)
        and verdict(client.application, code.user, Asked.since(code.login_session)).passing
    )


def _issue(code: AuthorizationCode, client: Client) -> Tokens:
    granted = tuple(code.scope.split())
    if code.login_session is not None and code.login_session.impersonator_id is not None:
        # Access that outlives the login would outlive the act, and stay with whoever acted (S-534).
        granted = tuple(scope for scope in granted if scope != scopes.OFFLINE_ACCESS)
    authorization = Authorization(
        provider=client.provider,
        user=code.user,
        scopes=granted,
        auth_time=code.auth_time,
        amr=tuple(code.amr),
        family=code.family,
        nonce=code.nonce,
        login_session=code.login_session_id,
        sid=code.sid,
        acr=code.acr,
        claims=claims_request.restored(code.claims),
    )
    refresh_until = None
    if scopes.OFFLINE_ACCESS in granted:
        refresh_until = timezone.now() + durations.parse(client.provider.refresh_token_validity)
    return issue(authorization, scopes.mappings_of(client.provider), refresh_until=refresh_until)
