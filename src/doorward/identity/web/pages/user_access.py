"""What an administrator does about somebody's access: password, logins, deactivation, deletion."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.authenticators import actions as factors
from doorward.identity.authenticators import queries
from doorward.identity.directory import actions
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.recovery import link_for
from doorward.identity.logins import actions as logins
from doorward.identity.logins.queries import current
from doorward.identity.reach.changes import UserDeactivated, warnings
from doorward.identity.web.forms.people import PasswordForm
from doorward.identity.web.pages.access import administrators, person
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.needs import may_see
from doorward.identity.web.pages.recent_login import log_in_again, proved_recently
from doorward.identity.web.pages.users import SECTION, UP, address, find


@require_http_methods(["GET", "POST"])
@administrators
def set_password(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/password/``"""
    user = find(pk)
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.set_password(Actor.of(request), user, form.cleaned_data["password"], keep_sid=_own(request, user))
            return done(
                request, address(user), _("%(user)s has a new password. Their logins have ended.") % {"user": user}
            )
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("Set a password for %(user)s") % {"user": user},
        crumbs=[*UP, (user.username, address(user))],
        form=form,
        submit="Set password",
        back=address(user),
        status=status_of(form),
        lead="All their logins end. Tell them the password on a safe way; they can change it under “Your account”.",
    )


@require_POST
@administrators
def recovery_link(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/recovery/``: a link to hand over, shown once."""
    user = find(pk)
    if not proved_recently(request):
        return log_in_again(request, address(user))
    link = link_for(Actor.of(request), user)
    if link is None:
        return done(request, address(user), _("There is no recovery flow with an e-mail stage."), "warn")
    crumbs = [*UP, (user.username, address(user))]
    title = _("Recovery link for %(user)s") % {"user": user}
    return show_admin(
        request, "recovery_link.html", section=SECTION, title=title, crumbs=crumbs, link=link, back=address(user)
    )


@require_http_methods(["GET", "POST"])
@administrators
def remove_factor(request: HttpRequest, pk: int, uuid: UUID) -> HttpResponse:
    """``/if/admin/users/<pk>/factors/<uuid>/remove/``: for whoever has lost one; ends their logins (S-520)."""
    user = find(pk)
    device = queries.device_by_uuid(user, uuid)
    if device is None:
        raise Http404
    if not proved_recently(request):
        return log_in_again(request, request.path)
    if user.pk == person(request).pk:
        return done(
            request, address(user), _("Your own factors are on your own page, which asks for one first."), "warn"
        )
    if request.method == "POST":
        factors.remove(Actor.of(request), device)
        return done(
            request,
            address(user),
            _("“%(device)s” is removed. %(user)s’s logins have ended.") % {"device": device, "user": user},
        )
    return _confirm(
        request,
        user,
        title=_("Remove %(device)s") % {"device": device},
        question=_("Remove “%(device)s” of %(user)s?") % {"device": device, "user": user},
        consequences=[
            _("All their logins end, and they are told by e-mail."),
            _("Be sure that it is they who asked: without it, their password alone may be enough to log in."),
        ],
        submit="Remove",
        problem="",
    )


@require_http_methods(["GET", "POST"])
@administrators
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/deactivate/``"""
    user, problem = find(pk), ""
    if request.method == "POST":
        try:
            actions.update_user(Actor.of(request), user, is_active=False)
            return done(
                request, address(user), _("%(user)s is deactivated and out of every application.") % {"user": user}
            )
        except Refused as refused:
            user, problem = find(pk), str(refused)  # as stored: the attempt has changed the object
    return _confirm(
        request,
        user,
        title=_("Deactivate %(user)s") % {"user": user},
        question=_("Deactivate “%(user)s”?") % {"user": user},
        consequences=[
            _("All their logins, sessions and tokens are worthless within a second."),
            _("Nothing is deleted; you can activate them again."),
            *warnings(UserDeactivated(user), named=may_see(request, User)),
        ],
        submit="Deactivate",
        problem=problem,
    )


@require_POST
@administrators
def activate(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/activate/``"""
    user = find(pk)
    actions.update_user(Actor.of(request), user, is_active=True)
    return done(request, address(user), _("%(user)s may log in again.") % {"user": user})


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/delete/``; 409 for oneself and the last superuser (S-621)."""
    user, problem = find(pk), ""
    if request.method == "POST":
        name = user.username
        try:
            actions.delete_user(Actor.of(request), user)
            return done(request, SECTION, _("%(name)s is deleted.") % {"name": name})
        except Refused as refused:
            user, problem = find(pk), str(refused)  # as stored: the attempt has changed the object
    lines = [_("Their logins and sessions end at once.")]
    if tokens := user.tokens.count():
        text = ngettext(
            "%(count)d token of theirs, and what they have agreed to, are gone.",
            "%(count)d tokens of theirs, and what they have agreed to, are gone.",
            tokens,
        )
        lines.append(text % {"count": tokens})
    lines.append(_("Events keep their name. To keep the rest as well, deactivate them instead."))
    return _confirm(
        request,
        user,
        title=_("Delete %(user)s") % {"user": user},
        question=_("Delete the user “%(user)s” for good?") % {"user": user},
        consequences=lines,
        submit="Delete user",
        problem=problem,
    )


@require_POST
@administrators
def end_login(request: HttpRequest, pk: int, uuid: UUID) -> HttpResponse:
    """``/if/admin/users/<pk>/logins/<uuid>/end/``"""
    user = find(pk)
    login, this = get_object_or_404(user.login_sessions, uuid=uuid), current(request)
    if this is not None and this.pk == login.pk:
        logins.log_out(request)
        return done(request, "/", _("You are logged out."))
    logins.end(Actor.of(request), login)
    return done(request, address(user), _("That login has ended."))


@require_POST
@administrators
def end_logins(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/logins/end/``: all, but the one of whoever asks."""
    user = find(pk)
    number = logins.end_all_of(Actor.of(request), user, except_sid=_own(request, user))
    return done(
        request,
        address(user),
        ngettext("%(number)d login has ended.", "%(number)d logins have ended.", number) % {"number": number},
    )


def _own(request: HttpRequest, user: User) -> str:
    """The login to spare: the administrator's own, when they act on themselves."""
    login = current(request)
    return login.sid if login is not None and user.pk == person(request).pk else ""


def _confirm(
    request: HttpRequest, user: User, *, title: str, question: str, consequences: list[str], submit: str, problem: str
) -> HttpResponse:
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=title,
        crumbs=[*UP, (user.username, address(user))],
        question=question,
        consequences=consequences,
        submit=submit,
        back=address(user),
        problem=problem,
        status=409 if problem else 200,
    )
