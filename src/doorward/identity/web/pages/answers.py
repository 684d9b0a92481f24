"""How pages answer: a page with its place in the navigation, a redirect with a sentence, a form with its errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from doorward.identity.directory.errors import Busy, Refused
from doorward.identity.web.pages import notices
from doorward.identity.web.pages.blueprint_links import blueprint_address
from doorward.identity.web.pages.navigation import navigation
from doorward.identity.web.pages.needs import Openable, powers

Crumb = tuple[str, str]
"""Text and address of a page above this one."""


def show_admin(
    request: HttpRequest,
    template: str,
    *,
    section: str,
    title: str,
    crumbs: Sequence[Crumb] = (),
    status: int = 200,
    **context: object,
) -> HttpResponse:
    """An administrators' page; ``section`` is the address of its entry in the navigation."""
    shell = {
        "navigation": navigation(powers(request)),
        "may": Openable(request),
        "section": section,
        "title": title,
        "crumbs": crumbs,
        "notice": notices.take(request),
        "blueprint_address": blueprint_address(request),
    }
    return render(request, f"admin/{template}", {**shell, **context}, status=status)


def show_own(request: HttpRequest, template: str, *, title: str, status: int = 200, **context: object) -> HttpResponse:
    """A page of the user's own."""
    shell = {"title": title, "notice": notices.take(request)}
    return render(request, f"library/{template}", {**shell, **context}, status=status)


def done(request: HttpRequest, to: str, text: str, kind: str = "good") -> HttpResponse:
    """Redirect after a form (303), with a sentence for the page that follows."""
    notices.leave(request, text, kind)
    response = HttpResponseRedirect(to)
    response.status_code = 303
    return response


@contextmanager
def errors_at(form: forms.BaseForm) -> Iterator[None]:
    """What an action refuses inside this block becomes an error at the field that it is about."""
    try:
        yield
    except ValidationError as error:
        _take_over(form, error)
    except PermissionDenied as denied:
        form.add_error(None, ValidationError(str(denied) or _("You may not do that."), "denied"))
    except Refused as refused:
        form.add_error(None, ValidationError(str(refused), "refused"))
    except Busy as busy:
        form.add_error(None, ValidationError(str(busy), "busy"))


def status_of(form: forms.BaseForm) -> int:
    """200 for a form that nobody sent yet; 400 for one with errors, 403 for what is not theirs to do, 409 for what
    would lock people out (S-621)."""
    if not form.is_bound:
        return 200
    if form.has_error(NON_FIELD_ERRORS, "denied"):
        return 403
    return 409 if form.has_error(NON_FIELD_ERRORS, "refused") else 400


def _take_over(form: forms.BaseForm, error: ValidationError) -> None:
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    for name, messages in by_field.items():
        field = name if name in form.fields else None
        for message in messages:
            form.add_error(field, message)
