"""The OpenID Connect client: where to send a browser, and what to make of what it brings back.

Authorization code with PKCE, nonce and state (RFC 9700 section 2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from doorward.outpost import login_state, verified_login
from doorward.outpost.application import Application
from doorward.outpost.back_channel import request_tokens
from doorward.outpost.foreign_login import ForeignLogins
from doorward.outpost.login_state import LoginState
from doorward.outpost.ports import IdentityChannel
from doorward.outpost.sessions.cookie import Ticket
from doorward.outpost.verified_login import VerifiedLogin


def authorize_location(application: Application, state: LoginState, ticket: Ticket) -> str:
    """The authorization endpoint with the request for this login; parameters in alphabetical order."""
    provider = application.provider
    more = dict(provider.foreign.parameters) if provider.foreign is not None else {}
    request = urlencode(
        {
            **more,
            **_step_up(application, state),
            "client_id": provider.client_id,
            "code_challenge": login_state.challenge(login_state.verifier(application, state, ticket)),
            "code_challenge_method": "S256",
            "nonce": login_state.nonce(application, state, ticket),
            "redirect_uri": application.redirect_uri,
            "response_type": "code",
            "scope": " ".join(provider.scopes),
            "state": login_state.write(application, state),
        }
    )
    endpoint = provider.authorization_endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{request}"


def _step_up(application: Application, state: LoginState) -> dict[str, str]:
    """What the issuer is asked to make sure of (OpenID Connect Core section 3.1.2.1); it asks the person only for what
    is missing."""
    if application.steps is None or not (steps := application.steps.known(state.steps)):
        return {}
    values, age = application.steps.acr_values(steps), application.steps.max_age(steps)
    wanted = {"acr_values": " ".join(values)} if values else {}
    return wanted if age is None else {**wanted, "max_age": str(age)}


def end_session_location(application: Application, id_token: str, return_to: str) -> str:
    """The end-session endpoint (OpenID Connect RP-Initiated Logout); ``return_to`` may be empty."""
    request = {"id_token_hint": id_token} if id_token else {}
    if application.provider.foreign is not None:
        request["client_id"] = application.provider.client_id
    if return_to:
        request["post_logout_redirect_uri"] = return_to
    endpoint = application.provider.end_session_endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(request)}"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Turns codes into verified logins."""

    channel: IdentityChannel
    now: Callable[[], float]
    foreign: ForeignLogins = field(kw_only=True)

    async def redeem(self, application: Application, code: str, state: LoginState, ticket: Ticket) -> VerifiedLogin:
        """Exchange ``code`` and verify what comes. Raises GrantRefused, TokenRefused, NotAdmitted,
        IdentityUnreachable."""
        grant = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": application.redirect_uri,
            "code_verifier": login_state.verifier(application, state, ticket),
        }
        tokens = await request_tokens(self.channel, application, grant)
        nonce = login_state.nonce(application, state, ticket)
        if application.provider.foreign is not None:
            return await self.foreign.complete(application, tokens, nonce)
        return verified_login.verify(application, tokens, self.now(), nonce)
