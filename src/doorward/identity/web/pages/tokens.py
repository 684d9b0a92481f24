"""Everybody's tokens: list, create for anybody, delete."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.directory import actions
from doorward.identity.directory.models import Token
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.web.forms.tokens import TokenForm
from doorward.identity.web.pages.access import administrators, person
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.needs import narrowed
from doorward.identity.web.pages.new_tokens import create as create_token
from doorward.identity.web.pages.suggestions import usernames

SECTION = f"{ROOT}tokens/"
UP: list[Crumb] = [(gettext_lazy("Tokens"), SECTION)]


@require_GET
@administrators
def tokens(request: HttpRequest) -> HttpResponse:
    """``/if/admin/tokens/``"""
    query = search_text(request)
    found = narrowed(request, Token.objects.all()).filter(
        Q(identifier__icontains=query) | Q(user__username__icontains=query) | Q(description__icontains=query)
    )
    rows = page_of(request, found.select_related("user", "application"))
    return show_admin(request, "tokens.html", section=SECTION, title="Tokens", rows=rows, query=query)


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/token/``: the answer to the form shows the key, and nothing ever does again (S-608)."""
    form = TokenForm(request.POST if request.method == "POST" else None, initial={"user": person(request).username})
    if form.is_bound and form.is_valid():
        with errors_at(form):
            token, key = create_token(Actor.of(request), form.cleaned_data["user"], form)
            return show_admin(
                request, "token.html", section=SECTION, title=token.identifier, crumbs=UP, token=token, key=key
            )
    return show_admin(
        request,
        "new_token.html",
        section=SECTION,
        title="New token",
        crumbs=UP,
        form=form,
        usernames=usernames(),
        submit="Create token",
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, identifier: str) -> HttpResponse:
    """``/if/admin/tokens/<identifier>/delete/``"""
    token = get_object_or_404(Token.objects.select_related("user"), identifier=identifier)
    if request.method == "POST":
        actions.delete_token(Actor.of(request), token)
        return done(request, SECTION, _("The token “%(token)s” is deleted.") % {"token": token})
    lines = [_("Whatever uses it is refused from then on.")]
    if token.managed:
        lines.append(_("It belongs to an outpost, which can then no longer ask for its configuration."))
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(token)s") % {"token": token},
        crumbs=UP,
        question=_("Delete the token “%(token)s” of %(user)s?") % {"token": token, "user": token.user},
        consequences=lines,
        submit="Delete token",
        back=SECTION,
    )
