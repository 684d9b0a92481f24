"""Why somebody was not let in: one record per refusal and per redirect to the login, for whoever asks afterwards.

Requests that pass leave no record: why one may pass is asked of what is in force now. A record never holds a secret:
no query, no cookie, no token; a session is named by the first digits of the hash under which it is stored.

The control process keeps the newest records of all workers and answers on a private socket of its own
(``explain.sock``): a frame with a ``ToExplainer``, answered by a frame with a ``FromExplainer``.
"""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.sessions import ProxySession

SESSION_DIGITS = 12
"""Hex digits of a session's hash that name it in a record."""


class Weighed(Struct, frozen=True):
    """One binding of an application's access rules, and what it said about somebody."""

    binding: str
    passing: bool
    reason: str


class Decision(Struct, frozen=True, omit_defaults=True):
    """One refusal or redirect."""

    id: str
    """The request's id: also on the page that was shown, in the log and in events."""
    at: float
    """Unix seconds."""
    reason: str
    """A key of ``REASONS``."""
    status: int = 0
    """Of the answer."""
    answer: str = ""
    """What the answer was, in a few words."""
    detail: str = ""
    """What belongs to the reason: the rule, the error, the sentence on the page."""
    asked_by: str = ""
    """Whose way of asking it was (Traefik, Caddy, nginx, Envoy), ``browser`` for our own endpoints, ``proxy`` for what
    our proxy refused by itself, ``identity provider`` for what it did."""
    fused: bool = False
    """Our own proxy asked, in the same process."""
    peer: str = ""
    """Address that the question came from; empty when fused."""
    trusted: bool = False
    """Whether that address may speak for browsers."""
    client: str = ""
    """Address of the browser, as far as it is known."""
    method: str = ""
    scheme: str = ""
    host: str = ""
    path: str = ""
    """As it was judged, without the query."""
    asked_path: str = ""
    """As it was spelled, where that differs."""
    provider: int = 0
    """Key of the proxy provider; 0 when no application was found."""
    application: str = ""
    """Slug."""
    external_host: str = ""
    cookie: str = ""
    """``none``, ``login begun``, ``session``, ``two different`` or ``unreadable``."""
    session: str = ""
    """First digits of the session's hash, when the cookie named one."""
    skip_rules: str = ""
    """What the rules for unauthenticated paths said."""
    authorization: str = ""
    """What became of an ``Authorization`` field."""
    navigation: bool = True
    """The request looked like a page that a person opens."""
    user: str = ""
    """Who it was, when that is known."""
    weighed: tuple[Weighed, ...] = ()
    known_hosts: tuple[str, ...] = ()
    """When no application was found: some that there are."""


class Why(Struct, frozen=True):
    """A reason in words."""

    what: str
    """What decided."""
    remedy: str
    """What to look at or do."""


