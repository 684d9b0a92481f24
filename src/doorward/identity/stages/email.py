"""Sends a link that leads back into this very flow. Whoever opens it has proved that the address is theirs.

The page says the same whether there is such a user or not, and it takes as long (S-504): somebody unknown gets a
letter that is written and never sent. Addresses and accounts are limited as at the login (S-506).
"""

from __future__ import annotations

from typing import ClassVar

import msgspec
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from msgspec import structs

from doorward.identity.directory.errors import TooManyAttempts
from doorward.identity.directory.models import User
from doorward.identity.directory.names import folded
from doorward.identity.durations import parse
from doorward.identity.flows.models import Flow
from doorward.identity.flows.plan import Plan
from doorward.identity.languages.choice import for_answer_to
from doorward.identity.mail import links, outbox
from doorward.identity.mail.pace import throttle
from doorward.identity.stages import credentials
from doorward.identity.stages.models import EmailStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Malformed, Refused, StageView, Wrong

SENT = "sent"


class EmailChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str


class EmailView(StageView[EmailStage]):
    component = "ak-stage-email"
    template: ClassVar[str] = "flows/email.html"

    def enter(self) -> Entered:
        plan = self.visit.plan
        if plan.pending is None:
            return Refused(_("No user was named."), ("An e-mail stage needs an identification stage before it.",))
        if not outbox.is_configured():
            return Refused(_("Letters cannot be sent here. Ask an administrator."), ("No mail server is configured.",))
        if SENT not in plan.notes:
            sent = self._send()
            if isinstance(sent, Malformed):
                return Refused(sent.message)
            plan = plan.noting(SENT, "yes")
        challenge = EmailChallenge(
            component=self.component, flow_info=self.visit.flow_info(), pending_user=self._named()
        )
        return Ask(challenge, plan)

    def answer(self, answer: Answer) -> Judged:
        """The button on the page: send it again. The link in the letter is the only way on."""
        sent = self._send()
        return sent if isinstance(sent, Malformed) else Wrong((), counts=False)

    def _send(self) -> Malformed | None:
        user = self._recipient()
        account = f"user:{user.pk}" if user is not None else f"name:{folded(self._named())[:256]}"
        try:
            allowed = throttle.reserve(account, self.visit.actor.client_ip).allowed
        except TooManyAttempts as limit:
            return credentials.too_many(limit)
        if allowed:
            self._write(user)
        return None

    def _write(self, user: User | None) -> None:
        lifetime = parse(self.stage.token_expiry)
        if user is not None:
            url = links.make(
                user,
                self.visit.flow.slug,
                _kept(self.visit.plan, user),
                lifetime,
                activates=self.stage.activate_user_on_success,
            )
        else:
            url = "https://nobody.invalid/"
        with translation.override(for_answer_to(user)):
            outbox.post(
                user.email if user is not None else "",
                _(self.stage.subject),
                self.stage.letter,
                {"user": user or User(username="nobody"), "url": url, "minutes": int(lifetime.total_seconds() // 60)},
                useless_after=timezone.now() + lifetime,
                otherwise=self._built_in(),
            )

    def _built_in(self) -> str:
        """The letter that stands in for one whose files are gone."""
        recovers = self.visit.flow.designation == Flow.Designation.RECOVERY
        return "password_reset" if recovers else "account_confirmation"

    def _recipient(self) -> User | None:
        """Who gets it. Whoever this plan has proven may prove any address; others only recover through a proven one."""
        plan = self.visit.plan
        assert plan.pending is not None
        user = User.objects.filter(pk=plan.pending.user).first() if plan.pending.user is not None else None
        if user is None or not user.email or user.type in _MACHINES:
            return None
        if plan.proven == user.pk:
            return user if user.is_active or self.stage.activate_user_on_success else None
        return user if user.is_active and links.is_proven(user) else None

    def _named(self) -> str:
        return self.visit.plan.pending.identifier if self.visit.plan.pending else ""


_MACHINES = (User.Type.SERVICE_ACCOUNT, User.Type.INTERNAL_SERVICE_ACCOUNT)


def _kept(plan: Plan, user: User) -> str:
    """The plan as it goes on behind this stage: for ``user``, whom the link proves, and without secrets."""
    pending = plan.pending
    onward = structs.replace(plan, pending=pending, proven=user.pk, prompt_data={}, sealed_data={}, user=None)
    return msgspec.json.encode(onward.passed()).decode()
