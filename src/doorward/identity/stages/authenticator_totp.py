"""Set up an app that shows codes: scan, type the code that it shows, done.

The seed waits in the plan, sealed to it and to its user, until the code proves that the app has it.
"""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.authenticators import actions, totp
from doorward.identity.brands.queries import current_brand
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.flows.plan import FieldError
from doorward.identity.stages.enrolment import EnrolmentChallenge, EnrolmentView, errors_of
from doorward.identity.stages.models import AuthenticatorTOTPStage
from doorward.identity.stages.view import Answer, Ask, Entered, Judged, Passed, Wrong

NOTE = "seed"
DEFAULT_NAME = gettext_noop("Authenticator app")


class TOTPChallenge(EnrolmentChallenge, frozen=True, kw_only=True):
    config_url: str


class AuthenticatorTOTPView(EnrolmentView[AuthenticatorTOTPStage]):
    component = "ak-stage-authenticator-totp"
    template: ClassVar[str] = "flows/authenticator_totp.html"

    def enter(self) -> Entered:
        user = self.user()
        if not isinstance(user, User):
            return user
        plan, seed = self.visit.plan, self._seed(user)
        if seed is None:
            seed = totp.new_seed()
            plan = plan.noting(NOTE, vault.seal(seed, self._place(user)))
        url = totp.config_url(
            seed, issuer=current_brand().branding_title, account=user.username, digits=self.stage.digits
        )
        challenge = TOTPChallenge(
            component=self.component, flow_info=self.visit.flow_info(), pending_user=user.username, config_url=url
        )
        return Ask(challenge, plan)

    def answer(self, answer: Answer) -> Judged:
        user = self.user()
        if not isinstance(user, User):
            return user
        seed, code = self._seed(user), answer.text("code")
        if seed is None:
            return Wrong((), counts=False)
        if not code:
            return Wrong((FieldError("code", _("This field may not be blank."), "blank"),))
        step = totp.matching_step(seed, code, self.stage.digits)
        if step is None:
            return Wrong((FieldError("code", _("Code does not match")),))
        try:
            actions.add_totp(
                self.visit.actor.acting_as(user),
                user,
                name=self.name(answer, _(DEFAULT_NAME)),
                seed=seed,
                digits=self.stage.digits,
                used_step=step,
            )
        except ValidationError as error:
            return Wrong(errors_of(error))
        return Passed(self.proved(self.visit.plan, "otp").passed())

    def _seed(self, user: User) -> str | None:
        sealed = self.visit.plan.notes.get(NOTE)
        try:
            return vault.unseal(sealed, self._place(user)) if sealed else None
        except vault.Unreadable:  # somebody else has begun this plan
            return None

    def _place(self, user: User) -> str:
        return f"plan.{NOTE}:{self.visit.plan.id}:{user.pk}"