REASONS: dict[str, Why] = {
    "no_session": Why(
        "The browser brought no session for this application.",
        "This is how every login begins. If people who have just logged in meet it again and again, the proxy does not "
        "hand on the Cookie field, or the browser does not keep the cookie: doorward doctor URL finds out which.",
    ),
    "login_begun": Why(
        "The browser has begun to log in and has not come back with a session yet.",
        "If the login was completed, the answer with the session's cookie did not reach the browser.",
    ),
    "session_gone": Why(
        "The browser's session is not live: it has ended, has expired, or belongs to another application.",
        "The session's own line below says when it ended, as far as that is known.",
    ),
    "duplicate_cookie": Why(
        "Two different session cookies came with one request, so neither counts.",
        "A sibling host or an older version has set a cookie of the same name. The answer deletes the copies; if they "
        "come back, look at who sets cookies for the parent domain.",
    ),
    "unreadable_cookie": Why(
        "The session cookie was not made by this application's provider, or was changed on the way.",
        "It may come from an older set-up. The browser gets a new one with the next login.",
    ),
    "credentials_wrong": Why(
        "The Authorization field was not accepted.",
        "It must hold an app password (Basic) or a token (Bearer) of an active user who may enter the application. "
        "Where the application itself wants such fields, switch off “Receive header authentication” of the provider.",
    ),
    "credentials_too_many": Why(
        "Too many wrong credentials came from this address within five minutes; nothing more is tried for a while.",
        "Find the program with the old password or token, and wait five minutes.",
    ),
    "credentials_unchecked": Why(
        "The issuer did not answer, so the Authorization field could not be checked.",
        "Look at the identity provider's health and log.",
    ),
    "unusable_rule": Why(
        "A rule for unauthenticated paths cannot be used, and nobody can say what it was meant to open.",
        "Correct the rule at the provider (Unauthenticated paths). Who is logged in gets in meanwhile.",
    ),
    "loop": Why(
        "The browser was sent to log in several times in a few seconds without arriving; a page explained it instead "
        "of another redirect.",
        "doorward doctor URL drives the same way and names the cause: a lost cookie, a wrong scheme or host, a proxy "
        "that does not hand on the Cookie field, or clocks that differ.",
    ),
    "no_application": Why(
        "No application has this host and path.",
        "Compare the host with the external hosts below. The application must have a provider with this external host, "
        "and the provider must be assigned to the outpost that was asked.",
    ),
    "ambiguous_path": Why(
        "Servers could give this path to different applications, so it is nobody's.",
        "A client that sends such a path is broken or hostile; applications with a path of their own are strict.",
    ),
    "ambiguous_escape": Why(
        "The path has an escaped separator (such as %2F) or ..; in it, and the application has rules for "
        "unauthenticated paths or for step-up: proxy and application could disagree about which path it is.",
        "If the application needs such paths, take those rules away, or give the paths that they are about a router of "
        "their own.",
    ),
    "step_up": Why(
        "The session is good for the application, but a step-up rule asks for more on this path: a second factor, or a "
        "more recent login.",
        "The rule and what the login has stand below. A browser is sent to show what is missing; whoever has no factor "
        "sets one up first. Scripts get the status 401 with error insufficient_user_authentication.",
    ),
    "step_up_program": Why(
        "A program brought good credentials, and a step-up rule asks on this path for what no program has.",
        "Let the rule except programs (machines) if they are meant to get there, or let them use another path.",
    ),
    "unreadable_question": Why(
        "The proxy did not tell what the browser had asked for, or said it in a way that could mean two things.",
        "Traefik, Caddy and HAProxy must send X-Forwarded-Proto, -Host and -Uri; nginx X-Original-URL; Envoy Host and "
        "X-Forwarded-Proto. The setup on the application's page has it right.",
    ),
    "untrusted_peer": Why(
        "The address that asked is no proxy of this outpost's, so its word about a browser does not count.",
        "Add the proxy's address to the trusted ones (forwardedHeaders.trustedIPs of the entry point, or "
        "trustedProxies of a doorward outpost), or ask from a trusted one.",
    ),
    "two_hosts": Why(
        "nginx chose the server block of another host than the one that its X-Original-URL names.",
        "A client sent an absolute request target. Nothing has to be changed.",
    ),
    "no_endpoint": Why(
        "The path is under /outpost.goauthentik.io and is none of the outpost's.",
        "Only start, callback, sign_out, ping and auth/<proxy> are there.",
    ),
    "own_endpoint": Why(
        "One of the outpost's own pages said no: the login or sign-out could not be completed.",
        "The sentence of the page is below.",
    ),
    "store_unavailable": Why(
        "The service that keeps the sessions did not answer, so nobody could be recognised, and nobody was let in.",
        "Look at the identity provider's health and log; nobody has been logged out.",
    ),
    "issuer_away": Why(
        "The identity provider does not answer, so nobody can be sent there to log in. Who is logged in goes on.",
        "Look at the identity provider, and at the outpost's log for what it said last.",
    ),
    "configuration_error": Why(
        "The answer would have been a yes by accident, and was turned into an error.",
        "This should not happen. Please report it.",
    ),
    "access_denied": Why(
        "The person is logged in, and the application's access rules do not let them in.",
        "The rules and what each said are below. Change them on the application's page, or the person's groups.",
    ),
    "only_events": Why(
        "No application was refused to anybody under this id; the identity provider wrote down these events.",
        "The events say what happened.",
    ),
    "no_router": Why(
        "No router of the proxy has a rule that fits this host and path.",
        "doorward check shows the routers. Compare the host, the path and the entry point with their rules.",
    ),
    "foreign_origin": Why(
        "A WebSocket that rides on somebody's session was opened by a page of another origin.",
        "The origin is below. Only the application's own pages may open such WebSockets.",
    ),
    "auth_server_failed": Why(
        "The auth server that the router's forwardAuth asks did not decide: it was not reached, was too slow, or "
        "answered something that is neither yes nor no.",
        "The log says what it answered. Compare the middleware's address with where the auth server listens.",
    ),
    "session_over": Why(
        "What let the request in ended before the application had answered: somebody logged out, or an app password "
        "was taken away.",
        "Nothing has to be changed. The application may have done what it was asked to.",
    ),
    "broken_router": Why(
        "The router that fits cannot be used, so it answers nobody.",
        "The detail names the broken middleware or service; correct the configuration.",
    ),
}


