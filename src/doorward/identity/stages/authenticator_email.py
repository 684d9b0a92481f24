"""Set up codes by e-mail: a code goes to the address of the account, and typing it proves that it arrives.

In a login the address is the one that the account has, never one from the request (S-512). Only whoever is logged in
and has none at all may say where to.
"""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.authenticators import actions, mailed_codes
from doorward.identity.directory.models import User
from doorward.identity.flows.plan import FieldError, Plan
from doorward.identity.mail import outbox
from doorward.identity.stages import code_letters
from doorward.identity.stages.enrolment import EnrolmentChallenge, EnrolmentView, errors_of
from doorward.identity.stages.models import AuthenticatorEmailStage
from doorward.identity.stages.view import Answer, Ask, Entered, Judged, Passed, Refused, Wrong

ADDRESS = "address"
"""Note: where the code was sent."""
DEFAULT_NAME = gettext_noop("E-mail")
BLANK = FieldError("code", gettext_noop("This field may not be blank."), "blank")
NO_MATCH = FieldError("code", gettext_noop("Code does not match"))
SPENT = FieldError(
    "code", gettext_noop("The code that was sent is of no use any more. Have another one sent."), "spent"
)


class EmailCodeChallenge(EnrolmentChallenge, frozen=True, kw_only=True):
    email: str | None
    """Where the code went, masked."""
    email_required: bool
    """Whether an address must be given first."""


class AuthenticatorEmailView(EnrolmentView[AuthenticatorEmailStage]):
    component = "ak-stage-authenticator-email"
    template: ClassVar[str] = "flows/authenticator_email.html"

    def enter(self) -> Entered:
        user = self.user()
        if not isinstance(user, User):
            return user
        if not outbox.is_configured():
            return Refused(_("Letters cannot be sent here. Ask an administrator."), ("No mail server is configured.",))
        if not user.email and self.visit.plan.proven is not None:
            return Refused(_("Your account has no e-mail address. Ask an administrator."))
        plan = self.visit.plan
        if user.email and plan.notes.get(ADDRESS) != user.email:
            problem = self._send(user, user.email)
            if problem:
                return Refused(problem)
            plan = plan.noting(ADDRESS, user.email)
        return Ask(self._challenge(user, plan), plan)

    def answer(self, answer: Answer) -> Judged:
        user = self.user()
        if not isinstance(user, User):
            return user
        address = user.email or self.visit.plan.notes.get(ADDRESS, "")
        if not address or (answer.text("email") and not user.email):
            return self._addressed(user, answer.text("email").strip())
        if answer.truth("again"):
            return self._sent_again(user, address)
        if not answer.text("code"):
            return Wrong((BLANK,))
        return self._typed(user, address, answer)

    def _challenge(self, user: User, plan: Plan) -> EmailCodeChallenge:
        address = plan.notes.get(ADDRESS, "")
        return EmailCodeChallenge(
            component=self.component,
            flow_info=self.visit.flow_info(),
            pending_user=user.username,
            email=mailed_codes.masked(address) if address else None,
            email_required=not address,
        )

    def _addressed(self, user: User, email: str) -> Judged:
        try:
            validate_email(email)
            usable = email.isascii() and len(email) <= 254
        except ValidationError:
            usable = False
        if not usable:
            return Wrong((FieldError("email", _("That is no e-mail address.")),), counts=False)
        problem = self._send(user, email)
        if problem:
            return Wrong((FieldError("email", problem),), counts=False)
        return Wrong((), counts=False, plan=self.visit.plan.noting(ADDRESS, email))

    def _sent_again(self, user: User, address: str) -> Judged:
        problem = self._send(user, address)
        return Wrong((FieldError("code", problem),) if problem else (), counts=False)

    def _typed(self, user: User, address: str, answer: Answer) -> Judged:
        place = self._place(user, address)
        if not mailed_codes.use(user, place, answer.text("code")):
            return Wrong((NO_MATCH if mailed_codes.is_waiting(place) else SPENT,))
        try:
            actor = self.visit.actor.acting_as(user)
            actions.add_email(actor, user, name=self.name(answer, DEFAULT_NAME), email=address)
        except ValidationError as error:
            return Wrong(errors_of(error))
        return Passed(self.proved(self.visit.plan, "otp").passed())

    def _send(self, user: User, email: str) -> str:
        return code_letters.to_address(self.visit, self.stage, user, email, self._place(user, email))

    def _place(self, user: User, email: str) -> str:
        return f"set-up:{self.visit.plan.id}:{user.pk}:{email}"
