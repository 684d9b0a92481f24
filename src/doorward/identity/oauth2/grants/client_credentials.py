"""Machine to machine (RFC 6749 section 4.4; ``password`` is answered alike, ``contracts/identity.md`` section 2.3).

Who the tokens are about: the user whose *app password* is presented (never the password people log in with), or,
with the client's own secret, a service account that is made for this client on first use.
"""

from __future__ import annotations

import base64
import binascii

from django.db import IntegrityError, transaction
from django.utils import timezone

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.names import folded
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import clients, denial, scopes
from doorward.identity.oauth2.clients import ClaimedClient, Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.failure_counter import client_failures
from doorward.identity.oauth2.issue import Authorization, Tokens, issue
from doorward.identity.oauth2.models import new_family
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.policies.queries import verdict

AMR = ("pwd",)


def grant(claimed: ClaimedClient, form: Parameters, actor: Actor) -> Tokens | Denial:
    """Tokens about a machine's or an app password's user. Scopes are what the client may have, no more (S-419)."""
    identity = _whom(claimed, form)
    if isinstance(identity, Denial):
        return identity
    client, user = identity
    if not user.is_active:
        return denial.INVALID_CLIENT
    if not verdict(client.application, user).passing:
        return denial.ACCESS_DENIED
    mappings = scopes.mappings_of(client.provider)
    granted = scopes.allowed(form.get("scope").split(), mappings)
    authorization = Authorization(
        provider=client.provider,
        user=user,
        scopes=tuple(scope for scope in granted if scope != scopes.OFFLINE_ACCESS),
        auth_time=timezone.now(),
        amr=AMR,
        family=new_family(),
    )
    with transaction.atomic():
        events.record(
            "login",
            "authentik.providers.oauth2",
            actor.acting_as(user),
            auth_method="token",
            auth_method_args={"client_id": client.provider.client_id, "scopes": list(authorization.scopes)},
        )
        return issue(authorization, mappings)


def _whom(claimed: ClaimedClient, form: Parameters) -> tuple[Client, User] | Denial:
    username, password = form.get("username"), form.get("password")
    if username or password:
        return _by_app_password(claimed, username, password)
    client = clients.authenticate(claimed)
    if isinstance(client, Denial):
        pair = _user_in_secret(claimed)
        return _by_app_password(_without_secret(claimed), *pair) if pair else client
    if client.is_public:
        return denial.UNAUTHORIZED_CLIENT
    user = _service_account(client)
    # Whoever got hold of the name otherwise is a person, and no client becomes a person.
    return (client, user) if user.type == User.Type.SERVICE_ACCOUNT else denial.INVALID_CLIENT


def _by_app_password(claimed: ClaimedClient, username: str, password: str) -> tuple[Client, User] | Denial:
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
    if token is None or token.user.folded_username != folded(username):
        return clients.failed(claimed)
    return client, token.user


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


def _service_account(client: Client) -> User:
    username = f"ak-{client.provider.name}-client_credentials"[:150]
    existing = User.objects.filter(folded_username=folded(username)).first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            return directory.create_user(
                Actor.system(),
                username=username,
                name=f"Machine user of {client.provider.name}",
                path="goauthentik.io/service-accounts",
                type=User.Type.SERVICE_ACCOUNT,
                attributes={"goauthentik.io/user/generated": True},
            )
    except IntegrityError:  # another request made it meanwhile
        return User.objects.get(folded_username=folded(username))
