"""What an answer that is no redirect means to a stranger who asked for a protected page."""

from __future__ import annotations

from doorward.doctor.browser import Seen
from doorward.doctor.findings import Finding
from doorward.doctor.front import fault

_GATEWAY = frozenset({500, 502, 503, 504})


def refusal(seen: Seen) -> Finding:
    """The fault behind ``seen``, which neither lets in nor leads to a login."""
    status, body = seen.status, seen.body[:2000]
    request = seen.first("x-authentik-id") or seen.first("x-request-id")
    named = f" Request {request}." if request else ""
    if status == 400 and "no app for hostname" in body:
        return fault("no_application", f"The outpost knows no application here: {_one_line(body)}.{named}")
    if (status == 500 and "configuration error" in body) or "invalid envoy request" in body:
        return fault("headers_not_forwarded", f"The outpost answers {status} “{_one_line(body)}”.{named}")
    if status == 403 and "may not ask on behalf of others" in body:
        return fault("proxy_not_trusted", f"The outpost answers 403 “{_one_line(body)}”.{named}")
    if status == 401:
        return fault("signin_not_routed", f"The browser is answered 401 and not sent to a login.{named}")
    if status == 404:
        return fault("no_route", f"{seen.url} is answered 404 (“{seen.title or _one_line(body)}”).{named}")
    if seen.title.startswith("You keep being sent back"):
        return fault("redirect_loop", f"The outpost has stopped a loop: “{seen.title}”.{named}")
    if seen.title.startswith("The identity provider does not answer"):
        return fault("issuer_unreachable_from_outpost", f"The outpost says: “{seen.title}”.{named}")
    if status in _GATEWAY and not seen.first("x-authentik-id"):
        return fault("gateway", f"The proxy answers {status} (“{seen.title or _one_line(body)}”).{named}")
    return fault("outpost_error", f"The answer is {status} “{seen.title or _one_line(body)}”.{named}")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
