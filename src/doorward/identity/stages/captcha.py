"""Lets nobody through whom a captcha service takes for a robot, or about whom it does not say anything.

Its page is one of its own, never part of the page for name or password: a script of somebody else's runs there, and
can do whatever that page can.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.authenticators import challenges
from doorward.identity.directory import passwords
from doorward.identity.directory.errors import TooManyAttempts
from doorward.identity.events import actions as events
from doorward.identity.flows.plan import FieldError
from doorward.identity.stages import captcha_service, credentials
from doorward.identity.stages.captcha_origins import origins
from doorward.identity.stages.models import CaptchaStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Malformed, Passed, StageView, Wrong

LONGEST = 16_384
"""Characters of an answer; the services' own are at most some 2,000."""
BLANK = FieldError("token", gettext_noop("This check needs a browser that runs scripts."), "blank")
NOT_GOOD = FieldError("token", gettext_noop("The check did not succeed. Please try again."))
SCORE = FieldError(
    "token", gettext_noop("The check takes you for a program. Please try again later, or ask an administrator.")
)
UNREACHABLE = FieldError(
    "token",
    gettext_noop("The check cannot be done right now, so nobody gets past it. Please try again in a minute."),
    "unreachable",
)


class CaptchaChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str
    pending_user_avatar: str = "/static/person.svg"
    js_url: str
    site_key: str
    interactive: bool


class CaptchaView(StageView[CaptchaStage]):
    component = "ak-stage-captcha"
    template: ClassVar[str] = "flows/captcha.html"

    def outside(self) -> tuple[str, ...]:
        return origins(self.stage.js_url)

    def enter(self) -> Entered:
        pending = self.visit.plan.pending
        return Ask(
            CaptchaChallenge(
                component=self.component,
                flow_info=self.visit.flow_info(),
                pending_user=pending.identifier if pending else "",
                js_url=self.stage.js_url,
                site_key=self.stage.public_key,
                interactive=self.stage.interactive,
            )
        )

    def answer(self, answer: Answer) -> Judged:
        token = answer.text("token")
        if not token:
            return Wrong((BLANK,))
        if len(token) > LONGEST:
            return Malformed(_("That is no answer to a captcha."))
        digest = hashlib.sha256(token.encode()).digest()
        try:
            # Each answer costs a request to the service: whoever sends many bad ones waits (S-506).
            reserved = passwords.throttle.reserve(f"captcha:{digest.hex()}", self.visit.actor.client_ip)
        except TooManyAttempts as limit:
            return credentials.too_many(limit)
        judged = self._judged(token, digest) if reserved.allowed else Wrong((NOT_GOOD,))
        if isinstance(judged, Passed):
            reserved.succeeded()
        return judged

    def _judged(self, token: str, digest: bytes) -> Judged:
        try:
            said = captcha_service.ask(self.stage, token, self.visit.actor.client_ip)
        except captcha_service.Unreachable as why:
            self._record(f"The captcha service {self.stage.api_url} cannot be asked: {why}")
            return Wrong((UNREACHABLE,), counts=False)
        if not said.good:
            if "invalid-input-secret" in said.reasons or "missing-input-secret" in said.reasons:
                self._record(f"The captcha service {self.stage.api_url} does not take the private key.")
            return Wrong((NOT_GOOD,))
        # The services count an answer once, and so do we, whatever they do: also of two at the same moment (S-805).
        if not challenges.spend_once(b"captcha:" + digest):
            return Wrong((NOT_GOOD,))
        lowest, highest = self.stage.score_min_threshold, self.stage.score_max_threshold
        if said.score is not None and not lowest <= said.score <= highest and self.stage.error_on_invalid_score:
            return Wrong((SCORE,))
        return Passed(self.visit.plan.passed())

    def _record(self, message: str) -> None:
        events.record(
            "configuration_error", "authentik.stages.captcha", self.visit.actor, stage=self.stage.name, message=message
        )
