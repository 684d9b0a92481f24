"""Brands: list, create, change with a preview, delete."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.brands import actions, pictures
from doorward.identity.brands.look import Look, look_of
from doorward.identity.brands.models import Brand
from doorward.identity.brands.queries import current_brand
from doorward.identity.directory.errors import Refused
from doorward.identity.events.actor import Actor
from doorward.identity.web.context import let_pictures_in
from doorward.identity.web.forms.brands import BrandForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}brands/"
UPLOADS = {"logo_file": "branding_logo", "favicon_file": "branding_favicon"}


@require_GET
@administrators
def brands(request: HttpRequest) -> HttpResponse:
    """``/if/admin/brands/``"""
    rows = [(brand, look_of(brand)) for brand in Brand.objects.order_by("-default", "domain")]
    _show_pictures(request, (look for _brand, look in rows))
    here = current_brand().pk
    return show_admin(request, "brands.html", section=SECTION, title=_("Brands"), rows=rows, here=here)


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/brand/``"""
    form = _form(request, None)
    if form.is_bound and form.is_valid():
        with errors_at(form), transaction.atomic():
            made = actions.create_brand(Actor.of(request), **_with_uploads(form))
            return done(request, address(made), _("The brand for %(domain)s is created.") % {"domain": made.domain})
    return show_admin(
        request,
        "brand.html",
        section=SECTION,
        title=_("New brand"),
        crumbs=[(_("Brands"), SECTION)],
        form=form,
        submit=_("Create brand"),
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def brand(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/brands/<uuid>/``: how it looks, and what makes it so."""
    changed = get_object_or_404(Brand, pk=uuid)
    form = _form(request, changed)
    if form.is_bound and form.is_valid():
        with errors_at(form), transaction.atomic():
            actions.update_brand(Actor.of(request), changed, **_with_uploads(form))
            return done(request, address(changed), _("Saved, and in force."))
    stored = get_object_or_404(Brand, pk=uuid)
    look = look_of(stored)
    _show_pictures(request, [look])
    return show_admin(
        request,
        "brand.html",
        section=SECTION,
        title=stored.branding_title,
        crumbs=[(_("Brands"), SECTION)],
        form=form,
        stored=stored,
        preview=look,
        grounds=("as-light", "as-dark"),
        submit=_("Save"),
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/brands/<uuid>/delete/``"""
    going, problem = get_object_or_404(Brand, pk=uuid), ""
    if request.method == "POST":
        domain = going.domain
        try:
            actions.delete_brand(Actor.of(request), going)
            return done(request, SECTION, _("The brand for %(domain)s is deleted.") % {"domain": domain})
        except Refused as refused:
            problem = str(refused)
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.domain},
        crumbs=[(_("Brands"), SECTION), (going.branding_title, address(going))],
        question=_("Delete the brand for %(domain)s?") % {"domain": going.domain},
        consequences=[_("Its pages look like those of the next brand that fits, and start its flows.")],
        submit=_("Delete brand"),
        back=address(going),
        problem=problem,
        status=409 if problem else 200,
    )


def address(of: Brand) -> str:
    """Of its page."""
    return reverse("admin-brand", args=[of.pk])


def _form(request: HttpRequest, brand: Brand | None) -> BrandForm:
    posted = request.method == "POST"
    return BrandForm(request.POST if posted else None, request.FILES if posted else None, brand=brand)


def _with_uploads(form: BrandForm) -> dict[str, Any]:
    """What to write, with the addresses of what was uploaded. Raises ValidationError by the field of the upload."""
    changes = form.changes
    for upload, column in UPLOADS.items():
        file = form.cleaned_data[upload]
        if isinstance(file, UploadedFile):
            changes[column] = pictures.keep(upload, file.read(pictures.LARGEST + 1))
    return changes


def _show_pictures(request: HttpRequest, looks: Iterable[Look]) -> None:
    """This page shows pictures of other brands than its own."""
    let_pictures_in(request, (origin for look in looks for origin in look.origins))
