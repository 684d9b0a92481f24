"""Sending a browser to log in, and bringing it back (``contracts/outpost.md`` sections 5.1 and 5.2)."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from doorward.messages.http import HttpAnswer
from doorward.outpost import kept_form, login_state, loop_guard, pages, parameters, refusals
from doorward.outpost.application import Application
from doorward.outpost.hosts import parse_authority
from doorward.outpost.kept_form import KeptForm
from doorward.outpost.loop_guard import MAX_STARTS, Count
from doorward.outpost.navigation import is_navigation, is_wanted_by_the_user
from doorward.outpost.pages import Link
from doorward.outpost.paths import ascii_target, split_target
from doorward.outpost.ports import SessionStore, StoreUnavailable
from doorward.outpost.relying_party import authorize_location
from doorward.outpost.sessions.cache import Known
from doorward.outpost.sessions.cookie import SESSION, Ticket
from doorward.outpost.sessions.store import Sessions
from doorward.outpost.visit import Visit

MAX_LOCATION = 2048
"""Bytes of the ``Location`` that begins a login (S-331)."""
_MAX_CLEARED = 8


@dataclass(frozen=True, slots=True)
class Login:
    """Begins logins."""

    sessions: Sessions
    store: SessionStore
    now: Callable[[], float]

    def begin(
        self,
        visit: Visit,
        target: str,
        *,
        again: bool = False,
        form: KeptForm | None = None,
        steps: tuple[int, ...] = (),
        known: Known | None = None,
    ) -> HttpAnswer | Awaitable[HttpAnswer]:
        """Redirect to the identity provider; ``target`` (path and query) is where the browser returns to, and
        ``form`` what is kept for it meanwhile. ``steps``: places of the step-up rules that the login must satisfy;
        by default those of ``target``. ``known``: the session that the browser keeps while it steps up.

        ``again`` starts the count of rounds anew: the person has read the page about the loop.
        """
        if not visit.application.provider.authorization_endpoint:
            return refusals.issuer_away(visit.application)
        now = self.now()
        ticket = visit.presented.ticket
        count = Count(0, 0) if ticket is None else Count(ticket.rounds, ticket.since)
        if is_navigation(visit.fields, visit.scheme):
            # Who steps up has a session with which other requests pass all the time.
            passed = self.sessions.last_passed(ticket.id_hash) if ticket is not None and known is None else 0.0
            following = loop_guard.next_round(None if again else ticket, now, passed)
            if following is None:
                return loop_page(visit.application, target)
            count = following
        begun = visit.application.cookies.pre_login(ticket).counted(*count)
        if known is None or ticket is None:
            cookies = self._cookies(visit, begun, now)
        else:
            own = visit.application.cookies.set(ticket.counted(*count), now, int(known.session.expires - now))
            cookies = (own,)
        steps = steps or steps_at(visit.application, target)
        if form is not None:
            return self._begin_keeping(visit, begun, kept_form.seal(visit.application, begun, form), cookies, steps)
        location = self._location(visit.application, begun, now, steps, redirect=target)
        if len(location) > MAX_LOCATION and target:
            return self._begin_keeping(visit, begun, target, cookies, steps)
        return pages.found(location, *cookies, method=visit.question.method)

    async def start(self, visit: Visit) -> HttpAnswer:
        """``/outpost.goauthentik.io/start``."""
        if visit.method != "GET":
            return refusals.method_not_allowed("GET")
        try:
            given = parameters.parse_start(visit.query)
        except parameters.BadParameters as error:
            return refusals.bad_parameters(visit.application, error)
        target = visit.own_target(given.get("rd", ""))
        steps = steps_at(visit.application, visit.own_target(given.get("step", "")) or target)
        again = given.get("again") == "1" and is_wanted_by_the_user(visit.fields)
        try:
            known = await live_session(self.sessions, visit)
            if known is not None and not self._lacks(visit.application, known, steps):
                return self.continue_with(visit, known, target, limit=MAX_STARTS, again=again)
            answer = self.begin(visit, target, again=again, steps=steps, known=known)
            return answer if isinstance(answer, HttpAnswer) else await answer
        except StoreUnavailable:
            return refusals.store_unavailable(visit.application)

    def continue_with(self, visit: Visit, known: Known, target: str, *, limit: int, again: bool = False) -> HttpAnswer:
        """The browser is logged in already: straight to ``target``.

        Counted like a login, up to ``limit``, because a proxy that does not hand the cookie to the auth request
        would send the browser straight back here, for ever.
        """
        now = self.now()
        ticket = visit.presented.ticket
        count = loop_guard.next_round(None if again else ticket, now, limit=limit)
        if ticket is None or count is None:
            return loop_page(visit.application, target)
        max_age = int(known.session.expires - now)
        cookie = visit.application.cookies.set(ticket.counted(*count), now, max_age)
        return pages.found(visit.application.url(target), cookie, method=visit.question.method)

    def _lacks(self, application: Application, known: Known, steps: tuple[int, ...]) -> bool:
        rules = application.steps
        return rules is not None and rules.shortfall(steps, known.session.claims, self.now()) is not None

    async def _begin_keeping(
        self, visit: Visit, ticket: Ticket, kept: str, cookies: tuple[bytes, ...], steps: tuple[int, ...]
    ) -> HttpAnswer:
        key = secrets.token_urlsafe(16)
        try:
            await self.store.keep_url(key, kept)
        except StoreUnavailable:
            return refusals.store_unavailable(visit.application)
        location = self._location(visit.application, ticket, self.now(), steps, kept=key)
        return pages.found(location, *cookies, method=visit.question.method)

    def _location(
        self,
        application: Application,
        ticket: Ticket,
        now: float,
        steps: tuple[int, ...],
        redirect: str = "",
        kept: str = "",
    ) -> str:
        state = login_state.begin(application, ticket, now, redirect, kept, steps)
        return ascii_target(authorize_location(application, state, ticket))

    def _cookies(self, visit: Visit, ticket: Ticket, now: float) -> tuple[bytes, ...]:
        """One cookie; with duplicates also the deletion of whatever else could stand under its name (S-313)."""
        own = begun_cookie(visit.application, ticket, now)
        return (own, *_foreign_copies(visit)) if visit.presented.duplicate else (own,)


def steps_at(application: Application, target: str) -> tuple[int, ...]:
    """Places of the step-up rules for ``target``, as ``own_target`` gives it."""
    if application.steps is None or not target:
        return ()
    at = target.find("/", target.find("://") + 3) if not target.startswith("/") else 0
    origin = target[:at] or application.origin
    return application.steps.applying(split_target(target[at:])[0], origin if application.domain else "")


def begun_cookie(application: Application, ticket: Ticket, now: float) -> bytes:
    """``Set-Cookie`` for a login under way; lives as long as the session that it leads to, and a second."""
    return application.cookies.set(ticket, now, int(application.provider.access_token_validity) + 1)


async def live_session(sessions: Sessions, visit: Visit) -> Known | None:
    """The session of the browser, if it has one. Raises StoreUnavailable."""
    ticket = visit.presented.ticket
    if ticket is None or ticket.kind != SESSION:
        return None
    return await sessions.find(ticket.id_hash, visit.application, visit.client_ip)


def start_link(application: Application, target: str, *, again: bool = False, step: str = "") -> str:
    """URL that begins a login which ends at ``target``, and is good enough for ``step`` (by default for that)."""
    query = [f"rd={quote(target, safe='')}"] if target else []
    if step:
        query.insert(0, f"step={quote(step, safe='')}")
    if again:
        query.insert(0, "again=1")
    return application.endpoint("start") + ("?" + "&".join(query) if query else "")


def loop_page(application: Application, target: str) -> HttpAnswer:
    """Instead of yet another redirect (S-330)."""
    return pages.page(
        400,
        "You keep being sent back to log in",
        f"Logging in to {application.provider.application_name or application.name} was started several times in "
        "a few seconds without reaching the application, so it was stopped here.",
        "The usual causes:",
        causes=(
            "The browser does not keep this site's cookie: cookies are blocked, or the page was opened over http "
            "while the application is configured with https.",
            f"The address in the browser differs from the configured external host {application.origin}.",
            "The proxy does not pass the Cookie header to the outpost.",
            "The clocks of the browser, the outpost and the identity provider differ.",
        ),
        link=Link("Try again", start_link(application, target, again=True)),
        reason="loop",
    )


def _foreign_copies(visit: Visit) -> list[bytes]:
    """Deletions of the cookie for the domains and paths that this request could have got it from, save our own."""
    place = parse_authority(visit.host)
    labels = (visit.application.name if place is None else place.name).split(".")
    domains = [".".join(labels[at:]) for at in range(max(1, len(labels) - 1))]
    segments = visit.path.split("/")[1:-1]
    paths = ["/" + "/".join(segments[: at + 1]) for at in range(min(len(segments), 2))]
    jar = visit.application.cookies
    scopes = [(path, domain) for domain in ("", *domains) for path in ("/", *paths)]
    safe = [scope for scope in scopes if scope != ("/", jar.domain) and ";" not in scope[0]]
    return [jar.clear_at(path, domain) for path, domain in safe[:_MAX_CLEARED]]
