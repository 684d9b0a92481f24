"""Logs the visitor out.

Opening the page does it at once when the wish is known to be the visitor's own: they came from our pages, typed the
address, or the application proved it. From another site the page asks first, so that no link or frame elsewhere can
log people out (S-528). The browser says where a request comes from in ``Sec-Fetch-Site``, older ones in ``Referer``.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from msgspec import structs

from doorward.identity.flows.plan import IFRAME_LOGOUT, SOURCE_LOGOUT, Step
from doorward.identity.flows.visitor import visitor
from doorward.identity.logins import actions as logins
from doorward.identity.sources.saml import vouched_logins
from doorward.identity.stages.models import UserLogoutStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Passed, StageView


class UserLogoutChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str


class UserLogoutView(StageView[UserLogoutStage]):
    component = "ak-stage-user-logout"
    template: ClassVar[str] = "flows/user_logout.html"

    def asks(self) -> bool:
        return False

    def enter(self) -> Entered:
        user = visitor(self.visit.request)
        if user is None or self.visit.plan.context.confirmed or is_own_wish(self.visit.request):
            return self._log_out()
        return Ask(
            UserLogoutChallenge(component=self.component, flow_info=self.visit.flow_info(), pending_user=user.username)
        )

    def answer(self, answer: Answer) -> Judged:
        return self._log_out()

    def _log_out(self) -> Passed:
        frames: tuple[str, ...] = ()
        if visitor(self.visit.request) is not None:
            frames = logins.log_out(self.visit.request)
        plan = structs.replace(self.visit.plan, user=None)
        if vouched_logins.is_to_go(self.visit.request.session):
            plan = plan.followed_by(Step(kind=SOURCE_LOGOUT))
        if frames:
            plan = structs.replace(plan, context=structs.replace(plan.context, frames=frames))
            plan = plan.followed_by(Step(kind=IFRAME_LOGOUT))
        return Passed(plan.passed())


def is_own_wish(request: HttpRequest) -> bool:
    """Whether a GET comes from our own pages or from the address bar, not from another site or a prefetch."""
    if request.method == "POST":
        return True
    if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        return False
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    referer = request.headers.get("Referer", "")
    return not referer or urlsplit(referer).netloc in {settings.EXTERNAL.netloc, request.get_host()}
