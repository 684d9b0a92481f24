"""On to an address that an operator has configured, or into another flow."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _

from doorward.identity.stages.models import RedirectStage
from doorward.identity.stages.view import Answer, Elsewhere, Entered, Handover, Judged, Refused, StageView, Wrong

MOST_HANDOVERS = 10
"""Flows that lead to one another for ever are a mistake of whoever configured them."""


class RedirectView(StageView[RedirectStage]):
    component = "xak-flow-redirect"
    template: ClassVar[str] = "flows/page.html"

    def enter(self) -> Entered:
        stage = self.stage
        if stage.mode == RedirectStage.Mode.STATIC:
            if not stage.target_static:
                return Refused(_("This leads nowhere."), (f"The stage “{stage.name}” has no target.",))
            return Elsewhere(stage.target_static)
        if stage.target_flow is None:
            return Refused(_("This leads nowhere."), (f"The stage “{stage.name}” has no target flow.",))
        if self.visit.plan.handovers >= MOST_HANDOVERS:
            return Refused(_("This leads round in circles."), (f"Flows lead to one another by “{stage.name}”.",))
        return Handover(stage.target_flow, stage.keep_context)

    def answer(self, answer: Answer) -> Judged:
        return Wrong((), counts=False)
