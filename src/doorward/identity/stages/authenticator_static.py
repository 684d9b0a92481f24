"""Recovery codes: shown on this page until the owner says that they are kept, and never again.

They count from that moment on, and so do the old ones no longer. Until then they wait in the plan, sealed to it and
to their user. Having seen them proves nothing, so the login is worth no more than before.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.authenticators import actions, recovery_codes
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.stages.enrolment import EnrolmentChallenge, EnrolmentView, errors_of
from doorward.identity.stages.models import AuthenticatorStaticStage
from doorward.identity.stages.view import Answer, Ask, Entered, Judged, Passed, Wrong

NOTE = "codes"
DEFAULT_NAME = gettext_noop("Recovery codes")


class StaticChallenge(EnrolmentChallenge, frozen=True, kw_only=True):
    codes: list[str]


class AuthenticatorStaticView(EnrolmentView[AuthenticatorStaticStage]):
    component = "ak-stage-authenticator-static"
    template: ClassVar[str] = "flows/authenticator_static.html"

    def enter(self) -> Entered:
        user = self.user()
        if not isinstance(user, User):
            return user
        plan, codes = self.visit.plan, self._codes(user)
        if codes is None:
            length = max(self.stage.token_length, recovery_codes.SHORTEST)
            codes = list(recovery_codes.generate(max(self.stage.token_count, 1), length))
            plan = plan.noting(NOTE, vault.seal(msgspec.json.encode(codes).decode(), self._place(user)))
        challenge = StaticChallenge(
            component=self.component, flow_info=self.visit.flow_info(), pending_user=user.username, codes=codes
        )
        return Ask(challenge, plan)

    def answer(self, answer: Answer) -> Judged:
        user = self.user()
        if not isinstance(user, User):
            return user
        codes = self._codes(user)
        if codes is None:
            return Wrong((), counts=False)
        try:
            actor = self.visit.actor.acting_as(user)
            actions.set_recovery_codes(actor, user, codes, name=self.name(answer, _(DEFAULT_NAME)))
        except ValidationError as error:
            return Wrong(errors_of(error))
        return Passed(self.visit.plan.passed())

    def _codes(self, user: User) -> list[str] | None:
        sealed = self.visit.plan.notes.get(NOTE)
        try:
            return msgspec.json.decode(vault.unseal(sealed, self._place(user)), type=list[str]) if sealed else None
        except vault.Unreadable:  # somebody else has begun this plan
            return None

    def _place(self, user: User) -> str:
        return f"plan.{NOTE}:{self.visit.plan.id}:{user.pk}"
