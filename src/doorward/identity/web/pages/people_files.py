"""Users in and out as files: many with a look before, everything about one, everything about oneself."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.people import exporting, files
from doorward.identity.people.importing import Done, Outcome
from doorward.identity.people.importing import take_in as taken_in
from doorward.identity.web.pages.access import administrators, person, signed_in
from doorward.identity.web.pages.answers import show_admin, status_of
from doorward.identity.web.pages.needs import narrowed
from doorward.identity.web.pages.users import SECTION, UP, find

LARGEST = 900_000
"""Bytes of a file that a page takes; ``doorward users import`` takes any."""
MOST_ROWS = 2000


class FileForm(forms.Form):
    file = forms.FileField(
        label="File",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.json,text/csv,application/json"}),
        help_text=format_lazy(
            gettext_lazy("At most {size} kB and {count} users; for more there is the command line."),
            size=LARGEST // 1000,
            count=MOST_ROWS,
        ),
    )
    text = forms.CharField(label="Or its text", required=False, strip=False, widget=forms.Textarea(attrs={"rows": "6"}))

    def rows(self) -> tuple[str, list[files.Row]]:
        """The text and its rows. Raises BadFile."""
        upload, text = self.cleaned_data.get("file"), self.cleaned_data.get("text") or ""
        if upload is not None:
            if upload.size > LARGEST:
                raise files.BadFile(_("The file is too large for this page; use doorward users import."))
            try:
                text = upload.read().decode("utf-8")
            except UnicodeDecodeError as error:
                raise files.BadFile(_("The file is not UTF-8 text.")) from error
        rows = files.read(text)
        if len(rows) > MOST_ROWS:
            raise files.BadFile(_("More than %(count)s users; use doorward users import.") % {"count": MOST_ROWS})
        return text, rows


@require_http_methods(["GET", "POST"])
@administrators
def take_in(request: HttpRequest) -> HttpResponse:
    """``/if/admin/users/import/``: first without, then with ``sure``."""
    is_sent, sure = request.method == "POST", request.POST.get("sure") == "on"
    form = FileForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    context: dict[str, Any] = {"form": form, "done": None}
    if is_sent and form.is_valid():
        try:
            text, rows = form.rows()
        except files.BadFile as error:
            form.add_error(None, str(error))
        else:
            done = taken_in(Actor.of(request), rows, dry=not sure)
            context |= {"done": done, "is_dry": not sure, "text": text, "counted": counted(done)}
            context["refused"] = any(each.outcome is Outcome.REFUSED for each in done)
    return show_admin(
        request,
        "users_import.html",
        section=SECTION,
        title="Import users",
        crumbs=UP,
        status=status_of(form) if not form.is_valid() else 200,
        **context,
    )


def counted(done: list[Done]) -> str:
    """``2 created, 1 refused``."""
    numbers = Counter(each.outcome for each in done)
    return ", ".join(f"{numbers[outcome]} {outcome}" for outcome in Outcome if numbers[outcome]) + "."


@require_GET
@administrators
def export(request: HttpRequest) -> HttpResponse:
    """``/if/admin/users/export/?format=csv|json``: what an import reads again; no passwords."""
    rows = exporting.many(narrowed(request, User.objects.all()))
    events.record("export_ready", "authentik.core", Actor.of(request), exported="users")
    if request.GET.get("format") == "json":
        return _file(files.write_json(rows), "users.json", "application/json")
    return _file(files.write_csv(rows), "users.csv", "text/csv; charset=utf-8")


@require_GET
@administrators
def data_of(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/data/``"""
    return _everything(request, find(pk))


@require_GET
@signed_in
def own_data(request: HttpRequest) -> HttpResponse:
    """``/if/user/data/``"""
    if Actor.of(request).impersonator is not None:
        raise PermissionDenied(_("This is for the person alone."))
    return _everything(request, person(request))


def _everything(request: HttpRequest, user: User) -> HttpResponse:
    text = json.dumps(exporting.everything_about(user), ensure_ascii=False, indent=2) + "\n"
    events.record("export_ready", "authentik.core", Actor.of(request), target=user)
    return _file(text, f"user-{user.pk}.json", "application/json")


def _file(text: str, name: str, kind: str) -> HttpResponse:
    return HttpResponse(text, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
