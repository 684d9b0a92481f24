"""``/outpost.goauthentik.io/sign_out`` (``contracts/outpost.md`` section 5.4).

The proxy sessions of the person end first, in the store, so that nothing that fails later leaves one alive (S-323);
then the browser goes to the identity provider to end the login itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from doorward.messages.http import HttpAnswer
from doorward.outpost import pages, parameters, refusals
from doorward.outpost.login import live_session
from doorward.outpost.navigation import is_wanted_by_the_user
from doorward.outpost.pages import Link
from doorward.outpost.ports import StoreUnavailable
from doorward.outpost.relying_party import end_session_location
from doorward.outpost.sessions.store import Sessions
from doorward.outpost.visit import Visit

log = logging.getLogger(__name__)

_OWN = frozenset({"rd"})


@dataclass(frozen=True, slots=True)
class SignOut:
    """Ends sessions."""

    sessions: Sessions

    def is_for(self, visit: Visit) -> bool:
        """Whether a request for some page that is marked as a sign-out is to be taken as one (S-230)."""
        return visit.method == "GET" and is_wanted_by_the_user(visit.fields)

    async def answer(self, visit: Visit) -> HttpAnswer:
        """End what there is to end, and say so."""
        if visit.method != "GET":
            return refusals.method_not_allowed("GET")
        if not is_wanted_by_the_user(visit.fields):
            return refusals.forbidden("signing out from another site is refused")
        try:
            given = parameters.parse(visit.query, _OWN)
        except parameters.BadParameters as error:
            return refusals.bad_parameters(visit.application, error)
        application = visit.application
        try:
            known = await live_session(self.sessions, visit)
            if known is None:
                return _signed_out(visit)
            id_token = await self.sessions.id_token(known)
            await self.sessions.end_subject(known.session.claims.sub)
        except StoreUnavailable:
            return _not_signed_out(visit)
        if not application.provider.end_session_endpoint:
            return _signed_out(visit)
        rd = visit.own_target(given.get("rd", ""))
        location = end_session_location(application, id_token, application.url(rd) if rd else "")
        return pages.found(location, application.cookies.clear(), method=visit.question.method)


def _signed_out(visit: Visit) -> HttpAnswer:
    """Nobody was signed in. Through a proxy that takes a 2xx for "may pass" the same page is a 401 (S-302)."""
    return pages.page(
        200 if visit.direct else 401,
        "You are signed out",
        f"This browser is not signed in to {visit.application.provider.application_name or 'the application'}.",
        link=Link("Open the application", visit.application.home),
        cookies=(visit.application.cookies.clear(),) if visit.fields.cookies else (),
    )


def _not_signed_out(visit: Visit) -> HttpAnswer:
    return pages.page(
        503,
        "You are still signed in",
        "Signing out did not work, because the service that keeps your session does not answer. Please try again "
        "in a moment, or close all browser windows.",
        link=Link("Sign out again", visit.application.endpoint("sign_out")),
        headers=((b"Retry-After", b"5"),),
    )
