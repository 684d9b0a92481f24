"""Making tokens out of an authorization: an access token, an ID token, and a refresh token where one was granted.

All are rows too (by SHA-256), so that each can be revoked, introspected and rotated; a token without a live row is
no token, whatever its signature says.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from doorward.identity import durations
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.oauth2 import acr, claims_request, session_clients
from doorward.identity.oauth2 import scopes as scope_table
from doorward.identity.oauth2.claims_request import ClaimsRequest
from doorward.identity.oauth2.encryption import encrypted
from doorward.identity.oauth2.issuer import issuer_of
from doorward.identity.oauth2.live import living_session
from doorward.identity.oauth2.models import IssuedToken, OAuth2Provider
from doorward.identity.oauth2.person import Person
from doorward.identity.oauth2.signing import Signer, signer_of
from doorward.identity.oauth2.subjects import subject_of
from doorward.identity.sources.models import OAuthSource
from doorward.tokens.openid import token_hash


@dataclass(frozen=True, slots=True)
class Authorization:
    """What somebody allowed a client, and how they had logged in for it."""

    provider: OAuth2Provider
    user: User
    scopes: tuple[str, ...]
    auth_time: datetime
    amr: tuple[str, ...]
    family: str
    nonce: str = ""
    login_session: uuid.UUID | None = None
    """Key of the login session whose end ends the tokens; None when there is none (any more)."""
    sid: str = ""
    act: dict[str, object] | None = None
    """Who acts for the user (RFC 8693 section 4.1)."""
    acr: str = ""
    """What the client asked for and the login lived up to; empty: nothing in particular."""
    claims: ClaimsRequest = claims_request.NOTHING
    """Asked for by name."""
    vouched_by: OAuthSource | None = None
    """Whose issuer said who the user is."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint hands out. ``id_token`` and ``refresh_token`` may be empty."""

    access_token: str
    id_token: str
    refresh_token: str
    expires_in: int
    """Seconds."""
    scope: str


def issue(
    authorization: Authorization,
    mappings: scope_table.Mappings,
    *,
    refresh_until: datetime | None = None,
    at_most_until: datetime | None = None,
) -> Tokens:
    """Sign and store. ``refresh_until``: when to give a refresh token, and its absolute end. ``at_most_until``: an
    end that the tokens must not outlive."""
    provider, now = authorization.provider, timezone.now()
    signer = signer_of(provider)
    validity = durations.parse(provider.access_token_validity)
    if at_most_until is not None:
        validity = min(validity, at_most_until - now)
    person = Person(authorization.user, provider)
    claims = _claims(authorization, person, mappings, now + validity)
    access_token = _access_token(authorization, claims, signer)
    id_token = ""
    if scope_table.OPENID in authorization.scopes:
        claims = _named(authorization, person, mappings) | claims
        id_token = _id_token(authorization, claims, signer, access_token)
    refresh_token = secrets.token_urlsafe(48) if refresh_until is not None else ""
    rows = [_row(authorization, IssuedToken.Kind.ACCESS, access_token, now + validity, signer.kid)]
    if refresh_until is not None:
        rows.append(_row(authorization, IssuedToken.Kind.REFRESH, refresh_token, refresh_until))
    with transaction.atomic():
        IssuedToken.objects.bulk_create(rows)
        session_clients.note(provider, authorization.sid)
    return Tokens(access_token, id_token, refresh_token, int(validity.total_seconds()), " ".join(authorization.scopes))


def issue_in_front(
    authorization: Authorization, mappings: scope_table.Mappings, *, wanted: frozenset[str], code: str
) -> dict[str, str]:
    """The tokens among ``wanted`` (``response_types``), as the browser carries them. ``code``: what comes along."""
    provider, now = authorization.provider, timezone.now()
    signer = signer_of(provider)
    validity = durations.parse(provider.access_token_validity)
    person = Person(authorization.user, provider)
    claims = _claims(authorization, person, mappings, now + validity)
    fields, access_token = {}, ""
    if "token" in wanted:
        access_token = _access_token(authorization, claims, signer)
        IssuedToken.objects.bulk_create(
            [_row(authorization, IssuedToken.Kind.ACCESS, access_token, now + validity, signer.kid)]
        )
        fields = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": str(int(validity.total_seconds())),
            "scope": " ".join(authorization.scopes),
        }
    session_clients.note(provider, authorization.sid)
    if "id_token" in wanted:
        told = _named(authorization, person, mappings)
        if wanted == {"id_token"}:
            # There is nothing to ask userinfo with (OpenID Connect Core section 5.4).
            told |= scope_table.claims_of(person, authorization.scopes, mappings)
        fields["id_token"] = _id_token(authorization, told | claims, signer, access_token, code)
    return fields


