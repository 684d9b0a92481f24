"""A plan: the stages that one visitor still has to pass in one flow, and what has been learned on the way.

Plans are plain frozen data. They live in the visitor's login session (``plan_store``), so whatever a plan says was
decided on this side: the browser only ever names the step that it answers. One plan belongs to one flow, one
destination (``next``) and one session; a step counts as passed only because the stage itself moved ``position`` on.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from msgspec import Struct, structs

from doorward.identity.applications.models import Application
from doorward.identity.sources.arrival import Arrival

SESSION_END = "session-end"
"""Kind of the page that closes the invalidation flow of an application; no operator binds it."""

IFRAME_LOGOUT = "iframe-logout"
"""Kind of the page that tells applications in frames that the login has ended; put behind whatever ended it."""

SOURCE_LOGOUT = "source-logout"
"""Kind of the step that goes on to the source which had vouched for the login, to log out there as well."""

FEDERATED = ("fed",)
"""How somebody was proven by a source (``amr``)."""

ADDED_CONSENT = "added-consent"
"""Kind of a consent question that the client asked for (``prompt=consent``) and the flow does not have."""


class RequestedScope(Struct, frozen=True, forbid_unknown_fields=True):
    """A scope that an application asks for; ``description`` is what the consent page says, empty hides it there."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """What whoever starts a flow knows, and the visitor cannot influence any more."""

    application: Application | None = None
    """On whose behalf the flow runs; named on the pages, and what consent is given to."""
    scopes: tuple[RequestedScope, ...] = ()
    """What the application will be told."""
    continuation: str = ""
    """Where to go when the flow is through: a path on this host, or a URL that the caller has checked already."""
    declined: str = ""
    """Where "no" on the consent page leads (a checked URL); empty for the library."""
    redirect_origins: tuple[str, ...] = ()
    """Origins (``https://app.example.test``) that the journey may end at: added to ``form-action`` of its pages."""
    login_hint: str = ""
    """Fills in the identification page."""
    reauthenticate: bool = False
    """Ask for the password although somebody is logged in (``prompt=login``, ``max_age``)."""
    only_passkey: bool = False
    """Of all factors only a passkey is good enough for what comes then (``acr_values=phr``)."""
    require_consent: bool = False
    """Ask for consent although it was given before (``prompt=consent``)."""
    confirmed: bool = False
    """The request to log out was proven to come from the user (a valid ``id_token_hint``): do not ask again."""
    frames: tuple[str, ...] = ()
    """Applications' addresses (checked when they were stored) that this browser opens, now that it is logged out."""
    arrival: Arrival | None = None
    """Who comes from a source, as it has said: the plan begins with them, known or to be enrolled."""


class KeptContext(Struct, frozen=True, forbid_unknown_fields=True):
    """``PlanContext`` as it is kept in a session."""

    application: str = ""
    scopes: tuple[RequestedScope, ...] = ()
    continuation: str = ""
    declined: str = ""
    redirect_origins: tuple[str, ...] = ()
    login_hint: str = ""
    reauthenticate: bool = False
    only_passkey: bool = False
    require_consent: bool = False
    confirmed: bool = False
    frames: tuple[str, ...] = ()
    arrival: Arrival | None = None
    instead_of: str = ""
    """Slug of the login flow for which a source's flow stands: passing the one counts as passing the other."""

    @classmethod
    def of(cls, context: PlanContext) -> KeptContext:
        return cls(
            application=str(context.application.pk) if context.application else "",
            scopes=context.scopes,
            continuation=context.continuation,
            declined=context.declined,
            redirect_origins=context.redirect_origins,
            login_hint=context.login_hint,
            reauthenticate=context.reauthenticate,
            only_passkey=context.only_passkey,
            require_consent=context.require_consent,
            confirmed=context.confirmed,
            frames=context.frames,
            arrival=context.arrival,
        )


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One stage of the plan. ``binding`` is the key of its FlowStageBinding, empty where no operator bound it."""

    kind: str
    binding: str = ""
    stage: str = ""
    """Key of a stage that another stage has put here (the set-up of a missing factor)."""


class Pending(Struct, frozen=True, forbid_unknown_fields=True):
    """Who claims to be here. ``user`` is None for a name that nobody has: the pages must not show the difference."""

    identifier: str
    user: int | None = None


class FieldError(Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with one field of an answer (``non_field_errors`` for the whole)."""

    field: str
    string: str
    code: str = "invalid"


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """See the module's docstring."""

    id: str
    flow: str
    """The flow's slug."""
    next: str
    """Validated path on this host, or empty."""
    started: float
    """Unix seconds."""
    steps: tuple[Step, ...]
    context: KeptContext
    position: int = 0
    user: int | None = None
    """Who is logged in in this session, as far as this plan knows; somebody else makes it void."""
    pending: Pending | None = None
    proven: int | None = None
    """The user whose credential a stage of this plan has verified."""
    methods: tuple[str, ...] = ()
    """How (RFC 8176 names: ``pwd``)."""
    passwords_checked: tuple[str, ...] = ()
    """Password stages that another page has already asked for."""
    prompt_data: dict[str, str | bool | int | float] = {}
    """What prompts have collected, by field key."""
    sealed_data: dict[str, str] = {}
    """The same for passwords, each sealed to this plan and key."""
    invitation: str = ""
    """Key of the invitation that opened this plan."""
    handovers: int = 0
    """How many flows have led here, one into the other."""
    failures: int = 0
    """Wrong answers to the current stage."""
    notes: dict[str, str] = {}
    """What the current stage must know again when it is answered; secrets in it are sealed."""
    errors: tuple[FieldError, ...] = ()
    """About the last answer; shown by the page that follows it."""
    notice: str = ""
    """A sentence about why the visitor sees this page."""

    @property
    def step(self) -> Step | None:
        """The current step; None when all are passed."""
        return self.steps[self.position] if self.position < len(self.steps) else None

    @property
    def step_token(self) -> str:
        """Names the current step. An answer that carries another one is for a page that is no longer current."""
        return f"{self.id}.{self.position}"

    def begun(self) -> Plan:
        """This plan with what its context says about the visitor: whom a source has sent is proven by it."""
        arrival = self.context.arrival
        if arrival is None:
            return self
        pending = Pending(arrival.username or arrival.identifier, arrival.user) if arrival.user is not None else None
        return structs.replace(
            self,
            pending=pending,
            proven=arrival.user,
            methods=FEDERATED if arrival.user is not None else (),
            prompt_data=arrival.prompt_data(),
        )

    def passed(self) -> Plan:
        """This plan with its current step behind it."""
        return structs.replace(self, position=self.position + 1, failures=0, errors=(), notice="", notes={})

    def followed_by(self, step: Step) -> Plan:
        """This plan with ``step`` behind the current one."""
        here = self.position + 1
        return structs.replace(self, steps=(*self.steps[:here], step, *self.steps[here:]))

    def noting(self, name: str, value: str) -> Plan:
        return structs.replace(self, notes={**self.notes, name: value})

    def showing(self, *methods: str) -> Plan:
        """This plan with further proofs (RFC 8176 names)."""
        return structs.replace(self, methods=tuple(dict.fromkeys((*self.methods, *methods))))

    def with_notice(self, notice: str) -> Plan:
        return structs.replace(self, notice=notice, errors=())

    def with_errors(self, errors: tuple[FieldError, ...]) -> Plan:
        return structs.replace(self, errors=errors, notice="")

    def failed(self) -> Plan:
        return structs.replace(self, failures=self.failures + 1)

    def restarted(self, *, keep_pending: bool = False) -> Plan:
        """Back at the first step, under a new id so that pages of the old attempt are recognised."""
        return structs.replace(
            self,
            id=new_plan_id(),
            position=0,
            failures=0,
            errors=(),
            notice="",
            notes={},
            steps=tuple(step for step in self.steps if not step.stage),
            pending=self.pending if keep_pending else None,
            proven=None,
            methods=(),
            passwords_checked=(),
            prompt_data={},
            sealed_data={},
        ).begun()


def new_plan_id() -> str:
    return secrets.token_urlsafe(16)
