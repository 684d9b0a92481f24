"""What is known about whoever asks, beside who they are: policies judge by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from doorward.identity.logins.models import LoginSession


@dataclass(frozen=True, slots=True)
class Asked:
    """The circumstances of a question. What is not known is empty; a policy that needs it does not pass."""

    client_ip: str = ""
    method: str = ""
    path: str = ""
    host: str = ""
    user_agent: str = ""
    rehearsal: bool = False
    """Nobody asks in earnest: what is judged leaves no event."""
    context: Mapping[str, object] = field(default_factory=dict)
    """Plain data of a flow: ``prompt_data``, ``application``, ``pending_user`` …"""

    @classmethod
    def by(cls, request: HttpRequest, context: Mapping[str, object] | None = None) -> Asked:
        """As a browser asks now."""
        facts = getattr(request, "facts", None)
        return cls(
            client_ip=(facts.client_ip if facts is not None else None) or "",
            method=request.method or "",
            path=request.path,
            host=facts.host if facts is not None else "",
            user_agent=request.META.get("HTTP_USER_AGENT", ""),
            context=context or {},
        )

    @classmethod
    def since(cls, login: LoginSession | None) -> Asked:
        """As the login was used last, where the browser itself is not here."""
        return cls(client_ip=login.last_ip or "", user_agent=login.last_user_agent) if login is not None else cls()


NOTHING_KNOWN = Asked()
