"""On whom a stage may act: whoever this very plan has proven, or whoever is logged in.

Never on somebody who was only named (CVE-2022-23555): a name is what anybody can type.
"""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from doorward.identity.authenticators.standing import Standing, standing
from doorward.identity.directory.models import User
from doorward.identity.flows.visitor import visitor
from doorward.identity.stages.models import PasswordStage
from doorward.identity.stages.view import Elsewhere, Refused, Visit

USER = "goauthentik.io/user/"
CAN_CHANGE = {
    "username": (f"{USER}can-change-username", False),
    "name": (f"{USER}can-change-name", True),
    "email": (f"{USER}can-change-email", False),
}
"""User attribute that says whether people may change it themselves, and what holds without it."""


def subject(visit: Visit) -> User | None:
    """The user on whom the stages of this plan act; None when there is none yet."""
    if visit.plan.proven is not None:
        return visit.proven_user()
    return visitor(visit.request) if visit.plan.pending is None else None


def is_self_service(visit: Visit) -> bool:
    """Whether somebody who is logged in changes themselves, outside of a login or recovery."""
    return visit.plan.proven is None and visitor(visit.request) is not None


def may_change(user: User, key: str) -> bool:
    """Whether ``user`` may change this of themselves. A new address would have to be proved (S-518)."""
    attribute, otherwise = CAN_CHANGE[key]
    wish = user.attributes.get(attribute, otherwise)
    return wish is True and key != "email"


def must_prove_again(visit: Visit) -> Elsewhere | Refused | None:
    """None if the login may choose another password now; else where one logs in again (S-512, S-520)."""
    if not is_self_service(visit) or standing(visit.request) is Standing.GOOD:
        return None
    stage = PasswordStage.objects.filter(configure_flow=visit.flow).order_by("name").first()
    if stage is None:
        return Refused(_("Log in again, and come back within five minutes."))
    return Elsewhere(reverse("flow-configure", args=[stage.pk]))
