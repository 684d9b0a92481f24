"""What the set-up stages of all factors share: for whom, whether it may be, and what the proof is worth (S-512).

There are two ways into a set-up. A user comes from their own pages: their login must be recent and have shown the
factors they have. Or somebody is logging in and must have a factor that they lack: then a credential stage of this
very plan has proven who it is, and they have no factor that could be asked for instead.
"""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _

from doorward.identity.authenticators import queries
from doorward.identity.authenticators.standing import SECOND_FACTOR, Standing, standing
from doorward.identity.directory.models import User
from doorward.identity.flows.plan import FieldError, Plan
from doorward.identity.flows.visitor import visitor
from doorward.identity.logins import actions as logins
from doorward.identity.stages.models import SetUpStage
from doorward.identity.stages.view import Answer, Challenge, Elsewhere, Refused, StageView, Visit

S = TypeVar("S", bound=SetUpStage)


class EnrolmentChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str
    pending_user_avatar: str = "/static/person.svg"


class EnrolmentView(StageView[S]):
    """A set-up stage."""

    def user(self) -> User | Refused | Elsewhere:
        """For whom, or why not."""
        visit = self.visit
        if visit.plan.proven is not None:
            return _in_a_login(visit)
        user = visitor(visit.request)
        if user is None:
            return Refused(_("Log in first."))
        if standing(visit.request) is Standing.GOOD:
            return user
        if self.stage.configure_flow_id is None:
            return Refused(_("Log in again, and come back within five minutes."))
        return Elsewhere(reverse("flow-configure", args=[self.stage.pk]))

    def name(self, answer: Answer, otherwise: str) -> str:
        """What the owner calls the new factor."""
        return answer.text("name") or self.stage.friendly_name or otherwise

    def proved(self, plan: Plan, *methods: str) -> Plan:
        """``plan`` after the user has shown that they have the new factor; a login keeps that."""
        if plan.proven is None:
            logins.strengthen(self.visit.request, (*methods, SECOND_FACTOR))
        return plan.showing(*methods, SECOND_FACTOR)


def _in_a_login(visit: Visit) -> User | Refused:
    user = visit.proven_user()
    if user is None:
        return Refused(_("This account cannot log in."))
    if SECOND_FACTOR not in visit.plan.methods and queries.has_usable(user):
        return Refused(
            _("You have a second factor already, and this login did not ask for it."),
            ("A set-up stage comes after a validation stage that lists the factors which users have.",),
        )
    return user


def errors_of(error: ValidationError) -> tuple[FieldError, ...]:
    """What an action refuses, at the fields of the page."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}
    return tuple(
        FieldError(field if field == "name" else "non_field_errors", message)
        for field, messages in by_field.items()
        for message in messages
    )
