"""Keys and certificates: what signs tokens, who uses it, and a new one in its place."""

from __future__ import annotations

from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.crypto import actions
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.oauth2 import key_rotation
from doorward.identity.web.forms.keys import ImportKeyForm, NewKeyForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.recent_login import log_in_again, proved_recently

SECTION = f"{ROOT}keys/"
UP: list[Crumb] = [(gettext_lazy("Keys"), SECTION)]


@require_GET
@administrators
def keys(request: HttpRequest) -> HttpResponse:
    """``/if/admin/keys/``"""
    query = search_text(request)
    rows = page_of(request, CertificateKeyPair.objects.filter(name__icontains=query).order_by("name"))
    shown = [(pair, _certificate(pair).not_valid_after_utc, key_rotation.used_by(pair).count()) for pair in rows]
    now = timezone.now()
    return show_admin(request, "keys.html", section=SECTION, title="Keys", rows=rows, shown=shown, now=now, query=query)


@require_GET
@administrators
def key(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/keys/<uuid>/``"""
    return _show(request, _find(uuid))


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/key/``"""
    initial = {"algorithm": "ES256", "valid_days": 3650}
    form = NewKeyForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = actions.generate(Actor.of(request), **form.cleaned_data)
            return done(request, _address(made), _("“%(name)s” is made.") % {"name": made.name})
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New key",
        crumbs=UP,
        form=form,
        submit="Make it",
        back=SECTION,
        status=status_of(form),
        lead="A private key that never leaves this installation by itself, with a certificate for it.",
    )


@require_http_methods(["GET", "POST"])
@administrators
def take_in(request: HttpRequest) -> HttpResponse:
    """``/if/admin/keys/import/``"""
    form = ImportKeyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            given = form.cleaned_data
            taken = actions.import_pair(
                Actor.of(request),
                name=given["name"],
                certificate_pem=given["certificate_data"],
                private_key_pem=given["key_data"],
            )
            return done(request, _address(taken), _("“%(name)s” is taken in.") % {"name": taken.name})
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="Import a key",
        crumbs=UP,
        form=form,
        submit="Import",
        back=SECTION,
        status=status_of(form),
        lead="A certificate in PEM, with or without its private key.",
    )


@require_POST
@administrators
def rotate(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/keys/<uuid>/rotate/``: nobody is logged out (S-446)."""
    pair = _find(uuid)
    if not pair.sealed_key:
        return done(request, _address(pair), _("A certificate without its private key signs nothing."), "warn")
    new = key_rotation.rotate(Actor.of(request), pair)
    text = _("“%(name)s” has a new key. It is published now, and signs in a minute; the old one stays published.") % {
        "name": new.name
    }
    return done(request, _address(new), text)


@require_POST
@administrators
def show_private(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/keys/<uuid>/private/``: after a recent login only, and an event (S-605)."""
    pair = _find(uuid)
    if not proved_recently(request):
        return log_in_again(request, _address(pair))
    return _show(request, pair, secret=actions.view_private_key(Actor.of(request), pair))


@require_GET
@administrators
def certificate(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/keys/<uuid>/certificate/``: as a file."""
    pair = _find(uuid)
    headers = {"Content-Disposition": f'attachment; filename="{pair.kid}.pem"'}
    return HttpResponse(pair.certificate_pem, content_type="application/x-pem-file", headers=headers)


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/keys/<uuid>/delete/``"""
    pair = _find(uuid)
    if request.method == "POST":
        try:
            actions.delete_pair(Actor.of(request), pair)
        except ProtectedError:
            return done(request, _address(pair), _("“%(name)s” is in use, so it stays.") % {"name": pair.name}, "warn")
        return done(request, SECTION, _("“%(name)s” is deleted.") % {"name": pair.name})
    lines = [_("Its private key cannot be had back.")]
    if key_rotation.still_published(pair):
        lines.append(_("Tokens that it has signed are refused at once: whoever holds one has to log in again."))
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": pair.name},
        crumbs=[*UP, (pair.name, _address(pair))],
        question=_("Delete the key “%(name)s”?") % {"name": pair.name},
        consequences=lines,
        submit="Delete key",
        back=_address(pair),
    )


def _show(request: HttpRequest, pair: CertificateKeyPair, *, secret: str = "") -> HttpResponse:
    found = _certificate(pair)
    return show_admin(
        request,
        "key.html",
        section=SECTION,
        title=pair.name,
        crumbs=UP,
        pair=pair,
        subject=found.subject.rfc4514_string(),
        expires=found.not_valid_after_utc,
        now=timezone.now(),
        fingerprint=found.fingerprint(SHA256()).hex(":"),
        users=key_rotation.used_by(pair),
        retiring=key_rotation.still_published(pair),
        secret=secret,
    )


def _find(uuid: UUID) -> CertificateKeyPair:
    return get_object_or_404(CertificateKeyPair, pk=uuid)


def _certificate(pair: CertificateKeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate_pem.encode())


def _address(pair: CertificateKeyPair) -> str:
    return reverse("admin-key", args=[pair.pk])
