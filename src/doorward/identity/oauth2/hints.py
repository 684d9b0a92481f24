"""``id_token_hint``: a token that we gave a client earlier, brought back to say whom the request is about.

It is an argument, not a proof of who is there: the browser's login session says that. Its expiry does not matter
(OpenID Connect RP-Initiated Logout section 4), its signature and audience do.
"""

from __future__ import annotations

import msgspec

from doorward.identity.oauth2 import keys
from doorward.identity.oauth2.encryption import opened
from doorward.identity.oauth2.issuer import issuer_of
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.tokens import shared_secret
from doorward.tokens.issuer_keys import PublicKey, issuer_keys
from doorward.tokens.refused import TokenRefused


class Hint(msgspec.Struct, frozen=True):
    """What we read of a hint."""

    iss: str
    sub: str
    aud: str
    sid: str = ""


def read(token: str, provider: OAuth2Provider) -> Hint | None:
    """The hint, if this provider signed it for this client; else None (S-429 to S-435)."""
    if not token:
        return None
    try:
        hint = _verified(opened(provider, token), provider)
    except (TokenRefused, msgspec.MsgspecError):
        return None
    return hint if hint.iss == issuer_of(provider) and hint.aud == provider.client_id else None


def _verified(token: str, provider: OAuth2Provider) -> Hint:
    if provider.signing_key is None:
        return shared_secret.read(token, provider.client_secret.encode(), Hint)
    published = tuple(PublicKey(key.kid, key.alg, key.jwk) for key in keys.verification_keys(provider))
    return msgspec.convert(issuer_keys(published).verify(token).claims, Hint)
