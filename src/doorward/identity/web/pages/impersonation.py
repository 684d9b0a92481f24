"""Acting as somebody else: asked for with a reason, stopped from the line that every page then has (S-534)."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.logins import impersonation
from doorward.identity.web.pages.access import administrators, signed_in
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.users import SECTION, UP, address, find

LEAD = gettext_noop(
    "You see what %(name)s sees, and applications take you for them, until you stop, log out, or an hour has passed. "
    "Each event names you both. Password, factors and tokens of the account cannot be changed meanwhile."
)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=impersonation.LONGEST_REASON,
        required=False,
        help_text="Kept with the event; the user sees in their account that you are logged in as them.",
    )


@require_http_methods(["GET", "POST"])
@administrators
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/impersonate/``"""
    user = find(pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            impersonation.begin(request, user, form.cleaned_data["reason"])
            return done(request, reverse("library"), _("You act as %(name)s now.") % {"name": user}, "warn")
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("Act as %(name)s") % {"name": user},
        crumbs=[*UP, (user.username, address(user))],
        lead=_(LEAD) % {"name": user},
        form=form,
        submit=_("Act as %(name)s") % {"name": user},
        back=address(user),
        status=status_of(form),
    )


@require_POST
@signed_in
def end(request: HttpRequest) -> HttpResponse:
    """``/if/user/impersonation/end/``"""
    user = impersonation.end(request)
    return done(request, reverse("library") if user is None else address(user), _("You are yourself again."))
