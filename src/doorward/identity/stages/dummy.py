"""A page with a button, to try out flows and what they do when a stage fails."""

from __future__ import annotations

from typing import ClassVar

from doorward.identity.stages.models import DummyStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Passed, StageView


class DummyChallenge(Challenge, frozen=True, kw_only=True):
    name: str


class ThrownOnPurpose(RuntimeError):
    """``throw_error`` asked for it."""


class DummyView(StageView[DummyStage]):
    component = "ak-stage-dummy"
    template: ClassVar[str] = "flows/dummy.html"

    def enter(self) -> Entered:
        if self.stage.throw_error:
            raise ThrownOnPurpose(self.stage.name)
        return Ask(DummyChallenge(component=self.component, flow_info=self.visit.flow_info(), name=self.stage.name))

    def answer(self, answer: Answer) -> Judged:
        return Passed(self.visit.plan.passed())
