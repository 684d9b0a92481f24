"""Blueprints: which are in force, where the database says something else, one of them, and applying a file.

For superusers, the looking as well: a blueprint shows how people get in, and can make superusers (S-613).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.blueprints import actions, queries
from doorward.identity.blueprints.errors import Unusable
from doorward.identity.blueprints.models import BlueprintInstance
from doorward.identity.blueprints.report import Report
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.web.pages import blueprint_links
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.listing import page_of
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}blueprints/"
UP: list[Crumb] = [(gettext_lazy("Blueprints"), SECTION)]
LARGEST = 900_000
"""Bytes of a file that a page takes."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a blueprint would do now, or why it can do nothing."""

    report: Report | None
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, instance: BlueprintInstance) -> Compared:
        try:
            return cls(queries.drift(instance))
        except Unusable as error:
            return cls(None, tuple(str(problem) for problem in error.problems))

    @property
    def differing(self) -> int:
        """Objects."""
        return len(self.report.writes) if self.report is not None else 0


@require_GET
@administrators
def blueprints(request: HttpRequest) -> HttpResponse:
    """``/if/admin/blueprints/``"""
    rows = page_of(request, BlueprintInstance.objects.all())
    compared = [(instance, Compared.of(instance) if instance.enabled else None) for instance in rows]
    return show_admin(request, "blueprints.html", section=SECTION, title=_("Blueprints"), rows=rows, compared=compared)


@require_GET
@administrators
def blueprint(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/blueprints/<uuid>/``"""
    shown = get_object_or_404(BlueprintInstance, pk=uuid)
    try:
        text = queries.text_of(shown)
    except Unusable:
        text = ""
    return show_admin(
        request,
        "blueprint.html",
        section=SECTION,
        title=shown.name,
        crumbs=UP,
        blueprint=shown,
        compared=Compared.of(shown),
        text=text,
    )


@require_POST
@administrators
def apply(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Bring the database back in line with it."""
    shown = get_object_or_404(BlueprintInstance, pk=uuid)
    to = f"{SECTION}{shown.pk}/"
    try:
        report = actions.apply_instance(Actor.of(request), shown)
    except Unusable:
        return done(request, to, _("It cannot be applied; the reasons stand below."), "warn")
    return done(request, to, _("Applied: %(counted)s.") % {"counted": report.counted})


@require_POST
@administrators
def switch(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """In force or not; what it made stays either way."""
    shown = get_object_or_404(BlueprintInstance, pk=uuid)
    try:
        actions.update_instance(Actor.of(request), shown, enabled=not shown.enabled)
    except ValidationError as error:
        return done(request, f"{SECTION}{shown.pk}/", " ".join(error.messages), "warn")
    return done(request, f"{SECTION}{shown.pk}/", _("Switched on.") if shown.enabled else _("Switched off."))


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/blueprints/<uuid>/delete/``"""
    going = get_object_or_404(BlueprintInstance, pk=uuid)
    if request.method == "POST":
        actions.delete_instance(Actor.of(request), going)
        return done(request, SECTION, _("Deleted."))
    consequences = [_("The objects that it made stay as they are.")]
    if going.path:
        consequences.append(_("Its file is taken in again as long as it lies in the folder; switch it off instead."))
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*UP, (going.name, f"{SECTION}{going.pk}/")],
        question=_("Delete this blueprint?"),
        consequences=consequences,
        submit="Delete",
        back=f"{SECTION}{going.pk}/",
    )


class ApplyForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"), required=False, widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.json"})
    )
    text = forms.CharField(
        label=gettext_lazy("Or its text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": "12", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Keep it as"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("With a name it stays on the list, and shows where the database differs later on."),
    )

    def clean(self) -> None:
        upload = self.cleaned_data.get("file")
        if upload is not None:
            if upload.size > LARGEST:
                raise forms.ValidationError(_("The file is too large for this page; use doorward blueprint apply."))
            try:
                self.cleaned_data["text"] = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise forms.ValidationError(_("The file is not UTF-8 text.")) from error
        if not (self.cleaned_data.get("text") or "").strip():
            raise forms.ValidationError(_("Choose a file, or paste its text."))


@require_http_methods(["GET", "POST"])
@administrators
def take_in(request: HttpRequest) -> HttpResponse:
    """``/if/admin/blueprints/apply/``: first only to see what it would do, then with ``sure``."""
    is_sent, sure = request.method == "POST", request.POST.get("sure") == "on"
    form = ApplyForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    compared, text, name = None, "", ""
    if is_sent and form.is_valid():
        text, name = form.cleaned_data["text"], form.cleaned_data["name"]
        actor = Actor.of(request)
        try:
            compared = Compared(queries.tried(text, name or _("This blueprint"), actor))
            if sure:
                with errors_at(form):
                    return _applied(request, actor, text, name)
                compared = None
        except Unusable as error:
            for problem in error.problems:
                form.add_error(None, str(problem))
    return show_admin(
        request,
        "blueprint_apply.html",
        section=SECTION,
        title=_("Apply a blueprint"),
        crumbs=UP,
        status=status_of(form) if form.errors else 200,
        form=form,
        compared=compared,
        text=text,
        name=name,
    )


def _applied(request: HttpRequest, actor: Actor, text: str, name: str) -> HttpResponse:
    if not name:
        report = actions.apply_text(actor, text, _("This blueprint"))
        return done(request, SECTION, _("Applied: %(counted)s.") % {"counted": report.counted})
    kept = actions.create_instance(actor, name=name, content=text)
    report = actions.apply_instance(actor, kept)
    return done(request, f"{SECTION}{kept.pk}/", _("Applied: %(counted)s.") % {"counted": report.counted})


@require_GET
@administrators
def of_object(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """``/if/admin/blueprints/of/<kind>/<key>/``: an object as a blueprint; ``?download`` as a file."""
    from doorward.identity.blueprints.exporting import export  # the API, which most visits of pages never need

    shown = blueprint_links.object_called(kind, key)
    if shown is None:
        raise Http404
    text = export(shown)
    if "download" in request.GET:
        name = f'attachment; filename="{kind}-{key}.yaml"'
        return HttpResponse(text, content_type="application/yaml", headers={"Content-Disposition": name})
    back = blueprint_links.page_of(kind, key)
    return show_admin(
        request,
        "blueprint_of.html",
        section=back.removesuffix(f"{key}/"),
        title=_("%(name)s as a blueprint") % {"name": shown},
        crumbs=[(str(shown), back)],
        text=text,
    )
