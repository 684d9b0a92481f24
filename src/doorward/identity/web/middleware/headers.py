"""The response headers that every page carries (security.md section 3; S-441, S-532).

A view that knows better about caching (public keys, static files) sets ``Cache-Control`` itself. A view whose form
ends, by redirects, at another origin names the origins it has checked in ``response.form_action_origins``; one whose
page needs a script of somebody else's (a captcha) names its origins in ``response.outside_origins``; one that only
shows frames names theirs in ``response.frame_origins``; one that is a letter says ``response.is_letter``. Those of a
brand's pictures are in ``request.picture_origins``. An answer that is no page has its own ``response.whole_policy``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

PICTURES = "img-src 'self' data:"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
OPENED = (
    "default-src 'self'; script-src 'self' {0}; style-src 'self' {0}; img-src 'self' data: {0}; "
    "connect-src 'self' {0}; frame-src {0}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
"""The same with origins whose scripts and frames a page may load."""

LETTER = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: https:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
"""For a letter that an administrator looks at in a frame: words of somebody's template, which can do nothing."""

FIXED = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

YEAR = 365 * 24 * 3600

_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_ANY_BELOW = re.compile(r"https://\*\.[a-z0-9.-]+", re.ASCII)


class SecurityHeaders:
    """Outermost but one: also around static files and error pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        whole = getattr(response, "whole_policy", "")
        response.headers["Content-Security-Policy"] = whole or policy(
            getattr(response, "form_action_origins", ()),
            getattr(response, "outside_origins", ()),
            getattr(request, "picture_origins", ()),
            getattr(response, "frame_origins", ()),
        )
        for name, value in FIXED.items():
            response.headers[name] = value
        if getattr(response, "is_letter", False):
            response.headers["Content-Security-Policy"] = LETTER
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        if settings.EXTERNAL.scheme == "https":
            response.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
        return response


def policy(
    form_action_origins: Iterable[str] = (),
    outside_origins: Iterable[str] = (),
    picture_origins: Iterable[str] = (),
    frame_origins: Iterable[str] = (),
) -> str:
    """The content security policy, with origins that forms may lead to, and scripts, pictures or frames come from,
    besides ours.

    What is no origin is left out.
    """
    origins = [origin for origin in form_action_origins if _ORIGIN.fullmatch(origin)]
    outside = [origin for origin in outside_origins if _ORIGIN.fullmatch(origin) or _ANY_BELOW.fullmatch(origin)]
    pictures = [origin for origin in picture_origins if _ORIGIN.fullmatch(origin)]
    frames = [origin for origin in frame_origins if _ORIGIN.fullmatch(origin)]
    plain = OPENED.format(" ".join(outside)) if outside else POLICY
    if frames and not outside:
        plain = plain.replace("object-src", f"frame-src {' '.join(frames)}; object-src")
    return " ".join((plain.replace(PICTURES, " ".join((PICTURES, *pictures))), *origins))
