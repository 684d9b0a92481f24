"""The page that says no: names the application, says what to do, and tells a superuser why."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from doorward.identity.applications.models import Application
from doorward.identity.flows.visitor import visitor


def denied_page(
    request: HttpRequest,
    *,
    application: Application | None = None,
    message: str = "",
    reasons: Sequence[str] = (),
    said: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    """``said`` (a Verdict's messages) is for everybody, its ``reasons`` are shown to superusers only.

    authentik's status for an application is 200.
    """
    user = visitor(request)
    return render(
        request,
        "flows/denied.html",
        {
            "application": application,
            "message": message,
            "visitor": user,
            "ask_address": _where_to_ask(application) if user is not None else "",
            "said": said,
            "reasons": list(reasons) if user is not None and user.is_superuser else [],
        },
        status=status,
    )


def _where_to_ask(application: Application | None) -> str:
    """The page on which whoever is turned away asks for access; empty where there is none."""
    if application is None or not getattr(getattr(application, "offer", None), "enabled", False):
        return ""
    return reverse("own-request-new", args=[application.slug])
