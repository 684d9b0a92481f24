"""On to the source that had vouched for the login which has just ended here, to end the one there as well.

No operator binds it: whatever logs out puts it behind itself. The browser comes back to this flow, which goes on with
the next step; whoever does not come back is logged out here all the same.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import structs

from doorward.identity.flows.next_url import page_path
from doorward.identity.sources.saml import vouched_logins
from doorward.identity.sources.saml.models import SAMLSource
from doorward.identity.stages.models import Stage
from doorward.identity.stages.view import Answer, Elsewhere, Entered, Judged, Passed, StageView, Wrong


class SourceLogoutView(StageView[Stage]):
    component = "xak-flow-redirect"
    template: ClassVar[str] = "flows/page.html"

    def enter(self) -> Entered:
        passed = self.visit.plan.passed()
        session = self.visit.request.session
        leaving = vouched_logins.waiting(session)
        if leaving is None or leaving.request:
            return Passed(passed)
        source = SAMLSource.objects.filter(pk=leaving.source, enabled=True).exclude(slo_url="").first()
        if source is None:
            return Passed(passed)
        from doorward.identity.sources.saml import logout  # with its XML library, which most never need

        to, identifier = logout.request_url(source, leaving)
        back = page_path(self.visit.flow.slug, self.visit.plan.next)
        vouched_logins.keep_waiting(session, structs.replace(leaving, request=identifier, back=back))
        return Elsewhere(to, back=passed)

    def answer(self, answer: Answer) -> Judged:
        return Wrong((), counts=False)
