"""Token exchange (RFC 8693): a service that was called with somebody's token wants one of its own about that somebody,
to call the next service or to work under its own client's rules.

Off unless the client's grants name it. What it may exchange is an access token of ours: its own, or one of a client
that its provider trusts (``exchange_from``). The token is looked up, not believed, and with it everything that it
stands on (S-452). The new one says no more than the old one: fewer or the same scopes, the same login, no longer life,
no refresh token, and who acts (``act``). It ends when the authorization of the old one is revoked.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2 import denial, live, scopes
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.failure_counter import client_failures
from doorward.identity.oauth2.issue import Authorization, Tokens, issue
from doorward.identity.oauth2.issuer import issuer_of
from doorward.identity.oauth2.kept_out import kept_out
from doorward.identity.oauth2.models import IssuedToken
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.oauth2.repeated_logins import repeated_logins
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the type's public name
JWT = "urn:ietf:params:oauth:token-type:jwt"
DEEPEST = 5
"""Services that act for one another in a row."""


def exchange(client: Client, form: Parameters, actor: Actor) -> Tokens | Denial:
    """A token of ``client`` for the subject token in ``form``."""
    malformed = _malformed(client, form)
    if malformed is not None:
        return malformed
    subject = live.access_token(form.get("subject_token"))
    if subject is None or not _trusted(client, subject):
        client_failures.failed(client.provider.client_id, actor.client_ip)
        return denial.SUBJECT_TOKEN_REFUSED
    user, login = subject.user, live.living_session(subject)
    access = verdict(client.application, user, Asked.since(login))
    if not access.passing:
        kept_out(actor, client.application, user, access.reasons, by=subject.family)
        return denial.ACCESS_DENIED
    return _issue(client, form, subject, login, actor)


def _malformed(client: Client, form: Parameters) -> Denial | None:
    if client.is_public:
        # Anybody can say that they are a public client.
        return denial.UNAUTHORIZED_CLIENT
    if not form.get("subject_token") or not form.get("subject_token_type"):
        return denial.NO_SUBJECT_TOKEN
    if form.get("subject_token_type") not in (ACCESS_TOKEN, JWT):
        return denial.SUBJECT_TOKEN_TYPE
    if form.get("actor_token") or form.get("actor_token_type"):
        return denial.NO_ACTOR_TOKENS
    if form.get("requested_token_type") not in ("", ACCESS_TOKEN, JWT):
        return denial.REQUESTED_TOKEN_TYPE
    own = {client.provider.client_id, issuer_of(client.provider)}
    if form.get("resource") or form.get("audience") not in {"", *own}:
        return denial.INVALID_TARGET
    return None


def _trusted(client: Client, subject: IssuedToken) -> bool:
    """Whether the token was issued to this client, or to one that it trusts, and that one is still a client."""
    provider = client.provider
    return subject.provider_id == provider.pk or provider.exchange_from.filter(pk=subject.provider_id).exists()


def _issue(
    client: Client, form: Parameters, subject: IssuedToken, login: LoginSession | None, actor: Actor
) -> Tokens | Denial:
    mappings = scopes.mappings_of(client.provider)
    held = [scope for scope in subject.scope.split() if scope in mappings and scope != scopes.OFFLINE_ACCESS]
    requested = form.get("scope").split() or held
    if not set(requested) <= set(held):
        return denial.SCOPE_NOT_GRANTED
    granted = tuple(scope for scope in held if scope in requested)
    if not granted:
        return denial.NO_SCOPE_LEFT
    act = {"sub": client.provider.client_id, **({"act": subject.act} if subject.act else {})}
    if _depth(act) > DEEPEST:
        return denial.SUBJECT_TOKEN_REFUSED
    authorization = Authorization(
        provider=client.provider,
        user=subject.user,
        scopes=granted,
        auth_time=subject.auth_time,
        amr=tuple(subject.amr),
        family=subject.family,
        login_session=login.pk if login else None,
        sid=subject.sid,
        act=act,
        vouched_by=subject.vouched_by,
    )
    known = f"exchange {client.provider.pk} {subject.family}"
    with transaction.atomic():
        if not repeated_logins.is_repeated(known):
            events.record(
                "authorize_application",
                "authentik.providers.oauth2",
                actor.acting_as(subject.user),
                authorized_application=client.application,
                exchanged_from=subject.provider.name,
                scopes=" ".join(granted),
            )
            transaction.on_commit(lambda: repeated_logins.recorded(known))
        return issue(authorization, mappings, at_most_until=max(subject.expires, timezone.now()))


def _depth(act: object) -> int:
    return 1 + _depth(act.get("act")) if isinstance(act, dict) else 0
