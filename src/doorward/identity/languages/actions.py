"""Keeps the language that somebody has chosen: with the user where there is one, else in the browser."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.visitor import visitor
from doorward.identity.languages.choice import ASKED, COOKIE, COOKIE_AGE, asked_by


def choose(request: HttpRequest, response: HttpResponse, code: str) -> None:
    """Speak ``code`` from now on; as the browser wishes when it is empty. Both are the user's own business."""
    user = visitor(request)
    if user is not None:
        _keep(Actor.of(request), user, code)
    if code:
        response.set_cookie(
            COOKIE,
            code,
            max_age=COOKIE_AGE,
            secure=COOKIE.startswith("__Host-"),
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(COOKIE, samesite="Lax")


def _keep(actor: Actor, user: User, code: str) -> None:
    known = user.attributes.get("settings")
    kept = dict(known) if isinstance(known, dict) else {}
    if str(kept.get("locale", "")) == code:
        return
    attributes = {**user.attributes, "settings": {**kept, "locale": code}}
    directory.update_user(actor, user, attributes=attributes)


def remember_asked(request: HttpRequest) -> None:
    """Keep what this request's ``ui_locales`` asks for, so that the pages of the flow that begins know it."""
    if code := asked_by(request):
        request.session[ASKED] = code
