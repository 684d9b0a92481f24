"""Opens applications' log-out addresses in frames of the browser that has just logged out, then goes on.

No operator binds it: the stage that logs out puts it behind itself when there is somebody to tell. The page's policy
lets frames of exactly these origins in. A script goes on when all frames have loaded, or after a few seconds; without
scripts there is a button.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from msgspec import Struct

from doorward.identity.stages.models import Stage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Passed, StageView


class LogoutURL(Struct, frozen=True):
    url: str


class IframeLogoutChallenge(Challenge, frozen=True, kw_only=True):
    logout_urls: list[LogoutURL]


class IframeLogoutView(StageView[Stage]):
    component = "ak-provider-iframe-logout"
    template: ClassVar[str] = "flows/iframe_logout.html"

    def frames(self) -> tuple[str, ...]:
        parts = [urlsplit(url) for url in self.visit.plan.context.frames]
        return tuple(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))

    def enter(self) -> Entered:
        urls = self.visit.plan.context.frames
        if not urls:
            return Passed(self.visit.plan.passed())
        return Ask(
            IframeLogoutChallenge(
                component=self.component,
                flow_info=self.visit.flow_info(),
                logout_urls=[LogoutURL(url) for url in urls],
            )
        )

    def answer(self, answer: Answer) -> Judged:
        return Passed(self.visit.plan.passed())
