"""What a stage is to the flow engine: something that is entered, may ask, and judges an answer.

A stage never moves the plan by itself and never redirects. It returns what happened as a value:

=============  ======================================================================================
``Passed``     done; carries the plan with what the stage has learned
``Ask``        show this challenge and wait for an answer
``Wrong``      the answer does not do; the page is shown again with these errors
``Restart``    back to the first stage, with a sentence that says why
``Refused``    the journey ends here
``Malformed``  the answer is none that a browser would send (400, nothing is judged)
``Elsewhere``  the journey goes on at another address, without this plan unless it says that it comes back
``Handover``   the journey goes on in another flow
=============  ======================================================================================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from msgspec import UNSET, Struct, UnsetType

from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import application_by_key
from doorward.identity.directory.models import User
from doorward.identity.directory.queries import active_user
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.flows.plan import (
    ADDED_CONSENT,
    IFRAME_LOGOUT,
    SESSION_END,
    SOURCE_LOGOUT,
    FieldError,
    Plan,
    Step,
)
from doorward.identity.flows.queries import course, stage_of
from doorward.identity.stages.models import ConsentStage, Stage


class FlowInfo(Struct, frozen=True, kw_only=True):
    """The part of a challenge that is about the flow."""

    title: str
    background: str
    background_themed_urls: None = None
    cancel_url: str
    layout: str
    compatibility_mode: bool


class ErrorDetail(Struct, frozen=True):
    string: str
    code: str


class Challenge(Struct, frozen=True, kw_only=True):
    """What the executor API answers and what a page is rendered from; each stage adds its keys."""

    component: str
    flow_info: FlowInfo
    response_errors: dict[str, list[ErrorDetail]] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Answer:
    """The fields of a visitor's answer, as text. JSON booleans arrive as ``true`` and ``false``."""

    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.fields.get(name, "")

    def either(self, *names: str) -> str:
        """The first of these fields that says something."""
        return next((text for name in names if (text := self.text(name))), "")

    def truth(self, name: str) -> bool | None:
        """None when the field is absent or says neither."""
        return {"true": True, "on": True, "1": True, "false": False, "0": False}.get(self.text(name).lower())


@dataclass(frozen=True, slots=True)
class Passed:
    plan: Plan


@dataclass(frozen=True, slots=True)
class Ask:
    challenge: Challenge
    plan: Plan | None = None
    """The plan with the stage's notes, when it has made any."""


@dataclass(frozen=True, slots=True)
class Wrong:
    errors: tuple[FieldError, ...]
    counts: bool = True
    """Whether it was an attempt: too many of them cancel a login."""
    plan: Plan | None = None
    """The plan with what is to be shown again, when there is any."""


@dataclass(frozen=True, slots=True)
class Restart:
    notice: str


@dataclass(frozen=True, slots=True)
class Refused:
    message: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Malformed:
    message: str
    status: int = 400


@dataclass(frozen=True, slots=True)
class Elsewhere:
    to: str
    """A path of this host, or a URL that an operator has configured."""
    back: Plan | None = None
    """With what the journey goes on when the browser comes back to this flow's page."""


@dataclass(frozen=True, slots=True)
class Handover:
    flow: Flow
    keep: bool
    """Whether the other flow's plan begins with what this one has learned."""


Entered = Passed | Ask | Restart | Elsewhere | Handover | Refused
Judged = Passed | Wrong | Restart | Elsewhere | Refused | Malformed


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor at one stage of one plan."""

    request: HttpRequest
    flow: Flow
    plan: Plan
    stage: Stage
    """As an object of its own kind."""
    binding: FlowStageBinding | None
    application: Application | None

    @classmethod
    def at(cls, request: HttpRequest, flow: Flow, plan: Plan, step: Step) -> Visit | None:
        """The visit at ``step``; None if an operator has removed the stage in the meantime."""
        application = application_of(plan)
        if step.stage:
            inserted = stage_of(step.stage, step.kind)
            return cls(request, flow, plan, inserted, None, application) if inserted else None
        if not step.binding:
            unbound: dict[str, Stage] = {
                ADDED_CONSENT: ConsentStage(name=step.kind, kind="consent", mode=ConsentStage.Mode.ALWAYS_REQUIRE),
                SESSION_END: Stage(name=step.kind, kind=SESSION_END),
                IFRAME_LOGOUT: Stage(name=step.kind, kind=IFRAME_LOGOUT),
                SOURCE_LOGOUT: Stage(name=step.kind, kind=SOURCE_LOGOUT),
            }
            return cls(request, flow, plan, unbound[step.kind], None, application)
        binding = next((place for place in course(flow.pk) if str(place.pk) == step.binding), None)
        if binding is None or binding.stage.kind != step.kind:
            return None
        return cls(request, flow, plan, binding.stage, binding, application)

    @property
    def actor(self) -> Actor:
        return Actor.of(self.request)

    def proven_user(self) -> User | None:
        """Whom a credential stage of this plan has proven; nobody any more once they were deactivated."""
        plan = self.plan
        if plan.proven is None or plan.pending is None or plan.pending.user != plan.proven:
            return None
        return active_user(plan.proven)

    def flow_info(self) -> FlowInfo:
        return FlowInfo(
            title=title_of(self.flow, self.application),
            background=self.flow.background,
            cancel_url=reverse("flow-cancel"),
            layout=self.flow.layout,
            compatibility_mode=self.flow.compatibility_mode,
        )


def application_of(plan: Plan) -> Application | None:
    """The application on whose behalf ``plan`` runs."""
    return application_by_key(plan.context.application) if plan.context.application else None


def title_of(flow: Flow, application: Application | None) -> str:
    """The flow's title; ``%(app)s`` is the one thing replaced in it, and nothing in the result is (S-531)."""
    return _(flow.title).replace("%(app)s", application.name if application else _("the application"))


S = TypeVar("S", bound=Stage)


class StageView(ABC, Generic[S]):
    """One stage in action. Subclasses live in one file each and are listed in ``registry``."""

    component: ClassVar[str]
    """authentik's name of the challenge."""
    template: ClassVar[str]
    """The page's template below ``web/templates/flows``."""

    def __init__(self, visit: Visit, stage: S) -> None:
        self.visit = visit
        self.stage = stage

    def asks(self) -> bool:
        """Whether the stage would show a page if it were entered now."""
        return True

    def outside(self) -> tuple[str, ...]:
        """Origins whose scripts and frames its page may load. Such a page is a document of its own."""
        return ()

    def frames(self) -> tuple[str, ...]:
        """Origins that its page may show in frames, and nothing more. Such a page is a document of its own."""
        return ()

    @abstractmethod
    def enter(self) -> Entered:
        """The visitor has arrived. May pass at once; changes nothing when it asks."""

    @abstractmethod
    def answer(self, answer: Answer) -> Judged:
        """The visitor has answered."""
