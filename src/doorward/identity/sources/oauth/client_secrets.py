"""Client secrets that are signed anew for each question, for the provider that wants it so (Apple).

Such a source's client ID is ``client;team;key``, and its secret the private key that the provider has given: what goes
over the line is a token of five minutes, signed with it. A secret that is no key is sent as it is.
"""

from __future__ import annotations

import time

from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth.errors import SourceFailed
from doorward.identity.sources.oauth.presets import BY_NAME

AUDIENCE = "https://appleid.apple.com"
_LIFE = 300


def client_id(source: OAuthSource) -> str:
    """As the provider knows it."""
    return source.consumer_key.split(";")[0] if BY_NAME[source.provider_type].signs_secret else source.consumer_key


def secret(source: OAuthSource) -> str:
    """What is sent. Raises SourceFailed for a key that signs nothing, crypto.vault.Unreadable."""
    kept = source.consumer_secret
    if not BY_NAME[source.provider_type].signs_secret or "PRIVATE KEY" not in kept:
        return kept
    client, *more = source.consumer_key.split(";")
    if len(more) != 2:
        raise SourceFailed("The client ID has to be “client;team;key”: the service’s, the team’s and the key’s ID.")
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey

    team, key = more
    now = int(time.time())
    claims = {"iss": team, "sub": client, "aud": AUDIENCE, "iat": now, "exp": now + _LIFE}
    try:
        return jwt.encode({"alg": "ES256", "kid": key}, claims, ECKey.import_key(kept))
    except (JoseError, ValueError) as error:
        raise SourceFailed("The secret is no key that signs with ES256.") from error
