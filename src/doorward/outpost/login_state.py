"""The ``state`` of a login under way: signed, short-lived, bound to one browser, and stored nowhere.

It is a JWT that only this provider's cookie secret can make. ``sid`` ties it to the browser's cookie, ``exp`` ends
it after 15 minutes, and ``jti`` lets the store accept it once. The PKCE verifier and the nonce are worked out from
``jti`` and the random id in the cookie, so that they need no memory either and nobody who sees the state can know
them (S-310, S-311). A stranger's thousand requests leave nothing behind (S-917).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

import msgspec
from msgspec import Struct

from doorward.outpost.application import Application
from doorward.outpost.sessions.cookie import BEGUN, SESSION, Ticket
from doorward.tokens import base64url, shared_secret
from doorward.tokens.refused import TokenRefused

LIFETIME = 900
"""Seconds."""


class LoginState(Struct, frozen=True, omit_defaults=True):
    """The claims of the state."""

    iss: str
    sid: str
    jti: str
    exp: int
    redirect: str = ""
    """Path and query to return to; empty for the application's start page."""
    kept: str = ""
    """Key under which the store keeps a ``redirect`` that is too long to travel."""
    steps: tuple[int, ...] = ()
    """Places of the step-up rules for whose sake it was begun (``config.step_up_rules``)."""


class StateExpired(Exception):
    """A state that was good once; ``state`` tells where its login was heading."""

    def __init__(self, state: LoginState) -> None:
        super().__init__("the login took too long")
        self.state = state


def begin(
    application: Application,
    ticket: Ticket,
    now: float,
    redirect: str = "",
    kept: str = "",
    steps: tuple[int, ...] = (),
) -> LoginState:
    """The state of a new login of the browser that holds ``ticket``."""
    return LoginState(
        iss=_issuer(application),
        sid=base64url.encode(ticket.id_hash),
        jti=base64url.encode(secrets.token_bytes(16)),
        exp=int(now) + LIFETIME,
        redirect=redirect,
        kept=kept,
        steps=steps,
    )


def write(application: Application, state: LoginState) -> str:
    """The state as it travels."""
    return shared_secret.write(msgspec.json.encode(state), application.provider.cookie_secret.encode())


def read(application: Application, token: str, now: float) -> LoginState:
    """The state that we wrote for this application. Raises TokenRefused, StateExpired."""
    state = shared_secret.read(token, application.provider.cookie_secret.encode(), LoginState)
    if state.iss != _issuer(application):
        raise TokenRefused("iss", "is another application's")
    if state.exp <= now:
        raise StateExpired(state)
    return state


def beginner(application: Application, state: LoginState, ticket: Ticket | None) -> Ticket | None:
    """The ticket with which this login was begun, if the browser that sent ``ticket`` has begun it.

    Who only steps up keeps the session meanwhile, and so its cookie: what was begun hangs on an id that nobody but the
    holder of that session has, and that is never good for a session itself (S-312).
    """
    if ticket is not None and ticket.kind == SESSION and state.steps:
        ticket = application.cookies.pre_login(ticket)
    if ticket is None or ticket.kind != BEGUN:
        return None
    own = hmac.compare_digest(state.sid.encode(), base64url.encode(ticket.id_hash).encode())
    return ticket if own else None


def verifier(application: Application, state: LoginState, ticket: Ticket) -> str:
    """The PKCE code verifier (RFC 7636 section 4.1), 43 characters."""
    return _derive(application, b"pkce", state, ticket)


def challenge(code_verifier: str) -> str:
    """Its S256 challenge."""
    return base64url.encode(hashlib.sha256(code_verifier.encode()).digest())


def nonce(application: Application, state: LoginState, ticket: Ticket) -> str:
    """The nonce that the ID token must repeat."""
    return _derive(application, b"nonce", state, ticket)


def _derive(application: Application, purpose: bytes, state: LoginState, ticket: Ticket) -> str:
    message = b"\0".join((purpose, state.jti.encode(), ticket.secret))
    return base64url.encode(hmac.digest(application.provider.cookie_secret.encode(), message, "sha256"))


def _issuer(application: Application) -> str:
    return f"goauthentik.io/outpost/{application.provider.client_id}"
