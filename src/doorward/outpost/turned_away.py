"""What somebody is told who may not pass: a way to log in for a browser, a status with a reason for a program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from doorward.config.skip_rules import Opening
from doorward.messages.http import Header, HttpAnswer
from doorward.outpost import credential, kept_form, refusals
from doorward.outpost.login import Login, begun_cookie, start_link
from doorward.outpost.machines import Rejection
from doorward.outpost.navigation import is_navigation
from doorward.outpost.visit import Visit


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Answers the requests that do not pass."""

    login: Login
    now: Callable[[], float]

    def answer(self, visit: Visit, why: Opening | Rejection, *, relayed: bool) -> HttpAnswer | Awaitable[HttpAnswer]:
        """The refusal. ``relayed``: the proxy hands the whole answer to the client; else it looks at the status."""
        if why is Opening.UNUSABLE_RULE:
            return refusals.unusable_rule(visit.application, start_link(visit.application, visit.target))
        if why is Rejection.UNCHECKED:
            return refusals.credentials_unchecked()
        if why is Rejection.TOO_MANY:
            # nginx makes an error of its own out of every status but 401 and 403.
            return refusals.too_many_attempts() if relayed else refusals.forbidden("too many failed attempts")
        return self._relayed(visit) if relayed else self._by_status(visit)

    def _relayed(self, visit: Visit) -> HttpAnswer | Awaitable[HttpAnswer]:
        provider = visit.application.provider
        is_api = visit.application.api_rules.opening(visit.path) is not Opening.SHUT
        navigation = is_navigation(visit.fields, visit.scheme) and not is_api
        returns = navigation and visit.method in ("GET", "HEAD")
        target = visit.target if returns else ""
        challenges = _challenges(visit)
        if is_api or (not navigation and not provider.redirect_everything):
            return refusals.log_in_first(visit.application.endpoint("start"), challenges)
        if challenges:
            return refusals.header_refused(start_link(visit.application, target), challenges)
        return self.login.begin(visit, target, form=kept_form.read(visit))

    def _by_status(self, visit: Visit) -> HttpAnswer:
        """nginx sends the browser to ``start`` by itself; the cookie is ready for it by then."""
        challenges = _challenges(visit)
        if challenges or not is_navigation(visit.fields, visit.scheme):
            return refusals.unauthorized_request(None, challenges)
        begun = visit.application.cookies.pre_login(visit.presented.ticket)
        return refusals.unauthorized_request(begun_cookie(visit.application, begun, self.now()))


def _challenges(visit: Visit) -> tuple[Header, ...]:
    """For an ``Authorization`` field that was not accepted where the provider receives such fields."""
    given = visit.fields.raw("authorization")
    if not given or not visit.application.provider.intercept_header_auth:
        return ()
    # To a browser a Basic challenge would mean its password dialogue (S-329).
    return refusals.challenges(basic=credential.is_basic(given) and not visit.fields.raw("sec-fetch-mode"))
