"""Who is asking: an API token in ``Authorization: Bearer``, or the login session of a browser.

A token that is unknown, expired, of another intent or of an inactive user is one answer (S-608, C2). A session only
counts together with the CSRF header (S-609); a request that carries both is judged by its token alone, because no
browser adds that header by itself.
"""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from doorward.identity.api.limited_tokens import require_opened
from doorward.identity.api.outposts.serving import is_outposts
from doorward.identity.directory import tokens
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.queries import token_by_key

INTENTS = (Token.Intent.API,)
"""App passwords open applications, never this API (S-608)."""

LONGEST_KEY = 1024

FOR_OUTPOSTS = ("/api/v3/outposts/", "/api/v3/root/config/", "/api/v3/events/events/")
"""All that the token of an outpost opens: whoever steals one must not get another token, or read a list, with it
(S-338)."""


class BearerOrSession(BaseAuthentication):
    """Raises AuthenticationFailed, which is answered 403 as the contract wants: there is no ``WWW-Authenticate``."""

    def authenticate(self, request: Request) -> tuple[User, Token | None] | None:
        scheme, _, key = get_authorization_header(request).partition(b" ")
        if scheme.lower() == b"bearer":
            return self._by_token(request, key.strip())
        return self._by_session(request)

    def _by_token(self, request: Request, key: bytes) -> tuple[User, Token]:
        token = None
        if 0 < len(key) <= LONGEST_KEY and key.isascii():
            token = token_by_key(key.decode("ascii"), INTENTS)
        if token is None:
            raise AuthenticationFailed("Token invalid/expired")
        if is_outposts(token.user) and not request._request.path.startswith(FOR_OUTPOSTS):
            raise PermissionDenied("An outpost's token is for what the outpost must know.")
        require_opened(request, token)
        tokens.note_use(token)
        return token.user, token

    def _by_session(self, request: Request) -> tuple[User, None] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        SessionAuthentication().enforce_csrf(request)
        return user, None
