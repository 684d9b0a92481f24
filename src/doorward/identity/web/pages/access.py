"""Who may see a page behind the login. Every page carries one of these two decorators (S-601).

A stranger is sent to log in and comes back; whoever is no administrator reads that a page is for administrators.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.explain import data_plane
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.flows.visitor import visitor
from doorward.identity.logins.queries import current
from doorward.identity.roles.queries import asking
from doorward.identity.web.pages.needs import may_open

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def signed_in(view: View[P]) -> View[P]:
    """For everybody who has logged in."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return log_in_first(request) if visitor(request) is None else view(request, *args, **kwargs)

    return guarded


def administrators(view: View[P]) -> View[P]:
    """For superusers, and for whoever's roles open this page (``needs``)."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        user = visitor(request)
        if user is None:
            return log_in_first(request)
        match = request.resolver_match
        if match is None or not may_open(asking(request, user), match.url_name or "", match.kwargs):
            return denied_page(request, message=_("These pages are for administrators."), status=403)
        data_plane.administrator_at_work()
        return view(request, *args, **kwargs)

    return guarded


def person(request: HttpRequest) -> User:
    """Whoever asks; only behind one of the decorators. A plain object: ``request.user`` is a lazy stand-in for it."""
    login = current(request)
    assert login is not None
    assert login.user is not None
    return login.user


def log_in_first(request: HttpRequest) -> HttpResponse:
    """To the login, and back here afterwards. What a form had sent is not repeated."""
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    return HttpResponseRedirect(f"{reverse('flow-default-authentication')}?{urlencode({'next': wanted})}")
