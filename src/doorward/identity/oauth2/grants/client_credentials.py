"""Machine to machine (RFC 6749 section 4.4; ``password`` is answered alike, ``contracts/identity.md`` section 2.3).

Who the tokens are about: the user whose *app password* is presented (never the password people log in with), whoever
is meant by a token of another issuer that the provider trusts (``federation``), or, with the client's own secret, a
service account that is made for this client on first use.

Programs come again and again: the logins of one are one event an hour, and its tokens are one family, of which each new
one clears away what nobody can use any more.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from doorward.identity.crypto import vault
from doorward.identity.directory import tokens
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.names import folded
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import clients, denial, federation, live, machine_users, scopes
from doorward.identity.oauth2.clients import ClaimedClient, Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.failure_counter import client_failures
from doorward.identity.oauth2.federation import NotVouched, Vouched
from doorward.identity.oauth2.issue import Authorization, Tokens, issue
from doorward.identity.oauth2.kept_out import kept_out
from doorward.identity.oauth2.models import IssuedToken
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.oauth2.repeated_logins import repeated_logins
from doorward.identity.policies import reputation
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict

AMR = ("pwd",)
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
USER_OF_TOKENS = "goauthentik.io/token"
"""As the user name: the password says whose it is."""
KEPT_FOR_OUTPOSTS = timedelta(minutes=10)
"""An outpost that asks who a program is needs the answer, and believes it for seconds; the application behind it may
look the token up for so long. Otherwise every check would leave a row for as long as a login lasts."""


@dataclass(frozen=True, slots=True)
class _Program:
    client: Client
    user: User
    credential: str
    """SHA-256 of what it presented; or who another issuer says that it is, whose tokens are many."""
    address: str
    behind_outpost: bool = False
    """It is the outpost that asks, about a program in front of it."""
    vouched: Vouched | None = None
    """Another issuer says who it is."""

    @property
    def family(self) -> str:
        """The same for all its tokens, and nobody else's."""
        facts = (self.client.provider.pk, self.user.pk, self.credential, self.address, self.behind_outpost)
        return vault.digest("machine\0" + "\0".join(map(str, facts)))[:32]


def grant(claimed: ClaimedClient, form: Parameters, actor: Actor) -> Tokens | Denial:
    """Tokens about a machine's or an app password's user. Scopes are what the client may have, no more (S-419)."""
    program = _whom(claimed, form, actor)
    if isinstance(program, Denial):
        return program
    client, user = program.client, program.user
    if not user.is_active:
        return denial.INVALID_CLIENT
    access = verdict(client.application, user, Asked(client_ip=actor.client_ip or ""))
    if not access.passing:
        kept_out(actor, client.application, user, access.reasons, by=program.family)
        return denial.ACCESS_DENIED
    mappings = scopes.mappings_of(client.provider)
    granted = scopes.allowed(form.get("scope").split(), mappings)
    authorization = Authorization(
        provider=client.provider,
        user=user,
        scopes=tuple(scope for scope in granted if scope != scopes.OFFLINE_ACCESS),
        auth_time=timezone.now(),
        amr=AMR if program.vouched is None else (),
        family=program.family,
        vouched_by=program.vouched.source if program.vouched else None,
    )
    repeated = repeated_logins.is_repeated(program.family)
    with transaction.atomic():
        if not repeated:
            _record_login(authorization, actor)
        _clear_away(program)
        tokens = issue(authorization, mappings, at_most_until=_end(program))
    if not repeated:
        repeated_logins.recorded(program.family)
    return tokens


def _end(program: _Program) -> datetime | None:
    """Of what another issuer vouches for: no later than its own token's."""
    return max(program.vouched.expires, timezone.now()) if program.vouched is not None else None


def _record_login(authorization: Authorization, actor: Actor) -> None:
    source = authorization.vouched_by
    events.record(
        "login",
        "authentik.providers.oauth2",
        actor.acting_as(authorization.user),
        auth_method="token" if source is None else "jwt",
        auth_method_args={"client_id": authorization.provider.client_id, "scopes": list(authorization.scopes)},
        **({"source": source} if source is not None else {}),
    )


def _clear_away(program: _Program) -> None:
    """Delete the program's tokens that are over. There is no reuse to recognise here, so none is kept for that."""
    own, now = IssuedToken.objects.filter(family=program.family), timezone.now()
    own.filter(expires__lte=now).delete()
    if program.behind_outpost:
        own.filter(issued__lte=now - KEPT_FOR_OUTPOSTS).delete()


