"""Nobody comes past this stage. Bindings on it say for whom it stands in the way."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _

from doorward.identity.stages.models import DenyStage
from doorward.identity.stages.view import Answer, Entered, Judged, Refused, StageView


class DenyView(StageView[DenyStage]):
    component = "ak-stage-access-denied"
    template: ClassVar[str] = "flows/page.html"

    def enter(self) -> Entered:
        return self._no()

    def answer(self, answer: Answer) -> Judged:
        return self._no()

    def _no(self) -> Refused:
        return Refused(
            self.stage.deny_message or _("This is not open to you."), (f"The stage “{self.stage.name}” denies.",)
        )
