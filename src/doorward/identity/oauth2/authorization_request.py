"""Reading an authorization request: the checks of ``contracts/identity.md`` section 2.2, in that order.

Until client and redirect URI are known to belong together an error is a page here (S-401, S-406); afterwards it is a
redirect to the client, with a description from our own list (S-453). Nothing is ever fetched: ``request_uri`` is only
taken for what a client has pushed here (S-437, RFC 9126).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

from django.utils.translation import gettext as _

from doorward.identity.oauth2 import claims_request, clients, denial, pkce, pushed_requests, redirects, scopes
from doorward.identity.oauth2 import response_types as types
from doorward.identity.oauth2.claims_request import ClaimsRequest
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
    pushed: str = ""
    """Key of the pushed request that is being answered."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is answered with an error at the client."""

    return_to: ReturnTo
    denial: Denial


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A well-formed request of a known client."""

    return_to: ReturnTo
    response_type: frozenset[str]
    scopes: tuple[str, ...]
    mappings: Mappings
    nonce: str
    code_challenge: str
    prompt: frozenset[str]
    max_age: int | None
    """Seconds."""
    claims: ClaimsRequest
    acr_values: tuple[str, ...]
    """Wished for, by ``acr_values`` or by name; ``claims.acr_essential`` makes one of them a must."""
    login_hint: str
    id_token_hint: str

    @property
    def client(self) -> Client:
        return self.return_to.client


def read(parameters: Parameters) -> AuthorizationRequest | Refusal | PageError:
    """What a browser brings: the request itself, or the reference to one that was pushed."""
    reference = parameters.get("request_uri")
    if not reference.startswith(pushed_requests.PREFIX):
        return judge(parameters)
    row = pushed_requests.find(parameters.get("client_id"), reference)
    if row is None:
        return over()
    # Whatever stands beside the reference counts for nothing (RFC 9126 section 4).
    asked = judge(pushed_requests.parameters_of(row), pushed=True)
    if isinstance(asked, PageError):
        return asked
    return replace(asked, return_to=replace(asked.return_to, pushed=row.pk))


def over() -> PageError:
    """Of a pushed request that cannot be answered any more, or not here."""
    return PageError(
        _("This request is over"),
        _("The application’s request has expired, or was answered already. Go back to it and start again."),
    )


def judge(parameters: Parameters, *, pushed: bool = False) -> AuthorizationRequest | Refusal | PageError:
    """The request in ``parameters``; ``pushed``: they came from the client itself."""
    return_to = _return_to(parameters)
    if isinstance(return_to, PageError):
        return return_to
    refused = _refused(parameters, return_to, pushed)
    if refused is not None:
        return Refusal(return_to, refused)
    wanted = types.read(parameters.get("response_type")) or frozenset()
    mappings = scopes.mappings_of(return_to.client.provider)
    granted = _granted(parameters, wanted, mappings)
    try:
        claims = claims_request.read(parameters.get("claims"))
    except claims_request.Malformed:
        return Refusal(return_to, denial.BAD_CLAIMS)
    if not granted:
        return Refusal(return_to, denial.NO_SCOPE_LEFT)
    if wanted & {types.ID_TOKEN} and scopes.OPENID not in granted:
        return Refusal(return_to, denial.NO_OPENID)
    max_age = parameters.get("max_age")
    return AuthorizationRequest(
        return_to=return_to,
        response_type=wanted,
        scopes=granted,
        mappings=mappings,
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        prompt=frozenset(parameters.get("prompt").split()),
        max_age=int(max_age) if max_age else None,
        claims=claims,
        acr_values=claims.acr or tuple(parameters.get("acr_values").split()),
        login_hint=parameters.get("login_hint")[:255],
        id_token_hint=parameters.get("id_token_hint"),
    )


def _granted(parameters: Parameters, wanted: frozenset[str], mappings: Mappings) -> tuple[str, ...]:
    granted = scopes.allowed(parameters.get("scope").split(), mappings)
    # Offline access is a refresh token, and only a code is redeemed for one.
    return granted if types.CODE in wanted else tuple(scope for scope in granted if scope != scopes.OFFLINE_ACCESS)


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
    return ReturnTo(client, uri, _mode(parameters), parameters.get("state"))


def _mode(parameters: Parameters) -> ResponseMode:
    mode = parameters.get("response_mode")
    if mode in _MODES:
        return cast(ResponseMode, mode)
    in_front = (types.read(parameters.get("response_type")) or frozenset()) - {types.CODE}
    return "fragment" if in_front else "query"


def _refused(parameters: Parameters, return_to: ReturnTo, pushed: bool) -> Denial | None:
    if parameters.repeated:
        return denial.REPEATED
    provider = return_to.client.provider
    if provider.require_pushed_requests and not pushed:
        return denial.NOT_PUSHED
    if parameters.get("request"):
        return denial.REQUEST_NOT_SUPPORTED
    if parameters.get("request_uri"):
        return denial.REQUEST_URI_NOT_SUPPORTED
    return _refused_type(parameters, return_to) or _refused_nonce(parameters) or _refused_prompt(parameters)


def _refused_type(parameters: Parameters, return_to: ReturnTo) -> Denial | None:
    text = parameters.get("response_type")
    if not text:
        return denial.NO_RESPONSE_TYPE
    wanted = types.read(text)
    if wanted is None:
        return denial.UNSUPPORTED_RESPONSE_TYPE
    if not types.allowed(return_to.client.provider, wanted):
        # A client that has no such flow is to be told what there is, not that it exists for others.
        return denial.UNAUTHORIZED_CLIENT if wanted == {types.CODE} else denial.UNSUPPORTED_RESPONSE_TYPE
    if wanted != {types.CODE} and return_to.response_mode == "query":
        return denial.TOKENS_IN_QUERY
    return _refused_challenge(parameters, return_to.client) if types.CODE in wanted else None


def _refused_nonce(parameters: Parameters) -> Denial | None:
    nonce = parameters.get("nonce")
    if len(nonce) > LONGEST_NONCE:
        return denial.NONCE_TOO_LONG
    in_front = types.ID_TOKEN in (types.read(parameters.get("response_type")) or frozenset())
    return denial.NO_NONCE if in_front and not nonce else None


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
