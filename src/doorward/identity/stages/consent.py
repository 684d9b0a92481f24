"""May this application be told who you are? Asked once per set of scopes, or every time, as the stage says.

What is consented to is what the plan holds on this side; the form carries nothing but the step's token (S-441).
"""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _
from msgspec import Struct

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.flows.plan import FieldError
from doorward.identity.flows.visitor import visitor
from doorward.identity.stages import consents
from doorward.identity.stages.models import ConsentStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Passed, Refused, StageView, Wrong


class Permission(Struct, frozen=True):
    id: str
    name: str


class ConsentChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str
    pending_user_avatar: str = "/static/person.svg"
    header_text: str
    permissions: list[Permission]
    additional_permissions: list[Permission]
    token: str


class ConsentView(StageView[ConsentStage]):
    component = "ak-stage-consent"
    template: ClassVar[str] = "flows/consent.html"

    def asks(self) -> bool:
        who = self._parties()
        return isinstance(who, Refused) or not self._given(*who)

    def enter(self) -> Entered:
        who = self._parties()
        if isinstance(who, Refused):
            return who
        user, application = who
        if self._given(user, application):
            return Passed(self.visit.plan.passed())
        return Ask(
            ConsentChallenge(
                component=self.component,
                flow_info=self.visit.flow_info(),
                pending_user=user.username,
                header_text=_("%(name)s wants to know who you are") % {"name": application.name},
                permissions=[
                    Permission(id=scope.name, name=_(scope.description))
                    for scope in self.visit.plan.context.scopes
                    if scope.description
                ],
                additional_permissions=[],
                token=self.visit.plan.step_token,
            )
        )

    def answer(self, answer: Answer) -> Judged:
        who = self._parties()
        if isinstance(who, Refused):
            return who
        if answer.text("token") != self.visit.plan.step_token:
            return Wrong((FieldError("token", _("This field is required."), "required"),))
        # Whoever acts as the user agrees for this once: it is not theirs to settle for later (S-534).
        if self.stage.mode != ConsentStage.Mode.ALWAYS_REQUIRE and self.visit.actor.impersonator is None:
            consents.give(self.visit.actor, *who, self._scopes(), self.stage)
        return Passed(self.visit.plan.passed())

    def _parties(self) -> tuple[User, Application] | Refused:
        user, application = visitor(self.visit.request), self.visit.application
        if user is None:
            return Refused(_("Log in first."))
        if application is None:
            return Refused(_("Open the application again: this page only makes sense on the way to one."))
        return user, application

    def _given(self, user: User, application: Application) -> bool:
        if self.visit.plan.context.require_consent or self.stage.mode == ConsentStage.Mode.ALWAYS_REQUIRE:
            return False
        return consents.given(user, application, self._scopes())

    def _scopes(self) -> list[str]:
        return [scope.name for scope in self.visit.plan.context.scopes]
