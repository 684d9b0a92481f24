"""The header contract: exactly what an application receives for somebody, found out by a real request.

A request as this person goes through a worker's own chain (entry point, router, middlewares) up to where the
application would be, with a session that lives in that worker's memory for this one request; an unsigned token stands
in the place of a real one, so that nothing that is seen here can be used anywhere.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events import redaction
from doorward.identity.explain import data_plane, forgeries
from doorward.identity.oauth2 import issue, scopes
from doorward.identity.oauth2.person import Person
from doorward.identity.oauth2.signing import signer_of
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.policies.queries import verdict
from doorward.messages.decisions import Trial, TrialOutcome
from doorward.messages.explanations import HeaderContract, HeaderLine
from doorward.messages.sessions import Claims, ProxySession
from doorward.tokens import base64url

LASTS = 60
"""Seconds that the session of a trial could live at most."""
HIDDEN = "(not shown)"
STRIPPED = (
    "X-authentik-…: every name that begins so, from everybody, in any case of letters",
    "X_authentik_…, X.authentik.…, X-authentik_…: every spelling that some application takes for the same",
    "names with another character than letters, digits and - (unless the entry point keeps them)",
    "X-Forwarded-…, X-Real-Ip, Forwarded, X-Original-…, True-Client-Ip and their like, unless the peer is trusted",
    "fields that Connection lists, save those that are ours",
    "the session cookie of the outpost",
)
_OURS = frozenset({"host", "x-request-id"})
_FORWARDING = ("x-forwarded-", "x-real-ip", "forwarded", "x-original-")


class NotProxied(Exception):
    """The application has no proxy provider."""


def provider_of(application: Application) -> ProxyProvider:
    """Raises NotProxied."""
    provider = application.provider.concrete() if application.provider is not None else None
    if not isinstance(provider, ProxyProvider):
        raise NotProxied(f"“{application.name}” has no proxy provider: no proxy tells it who is asking.")
    return provider


def contract(application: Application, user: User, *, path: str = "/", spoof: bool = False) -> HeaderContract:
    """Raises NotProxied."""
    provider = provider_of(application)
    session, token_header, token_claims = _session(application, provider, user)
    place = urlsplit(provider.external_host)
    target = path if path.startswith("/") else f"/{path}"
    if place.path and not target.startswith(place.path):
        target = place.path.rstrip("/") + target
    plain = Trial(host=place.netloc, tls=place.scheme == "https", path=target, provider=provider.pk, session=session)
    stranger = msgspec.structs.replace(plain, session=None, provider=0)
    tries = forgeries.tries(plain, stranger) if spoof else []
    judged = verdict(application, user)
    found = HeaderContract(
        application=application.slug,
        user=user.username,
        external_host=provider.external_host,
        host=place.netloc,
        may_enter=judged.passing,
        reasons=judged.reasons,
        jwt=_redacted(token_claims, provider),
        jwt_header=token_header,
        stripped=STRIPPED,
    )
    try:
        outcomes = data_plane.attempt([plain, stranger, *(each.trial for each in tries)])
    except data_plane.Unavailable as unavailable:
        return msgspec.structs.replace(found, problem=str(unavailable))
    mine, theirs, forged = outcomes[0], outcomes[1], outcomes[2:]
    return msgspec.structs.replace(
        found,
        outcome=_without_values(mine),
        stranger=_without_values(theirs),
        headers=tuple(_lines(mine.headers, mine.given)),
        given=tuple(_lines(mine.given, mine.given)),
        lost=tuple(_lost(mine)),
        cookies=(_cookie_name(provider),),
        spoof=tuple(each.judged(outcome) for each, outcome in zip(tries, forged, strict=True)),
    )


def _session(
    application: Application, provider: ProxyProvider, user: User
) -> tuple[ProxySession, dict[str, object], dict[str, object]]:
    """What a login of ``user`` at ``provider`` would make now, with a token that nobody has signed."""
    mappings = scopes.mappings_of(provider)
    person = Person(user, provider)
    said = scopes.claims_of(person, mappings, mappings)
    claims = issue.preview(provider, user, tuple(mappings), mappings)
    signer = signer_of(provider)
    header: dict[str, object] = {"alg": signer.alg, "typ": "JWT", **({"kid": signer.kid} if signer.kid else {})}
    unsigned = ".".join(base64url.encode(msgspec.json.encode(part)) for part in (header, claims))
    proxied = said.get("ak_proxy")
    ours = proxied if isinstance(proxied, dict) else {}
    now = timezone.now().timestamp()
    session = ProxySession(
        id_hash=secrets.token_bytes(32),  # the worker makes the one that counts
        provider=provider.pk,
        claims=Claims(
            sub=str(claims["sub"]),
            preferred_username=str(said.get("preferred_username", "")),
            name=str(said.get("name", "")),
            email=str(said.get("email", "")),
            groups=_names(said.get("groups")),
            entitlements=_names(said.get("entitlements")),
            is_superuser=ours.get("is_superuser") is True,
            user_attributes=msgspec.Raw(msgspec.msgpack.encode(ours.get("user_attributes", {}))),
        ),
        access_token=f"{unsigned}.",
        id_token="",
        created=now,
        expires=now + LASTS,
    )
    return session, header, claims


def _redacted(claims: dict[str, object], provider: ProxyProvider) -> dict[str, object]:
    """Without what an attribute's name says is secret, nor the password that the application is given."""
    cleaned = redaction.clean(claims)
    assert isinstance(cleaned, dict)
    ours = cleaned.get("ak_proxy")
    attributes = ours.get("user_attributes") if isinstance(ours, dict) else None
    if isinstance(attributes, dict) and provider.basic_auth_password_attribute in attributes:
        attributes[provider.basic_auth_password_attribute] = redaction.REDACTED
    return cleaned


def _names(said: object) -> tuple[str, ...]:
    return tuple(str(name) for name in said) if isinstance(said, list) else ()


def _lines(fields: Iterable[tuple[str, str]], given: Iterable[tuple[str, str]]) -> Iterable[HeaderLine]:
    outposts = {name.lower() for name, _ in given}
    for name, value in fields:
        lower = name.lower()
        if lower.startswith("x-authentik-"):
            origin = "outpost"
        elif lower in outposts:
            origin = "user attributes"
        else:
            origin = "proxy" if lower.startswith(_FORWARDING) or lower in _OURS else "client"
        yield HeaderLine(name, _shown(lower, value), origin)


def _lost(outcome: TrialOutcome) -> Iterable[HeaderLine]:
    arrived = {name.lower() for name, _ in outcome.headers}
    if outcome.reached:
        yield from (line for line in _lines(outcome.given, outcome.given) if line.name.lower() not in arrived)


def _shown(name: str, value: str) -> str:
    """``value`` without what could be used somewhere."""
    if name == "x-authentik-jwt":
        return f"a JWT {HIDDEN}" if value else ""
    if name == "authorization":
        return f"{value.partition(' ')[0]} {HIDDEN}"
    if not name.startswith("x-authentik-") and redaction.is_secret(name.replace("-", "_")) and name != "cookie":
        return HIDDEN
    return value


def _without_values(outcome: TrialOutcome) -> TrialOutcome:
    """The lines tell them, without the secret ones."""
    return msgspec.structs.replace(outcome, headers=(), given=())


def _cookie_name(provider: ProxyProvider) -> str:
    prefix = {"host": "__Host-", "secure": "__Secure-"}.get(provider.cookie_prefix, "")
    return f"{prefix}authentik_proxy_" + hashlib.sha256(provider.client_id.encode()).hexdigest()[:8]
