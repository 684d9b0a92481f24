"""How sure we are of a user, in the words that clients use (``acr``, OpenID Connect Core section 2).

Only what a login has really shown is said. The methods are those of the login session (RFC 8176): ``mfa`` stands there
once a second factor was shown, ``user`` once a passkey was.
"""

from __future__ import annotations

from collections.abc import Iterable

DEFAULT = "goauthentik.io/providers/oauth2/default"
"""Somebody logged in, as this installation has people log in."""
MULTI_FACTOR = "mfa"
"""With a second factor, or with a passkey that checks its user."""
PHISHING_RESISTANT = "phr"
"""With a passkey (OpenID Connect Extended Authentication Profile)."""
SUPPORTED = (DEFAULT, MULTI_FACTOR, PHISHING_RESISTANT)

ANY_FACTOR = ("mfa",)
"""The methods of a login with a second factor of whatever kind."""
_SHOWN_BY = {MULTI_FACTOR: "mfa", PHISHING_RESISTANT: "user"}


def reached(wanted: Iterable[str], methods: Iterable[str]) -> str:
    """The first of ``wanted`` that a login by ``methods`` lives up to; empty if there is none."""
    shown = set(methods)
    return next((value for value in wanted if value == DEFAULT or _SHOWN_BY.get(value, "?") in shown), "")
