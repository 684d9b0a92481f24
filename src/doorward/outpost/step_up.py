"""A login that is good for the application and not for this page (``config.step_up_rules``): what its holder is told.

A browser goes to the identity provider, which asks for what is missing and nothing else, and comes back to where it
was; meanwhile it keeps its session, so that the rest of the application goes on. Scripts and programs get the 401 of
RFC 9470, which names what is missing. Whoever comes back with no more than before is told so on a page, and not sent
round again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from doorward.config.skip_rules import Opening
from doorward.config.step_up_rules import Shortfall, StepUpRules, factor_in_words, in_words
from doorward.messages.http import Header, HttpAnswer
from doorward.messages.outposts import ProxyProvider
from doorward.messages.sessions import Claims
from doorward.outpost import kept_form, pages, refusals
from doorward.outpost.application import Application
from doorward.outpost.login import Login, start_link
from doorward.outpost.navigation import is_navigation
from doorward.outpost.pages import Link
from doorward.outpost.sessions.cache import Known, Program
from doorward.outpost.visit import Visit

_AUTHORIZE = "/application/o/authorize/"
_FACTORS = "/if/user/factors/"
ERROR = "insufficient_user_authentication"
"""RFC 9470 section 3."""


def shortfall(application: Application, path: str, origin: str, known: Known, now: float) -> Shortfall | None:
    """What ``known`` lacks for ``path``; ``origin``: as ``Visit.rule_origin``. None: nothing."""
    rules = application.steps
    if rules is None:
        return None
    applying = rules.applying(path, origin)
    if not applying:
        return None
    if isinstance(known, Program):
        return rules.program_falls_short(applying)
    return rules.shortfall(applying, known.session.claims, now)


def asks(visit: Visit) -> bool:
    """Whether the path of ``visit`` asks for anything, so that it is open to nobody."""
    rules = visit.application.steps
    return rules is not None and bool(rules.applying(visit.path, visit.rule_origin))


@dataclass(frozen=True, slots=True)
class StepUp:
    """Answers requests with a login that is not good enough."""

    login: Login
    now: Callable[[], float]

    def answer(
        self, visit: Visit, known: Known, lacking: Shortfall, *, relayed: bool
    ) -> HttpAnswer | Awaitable[HttpAnswer]:
        """The refusal. ``relayed``: the proxy hands the whole answer to the client; else it looks at the status."""
        application = visit.application
        assert application.steps is not None
        challenge = _challenge(application.steps, lacking)
        if lacking.program:
            return _to_program(application.steps, lacking, challenge) if relayed else refusals.forbidden(_NO_PROGRAMS)
        navigation = is_navigation(visit.fields, visit.scheme)
        if not relayed:
            # nginx sends the browser to ``start``, which finds by the path what is wanted.
            return refusals.unauthorized_request(None, (challenge,))
        is_api = application.api_rules.opening(visit.path) is not Opening.SHUT
        if is_api or (not navigation and not application.provider.redirect_everything):
            return _to_script(visit, application.steps, lacking, challenge)
        target = visit.target if navigation and visit.method in ("GET", "HEAD") else ""
        return self.login.begin(visit, target, form=kept_form.read(visit), steps=lacking.rules, known=known)

    def in_words(self, application: Application, known: Known, lacking: Shortfall) -> str:
        """Which rule asks for what, and what the login has."""
        assert application.steps is not None
        rules, claims = application.steps, known.session.claims
        said = f"{rules.explained(lacking.rules)} asks for {rules.asked(lacking.rules)}"
        if lacking.program:
            return f"{said}; a program has neither"
        at = (
            f"it is {in_words(round(self.now() - claims.auth_time))} old"
            if claims.auth_time
            else "its age is not known"
        )
        return (
            f"{said}; the login says acr {claims.acr or 'nothing'}, amr {' '.join(claims.amr) or 'nothing'}, and {at}"
        )


_NO_PROGRAMS = "this path asks for more than a program's credentials"


def fell_short(visit: Visit, lacking: Shortfall, target: str, cookie: bytes) -> HttpAnswer:
    """The login is through, and is still not enough: what to do, instead of another round. The session is good for the
    rest of the application. Through a proxy that takes a 2xx for "may pass" this is none, either (S-302)."""
    application = visit.application
    assert application.steps is not None
    name = application.provider.application_name or application.name
    again = Link("Try again", start_link(application, target))
    factors = _factors_page(application.provider)
    if not lacking.factor:
        return pages.page(
            403,
            "This page asks for a recent login",
            f"This part of {name} can be opened for a while after logging in only, and the identity provider does not "
            "say that you have just logged in.",
            "Your login is good for the rest of the application.",
            link=again,
            cookies=(cookie,),
            reason="step_up",
        )
    wanted = factor_in_words(application.steps.acr_values(lacking.rules))
    return pages.page(
        403,
        f"This page asks for {wanted}",
        f"This part of {name} asks for {wanted}, and you have logged in without one.",
        f"If you have none yet, set one up {'in your account' if factors else 'where you log in'}, then try again. "
        "Your login is good for the rest of the application.",
        link=Link("Set up a factor", factors) if factors else again,
        also=again if factors else None,
        cookies=(cookie,),
        reason="step_up",
    )


def lacking_after(application: Application, steps: tuple[int, ...], claims: Claims, now: float) -> Shortfall | None:
    """What a login that was begun for the rules at ``steps`` still lacks."""
    rules = application.steps
    return None if rules is None else rules.shortfall(rules.known(steps), claims, now)


def _to_script(visit: Visit, rules: StepUpRules, lacking: Shortfall, challenge: Header) -> HttpAnswer:
    """With the address that steps up: a page can send its user there, and add as ``rd`` where to come back to."""
    said = {**_said(rules, lacking), "login_url": start_link(visit.application, "", step=visit.target)}
    return pages.reason(401, said, challenge)


def _to_program(rules: StepUpRules, lacking: Shortfall, challenge: Header) -> HttpAnswer:
    return pages.reason(401, {**_said(rules, lacking), "detail": f"Here {_NO_PROGRAMS}."}, challenge)


def _said(rules: StepUpRules, lacking: Shortfall) -> dict[str, object]:
    values, age = rules.acr_values(lacking.rules), rules.max_age(lacking.rules)
    said: dict[str, object] = {"detail": f"This asks for {rules.asked(lacking.rules)}.", "error": ERROR}
    if values:
        said["acr_values"] = " ".join(values)
    if age is not None:
        said["max_age"] = age
    return said


def _challenge(rules: StepUpRules, lacking: Shortfall) -> Header:
    """RFC 9470 section 3. Not one that a browser answers with a password dialogue."""
    said = {
        "realm": "authentik",
        "error": ERROR,
        "error_description": f"This asks for {rules.asked(lacking.rules)}",
        "acr_values": " ".join(rules.acr_values(lacking.rules)),
    }
    age = rules.max_age(lacking.rules)
    if age is not None:
        said["max_age"] = str(age)
    parts = [f'{name}="{_quotable(value)}"' for name, value in said.items() if value]
    return (b"WWW-Authenticate", f"Bearer {', '.join(parts)}".encode("ascii", "replace"))


def _quotable(text: str) -> str:
    return "".join(each for each in text if each.isprintable() and each not in '"\\')


def _factors_page(provider: ProxyProvider) -> str:
    """Where a person sets up factors, if the issuer is a Doorward; empty otherwise."""
    before, found, _ = provider.authorization_endpoint.partition(_AUTHORIZE)
    return before + _FACTORS if found and provider.foreign is None else ""
