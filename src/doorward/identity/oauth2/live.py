"""Is this token still good? The one place where that is decided, for userinfo, introspection, refresh and the API.

A token is found by the hash of the whole text (S-435), so no signature, algorithm or header of it is ever believed
(S-429 to S-434 cannot begin). It is live only while its user is active, its login session lives (unless it was made
for offline access), its signing key is still published, and the application still lets the user in (S-425, C15).
"""

from __future__ import annotations

import msgspec
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.crypto import vault
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import is_live as is_live_login
from doorward.identity.oauth2 import keys
from doorward.identity.oauth2.federation import still_vouched
from doorward.identity.oauth2.models import IssuedToken, OAuth2Provider
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict
from doorward.tokens import base64url
from doorward.tokens.issuer_keys import MAX_TOKEN


def access_token(text: str) -> IssuedToken | None:
    """The row of a live access token, with user, provider, application and login session read along."""
    row = find(text)
    if row is None or row.kind != IssuedToken.Kind.ACCESS or not is_live(row):
        return None
    return row if _key_is_published(row, text) else None


def find(text: str) -> IssuedToken | None:
    """The row of a token, live or not."""
    if not text or len(text) > MAX_TOKEN:
        return None
    return (
        IssuedToken.objects.select_related(
            "user",
            "login_session",
            "provider__signing_key",
            "provider__encryption_key",
            "provider__application",
            "vouched_by",
        )
        .filter(token_hash=vault.digest(text))
        .first()
    )


def is_live(row: IssuedToken) -> bool:
    """Whether everything that ``row`` stands on still stands."""
    return (
        not row.revoked
        and row.expires > timezone.now()
        and _session_lives(row)
        and still_vouched(row)
        and may_still(row)
    )


def may_still(row: IssuedToken) -> bool:
    """Whether the user is active and the application lets them in."""
    application = application_of(row.provider)
    if application is None or not row.user.is_active:
        return False
    return verdict(application, row.user, Asked.since(row.login_session)).passing


def application_of(provider: OAuth2Provider) -> Application | None:
    """None for a provider that no application uses."""
    return getattr(provider, "application", None)


def _session_lives(row: IssuedToken) -> bool:
    # Refresh tokens are only given for offline access: they are meant to outlive the login. Access tokens are not.
    return not row.sid or row.kind == IssuedToken.Kind.REFRESH or living_session(row) is not None


def living_session(row: IssuedToken) -> LoginSession | None:
    """The login session that the token came from, while it has not ended."""
    session = row.login_session
    return session if session is not None and is_live_login(session) else None


def _key_is_published(row: IssuedToken, token: str) -> bool:
    """Removing a key refuses its tokens at once (S-446)."""
    provider, kid = row.provider, row.signed_by or _named_key(token)
    if provider.signing_key is None:
        return not kid
    return kid == provider.signing_key.kid or kid in {pair.kid for pair in keys.published_pairs(provider)}


def _named_key(token: str) -> str:
    """Of tokens whose row does not say it; one that is encrypted was signed with the secret then."""
    try:
        header = msgspec.json.decode(base64url.decode(token.split(".", 1)[0]))
    except (ValueError, msgspec.DecodeError):
        return "?"
    return "" if "enc" in header else str(header.get("kid", ""))
