"""Forms that could close the last way in: undone, and asked again, before they are kept (S-621).

The decorator makes whatever a form changes in one transaction and asks ``flows.way_in`` about the outcome. The
question that follows carries the form's fields along, so that one button makes the same change after all.
"""

from __future__ import annotations

from functools import wraps
from typing import ParamSpec

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from doorward.identity.flows import way_in
from doorward.identity.web.pages import notices
from doorward.identity.web.pages.access import View
from doorward.identity.web.pages.answers import show_admin
from doorward.identity.web.pages.navigation import ROOT

P = ParamSpec("P")
SURE = "sure"
"""Name of the field with which the second form says that its sender knows."""
_OWN = frozenset({SURE, "csrfmiddlewaretoken"})


def careful(view: View[P]) -> View[P]:
    """For views whose forms change flows, stages, or who they are for; below ``administrators``."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            with way_in.kept(sure=request.POST.get(SURE) == "on"):
                return view(request, *args, **kwargs)
        except way_in.NoWayIn as refused:
            notices.take(request)  # what was not done after all
            return _ask(request, str(refused))

    return guarded


def _ask(request: HttpRequest, problem: str) -> HttpResponse:
    fields = [(name, value) for name in request.POST if name not in _OWN for value in request.POST.getlist(name)]
    return show_admin(
        request,
        "sure.html",
        section=f"{ROOT}flows/",
        title="Nobody could log in any more",
        crumbs=[(_("Flows"), f"{ROOT}flows/")],
        problem=problem,
        fields=fields,
        sure=SURE,
        status=409,
    )
