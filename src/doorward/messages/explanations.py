"""Answers to "why?", for the pages, the API and the command line alike.

The command line puts its questions to the identity child's private socket, like the data plane
(``messages.sessions``): ``POST /rpc/<name>`` with the MessagePack form of the question.
"""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.decisions import Decision, TrialOutcome, Weighed


class ExplainDecision(Struct, frozen=True):
    """rpc/explain-decision → a list of Explanation, newest first, or 404; 503 when the control process is away."""

    id: str
    """Its first six characters are enough."""


class ExplainAccess(Struct, frozen=True):
    """rpc/explain-access → AccessNow, or 404 when there is no such application or user."""

    application: str
    """Slug."""
    user: str
    """Name."""


class ShowHeaders(Struct, frozen=True):
    """rpc/show-headers → HeaderContract, or 404 when there is no such application or user."""

    application: str
    user: str = ""
    """Empty: the first administrator."""
    path: str = "/"
    spoof: bool = False
    """Send forged fields through the chain as well."""


class SessionStory(Struct, frozen=True, omit_defaults=True):
    """What is known of one proxy session."""

    digits: str
    """The first of the hash under which it is stored."""
    state: str
    """``live``, ``expired``, ``ended`` or ``unknown``."""
    user: str = ""
    created: float = 0.0
    expires: float = 0.0
    ended: float = 0.0
    causes: tuple[str, ...] = ()
    """What happened in the same moment that it ended."""


class AccessNow(Struct, frozen=True, omit_defaults=True):
    """What lets a person into an application, or keeps them out, as things are now."""

    application: str
    name: str
    user: str
    passing: bool
    mode: str = "any"
    """``any``: one binding is enough; ``all``: every one must say yes."""
    weighed: tuple[Weighed, ...] = ()
    """Empty with ``passing``: the application has no access rules, so everybody with an account may enter."""
    provider: str = ""
    external_host: str = ""
    skip_rules: str = ""
    sessions: tuple[SessionStory, ...] = ()
    """Live ones of this person at this application."""
    notes: tuple[str, ...] = ()


class EventLine(Struct, frozen=True, omit_defaults=True):
    at: float
    action: str
    text: str
    id: str


class Explanation(Struct, frozen=True, omit_defaults=True):
    """One decision with everything that is known about it now."""

    decision: Decision
    what: str
    remedy: str
    session: SessionStory | None = None
    access: AccessNow | None = None
    """Of the person whose session or login it was, as things are now."""
    events: tuple[EventLine, ...] = ()


class HeaderLine(Struct, frozen=True, omit_defaults=True):
    """One field of the request that an application receives."""

    name: str
    value: str
    origin: str
    """Who says it: ``outpost``, ``proxy``, ``client``, or ``user attributes``."""


class SpoofLine(Struct, frozen=True, omit_defaults=True):
    """One way of forging, tried."""

    spelling: str
    situation: str
    """``logged in`` or ``stranger``."""
    names: tuple[str, ...]
    status: int
    reached: bool
    """The request got to where the application is."""
    arrived: tuple[str, ...] = ()
    """Fields with a forged value, as the application would have received them."""

    @property
    def held(self) -> bool:
        return not self.arrived


class HeaderContract(Struct, frozen=True, omit_defaults=True):
    """Exactly what an application receives for somebody, found out by a request through the real chain."""

    application: str
    user: str
    external_host: str
    host: str = ""
    """Where the request was sent: the external host, or for a whole domain a host of it."""
    may_enter: bool = True
    reasons: tuple[str, ...] = ()
    outcome: TrialOutcome | None = None
    """Of the request as this user; None when none could be made."""
    headers: tuple[HeaderLine, ...] = ()
    given: tuple[HeaderLine, ...] = ()
    """What the outpost tells any proxy that asks: what must be copied to the application."""
    lost: tuple[HeaderLine, ...] = ()
    """Those of ``given`` that the router does not hand on: they stand in no ``authResponseHeaders``."""
    jwt: dict[str, object] = {}
    """Claims of ``X-authentik-jwt``."""
    jwt_header: dict[str, object] = {}
    cookies: tuple[str, ...] = ()
    """Names of cookies that are taken out."""
    stripped: tuple[str, ...] = ()
    """Spellings of clients that never arrive, in words."""
    stranger: TrialOutcome | None = None
    """The same request without a session."""
    spoof: tuple[SpoofLine, ...] = ()
    problem: str = ""