def preview(
    provider: OAuth2Provider, user: User, scopes: tuple[str, ...], mappings: scope_table.Mappings
) -> dict[str, object]:
    """The claims of an access token that ``user`` would get now. Nothing is signed, and nothing stored."""
    now = timezone.now()
    authorization = Authorization(provider, user, scopes, auth_time=now, amr=(), family="")
    claims = _claims(
        authorization, Person(user, provider), mappings, now + durations.parse(provider.access_token_validity)
    )
    return claims | {"scope": " ".join(scopes)}


def stored_claims(row: IssuedToken, person: Person, mappings: scope_table.Mappings) -> dict[str, object]:
    """What a live token says of its user now; for introspection, where a changed group must show at once."""
    authorization = authorization_of(row)
    claims = _common_claims(authorization, row.issued, row.expires)
    del claims["jti"]
    return scope_table.claims_of(person, authorization.scopes, mappings) | claims


def authorization_of(row: IssuedToken) -> Authorization:
    """The authorization that a token descends from; without the login session once that has ended."""
    session = living_session(row)
    return Authorization(
        provider=row.provider,
        user=row.user,
        scopes=tuple(row.scope.split()),
        auth_time=row.auth_time,
        amr=tuple(row.amr),
        family=row.family,
        nonce=row.nonce,
        login_session=session.pk if session else None,
        sid=session.sid if session else "",
        act=row.act,
        acr=row.acr,
        claims=claims_request.restored(row.claims),
        vouched_by=row.vouched_by,
    )


def _claims(
    authorization: Authorization, person: Person, mappings: scope_table.Mappings, expires: datetime
) -> dict[str, object]:
    """What both tokens say."""
    claims = _common_claims(authorization, timezone.now(), expires)
    if not authorization.provider.include_claims_in_id_token:
        return claims
    return scope_table.claims_of(person, authorization.scopes, mappings) | claims


def _named(authorization: Authorization, person: Person, mappings: scope_table.Mappings) -> dict[str, object]:
    """What the client wants in its ID token in any case."""
    return scope_table.named(person, authorization.claims.id_token, mappings)


def _common_claims(authorization: Authorization, now: datetime, expires: datetime) -> dict[str, object]:
    provider = authorization.provider
    claims: dict[str, object] = {
        "iss": issuer_of(provider),
        "sub": subject_of(provider, authorization.user),
        "aud": provider.client_id,
        "exp": int(expires.timestamp()),
        "iat": int(now.timestamp()),
        "auth_time": int(authorization.auth_time.timestamp()),
        "acr": authorization.acr or acr.DEFAULT,
        "azp": provider.client_id,
        "jti": secrets.token_hex(16),
    }
    if authorization.amr:
        claims["amr"] = list(authorization.amr)
    if authorization.sid:
        claims["sid"] = authorization.sid
    if authorization.act:
        claims["act"] = authorization.act
    return claims


def _access_token(authorization: Authorization, claims: dict[str, object], signer: Signer) -> str:
    provider = authorization.provider
    more = {"jti": secrets.token_hex(16), "uid": secrets.token_urlsafe(30), "scope": " ".join(authorization.scopes)}
    if provider.typed_access_tokens:
        return encrypted(provider, signer.sign(claims | more | {"client_id": provider.client_id}, "at+jwt"))
    return encrypted(provider, signer.sign(claims | more))


def _id_token(
    authorization: Authorization, claims: dict[str, object], signer: Signer, access_token: str = "", code: str = ""
) -> str:
    more = {}
    if access_token:
        more["at_hash"] = token_hash(access_token, signer.alg)
    if code:
        more["c_hash"] = token_hash(code, signer.alg)
    if authorization.nonce:
        # Only here: an access token that carried it could be passed off as the ID token of the same login.
        more["nonce"] = authorization.nonce
    return encrypted(authorization.provider, signer.sign(claims | more))


def _row(
    authorization: Authorization, kind: IssuedToken.Kind, token: str, expires: datetime, signed_by: str = ""
) -> IssuedToken:
    return IssuedToken(
        token_hash=vault.digest(token),
        kind=kind,
        family=authorization.family,
        provider=authorization.provider,
        user=authorization.user,
        login_session_id=authorization.login_session,
        # A refresh token outlives the login; while the login lives, it is found through the session.
        sid=authorization.sid if kind == IssuedToken.Kind.ACCESS else "",
        scope=" ".join(authorization.scopes),
        auth_time=authorization.auth_time,
        nonce=authorization.nonce,
        amr=list(authorization.amr),
        expires=expires,
        act=authorization.act,
        acr=authorization.acr,
        claims=claims_request.stored(authorization.claims),
        signed_by=signed_by,
        vouched_by=authorization.vouched_by,
    )
