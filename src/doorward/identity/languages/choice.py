"""Which language a request is answered in.

What somebody chose for themselves comes first, then what their browser or the application asks for:

1. the logged-in user's setting (``attributes.settings.locale``, as authentik keeps it);
2. the choice made at the foot of a login page, kept in a cookie of this browser;
3. ``ui_locales`` of the OpenID Connect request that led to this login;
4. the browser's ``Accept-Language``;
5. the brand's ``attributes.settings.locale``;
6. English.

Machines are spoken to in English: the REST API, the token endpoint and the like are not asked for a language at all,
so that they pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.translation import get_language, get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from doorward.identity.brands.queries import current_brand
from doorward.identity.directory.models import User
from doorward.identity.languages.supported import SOURCE
from doorward.identity.web import cookies

COOKIE = f"{'__Host-' if settings.EXTERNAL.scheme == 'https' else ''}doorward_language"
COOKIE_AGE = 365 * 24 * 3600
ASKED = "languages.asked"
"""Session key: what ``ui_locales`` asked for."""

MACHINES = ("/api/", "/static/", "/-/", "/brand/", "/.well-known/", "/application/o/")
PAGES_AMONG_THEM = ("/api/v3/flows/executor/", "/application/o/authorize/")
LONGEST_HEADER = 500


def language_of(request: HttpRequest) -> str:
    """A supported code."""
    return next((code for code in _wishes(request) if code), SOURCE)


def _wishes(request: HttpRequest) -> Iterator[str]:
    if not _is_page(request.path):
        return
    try:
        yield of_user(getattr(request, "user", None))
        yield supported(cookies.presented(request, COOKIE))
        yield asked_by(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            yield supported(str(request.session.get(ASKED, "")))
        yield first_supported(_accepted(request.headers.get("Accept-Language", "")))
        yield of_brand()
    except DatabaseError:  # the page that says so needs some language, too
        yield first_supported(_accepted(request.headers.get("Accept-Language", "")))


def asked_by(request: HttpRequest) -> str:
    """What ``ui_locales`` of this very request asks for; empty where there is none that we speak."""
    return first_supported(request.GET.get("ui_locales", "").split())


def _is_page(path: str) -> bool:
    return path.startswith(PAGES_AMONG_THEM) or path.endswith("/end-session/") or not path.startswith(MACHINES)


def _accepted(header: str) -> list[str]:
    return [code for code, _ in parse_accept_lang_header(header[:LONGEST_HEADER])]


def first_supported(wanted: list[str]) -> str:
    """The first of these tags that we speak, or whose language we do; else empty."""
    return next((code for tag in wanted[:20] if (code := supported(tag))), "")


def supported(tag: str) -> str:
    """Our code for ``tag`` (``de-AT`` is ``de``, ``zh-CN`` is ``zh-hans``); empty for what we do not speak."""
    try:
        return get_supported_language_variant(tag.strip().replace("_", "-").lower()) if tag else ""
    except LookupError:
        return ""


def of_user(user: object) -> str:
    """What a user has chosen; empty for nothing, or nobody."""
    return _setting(user.attributes) if isinstance(user, User) and user.is_authenticated else ""


def of_brand() -> str:
    return _setting(current_brand().attributes)


def _setting(attributes: object) -> str:
    """``settings.locale`` of free-form attributes: whoever wrote them may have written anything."""
    kept = attributes.get("settings") if isinstance(attributes, dict) else None
    locale = kept.get("locale") if isinstance(kept, dict) else None
    return supported(locale) if isinstance(locale, str) else ""


def for_letter_to(user: User | None) -> str:
    """The language of a letter that ``user`` did not ask for: theirs, else the brand's, else of whoever caused it."""
    return of_user(user) or of_brand() or get_language() or SOURCE


def for_answer_to(user: User | None) -> str:
    """The language of a letter that somebody at a page asks for: the user's, else that of the page."""
    return of_user(user) or get_language() or SOURCE
