"""Reading an authorization request: the checks of ``contracts/identity.md`` section 2.2, in that order.

Until client and redirect URI are known to belong together an error is a page here (S-401, S-406); afterwards it is a
redirect to the client, with a description from our own list (S-453). Nothing is ever fetched (S-437).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from django.utils.translation import gettext as _

from doorward.identity.oauth2 import clients, denial, pkce, redirects, scopes
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.oauth2.scopes import Mappings

ResponseMode = Literal["query", "fragment", "form_post"]
LONGEST_NONCE = 512
_MODES = frozenset({"query", "fragment", "form_post"})
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})


@dataclass(frozen=True, slots=True)
class PageError:
    """The browser must not be sent anywhere. ``client_id`` and ``redirect_uri`` are for the event, not for the page."""

    title: str
    text: str
    client: Client | None = None


@dataclass(frozen=True, slots=True)
class ReturnTo:
    """How to answer the client through the browser."""

    client: Client
    redirect_uri: str
    response_mode: ResponseMode
    state: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is answered with an error at the client."""

    return_to: ReturnTo
    denial: Denial


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A well-formed request of a known client."""

    return_to: ReturnTo
    scopes: tuple[str, ...]
    mappings: Mappings
    nonce: str
    code_challenge: str
    prompt: frozenset[str]
    max_age: int | None
    """Seconds."""
    acr_values: tuple[str, ...]
    login_hint: str
    id_token_hint: str

    @property
    def client(self) -> Client:
        return self.return_to.client


def read(parameters: Parameters) -> AuthorizationRequest | Refusal | PageError:
    return_to = _return_to(parameters)
    if isinstance(return_to, PageError):
        return return_to
    refused = _refused(parameters, return_to.client)
    if refused is not None:
        return Refusal(return_to, refused)
    mappings = scopes.mappings_of(return_to.client.provider)
    granted = scopes.allowed(parameters.get("scope").split(), mappings)
    if not granted:
        return Refusal(return_to, denial.NO_SCOPE_LEFT)
    max_age = parameters.get("max_age")
    return AuthorizationRequest(
        return_to=return_to,
        scopes=granted,
        mappings=mappings,
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        prompt=frozenset(parameters.get("prompt").split()),
        max_age=int(max_age) if max_age else None,
        acr_values=tuple(parameters.get("acr_values").split()),
        login_hint=parameters.get("login_hint")[:255],
        id_token_hint=parameters.get("id_token_hint"),
    )


def _return_to(parameters: Parameters) -> ReturnTo | PageError:
    client = clients.find(parameters.get("client_id"))
    if client is None:
        return PageError(
            _("Client ID Error"),
            _(
                "The application that sent you here is not known. If you followed a link, it may be out of date; "
                "if you run the application, compare its client ID with that of the provider."
            ),
        )
    uri = parameters.get("redirect_uri")
    if not redirects.permitted(client.provider.redirect_uris, uri, "authorization"):
        return PageError(
            _("Redirect URI Error"),
            _(
                "The application asked to send you to an address that is not registered for it. "
                "If you run the application, add exactly this address to the provider's redirect URIs."
            ),
            client,
        )
    mode = parameters.get("response_mode")
    return ReturnTo(client, uri, cast(ResponseMode, mode) if mode in _MODES else "query", parameters.get("state"))


def _refused(parameters: Parameters, client: Client) -> Denial | None:
    if parameters.repeated:
        return denial.REPEATED
    response_type = parameters.get("response_type")
    if response_type != "code":
        return denial.UNSUPPORTED_RESPONSE_TYPE if response_type else denial.NO_RESPONSE_TYPE
    if "authorization_code" not in client.provider.grant_types:
        return denial.UNAUTHORIZED_CLIENT
    if parameters.get("request"):
        return denial.REQUEST_NOT_SUPPORTED
    if parameters.get("request_uri"):
        return denial.REQUEST_URI_NOT_SUPPORTED
    if len(parameters.get("nonce")) > LONGEST_NONCE:
        return denial.NONCE_TOO_LONG
    return _refused_challenge(parameters, client) or _refused_prompt(parameters)


def _refused_challenge(parameters: Parameters, client: Client) -> Denial | None:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if not challenge:
        # A method alone is a challenge that got lost on the way.
        return denial.NO_CHALLENGE if client.provider.require_pkce or method else None
    if method != "S256":
        return denial.METHOD_NOT_S256
    return None if pkce.is_challenge(challenge) else denial.BAD_CHALLENGE


def _refused_prompt(parameters: Parameters) -> Denial | None:
    prompt = set(parameters.get("prompt").split())
    if not prompt <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        return denial.BAD_PROMPT
    max_age = parameters.get("max_age")
    if max_age and not (max_age.isascii() and max_age.isdigit() and len(max_age) <= 9):
        return denial.BAD_MAX_AGE
    return None
