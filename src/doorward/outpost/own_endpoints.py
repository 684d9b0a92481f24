"""Our own endpoints on an application's host, whoever brings the request: ``start``, ``callback``, ``sign_out``.

Where several applications share a host, a browser may come to an endpoint that says nothing about which one is meant
(nginx has one ``location`` for all, and other outposts register a callback at the root). Then the request itself
tells: a callback by its state, a start by where it is to end, a sign-out by the session that there is.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from urllib.parse import unquote

from doorward.messages.http import HttpAnswer
from doorward.outpost import parameters, refusals
from doorward.outpost.application import Application
from doorward.outpost.applications import Applications
from doorward.outpost.callback import Callback
from doorward.outpost.login import Login
from doorward.outpost.paths import (
    CALLBACK_SIGNATURE,
    LOGOUT_SIGNATURE,
    PREFIX,
    has_signature,
    is_under_prefix,
    split_target,
)
from doorward.outpost.sessions.cookie import SESSION
from doorward.outpost.sign_out import SignOut
from doorward.outpost.site import AmbiguousPath
from doorward.outpost.visit import Visit

NAMES = frozenset(f"{PREFIX}/{name}" for name in ("start", "callback", "sign_out", "ping"))


@dataclass(frozen=True, slots=True)
class OwnEndpoints:
    """Answers what is asked of us and not of the application."""

    login: Login
    callback: Callback
    sign_out: SignOut

    def behind_a_proxy(self, visit: Visit, applications: Applications) -> HttpAnswer | Awaitable[HttpAnswer] | None:
        """The answer, if the request that a proxy asks about is for us; None when it is for the application."""
        path = visit.path
        if "%" in path:
            path = unquote(path)
        if visit.application.path:
            path = visit.application.without_prefix(path)
        if (path.startswith(PREFIX) and is_under_prefix(path)) or path == visit.application.callback_path:
            return self.answer(visit, path, applications)
        query = visit.query
        if query is not None and "X-authentik-" in query:
            if has_signature(query, CALLBACK_SIGNATURE) and self.callback.is_for(visit):
                return self.callback.complete(visit)
            if has_signature(query, LOGOUT_SIGNATURE) and self.sign_out.is_for(visit):
                return self.sign_out.answer(visit)
        return None

    def answer(self, visit: Visit, path: str, applications: Applications) -> HttpAnswer | Awaitable[HttpAnswer]:
        """The answer for ``path``, which begins with our prefix."""
        if path == f"{PREFIX}/start":
            return self.login.start(self._meant_by_rd(visit, applications))
        if path in (f"{PREFIX}/callback", visit.application.callback_path):
            return self.callback.complete(self._meant_by_state(visit, applications))
        if path == f"{PREFIX}/sign_out":
            return self.sign_out.answer(self._meant_by_session(visit, applications))
        return refusals.not_found()

    def _meant_by_state(self, visit: Visit, applications: Applications) -> Visit:
        for application in applications.sharing(visit.application):
            if self.callback.is_of(application, visit):
                return _at(visit, application)
        return visit

    @staticmethod
    def _meant_by_rd(visit: Visit, applications: Applications) -> Visit:
        if len(applications.sharing(visit.application)) < 2:
            return visit
        try:
            target = visit.own_target(parameters.parse_start(visit.query).get("rd", ""))
            if target.startswith("/"):
                meant = applications.find(visit.host, visit.application.scheme, split_target(target)[0])
                return visit if meant is None else _at(visit, meant)
        except (parameters.BadParameters, AmbiguousPath):
            pass
        return visit

    @staticmethod
    def _meant_by_session(visit: Visit, applications: Applications) -> Visit:
        for application in (visit.application, *applications.sharing(visit.application)):
            ticket = application.cookies.presented(visit.fields.cookies).ticket
            if ticket is not None and ticket.kind == SESSION:
                return _at(visit, application)
        return visit


def _at(visit: Visit, application: Application) -> Visit:
    if application is visit.application:
        return visit
    return replace(visit, application=application, presented=application.cookies.presented(visit.fields.cookies))