class FindDecisions(Struct, frozen=True, tag=True):
    """The newest records that fit all that is not empty. ``id`` may be the first 6 characters or more."""

    id: str = ""
    application: str = ""
    host: str = ""
    """A part of it."""
    client: str = ""
    reason: str = ""
    limit: int = 50


class DecisionsFound(Struct, frozen=True, tag=True):
    decisions: tuple[Decision, ...] = ()
    """Newest first."""
    kept: int = 0
    """How many records there are in all."""
    since: float = 0.0
    """Unix seconds of the oldest of them; 0 when there is none."""


class Decided(Struct, frozen=True, tag=True):
    """These decisions were made: from a worker, or from the identity provider (which waits for no answer)."""

    decisions: tuple[Decision, ...]


class Trial(Struct, frozen=True):
    """One request that a worker sends through its own chain, with an echo in the application's place."""

    host: str
    """With the port where it is not the scheme's own."""
    tls: bool
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    """Forged or not; as a client would send them."""
    provider: int = 0
    """Whose session to come with; 0: as a stranger."""
    session: ProxySession | None = None
    """Lives in the worker's memory for this one request. Its ``id_hash`` is the worker's to make."""


class TryChain(Struct, frozen=True, tag=True):
    """Ask a worker to make ``trials``, one after another."""

    ticket: int
    trials: tuple[Trial, ...]


class TrialOutcome(Struct, frozen=True, omit_defaults=True):
    """What came of one ``Trial``."""

    reached: bool = False
    """The request arrived where the application would be."""
    status: int = 0
    """Of the answer; 0 when no router of this proxy serves the host."""
    location: str = ""
    router: str = ""
    service: str = ""
    method: str = ""
    target: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """As the application would receive them, in order."""
    given: tuple[tuple[str, str], ...] = ()
    """What the outpost says to a proxy that asks about this session, whether or not a router of ours is there."""
    entry_point: str = ""


class ChainTried(Struct, frozen=True, tag=True):
    ticket: int
    outcomes: tuple[TrialOutcome, ...] = ()
    problem: str = ""
    """Why nothing was tried."""


GUARDED, OPEN, SILENT, NOT_YET = "guarded", "open", "silent", "not yet"


class Probed(Struct, frozen=True, omit_defaults=True):
    """What the standing probe last saw at one application."""

    provider: int
    application: str
    """Slug."""
    external_host: str
    outcome: str
    """``guarded``: a stranger is sent to log in. ``open``: a stranger is let in. ``silent``: the outpost does not
    answer there. ``not yet``: nobody has looked."""
    detail: str = ""
    at: float = 0.0
    """Unix seconds of the look."""
    since: float = 0.0
    """Unix seconds since which the outcome has been this one."""


class FindProbes(Struct, frozen=True, tag=True):
    """What the standing probe has seen."""


class ProbesFound(Struct, frozen=True, tag=True):
    interval: float = 0.0
    """Seconds between two looks at one application; 0: the probe is switched off."""
    probed: tuple[Probed, ...] = ()


GOOD, NOTE, DOUBT, FAULT = "good", "note", "doubt", "fault"


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing that the doctor has seen."""

    verdict: str
    """``good``, ``note``, ``doubt`` or ``fault``."""
    code: str
    text: str
    remedy: str = ""


class Examine(Struct, frozen=True, tag=True):
    """Go a browser's way to the external host of this proxy provider, from the control process."""

    provider: int


class Examined(Struct, frozen=True, tag=True):
    url: str = ""
    findings: tuple[Finding, ...] = ()
    problem: str = ""
    """Why nothing was looked at."""


class AdministratorAtWork(Struct, frozen=True, tag=True):
    """Routes may have to change soon. Nothing is answered."""


ToExplainer = FindDecisions | Decided | TryChain | FindProbes | Examine | AdministratorAtWork
FromExplainer = DecisionsFound | ChainTried | ProbesFound | Examined
