"""Deletes the account of whoever is logged in. It asks first: opening a link must not delete anybody.

Another user is never deleted, whoever was named before (CVE-2022-23555), and a login that was left open is not enough.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from msgspec import structs

from doorward.identity.directory import actions as directory
from doorward.identity.directory.errors import Refused as NotAllowed
from doorward.identity.directory.models import User
from doorward.identity.stages import subjects
from doorward.identity.stages.models import UserDeleteStage
from doorward.identity.stages.view import Answer, Ask, Challenge, Elsewhere, Entered, Judged, Passed, Refused, StageView


class UserDeleteChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str
    pending_user_avatar: str = "/static/person.svg"


class UserDeleteView(StageView[UserDeleteStage]):
    component = "ak-stage-user-delete"
    template: ClassVar[str] = "flows/user_delete.html"

    def enter(self) -> Entered:
        user = self._user()
        if not isinstance(user, User):
            return user
        challenge = UserDeleteChallenge(
            component=self.component, flow_info=self.visit.flow_info(), pending_user=user.username
        )
        return Ask(challenge)

    def answer(self, answer: Answer) -> Judged:
        user = self._user()
        if not isinstance(user, User):
            return user
        actor, request = self.visit.actor.acting_as(user), self.visit.request
        try:
            # A copy: the request's own object must stay whole when nothing comes of it.
            directory.delete_user(actor, User.objects.get(pk=user.pk), leaving=True)
        except NotAllowed as error:
            return Refused(str(error))
        except ValidationError as error:
            return Refused(" ".join(error.messages))
        logout(request)  # their logins have ended with them
        return Passed(structs.replace(self.visit.plan, user=None, pending=None, proven=None).passed())

    def _user(self) -> User | Refused | Elsewhere:
        user = subjects.subject(self.visit)
        if user is None:
            return Refused(_("Log in first."), ("Nobody is logged in whom this could be about.",))
        return subjects.must_prove_again(self.visit) or user
