"""The password of whoever the identification stage named, or of nobody, which looks the same (S-504)."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _
from msgspec import structs

from doorward.identity.directory.models import User
from doorward.identity.directory.queries import user_by_key
from doorward.identity.flows.next_url import page_path
from doorward.identity.flows.plan import FieldError, Pending, Plan
from doorward.identity.flows.queries import course
from doorward.identity.mail import outbox
from doorward.identity.stages import credentials, passkeys
from doorward.identity.stages.models import IdentificationStage, PasswordStage
from doorward.identity.stages.view import (
    Answer,
    Ask,
    Challenge,
    Entered,
    Judged,
    Malformed,
    Passed,
    Refused,
    Restart,
    StageView,
    Wrong,
)

AVATAR = "/static/person.svg"


class PasswordChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str
    pending_user_avatar: str = AVATAR
    allow_show_password: bool
    recovery_url: str | None = None


class PasswordView(StageView[PasswordStage]):
    component = "ak-stage-password"
    template: ClassVar[str] = "flows/password.html"

    def enter(self) -> Entered:
        plan = self.visit.plan
        if plan.pending is None:
            return Refused(_("No user was named."), ("A password stage needs an identification stage before it.",))
        if plan.proven == plan.pending.user and self._was_asked():
            return Passed(plan.passed())
        return Ask(
            PasswordChallenge(
                component=self.component,
                flow_info=self.visit.flow_info(),
                # What was typed, never what was found: the page must not tell the two apart.
                pending_user=plan.pending.identifier,
                allow_show_password=self.stage.allow_show_password,
                recovery_url=self._recovery_url(),
            )
        )

    def answer(self, answer: Answer) -> Judged:
        pending = self.visit.plan.pending
        if pending is None:
            return Refused(_("No user was named."))
        password = answer.text("password")
        if not password:
            return Wrong((FieldError("password", _("This field may not be blank."), "blank"),))
        user = user_by_key(pending.user)
        checked = credentials.check(self.visit, self.stage, self.stage, user, pending.identifier, password)
        if isinstance(checked, Malformed):
            return checked
        if not checked or user is None:
            return self._wrong()
        return Passed(self._proven(user, pending))

    def _recovery_url(self) -> str | None:
        """Where a forgotten password is replaced, as the identification stage of this flow says."""
        if not outbox.is_configured():
            return None
        for place in course(self.visit.flow.pk):
            if isinstance(place.stage, IdentificationStage) and place.stage.recovery_flow is not None:
                return page_path(place.stage.recovery_flow.slug, self.visit.plan.next)
        return None

    def _was_asked(self) -> bool:
        """On an earlier page; or a passkey has made it needless."""
        plan = self.visit.plan
        return plan.proven is not None and (
            str(self.stage.pk) in plan.passwords_checked or plan.methods == passkeys.ALONE
        )

    def _proven(self, user: User, pending: Pending) -> Plan:
        plan = self.visit.plan
        methods = tuple(dict.fromkeys((*plan.methods, "pwd")))
        return structs.replace(plan, pending=pending, proven=user.pk, methods=methods).passed()

    def _wrong(self) -> Judged:
        if 0 < self.stage.failed_attempts_before_cancel <= self.visit.plan.failures + 1:
            return Restart(_("Too many wrong passwords. Start again; if you forgot yours, ask an administrator."))
        return Wrong((FieldError("password", _("Invalid password")),))
