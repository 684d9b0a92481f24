"""Who may enter an application, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.policies.models import PolicyBinding
from doorward.identity.policies.queries import Verdict, verdict
from doorward.identity.web.forms.applications import CheckForm


@dataclass(frozen=True, slots=True)
class Checked:
    """What came out for one user."""

    user: User
    verdict: Verdict


def bindings_of(application: Application) -> list[PolicyBinding]:
    """In the order in which they are judged."""
    return list(application.bindings.select_related("user", "group", "policy"))


def checked(application: Application, form: CheckForm) -> Checked | None:
    """The verdict about the user whom the form names."""
    if not form.is_bound or not form.is_valid():
        return None
    user: User = form.cleaned_data["check"]
    return Checked(user, verdict(application, user))
