"""Whether an administrator could still log in: every change to flows and stages made here is asked this (S-621).

The default login flow is walked on paper, once for every active administrator: which bindings stand aside for them,
who would have been named and proven by which stage, and whether a login stage comes before anything that turns
everybody away. Nothing is guessed about kinds of stages that only ask or write; a redirect ends the walk, because
what happens elsewhere is not this flow's. ``kept`` makes a change, walks, and undoes the change if it closes the last
way in, unless whoever makes it has said that they know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.authenticators import queries as factors
from doorward.identity.authenticators.models import DeviceClass
from doorward.identity.brands.queries import default_flow
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import User
from doorward.identity.directory.queries import superusers
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.policies.queries import verdict
from doorward.identity.stages.models import (
    AuthenticatorValidateStage,
    DenyStage,
    EmailStage,
    IdentificationStage,
    PasswordStage,
    RedirectStage,
    Stage,
    UserLoginStage,
)

OPEN_TO_STRANGERS = frozenset({Flow.Authentication.NONE, Flow.Authentication.REQUIRE_UNAUTHENTICATED})
MOST = 50
"""Administrators who are walked through the flow at most."""


class NoWayIn(Refused):
    """After the change nobody who administers could log in; it was undone. The text says why."""


@contextmanager
def kept(*, sure: bool) -> Iterator[None]:
    """Undo the changes made inside, and raise NoWayIn, if they close the last way in. ``sure``: keep them even so.

    What was closed before already is no reason to refuse: the change may be a step on the way to mend it.
    """
    with transaction.atomic():
        before = "" if sure else obstacle()
        yield
        if not sure and not before and (found := obstacle()):
            raise NoWayIn(_("After this no administrator could log in any more. %(found)s") % {"found": found})


def obstacle() -> str:
    """Why no administrator could log in, in a sentence about the first of them; empty when one could."""
    flow = default_flow(Flow.Designation.AUTHENTICATION)
    if flow is None:
        return _("There is no flow to log in with.")
    if flow.authentication not in OPEN_TO_STRANGERS:
        return _("The flow “%(slug)s” does not take people who are not logged in yet.") % {"slug": flow.slug}
    if not verdict(flow, AnonymousUser()).passing:
        return _("The flow “%(slug)s” is bound to groups or users, and nobody is known before the login.") % {
            "slug": flow.slug
        }
    bindings = list(flow.stage_bindings.select_related("stage").order_by("order", "pk"))
    first = ""
    for user in superusers().filter(is_active=True).order_by("pk")[:MOST]:
        found = _Walk(user).through(bindings)
        if not found:
            return ""
        first = first or found
    return first or _("There is no active administrator.")


@dataclass(slots=True)
class _Walk:
    """One administrator on the way through the flow."""

    user: User
    named: bool = False
    proven: bool = False
    arrived: bool = False

    def through(self, bindings: list[FlowStageBinding]) -> str:
        for binding in bindings:
            if not self._applies(binding):
                continue
            if found := self._at(binding.stage.concrete()):
                return found
            if self.arrived:
                return ""
        return _("No stage of the flow logs anybody in.")

    def _applies(self, binding: FlowStageBinding) -> bool:
        if binding.evaluate_on_plan and not verdict(binding, AnonymousUser()).passing:
            return False
        subject = self.user if self.named else AnonymousUser()
        return not binding.re_evaluate_policies or verdict(binding, subject).passing

    def _at(self, stage: Stage) -> str:
        """What stops the administrator at this stage; empty if nothing does."""
        match stage:
            case IdentificationStage():
                return self._identified(stage)
            case PasswordStage() if not self.named:
                return _("“%(name)s” asks for a password before anybody was named.") % {"name": stage.name}
            case PasswordStage() | EmailStage():
                self.proven = True
            case AuthenticatorValidateStage():
                return self._second_factor(stage)
            case DenyStage():
                return _("“%(name)s” turns everybody away.") % {"name": stage.name}
            case UserLoginStage() if not self.proven:
                return _("“%(name)s” is reached before anything is proven.") % {"name": stage.name}
            case UserLoginStage() | RedirectStage():
                self.arrived = True
        return ""

    def _identified(self, stage: IdentificationStage) -> str:
        sources = getattr(stage, "sources", None)  # whoever comes from elsewhere is judged there
        if stage.passwordless_flow_id is not None or (sources is not None and sources.exists()):
            self.arrived = True  # another way in, and not this flow's to judge
        if not stage.user_fields and not self.arrived:
            return _("“%(name)s” leaves no way to say who one is.") % {"name": stage.name}
        self.named = True
        self.proven = stage.password_stage_id is not None
        return ""

    def _second_factor(self, stage: AuthenticatorValidateStage) -> str:
        if not self.named:
            if not factors.usable(self.user, {DeviceClass.WEBAUTHN} & set(stage.device_classes)):
                return _("“%(name)s” takes only passkeys, and %(user)s has none.") % {
                    "name": stage.name,
                    "user": self.user,
                }
            self.named = self.proven = True
            return ""
        if stage.not_configured_action == stage.NotConfiguredAction.DENY and not factors.usable(
            self.user, stage.device_classes
        ):
            return _("“%(name)s” turns away whoever has no second factor, and %(user)s has none.") % {
                "name": stage.name,
                "user": self.user,
            }
        return ""
