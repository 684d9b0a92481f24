"""The public keys of clients that prove who they are with a signature (``private_key_jwt``): pasted, or published.

A key has one algorithm: what it says, or what its kind is for (RFC 8725 section 3.1); symmetric keys are none.
Published keys are remembered for a while; a token that names another key makes us look again (``egress.documents``).
"""

from __future__ import annotations

import json

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.identity.egress import client as egress
from doorward.identity.egress import documents
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.tokens.issuer_keys import IssuerKeys, PublicKey, usual_algorithm

MOST = 20
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Unusable(ValueError):
    """No set of public keys; the text says what is wrong."""


def read(jwks: object) -> IssuerKeys:
    """The keys of a JSON Web Key Set (RFC 7517). Raises Unusable."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys or len(keys) > MOST:
        raise Unusable(_("A JSON Web Key Set is expected: an object with 1 to %(value)s keys.") % {"value": MOST})
    found = tuple(
        _key(key, number) for number, key in enumerate(keys) if isinstance(key, dict) and key.get("use", "sig") == "sig"
    )
    if len({key.kid for key in found}) != len(found) or not found:
        raise Unusable(_("Every key needs a kid of its own, and one of them has to be for signatures."))
    try:
        return IssuerKeys(found)
    except ValueError as error:
        raise Unusable(str(error)) from error


def _key(key: dict[str, object], number: int) -> PublicKey:
    if _SECRET_MEMBERS & key.keys():
        raise Unusable(
            _("These are private keys. Only the public ones belong here; replace those, they have been seen.")
        )
    alg = key.get("alg") or usual_algorithm(key)
    if not isinstance(alg, str) or not alg or alg[:2] not in ("RS", "PS", "ES", "Ed"):
        raise Unusable(_("A key is for no algorithm that we know."))
    kid = key.get("kid", f"#{number}")
    if not isinstance(kid, str):
        raise Unusable(_("A kid is a text."))
    return PublicKey(kid, alg, json.dumps(key))


def require_usable(provider: OAuth2Provider) -> None:
    """Raises ValidationError."""
    wanted = provider.client_authentication == OAuth2Provider.Authentication.PRIVATE_KEY_JWT
    if provider.client_jwks and provider.client_jwks_uri:
        raise ValidationError({"client_jwks_uri": [_("Either the keys themselves or their address.")]})
    if wanted and not provider.client_jwks and not provider.client_jwks_uri:
        raise ValidationError({"client_jwks": [_("Without its public keys the client cannot prove anything.")]})
    try:
        if provider.client_jwks:
            read(provider.client_jwks)
        if provider.client_jwks_uri:
            egress.check(provider.client_jwks_uri, private=provider.client_jwks_uri_trusted)
    except Unusable as error:
        raise ValidationError({"client_jwks": [str(error)]}) from error
    except egress.Refused as error:
        raise ValidationError({"client_jwks_uri": [str(error)]}) from error


def keys_of(provider: OAuth2Provider, *, newer: bool = False) -> IssuerKeys | None:
    """``newer``: those that are kept were not enough. None where there are none, or none can be had now."""
    try:
        if provider.client_jwks_uri:
            return read(documents.get(provider.client_jwks_uri, private=provider.client_jwks_uri_trusted, newer=newer))
        return read(provider.client_jwks) if provider.client_jwks else None
    except (egress.NotAsked, Unusable):
        return None
