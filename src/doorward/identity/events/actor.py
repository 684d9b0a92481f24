"""Who does something, and from where: stands first in every action, and in the event that it writes."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass

from django.http import HttpRequest

from doorward.identity.directory.limits import Limits
from doorward.identity.directory.models import Token, User

_LONGEST_AGENT = 512


@dataclass(frozen=True, slots=True)
class Actor:
    """``user`` is None for strangers and for the program itself."""

    user: User | None
    client_ip: str | None
    request_id: str
    method: str = ""
    path: str = ""
    user_agent: str = ""
    impersonator: User | None = None
    """Who really sits there, while they act as ``user`` (S-534)."""
    limits: Limits | None = None
    """Of the API token that they came with, if it is limited."""

    @classmethod
    def of(cls, request: HttpRequest) -> Actor:
        """Whoever sent ``request``, with the facts that ``RequestFacts`` established about it."""
        facts = getattr(request, "facts", None)
        user = getattr(request, "user", None)
        login = getattr(getattr(request, "session", None), "row", None) if user is not None else None
        token = getattr(request, "auth", None)  # of the API
        acting = login is not None and login.impersonator_id and getattr(user, "pk", None) == login.user_id
        return cls(
            # The middleware sets a lazy object: what it stands for decides.
            user=user if isinstance(user, User) and user.is_authenticated else None,
            client_ip=getattr(facts, "client_ip", None),
            request_id=getattr(facts, "request_id", "") or secrets.token_hex(16),
            method=request.method or "",
            path=request.path[:_LONGEST_AGENT],
            user_agent=request.headers.get("User-Agent", "")[:_LONGEST_AGENT],
            impersonator=login.impersonator if login is not None and acting else None,
            limits=token.limits if isinstance(token, Token) else None,
        )

    @classmethod
    def system(cls) -> Actor:
        """The program itself: first start, clean-up, the data plane's reports."""
        return cls(user=None, client_ip=None, request_id="")

    def acting_as(self, user: User) -> Actor:
        """The same request, now known to come from ``user`` (at login, where it began as a stranger's)."""
        same = self.user is not None and self.user.pk == user.pk
        return dataclasses.replace(self, user=user, impersonator=self.impersonator if same else None)
