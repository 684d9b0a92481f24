"""The pages for requests that lead nowhere, and what an API client gets instead.

Each says what happened, whose turn it is, and offers the next step. None repeats anything of the request but its id.
"""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.logins.session_store import NOTICE

FLOW_PAGES = "/if/flow/"
EXPIRED = gettext_noop("This page was open for too long, or you logged in in another tab. Please continue here.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400"""
    return _page(request, 400, _("That request cannot be read"), _("Go back and try again."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403"""
    return _page(
        request,
        403,
        _("This is not open to you"),
        str(exception) or _("An administrator can give you the right to see this page."),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404"""
    return _page(request, 404, _("There is nothing here"), _("The address is mistyped, or what it named was removed."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500"""
    text = _("It is our fault, not yours. Try again; if it happens again, tell your administrator the number below.")
    return _page(request, 500, _("Something went wrong"), text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form came without the token of this session (S-528).

    From our own origin it is most likely an old page: a login form is shown afresh, with a sentence that says why,
    because that does nothing on anybody's behalf.
    """
    own = request.headers.get("Origin") == f"{settings.EXTERNAL.scheme}://{settings.EXTERNAL.netloc}"
    has_cookie = settings.SESSION_COOKIE_NAME in request.COOKIES
    if own and has_cookie and request.path.startswith(FLOW_PAGES):
        request.session[NOTICE] = EXPIRED
        response = HttpResponseRedirect(request.get_full_path())
        response.status_code = 303
        return response
    if own and not has_cookie:
        text = _(
            "Your browser sent no session cookie along. Either the page was open for too long, or cookies are blocked: "
            "allow them for this address, then start again."
        )
    else:
        text = _("The form did not come from a page of yours that is still valid. Nothing was changed.")
    again = request.get_full_path() if request.path.startswith(FLOW_PAGES) else reverse("flow-default-authentication")
    return _page(request, 403, _("Please start again"), text, again=again, again_text=_("Start again"))


def _page(
    request: HttpRequest,
    status: int,
    title: str,
    text: str,
    *,
    again: str = "/",
    again_text: str = gettext_noop("Go to the start"),
) -> HttpResponse:
    if request.path.startswith("/api/"):
        return HttpResponse(json.dumps({"detail": title}), content_type="application/json", status=status)
    context = {"status": status, "title": title, "text": text, "again": again, "again_text": again_text}
    return render(request, "page_error.html", context, status=status)
