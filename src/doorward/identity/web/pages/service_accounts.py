"""Create a machine account: its name, how long its token works, and the token, shown once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from doorward.identity.directory import service_accounts
from doorward.identity.events.actor import Actor
from doorward.identity.web.forms.tokens import ServiceAccountForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import errors_at, show_admin, status_of
from doorward.identity.web.pages.users import SECTION, UP, address


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/service-account/``: the answer to the form shows the token, and nothing ever does again."""
    form = ServiceAccountForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = service_accounts.create(
                Actor.of(request),
                name=form.cleaned_data["name"],
                create_group=form.cleaned_data["create_group"],
                expiring=form.expires is not None,
                expires=form.expires,
            )
            return show_admin(
                request,
                "service_account.html",
                section=SECTION,
                title=made.user.username,
                crumbs=UP,
                account=made.user,
                key=made.key,
                back=address(made.user),
            )
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New service account",
        crumbs=UP,
        form=form,
        submit="Create account",
        back=SECTION,
        status=status_of(form),
        lead="For a program that is nobody’s: a user without a password, and a token with which it opens applications. "
        "Let it into them like any user.",
    )
