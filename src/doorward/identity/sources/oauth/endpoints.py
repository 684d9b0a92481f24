"""Where a source's endpoints are, and with which keys it signs: written down, or discovered and remembered a while.

What was discovered is believed only for the issuer that the well-known URL itself belongs to (OpenID Connect Discovery
section 4.3). Documents are kept for ten minutes; an unknown ``kid`` makes us look at the keys again, at most every
thirty seconds (S-447).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from doorward.identity.egress import client
from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth.errors import SourceFailed
from doorward.identity.sources.oauth.presets import BY_NAME
from doorward.tokens.issuer_keys import IssuerKeys, PublicKey

WELL_KNOWN = "/.well-known/openid-configuration"
FRESH = 600.0
SHORTEST_PAUSE = 30.0
_MOST_KEYS = 64
_ALGORITHMS = {"RSA": "RS256", "OKP": "EdDSA"}
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_kept: dict[str, tuple[float, dict[str, object]]] = {}


@dataclass(frozen=True, slots=True)
class Endpoints:
    authorization: str
    token: str
    profile: str
    jwks: str
    issuer: str
    """Empty for plain OAuth: then there is no ID token to check, and the profile says who it is."""
    names_issuer: bool = False
    """Its answers carry ``iss`` (RFC 9207)."""


def of(source: OAuthSource) -> Endpoints:
    """Raises SourceFailed."""
    preset = BY_NAME[source.provider_type]
    well_known = source.oidc_well_known_url or preset.well_known_url
    found = discovered(well_known) if well_known else {}

    def url(written: str, name: str, usual: str) -> str:
        return written or _text(found, name) or usual

    endpoints = Endpoints(
        authorization=url(source.authorization_url, "authorization_endpoint", preset.authorization_url),
        token=url(source.access_token_url, "token_endpoint", preset.exchange_url),
        profile=url(source.profile_url, "userinfo_endpoint", preset.profile_url),
        jwks=url(source.oidc_jwks_url, "jwks_uri", preset.jwks_url),
        issuer=_text(found, "issuer"),
        names_issuer=found.get("authorization_response_iss_parameter_supported") is True,
    )
    if not endpoints.authorization or not endpoints.token or not (endpoints.profile or endpoints.issuer):
        raise SourceFailed("The source needs a well-known URL, or the three URLs for authorization, token and profile.")
    return endpoints


def discovered(well_known: str) -> dict[str, object]:
    """The discovery document, for the issuer that it must be of. Raises SourceFailed."""
    found = _document(well_known, FRESH)
    issuer = _text(found, "issuer")
    if issuer.rstrip("/") + WELL_KNOWN != well_known:
        raise SourceFailed(
            f"The document at {well_known} is of the issuer {issuer or '(none)'}; "
            f"it belongs at {issuer.rstrip('/')}{WELL_KNOWN}."
        )
    return found


def keys(source: OAuthSource, endpoints: Endpoints, *, newer: bool = False) -> IssuerKeys:
    """The public keys of the source; ``newer`` than those that were tried in vain. Raises SourceFailed."""
    document: object = source.oidc_jwks
    if not source.oidc_jwks:
        if not endpoints.jwks:
            raise SourceFailed("The source has no keys: neither written down nor a URL of them.")
        document = _document(endpoints.jwks, SHORTEST_PAUSE if newer else FRESH)
    try:
        return IssuerKeys(tuple(public_keys(document)))
    except ValueError as error:
        raise SourceFailed(f"The source's keys are of no use: {error}.") from error


def public_keys(document: object) -> list[PublicKey]:
    """The keys in a JWKS that are for signatures; each is bound to the one algorithm that it is for (S-430)."""
    import msgspec

    members = document.get("keys") if isinstance(document, dict) else None
    found = []
    for jwk in members if isinstance(members, list) else []:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
            continue
        alg = jwk.get("alg") or _ALGORITHMS.get(str(jwk.get("kty"))) or _CURVES.get(str(jwk.get("crv")))
        if isinstance(alg, str) and alg[:2] in ("RS", "PS", "ES", "Ed"):
            public = {name: value for name, value in jwk.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
            found.append(PublicKey(str(jwk.get("kid", "")), alg, msgspec.json.encode(public).decode()))
    if len(found) > _MOST_KEYS:
        raise SourceFailed(f"The source publishes more than {_MOST_KEYS} keys.")
    return found


def forget(source: OAuthSource) -> None:
    """What was fetched for this source is fetched again the next time."""
    for url in (source.oidc_well_known_url, source.oidc_jwks_url):
        _kept.pop(url, None)


def _document(url: str, oldest: float) -> dict[str, object]:
    kept = _kept.get(url)
    if kept is not None and time.monotonic() - kept[0] < oldest:
        return kept[1]
    try:
        answer = client.ask("GET", url, headers={"Accept": "application/json"}, private=True)
        found = answer.json()
    except (client.NotAsked, ValueError) as error:
        raise SourceFailed(f"{url} cannot be read: {error}") from error
    if answer.status != 200 or not isinstance(found, dict):
        raise SourceFailed(f"{url} answers {answer.status} and no JSON object.")
    if len(_kept) > 500:
        _kept.clear()
    _kept[url] = (time.monotonic(), found)
    return found


def _text(found: dict[str, object], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""
