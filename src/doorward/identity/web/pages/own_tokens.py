"""The user's own tokens: create one and see its key once, delete."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorward.identity.directory import actions
from doorward.identity.events.actor import Actor
from doorward.identity.web.forms.tokens import OwnTokenForm
from doorward.identity.web.pages.access import person, signed_in
from doorward.identity.web.pages.account import ACCOUNT
from doorward.identity.web.pages.answers import done, errors_at, show_own, status_of
from doorward.identity.web.pages.new_tokens import create, outside_url


@require_http_methods(["GET", "POST"])
@signed_in
def create_own(request: HttpRequest) -> HttpResponse:
    """``/if/user/new/token/``: the answer to the form shows the key, and nothing ever does again (S-608)."""
    form = OwnTokenForm(request.POST if request.method == "POST" else None, user=person(request))
    if form.is_bound and form.is_valid():
        with errors_at(form):
            token, key = create(Actor.of(request), person(request), form)
            return show_own(
                request, "token.html", title=_("Your new token"), token=token, key=key, outside=outside_url(token)
            )
    return show_own(request, "new_token.html", title=_("New token"), form=form, status=status_of(form))


@require_http_methods(["GET", "POST"])
@signed_in
def delete_own(request: HttpRequest, identifier: str) -> HttpResponse:
    """``/if/user/tokens/<identifier>/delete/``"""
    token = get_object_or_404(person(request).tokens, identifier=identifier, managed__isnull=True)
    if request.method == "POST":
        actions.delete_token(Actor.of(request), token)
        return done(request, ACCOUNT, _("The token “%(token)s” is deleted.") % {"token": token})
    return show_own(request, "delete_token.html", title=_("Delete %(token)s") % {"token": token}, token=token)
