"""What a client wants the browser to bring back (``response_type``): a code, and for old clients tokens themselves.

``code`` is all that a client gets unless its provider's grant types name ``implicit`` or ``hybrid``: tokens that travel
through a browser end up where they should not (RFC 9700 section 2.1.2).
"""

from __future__ import annotations

from doorward.identity.oauth2.models import OAuth2Provider

CODE, ID_TOKEN, TOKEN = "code", "id_token", "token"
GRANT_OF = {
    frozenset({CODE}): "authorization_code",
    frozenset({ID_TOKEN}): "implicit",
    frozenset({ID_TOKEN, TOKEN}): "implicit",
    frozenset({CODE, TOKEN}): "hybrid",
    frozenset({CODE, ID_TOKEN}): "hybrid",
    frozenset({CODE, ID_TOKEN, TOKEN}): "hybrid",
}
"""The grant type that a response type belongs to."""


def read(text: str) -> frozenset[str] | None:
    """None for a type that does not exist; the order of the words means nothing (OAuth 2.0 Multiple Response Types)."""
    words = text.split(" ")
    wanted = frozenset(words)
    return wanted if wanted in GRANT_OF and len(words) == len(wanted) else None


def allowed(provider: OAuth2Provider, wanted: frozenset[str]) -> bool:
    """Whether this client may ask for it."""
    return GRANT_OF[wanted] in provider.grant_types


def offered(provider: OAuth2Provider) -> list[str]:
    """As the discovery document names them."""
    order = (CODE, ID_TOKEN, TOKEN)
    found = [wanted for wanted in GRANT_OF if allowed(provider, wanted)]
    return [" ".join(word for word in order if word in wanted) for wanted in found]
