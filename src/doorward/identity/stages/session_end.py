"""The page after leaving an application: go on to others, log out of everything, or enter the application again.

Closes the invalidation flow of an application's provider and is never passed.
"""

from __future__ import annotations

from typing import ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _

from doorward.identity.applications.queries import launch_url
from doorward.identity.brands.queries import current_brand
from doorward.identity.flows.visitor import visitor
from doorward.identity.stages.models import Stage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Refused, StageView, Wrong


class SessionEndChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str
    application_name: str
    application_launch_url: str | None
    invalidation_flow_url: str | None
    overview_url: str
    brand_name: str


class SessionEndView(StageView[Stage]):
    component = "ak-stage-session-end"
    template: ClassVar[str] = "flows/session_end.html"

    def enter(self) -> Entered:
        application, user = self.visit.application, visitor(self.visit.request)
        if application is None:
            return Refused(_("You are logged out."), (_("The application was deleted in the meantime."),))
        return Ask(
            SessionEndChallenge(
                component=self.component,
                flow_info=self.visit.flow_info(),
                pending_user=user.username if user else "",
                application_name=application.name,
                application_launch_url=launch_url(application, user),
                # Whoever is logged out already has nothing left to log out of.
                invalidation_flow_url=reverse("flow-default-invalidation") if user else None,
                overview_url="/",
                brand_name=current_brand().branding_title,
            )
        )

    def answer(self, answer: Answer) -> Judged:
        return Wrong(())
