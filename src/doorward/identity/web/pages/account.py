"""Your account: who you are here, your password, where you are logged in."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.directory import actions, passwords
from doorward.identity.directory.errors import TooManyAttempts
from doorward.identity.events.actor import Actor
from doorward.identity.languages.choice import of_user as language_of_user
from doorward.identity.logins import actions as logins
from doorward.identity.logins.queries import current, of_user
from doorward.identity.web.forms.account import OwnPasswordForm
from doorward.identity.web.pages.access import person, signed_in
from doorward.identity.web.pages.answers import done, errors_at, show_own, status_of
from doorward.identity.web.pages.browsers import seen
from doorward.identity.web.pages.live_rows import own

ACCOUNT = "/if/user/account/"


@require_GET
@signed_in
def account(request: HttpRequest) -> HttpResponse:
    """``/if/user/account/``"""
    user = person(request)
    return show_own(
        request,
        "account.html",
        title=_("Your account"),
        groups=user.groups.all(),
        chosen_language=language_of_user(user),
        logins=seen(of_user(user), current(request)),
        sessions=own(user),
        tokens=user.tokens.filter(managed__isnull=True).select_related("application"),
    )


@require_http_methods(["GET", "POST"])
@signed_in
def change_password(request: HttpRequest) -> HttpResponse:
    """``/if/user/password/``: the new password ends every other login."""
    form = OwnPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _is_right(request, form):
        login = current(request)
        with errors_at(form):
            actions.set_password(
                Actor.of(request), person(request), form.cleaned_data["password"], keep_sid=login.sid if login else ""
            )
            return done(request, ACCOUNT, _("Your password is changed. All your other logins have ended."))
    return show_own(request, "password.html", title=_("Change your password"), form=form, status=status_of(form))


def _is_right(request: HttpRequest, form: OwnPasswordForm) -> bool:
    """Whether the current password was given; guessing is slowed down as at the login (S-506)."""
    user, actor = person(request), Actor.of(request)
    right = False
    with errors_at(form):
        try:
            right = passwords.attempt(user, user.username, form.cleaned_data["current"], actor.client_ip)
        except TooManyAttempts as wait:
            raise ValidationError({"current": [f"{wait}."]}) from wait
        except ValidationError:
            right = False
        if not right:
            raise ValidationError({"current": [_("This is not your current password.")]})
    return right


@require_POST
@signed_in
def end_login(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One of the user's own logins; another's is not there (S-602)."""
    login, this = get_object_or_404(person(request).login_sessions, uuid=uuid), current(request)
    if this is not None and this.pk == login.pk:
        logins.log_out(request)
        return done(request, "/", _("You are logged out."))
    logins.end(Actor.of(request), login)
    return done(request, ACCOUNT, _("That login has ended."))


@require_POST
@signed_in
def end_other_logins(request: HttpRequest) -> HttpResponse:
    """All but the one that asks."""
    login = current(request)
    number = logins.end_all_of(Actor.of(request), person(request), except_sid=login.sid if login else "")
    return done(
        request, ACCOUNT, _("You are logged in nowhere else now.") if number else _("There was no other login.")
    )
