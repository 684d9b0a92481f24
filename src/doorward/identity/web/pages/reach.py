"""Who can reach what: one user, one application, what a change would do, and whether statements about it are true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.reach import statements
from doorward.identity.reach.changes import Difference, difference
from doorward.identity.reach.statements import Outcome
from doorward.identity.reach.world import World
from doorward.identity.web.forms.reach import ChangeForm, ReachForm, StatementsForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import show_admin, status_of
from doorward.identity.web.pages.listing import AT_ONCE
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.suggestions import usernames

SECTION = f"{ROOT}reach/"
SHOWN = 200
"""People who gain, and who lose, that the page lists; it counts all."""
_EXAMPLE = "version: 1\naccess:\n  - user: akadmin\n    may: whoami\n"


@dataclass(frozen=True, slots=True)
class Row:
    user: User
    application: Application
    passing: bool
    reason: str


@require_http_methods(["GET", "POST"])
@administrators
def reach(request: HttpRequest) -> HttpResponse:
    """``/if/admin/reach/``; ``?user=`` or ``?application=``, ``?change=``; a POST judges statements."""
    form = ReachForm(request.GET if {"user", "application"} & request.GET.keys() else None)
    change = ChangeForm(request.GET if "change" in request.GET else None)
    tests = StatementsForm(request.POST if request.method == "POST" else None, initial={"statements": _EXAMPLE})
    return show_admin(
        request,
        "reach.html",
        section=SECTION,
        title="Who can reach what",
        form=form,
        rows=_rows(request, form),
        change=change,
        difference=_difference(change),
        shown=SHOWN,
        tests=tests,
        outcomes=_outcomes(tests),
        usernames=usernames(),
        status=max(status_of(each) if each.errors else 200 for each in (form, change, tests)),
    )


def _rows(request: HttpRequest, form: ReachForm) -> object:
    """A page of them: reasons are found for what is shown, and for nothing else."""
    if not form.is_bound or not form.is_valid():
        return None
    values = form.cleaned_data
    world = World.load(values["address"] or "")
    users = [values["user"].pk] if values["user"] else [pk for pk, user in world.users.items() if user.is_active]
    applications = [values["application"].pk] if values["application"] else list(world.applications)
    pairs = [(user, key) for key in applications for user in users]
    page = Paginator(pairs, AT_ONCE).get_page(request.GET.get("page"))
    rows = [Row(world.users[user], world.applications[key], *world.why(key, user)) for user, key in page.object_list]
    shown: Page[Row] = Page(rows, page.number, cast("Paginator[Row]", page.paginator))
    return shown


def _difference(form: ChangeForm) -> Difference | None:
    if not form.is_bound or not form.is_valid() or form.cleaned_data["made"] is None:
        return None
    return difference([form.cleaned_data["made"]], form.cleaned_data["from_address"] or "")


def _outcomes(form: StatementsForm) -> list[Outcome] | None:
    if not form.is_bound or not form.is_valid():
        return None
    try:
        return statements.judge(statements.read(form.cleaned_data["statements"]))
    except statements.BadStatements as error:
        form.add_error("statements", str(error))
        return None
