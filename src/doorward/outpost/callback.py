"""The browser comes back from the identity provider (``contracts/outpost.md`` section 5.3).

Either the login is completed, once, or a page says what happened and offers a link. A failure never starts the
login again by itself, so that no failure can go round in circles.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from doorward.messages.http import HttpAnswer
from doorward.messages.sessions import ProxySession, ReportMisconfiguration
from doorward.outpost import kept_form, login_state, pages, parameters, refusals, step_up
from doorward.outpost.application import Application
from doorward.outpost.back_channel import GrantRefused
from doorward.outpost.claims import NotAdmitted
from doorward.outpost.kept_form import KeptForm
from doorward.outpost.login import Login, live_session, loop_page, start_link
from doorward.outpost.login_state import LoginState, StateExpired
from doorward.outpost.loop_guard import MAX_TABS, UnusedLogins
from doorward.outpost.pages import Link
from doorward.outpost.paths import own_target
from doorward.outpost.ports import (
    IdentityUnreachable,
    LoginGone,
    SessionStore,
    StateUsed,
    StoreUnavailable,
)
from doorward.outpost.relying_party import RelyingParty
from doorward.outpost.reports import Reports
from doorward.outpost.sessions.cookie import SESSION, Ticket
from doorward.outpost.sessions.store import Sessions
from doorward.outpost.verified_login import VerifiedLogin
from doorward.outpost.visit import Visit
from doorward.tokens.refused import TokenRefused

log = logging.getLogger(__name__)

_OWN = frozenset({"code", "state", "error", "error_description", "iss"})
_CLOCK_CLAIMS = frozenset({"exp", "iat", "nbf"})


@dataclass(frozen=True, slots=True)
class Callback:
    """Completes logins."""

    sessions: Sessions
    store: SessionStore
    relying_party: RelyingParty
    login: Login
    reports: Reports
    unused: UnusedLogins
    now: Callable[[], float]

    def is_for(self, visit: Visit) -> bool:
        """Whether the query of a request for some page holds a state of a login that this browser has begun."""
        try:
            given = parameters.parse(visit.query, _OWN)
            state = login_state.read(visit.application, given.get("state", ""), self.now())
        except (parameters.BadParameters, TokenRefused, StateExpired):
            return False
        began = login_state.beginner(visit.application, state, visit.presented.ticket)
        return visit.method == "GET" and began is not None

    def is_of(self, application: Application, visit: Visit) -> bool:
        """Whether the state in the query was made for this application, in time or not."""
        try:
            given = parameters.parse(visit.query, _OWN)
            login_state.read(application, given.get("state", ""), self.now())
        except StateExpired:
            return True
        except (parameters.BadParameters, TokenRefused):
            return False
        return True

    async def complete(self, visit: Visit) -> HttpAnswer:
        """The answer to the callback request."""
        if visit.method != "GET":
            return refusals.method_not_allowed("GET")
        try:
            given = parameters.parse(visit.query, _OWN)
        except parameters.BadParameters as error:
            return refusals.bad_parameters(visit.application, error)
        try:
            return await self._complete(visit, given)
        except StoreUnavailable:
            return refusals.store_unavailable(visit.application)

    async def _complete(self, visit: Visit, given: dict[str, str]) -> HttpAnswer:
        application = visit.application
        try:
            state = login_state.read(application, given.get("state", ""), self.now())
        except StateExpired as expired:
            return await self._not_this_time(
                visit,
                expired.state,
                "Logging in took too long",
                "A login must be finished within 15 minutes. Nothing is lost: just begin again.",
            )
        except TokenRefused:
            return _restart(visit, "", "This login link is not valid", "It was not made for this application.")
        ticket = login_state.beginner(application, state, visit.presented.ticket)
        if ticket is None:
            return await self._not_this_time(
                visit,
                state,
                "This login was begun somewhere else",
                "It belongs to another browser or an older tab, or this browser did not keep the site's cookie.",
            )
        foreign = application.provider.foreign
        unsaid = "" if foreign is not None and foreign.answers_with_issuer else application.provider.issuer
        if given.get("iss", unsaid) != application.provider.issuer:
            return _restart(visit, "", "This answer comes from the wrong place", "Another issuer sent it.")
        if "error" in given:
            return self._provider_error(visit, given)
        if not given.get("code"):
            return _restart(visit, "", "The login answer is incomplete", "It holds neither a code nor an error.")
        return await self._redeem(visit, state, ticket, given["code"])

    async def _not_this_time(self, visit: Visit, state: LoginState, title: str, why: str) -> HttpAnswer:
        """A state that is genuine but does not count: too old, or of another browser or tab.

        A browser that meanwhile has a session gets on to its page; no login happens by that.
        """
        known = await live_session(self.sessions, visit)
        target = own_target(visit.application, await self._kept(state))
        if known is not None:
            return self.login.continue_with(visit, known, target, limit=MAX_TABS)
        return _restart(visit, target, title, why)

    def _provider_error(self, visit: Visit, given: dict[str, str]) -> HttpAnswer:
        application = visit.application
        if "code" in given:
            return _restart(visit, "", "The login answer contradicts itself", "It holds a code and an error.")
        denied = given["error"] == "access_denied"
        said = given.get("error_description") or given["error"]
        return pages.page(
            403 if denied else 400,
            "You were not let in" if denied else "The login was not completed",
            f"The identity provider says: {said[:300]}",
            link=Link("Go to the application", application.home),
        )

    async def _redeem(self, visit: Visit, state: LoginState, ticket: Ticket, code: str) -> HttpAnswer:
        kept = await self._kept(state)
        form = kept_form.unseal(visit.application, ticket, kept) if kept_form.is_sealed(kept) else None
        target = own_target(visit.application, kept if form is None else form.target)
        try:
            redeemed = await self.relying_party.redeem(visit.application, code, state, ticket)
            return await self._begin_session(visit, state, ticket, redeemed, target, form)
        except GrantRefused as refused:
            await self._report(visit, f"the token endpoint refused the code: {refused.error}")
            return _restart(
                visit,
                target,
                "The login could not be completed",
                "The identity provider did not accept the code that the browser brought back. That happens when "
                "a login is finished twice or too late.",
            )
        except TokenRefused as refused:
            return await self._token_refused(visit, refused, target)
        except NotAdmitted as refused:
            return _not_admitted(visit, str(refused))
        except IdentityUnreachable as error:
            log.warning("a login at %r cannot be completed: %s", visit.application.provider.name, error)
            await self._report(visit, "the identity provider cannot be reached")
            return _restart(
                visit,
                target,
                "The identity provider does not answer",
                "You could not be logged in just now. Please try again in a moment.",
                status=503,
            )
        except StateUsed:
            return _restart(visit, target, "This login was finished before", "Each login can be completed once.")
        except LoginGone:
            return _restart(
                visit,
                target,
                "You have been logged out meanwhile",
                "The login that this answer belongs to has ended, or you may no longer open this application.",
            )

    async def _begin_session(
        self,
        visit: Visit,
        state: LoginState,
        ticket: Ticket,
        redeemed: VerifiedLogin,
        target: str,
        form: KeptForm | None,
    ) -> HttpAnswer:
        """Under a new id (S-312), for as long as the provider allows and the access token is good or can be renewed."""
        application, now = visit.application, self.now()
        access_expires = min(now + application.provider.access_token_validity, redeemed.access_expires)
        renewable = bool(redeemed.refresh_token) and application.provider.refresh_token_validity > 0
        expires = access_expires
        if renewable:
            expires = max(access_expires, now + application.provider.refresh_token_validity)
        max_age = int(expires - now)
        if int(access_expires - now) < 1:
            raise TokenRefused("exp", "leaves no time for a session")
        subject, pk = redeemed.claims.sub, application.provider.pk
        if self.unused.are_too_many(pk, subject, now):
            return loop_page(application, target)
        own = Ticket.new(SESSION, ticket.rounds, ticket.since)
        session = ProxySession(
            id_hash=own.id_hash,
            provider=pk,
            claims=redeemed.claims,
            access_token=redeemed.access_token,
            id_token=redeemed.id_token,
            created=now,
            expires=expires,
            refresh_token=redeemed.refresh_token if renewable else "",
            access_expires=access_expires,
            access_issued=now,
        )
        await self.sessions.create(session, state.jti, float(state.exp))
        await self._end_former(visit)
        self.unused.add(pk, subject, own.id_hash, now)
        cookie = application.cookies.set(own, now, max_age)
        lacking = step_up.lacking_after(application, state.steps, session.claims, now)
        if lacking is not None:
            return step_up.fell_short(visit, lacking, target, cookie)
        if form is not None and target:
            return kept_form.page(visit, target, form, cookie)
        return pages.found(application.url(target), cookie, method=visit.question.method)

    async def _end_former(self, visit: Visit) -> None:
        """A session that was stepped up goes on under a new id, and nobody may use it under the old one."""
        former = visit.presented.ticket
        if former is not None and former.kind == SESSION:
            try:
                await self.sessions.end(former.id_hash, visit.application.provider.pk)
            except StoreUnavailable:
                log.warning("the session before a step-up at %r lives on", visit.application.provider.name)

    async def _token_refused(self, visit: Visit, refused: TokenRefused, target: str) -> HttpAnswer:
        if refused.part in _CLOCK_CLAIMS:
            await self._report(visit, f"clock.skew: {refused.part} of a token {refused.why}")
            return _restart(
                visit,
                target,
                "The clocks do not agree",
                "The identity provider and this server disagree about the time by more than a minute, so its "
                "answer cannot be trusted. An administrator must set the clocks.",
            )
        await self._report(visit, f"a token was refused: {refused.part} {refused.why}")
        return _restart(
            visit,
            target,
            "The login could not be verified",
            "What the identity provider answered does not fit this application's configuration. The "
            f"administrator finds the reason in the events ({refused.part}).",
        )

    async def _kept(self, state: LoginState) -> str:
        """Where the login was heading, or a sealed form. What the store keeps can be taken once; a signed URL is looked
        at again all the same."""
        return (await self.store.take_url(state.kept) or "") if state.kept else state.redirect

    async def _report(self, visit: Visit, message: str) -> None:
        count = self.reports.due(message, visit.application.provider.pk)
        if count:
            await self.reports.send(
                ReportMisconfiguration(
                    message=message,
                    provider=visit.application.provider.pk,
                    client_ip=visit.client_ip,
                    url=visit.url_for_events,
                    count=count,
                    request_id=visit.question.request_id.decode("ascii"),
                )
            )


def _not_admitted(visit: Visit, why: str) -> HttpAnswer:
    """With a way to come back as somebody else: at the issuer one is logged in with the account that may not enter."""
    application = visit.application
    name = application.provider.application_name or application.name
    return pages.page(
        403,
        f"You may not open {name}",
        why,
        "An administrator of the application decides who may enter.",
        link=Link("Try with another account", start_link(application, "")),
    )


def _restart(visit: Visit, target: str, title: str, why: str, *, status: int = 400) -> HttpAnswer:
    return pages.page(status, title, why, link=Link("Log in again", start_link(visit.application, target)))
