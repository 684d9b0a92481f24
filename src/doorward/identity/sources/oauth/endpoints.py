"""Where a source's endpoints are, and with which keys it signs: written down, or discovered and remembered a while.

What was discovered is believed only for the issuer that the well-known URL itself belongs to (OpenID Connect Discovery
section 4.3). An unknown ``kid`` makes us look at the keys again (``egress.documents``).
"""

from __future__ import annotations

from dataclasses import dataclass

from doorward.identity.egress import client, documents
from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth.errors import SourceFailed
from doorward.identity.sources.oauth.presets import BY_NAME
from doorward.tokens.issuer_keys import IssuerKeys, PublicKey, usual_algorithm

WELL_KNOWN = "/.well-known/openid-configuration"
_MOST_KEYS = 64


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


def of(source: OAuthSource, *, newer: bool = False) -> Endpoints:
    """``newer``: than what was remembered. Raises SourceFailed."""
    preset = BY_NAME[source.provider_type]
    well_known = source.oidc_well_known_url or preset.well_known_url
    found = discovered(well_known, newer=newer) if well_known else {}

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


def discovered(well_known: str, *, newer: bool = False) -> dict[str, object]:
    """The discovery document, for the issuer that it must be of; ``newer`` as in ``keys``. Raises SourceFailed."""
    found = _document(well_known, newer=newer)
    issuer = _text(found, "issuer")
    if issuer.rstrip("/") + WELL_KNOWN != well_known:
        raise SourceFailed(
            f"The document at {well_known} is of the issuer {issuer or '(none)'}; "
            f"it belongs at {issuer.rstrip('/')}{WELL_KNOWN}."
        )
    return found


def keys(source: OAuthSource, url: str, *, newer: bool = False) -> IssuerKeys:
    """The public keys of the source, written down or at ``url``; ``newer`` than those that were tried in vain.

    Raises SourceFailed.
    """
    try:
        return IssuerKeys(tuple(published(source, url, newer=newer)))
    except ValueError as error:
        raise SourceFailed(f"The source's keys are of no use: {error}.") from error


def published(source: OAuthSource, url: str, *, newer: bool = False) -> list[PublicKey]:
    """The keys for signatures, one by one. Raises SourceFailed."""
    document: object = source.oidc_jwks
    if not source.oidc_jwks:
        if not url:
            raise SourceFailed("The source has no keys: neither written down nor a URL of them.")
        document = _document(url, newer=newer)
    return public_keys(document)


def public_keys(document: object) -> list[PublicKey]:
    """The keys in a JWKS that are for signatures; each is bound to the one algorithm that it is for (S-430)."""
    import msgspec

    members = document.get("keys") if isinstance(document, dict) else None
    found = []
    for jwk in members if isinstance(members, list) else []:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
            continue
        alg = jwk.get("alg") or usual_algorithm(jwk)
        if isinstance(alg, str) and alg[:2] in ("RS", "PS", "ES", "Ed"):
            public = {name: value for name, value in jwk.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
            found.append(PublicKey(str(jwk.get("kid", "")), alg, msgspec.json.encode(public).decode()))
    if len(found) > _MOST_KEYS:
        raise SourceFailed(f"The source publishes more than {_MOST_KEYS} keys.")
    return found


def _document(url: str, *, newer: bool = False) -> dict[str, object]:
    try:
        return documents.get(url, private=True, newer=newer)
    except client.NotAsked as error:
        raise SourceFailed(str(error)) from error


def _text(found: dict[str, object], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""
