"""Writes what the plan has collected to its user, or makes a new one.

Written are username, name, e-mail address, password, language and ``attributes.…``; what else a prompt was called
stays in the plan (S-521). A new user comes out of an enrolment flow only, and an existing one is changed only if this
plan has proven who it is, or they are logged in (CVE-2022-46145, CVE-2022-46172).
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from msgspec import structs

from doorward.identity.crypto import vault
from doorward.identity.directory import actions as directory
from doorward.identity.directory.errors import Busy
from doorward.identity.directory.errors import Refused as NotAllowed
from doorward.identity.directory.models import User
from doorward.identity.flows.models import Flow
from doorward.identity.flows.plan import FEDERATED, Pending, Plan
from doorward.identity.logins.queries import sid_to_spare
from doorward.identity.mail.models import UnprovenAddress
from doorward.identity.sources import arrivals
from doorward.identity.stages import invitations, prompt, subjects
from doorward.identity.stages.invitation import GONE
from doorward.identity.stages.models import UserWriteStage
from doorward.identity.stages.prompt_fields import Value
from doorward.identity.stages.view import Answer, Elsewhere, Entered, Judged, Passed, Refused, Restart, StageView, Wrong

COLUMNS = ("username", "name", "email")
PASSWORD = "password"  # noqa: S105 - the key of a field
ATTRIBUTE = "attributes."


class UserWriteView(StageView[UserWriteStage]):
    component = "ak-stage-user-write"
    template: ClassVar[str] = "flows/page.html"

    def asks(self) -> bool:
        return False

    def enter(self) -> Entered:
        plan = self.visit.plan
        try:
            user = subjects.subject(self.visit)
            if self.stage.user_creation_mode == UserWriteStage.CreationMode.ALWAYS_CREATE:
                user = None
            password = prompt.unseal(plan, PASSWORD)
            if user is not None:
                return self._update(user, password)
            return self._create(password)
        except ValidationError as error:
            return Restart(" ".join(error.messages))
        except NotAllowed as error:
            return Refused(str(error))
        except Busy:
            return Restart(_("Many people are choosing passwords right now. Try again in a few seconds."))
        except vault.Unreadable:
            return Restart(_("That took too long. Please start again."))

    def answer(self, answer: Answer) -> Judged:
        return Wrong((), counts=False)

    def _update(self, user: User, password: str) -> Passed | Elsewhere | Refused:
        if password and (elsewhere := subjects.must_prove_again(self.visit)) is not None:
            return elsewhere
        actor = self.visit.actor.acting_as(user)
        keep = sid_to_spare(self.visit.request, user)
        with transaction.atomic():
            changes = self._changes(user)
            if changes:
                directory.update_user(actor, user, keep_sid=keep, **changes)
            if password:
                directory.set_password(actor, user, password, keep_sid=keep)
        return Passed(_without_answers(self.visit.plan).passed())

    def _changes(self, user: User) -> dict[str, Any]:
        data = self.visit.plan.prompt_data
        own = subjects.is_self_service(self.visit)
        changes: dict[str, Any] = {
            key: str(data[key])
            for key in COLUMNS
            if key in data and str(data[key]) != getattr(user, key) and (not own or subjects.may_change(user, key))
        }
        attributes = self._attributes(user.attributes, self.visit.plan)
        if attributes != user.attributes:
            changes["attributes"] = attributes
        return changes

    def _attributes(self, former: dict[str, object], plan: Plan) -> dict[str, object]:
        """``attributes.a.b`` goes to ``{"a": {"b": …}}``; keys of the program's own are not for prompts."""
        merged = dict(former)
        for key, value in plan.prompt_data.items():
            path = key.removeprefix(ATTRIBUTE).split(".") if key.startswith(ATTRIBUTE) else []
            if key == "locale":
                path = ["settings", "locale"]
            if not path or not all(path) or path[0].startswith("goauthentik"):
                continue
            _put(merged, path, value)
        return merged

    def _create(self, password: str) -> Passed | Refused:
        visit, stage, plan = self.visit, self.stage, self.visit.plan
        named = plan.pending is not None and plan.pending.user is not None
        if named or stage.user_creation_mode == UserWriteStage.CreationMode.NEVER_CREATE:
            return Refused("Nobody is logged in whom this could be about.", ("The stage may create no user.",))
        if visit.flow.designation != Flow.Designation.ENROLLMENT:
            return Refused(
                "Nobody is logged in whom this could be about.", ("Users come out of enrolment flows only.",)
            )
        username = str(plan.prompt_data.get("username", ""))
        if not username:
            return Refused(_("This cannot be finished."), ("No prompt before this stage asks for a username.",))
        try:
            with transaction.atomic():
                fixed = self._fixed(plan)
                user = self._created(structs.replace(plan, prompt_data={**plan.prompt_data, **fixed}), password)
                # An address that an administrator has fixed is one that they vouch for.
                if user.email and "email" not in fixed and not _is_proven_by_source(plan, user.email):
                    UnprovenAddress.objects.create(user=user, email=user.email)
                if plan.context.arrival is not None:
                    arrivals.settle(visit.actor, plan.context.arrival, user)
        except invitations.Void:
            return Refused(GONE)
        except arrivals.NotSettled as error:
            return Refused(str(error), (error.reason,))
        plan = structs.replace(
            _without_answers(plan), invitation="", pending=Pending(user.username, user.pk), proven=user.pk
        )
        shown = FEDERATED if plan.context.arrival is not None else ("pwd",) if password else ()
        return Passed(plan.showing(*shown).passed())

    def _fixed(self, plan: Plan) -> dict[str, Value]:
        """What the invitation has fixed, which is used up by this. Raises Void."""
        if not plan.invitation:
            return {}
        return invitations.fixed_by(invitations.use(self.visit.actor, plan.invitation, self.visit.flow))

    def _created(self, plan: Plan, password: str) -> User:
        visit, stage = self.visit, self.stage
        return directory.create_user(
            # What the flow says, not what whoever happens to be logged in may do.
            dataclasses.replace(visit.actor, user=None),
            username=str(plan.prompt_data["username"]),
            name=str(plan.prompt_data.get("name", "")),
            email=str(plan.prompt_data.get("email", "")),
            password=password or None,
            groups=[stage.create_users_group] if stage.create_users_group else (),
            type=stage.user_type,
            path=stage.user_path_template or self._path_of_source(plan) or "users",
            is_active=not stage.create_users_as_inactive,
            attributes=self._attributes(dict(plan.context.arrival.attributes) if plan.context.arrival else {}, plan),
        )

    def _path_of_source(self, plan: Plan) -> str:
        return arrivals.source_of(plan.context.arrival).user_path if plan.context.arrival is not None else ""


def _is_proven_by_source(plan: Plan, email: str) -> bool:
    arrival = plan.context.arrival
    return arrival is not None and arrival.email_verified and arrival.email == email


def _without_answers(plan: Plan) -> Plan:
    """Written once: a write stage further on has nothing to write again, and no secret stays."""
    return structs.replace(plan, prompt_data={}, sealed_data={})


def _put(target: dict[str, object], path: list[str], value: object) -> None:
    *folders, last = path[:8]
    for folder in folders:
        inner = target.get(folder)
        inner = dict(inner) if isinstance(inner, dict) else {}
        target[folder] = inner
        target = inner
    target[last] = value