def _whom(claimed: ClaimedClient, form: Parameters, actor: Actor) -> _Program | Denial:
    if claimed.method != "assertion" and (form.get("client_assertion_type") or form.get("client_assertion")):
        return _by_others_token(claimed, form, actor)
    username, password = form.get("username"), form.get("password")
    if username or password:
        return _by_app_password(claimed, username, password, actor)
    pair = _user_in_secret(claimed)
    if pair and not clients.proves(claimed):
        return _by_app_password(_without_secret(claimed), *pair, actor)
    client = clients.authenticate(claimed)
    if isinstance(client, Denial):
        return client
    if client.is_public:
        return denial.UNAUTHORIZED_CLIENT
    user = machine_users.of(client.provider)
    if user is None:
        return denial.INVALID_CLIENT
    return _Program(client, user, vault.digest(claimed.presented_secret or claimed.method), claimed.address or "")


def _by_app_password(claimed: ClaimedClient, username: str, password: str, actor: Actor) -> _Program | Denial:
    """The app password proves enough; a client secret is not needed, but a wrong one is still wrong."""
    client = claimed.client
    if claimed.presented_secret or client is None:
        proven = clients.authenticate(claimed)
        if isinstance(proven, Denial):
            return proven
        client = proven
    if client_failures.is_exhausted(claimed.claimed_id, claimed.address):
        return denial.THROTTLED
    token = token_by_key(password, (Token.Intent.APP_PASSWORD,))
    if token is None or not _is_meant(token, username, client):
        events.record(
            "login_failed",
            "authentik.providers.oauth2",
            actor,
            username=username[:150],
            auth_method="app_password",
            client_id=client.provider.client_id,
        )
        reputation.failed(None, username, claimed.address)
        return clients.failed(claimed)
    tokens.note_use(token)
    # Nobody but the outpost has a proxy provider's secret.
    behind_outpost = client.provider.kind == "proxy" and bool(claimed.presented_secret)
    return _Program(client, token.user, token.key_hash, claimed.address or "", behind_outpost)


def _by_others_token(claimed: ClaimedClient, form: Parameters, actor: Actor) -> _Program | Denial:
    """A token that was not issued to this client, which trusts whoever issued it: another client of ours
    (``jwt_federation_providers`` of a proxy provider, which only its outpost may bring), or another issuer
    (``federation``). The latter proves enough; a client secret is not needed then, but a wrong one is still wrong."""
    client = claimed.client
    if claimed.presented_secret or client is None:
        proven = clients.authenticate(claimed)
        if isinstance(proven, Denial):
            return proven
        client = proven
    if form.get("client_assertion_type") != JWT_BEARER:
        return denial.INVALID_CLIENT
    if client_failures.is_exhausted(claimed.claimed_id, claimed.address):
        return denial.THROTTLED
    token = form.get("client_assertion")
    # Nobody but the outpost has a proxy provider's secret.
    behind_outpost = client.provider.kind == "proxy" and bool(claimed.presented_secret)
    row = live.access_token(token) if behind_outpost else None
    if row is not None and client.provider.proxyprovider.jwt_federation_providers.filter(pk=row.provider_id).exists():
        return _Program(client, row.user, row.token_hash, claimed.address or "", behind_outpost)
    found = federation.recognised(client.provider, client.application, token, Asked(client_ip=actor.client_ip or ""))
    if isinstance(found, NotVouched):
        return _not_vouched(claimed, client, found, actor)
    credential = f"{found.source.pk}\0{found.identifier}"
    return _Program(client, found.user, credential, claimed.address or "", behind_outpost, found)


def _not_vouched(claimed: ClaimedClient, client: Client, found: NotVouched, actor: Actor) -> Denial:
    context: dict[str, object] = {"auth_method": "jwt", "client_id": client.provider.client_id, "reason": found.reason}
    if found.source is not None:
        context["source"] = found.source
    if found.identifier:
        context["identifier"] = found.identifier
    events.record("login_failed", "authentik.providers.oauth2", actor, **context)
    return clients.failed(claimed)


def _is_meant(token: Token, username: str, client: Client) -> bool:
    """Whether whoever presents ``token`` names its user, and it is for this client. One that is for a single
    application names its user by itself, for programs that can only send a bearer token."""
    if token.application_id is None:
        return token.user.folded_username == folded(username)
    if client.application is None or client.application.pk != token.application_id:
        return False
    return username == USER_OF_TOKENS or token.user.folded_username == folded(username)


def _user_in_secret(claimed: ClaimedClient) -> tuple[str, str] | None:
    """``client_secret`` may be base64 of ``user:app password``, for programs that know only the two fields."""
    try:
        text = base64.b64decode(claimed.presented_secret, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    username, separator, password = text.partition(":")
    return (username, password) if separator and username and password else None


def _without_secret(claimed: ClaimedClient) -> ClaimedClient:
    return ClaimedClient(claimed.claimed_id, claimed.client, "", "none", claimed.address)
