"""Turns a proven user into a logged-in one. Only what a credential stage of this same plan has proven counts."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from msgspec import structs

from doorward.identity.directory.models import User
from doorward.identity.durations import parse
from doorward.identity.flows.plan import FieldError
from doorward.identity.logins import actions as logins
from doorward.identity.logins import queries
from doorward.identity.logins.bindings import Binding
from doorward.identity.logins.models import LoginSession
from doorward.identity.policies import geography, reputation
from doorward.identity.sources import arrivals, notices
from doorward.identity.stages.models import UserLoginStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Entered, Judged, Passed, Refused, StageView, Wrong

DEACTIVATED = Refused(gettext_noop("This account cannot log in."), ("It was deactivated or deleted a moment ago.",))


class UserLoginChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str
    pending_user_avatar: str = "/static/person.svg"


class UserLoginView(StageView[UserLoginStage]):
    component = "ak-stage-user-login"
    template: ClassVar[str] = "flows/user_login.html"

    def asks(self) -> bool:
        return bool(self._offset())

    def enter(self) -> Entered:
        user = self._proven_user()
        if isinstance(user, Refused) or not self._offset():
            return user if isinstance(user, Refused) else self._log_in(user, remember=False)
        pending = self.visit.plan.pending
        return Ask(
            UserLoginChallenge(
                component=self.component,
                flow_info=self.visit.flow_info(),
                pending_user=pending.identifier if pending else user.username,
            )
        )

    def answer(self, answer: Answer) -> Judged:
        user = self._proven_user()
        if isinstance(user, Refused):
            return user
        remember = answer.truth("remember_me")
        if remember is None:
            return Wrong((FieldError("remember_me", _("Choose yes or no."), "required"),))
        return self._log_in(user, remember=remember)

    def _proven_user(self) -> User | Refused:
        plan = self.visit.plan
        if plan.proven is None or plan.pending is None or plan.pending.user != plan.proven:
            return Refused(
                _("Nobody has been authenticated."), ("No stage before this one has verified a credential.",)
            )
        return self.visit.proven_user() or DEACTIVATED

    def _log_in(self, user: User, *, remember: bool) -> Passed | Refused:
        request, plan = self.visit.request, self.visit.plan
        duration = parse(self.stage.session_duration)
        binding = Binding(self.stage.network_binding, self.stage.geoip_binding)
        if remember:
            duration += self._offset()
        arrival = plan.context.arrival
        try:
            # One transaction with what a source has brought; without that, the login's own is enough.
            with transaction.atomic() if arrival is not None else nullcontext():
                if arrival is not None:
                    arrivals.settle(self.visit.actor, arrival, user)
                row = logins.log_in(request, user, methods=plan.methods, duration=duration or None, binding=binding)
                if arrival is not None:
                    notices.logged_in.send(LoginSession, arrival=arrival, login=row)
        except logins.NotActive:
            return DEACTIVATED
        except arrivals.NotSettled as error:
            return Refused(str(error), (error.reason,))
        reputation.succeeded(user, self.visit.actor.client_ip)
        geography.logged_in(user, self.visit.actor.client_ip)
        if self.stage.terminate_other_sessions:
            logins.end_all_of(self.visit.actor, user, except_sid=queries.sid_of(row))
        return Passed(structs.replace(plan, user=user.pk).passed())

    def _offset(self) -> timedelta:
        return parse(self.stage.remember_me_offset)
