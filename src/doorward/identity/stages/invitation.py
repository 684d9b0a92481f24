"""Lets those through who were invited, and says what the invitation has fixed."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_noop
from msgspec import structs

from doorward.identity.stages import invitations
from doorward.identity.stages.models import InvitationStage
from doorward.identity.stages.view import Answer, Entered, Judged, Passed, Refused, StageView, Wrong

NOT_INVITED = gettext_noop("You need an invitation for this.")
GONE = gettext_noop(
    "This invitation is not good any more: it was used, is too old, or was taken back. Ask for another."
)


class InvitationView(StageView[InvitationStage]):
    component = "ak-stage-access-denied"
    template: ClassVar[str] = "flows/page.html"

    def enter(self) -> Entered:
        plan = self.visit.plan
        token = invitations.asked_for(self.visit.request)
        if not token and self.stage.continue_flow_without_invitation:
            return Passed(plan.passed())
        if not token:
            return Refused(NOT_INVITED, (f"The stage “{self.stage.name}” lets only invited people through.",))
        invitation = invitations.good(token, self.visit.flow)
        if invitation is None:
            return Refused(GONE)
        known = {**plan.prompt_data, **invitations.fixed_by(invitation)}
        plan = structs.replace(plan, invitation=str(invitation.pk), prompt_data=known)
        return Passed(plan.passed())

    def answer(self, answer: Answer) -> Judged:
        return Wrong((), counts=False)
