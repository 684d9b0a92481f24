"""Strangers may read a few public facts here, but not thousands of times a minute."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from doorward.identity.web.middleware.requests import facts_of


class Strangers(SimpleRateThrottle):
    """Per address, for requests without credentials. Kept in this process's memory."""

    scope = "strangers"
    rate = "300/min"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.user and request.user.is_authenticated:
            return None
        address = facts_of(request._request).client_ip or "unknown"
        return f"api-strangers-{address}"
