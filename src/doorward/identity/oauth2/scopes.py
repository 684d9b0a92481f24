"""Scopes that are shipped, and the claims each one yields (``contracts/identity.md`` section 2.5).

The shipped ones are plain functions, found by the managed id of the scope's mapping. A mapping that an administrator
made is an expression, run by the interpreter of ``expressions`` and never as Python (CVE-2026-25227). Several mappings
may add to one scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.oauth2.models import OAuth2Provider, ScopeMapping
from doorward.identity.oauth2.person import Person, merged_deeply
from doorward.identity.policies.expressions import evaluate
from doorward.identity.remembered.memory import remembered

Claims = dict[str, object]
ClaimSet = Callable[[Person], Claims]
Mappings = Mapping[str, Sequence[ScopeMapping]]
"""By the name of the scope."""

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"
RESERVED = frozenset(
    {
        "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash",
        "s_hash", "sid", "uid", "act", "scope", "client_id", "active", "token_type",
    }
)  # fmt: skip
"""What only the issuer says: a mapping cannot change whom a token is about or for (S-448, CVE-2024-29892)."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipped mapping."""

    managed: str
    name: str
    scope_name: str
    description: str
    claims: ClaimSet


def _nothing(person: Person) -> Claims:
    return {}


def _email(person: Person) -> Claims:
    # Nobody has proven to us that the address is theirs, so we do not say so (S-450).
    return {"email": person.user.email, "email_verified": False}


def _profile(person: Person) -> Claims:
    user = person.user
    return {
        "name": user.name,
        "given_name": user.name,
        "preferred_username": user.username,
        "nickname": user.username,
        "groups": [group.name for group in person.direct_groups],
    }


def _entitlements(person: Person) -> Claims:
    return {"entitlements": person.entitlements, "roles": person.entitlements}


def _proxy(person: Person) -> Claims:
    return {"ak_proxy": {"user_attributes": person.attributes, "is_superuser": person.is_superuser}}


_OAUTH2 = "goauthentik.io/providers/oauth2"
SHIPPED = (
    Shipped(
        f"{_OAUTH2}/scope-openid", "authentik default OAuth Mapping: OpenID 'openid'", OPENID, "", _nothing
    ),
    Shipped(
        f"{_OAUTH2}/scope-email",
        "authentik default OAuth Mapping: OpenID 'email'",
        "email",
        gettext_noop("Email address"),
        _email,
    ),
    Shipped(
        f"{_OAUTH2}/scope-profile",
        "authentik default OAuth Mapping: OpenID 'profile'",
        "profile",
        gettext_noop("General Profile Information"),
        _profile,
    ),
    Shipped(
        f"{_OAUTH2}/scope-entitlements",
        "authentik default OAuth Mapping: Application Entitlements",
        "entitlements",
        gettext_noop("Application entitlements"),
        _entitlements,
    ),
    Shipped(
        f"{_OAUTH2}/scope-offline_access",
        "authentik default OAuth Mapping: OpenID 'offline_access'",
        OFFLINE_ACCESS,
        gettext_noop("Access to request new tokens without interaction"),
        _nothing,
    ),
    Shipped(
        f"{_OAUTH2}/scope-authentik_api",
        "authentik default OAuth Mapping: authentik API access",
        "goauthentik.io/api",
        gettext_noop("authentik API Access on behalf of your user"),
        _nothing,
    ),
    Shipped(
        "goauthentik.io/providers/proxy/scope-proxy",
        "authentik default OAuth Mapping: Proxy outpost",
        "ak_proxy",
        gettext_noop("authentik Proxy - User information"),
        _proxy,
    ),
)  # fmt: skip
CLAIM_SETS: dict[str, ClaimSet] = {shipped.managed: shipped.claims for shipped in SHIPPED}
CLAIM_NAMES = (
    "sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "azp", "jti", "sid", "at_hash",
    "email", "email_verified", "name", "given_name", "preferred_username", "nickname", "groups",
)  # fmt: skip
"""``claims_supported`` of the discovery document."""


def mappings_of(provider: OAuth2Provider) -> Mappings:
    """The scopes that this client may be granted."""
    found: dict[str, list[ScopeMapping]] = {}
    for mapping in _mappings(provider.pk):
        found.setdefault(mapping.scope_name, []).append(mapping)
    return found


@remembered
def _mappings(provider: int) -> list[ScopeMapping]:
    return list(ScopeMapping.objects.filter(providers=provider))


def allowed(requested: Iterable[str], mappings: Mappings) -> tuple[str, ...]:
    """What of ``requested`` this client may have; everything it may have when nothing in particular is asked."""
    wanted = list(dict.fromkeys(requested))
    return tuple(scope for scope in wanted if scope in mappings) if wanted else tuple(mappings)


def claims_of(person: Person, scopes: Iterable[str], mappings: Mappings) -> Claims:
    """The claims of the granted scopes. What a mapping may not say is dropped, and an event tells about it (S-448)."""
    claims: Claims = {}
    for mapping in (mapping for scope in scopes for mapping in mappings.get(scope, ())):
        said = _said_by(mapping, person)
        forbidden = sorted(RESERVED & said.keys())
        if forbidden:
            events.record(
                "configuration_warning",
                "authentik.providers.oauth2",
                Actor.system(),
                message=f"The scope mapping “{mapping.name}” may not set: {', '.join(forbidden)}",
            )
        claims = merged_deeply(claims, {name: value for name, value in said.items() if name not in RESERVED})
    return claims


def named(person: Person, names: Iterable[str], mappings: Mappings) -> Claims:
    """Single claims out of what all the client's mappings could tell."""
    wanted = set(names)
    if not wanted:
        return {}
    return {name: value for name, value in claims_of(person, mappings, mappings).items() if name in wanted}


def _said_by(mapping: ScopeMapping, person: Person) -> Claims:
    if mapping.managed:
        return CLAIM_SETS.get(mapping.managed, _nothing)(person)
    try:
        said = evaluate(mapping.expression, person.user).value
        if said is not None and not isinstance(said, dict):
            raise ExpressionFailed("it has to return a dict of claims")
    except ExpressionFailed as failed:
        events.record(
            "property_mapping_exception",
            "authentik.providers.oauth2",
            Actor.system(),
            mapping=mapping.name,
            about=person.user.username,
            error=str(failed),
        )
        return {}
    return said or {}
