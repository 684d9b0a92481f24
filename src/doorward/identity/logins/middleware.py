"""Who sends this request: the session behind the cookie, and the user behind the session."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from doorward.identity.directory.models import User
from doorward.identity.logins.actions import end_silently
from doorward.identity.logins.impersonation import may_go_on
from doorward.identity.logins.session_store import Seen, SessionStore
from doorward.identity.web import cookies


class LoginSessions(SessionMiddleware):
    """Django's own, with a store that knows where the request came from. Stands after ``RequestFacts``."""

    def process_request(self, request: HttpRequest) -> None:
        """Attach the session; it is read when somebody asks."""
        facts = getattr(request, "facts", None)
        seen = Seen(getattr(facts, "client_ip", None), request.headers.get("User-Agent", "")[:512])
        request.session = SessionStore(cookies.presented(request, settings.SESSION_COOKIE_NAME) or None, seen)


class CurrentUser:
    """Sets ``request.user``: whoever the session belongs to while active, else AnonymousUser."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.user = SimpleLazyObject(lambda: _user_of(request))  # type: ignore[assignment]
        return self._get_response(request)


def _user_of(request: HttpRequest) -> User | AnonymousUser:
    session = request.session
    row = session.row if isinstance(session, SessionStore) else None
    if row is not None and row.original_id is not None and not may_go_on(row):
        end_silently(row)
        request.session.flush()
        return AnonymousUser()
    user = session.user if isinstance(session, SessionStore) else None
    return user or AnonymousUser()
