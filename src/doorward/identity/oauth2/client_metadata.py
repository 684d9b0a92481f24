"""What a program says about itself when it registers (RFC 7591 section 2), and what of it is let through.

Only the code grant with PKCE and refreshing; redirect URIs are exact, on the hosts that the administrator named, by
https, or on a loopback address for a program without a secret (S-401 to S-405). What we do not know is ignored, as the
standard wants; what we know and do not offer is refused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from doorward.identity.egress import client as egress
from doorward.identity.oauth2 import redirects
from doorward.identity.oauth2.models import RegistrationToken
from doorward.identity.oauth2.redirects import BadRedirectUri, RedirectUri

LONGEST_NAME = 100
MOST_URIS = 20
GRANTS = ("authorization_code", "refresh_token")
METHODS = ("client_secret_basic", "client_secret_post", "none")


class Metadata(msgspec.Struct, frozen=True):
    redirect_uris: tuple[str, ...] = ()
    client_name: str = ""
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - a method
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] = ("code",)
    scope: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str = ""
    frontchannel_logout_uri: str = ""
    client_id: str = ""
    """Only in an update, where it must be the client's own (RFC 7592 section 2.2)."""
    client_secret: str = ""

    @property
    def is_public(self) -> bool:
        return self.token_endpoint_auth_method == "none"  # noqa: S105 - a method

    @property
    def uris(self) -> list[dict[str, str]]:
        """As a provider keeps them."""
        both = (("authorization", self.redirect_uris), ("logout", self.post_logout_redirect_uris))
        return [
            {"matching_mode": "strict", "url": uri, "redirect_uri_type": kind} for kind, uris in both for uri in uris
        ]


class Unacceptable(Exception):
    """``error`` is ``invalid_redirect_uri`` or ``invalid_client_metadata``; nothing of the request is repeated."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


def read(body: bytes) -> Metadata:
    """Raises Unacceptable."""
    try:
        return msgspec.json.decode(body, type=Metadata)
    except msgspec.MsgspecError:
        raise Unacceptable("invalid_client_metadata", "The body is no client metadata (RFC 7591).") from None


def judge(metadata: Metadata, token: RegistrationToken) -> None:
    """Raises Unacceptable for what ``token`` does not let through."""
    if metadata.token_endpoint_auth_method not in METHODS:
        raise _bad(f"token_endpoint_auth_method is one of {', '.join(METHODS)}.")
    if metadata.is_public and not token.public_clients:
        raise _bad("This token registers clients with a secret only.")
    if not set(metadata.grant_types) <= set(GRANTS) or "authorization_code" not in metadata.grant_types:
        raise _bad(f"grant_types can be {' and '.join(GRANTS)}.")
    if metadata.response_types != ("code",):
        raise _bad("The only response type is code.")
    name = metadata.client_name
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise _bad(f"client_name is text of at most {LONGEST_NAME} characters.")
    _judge_uris(metadata, token)
    if metadata.backchannel_logout_uri and metadata.frontchannel_logout_uri:
        raise _bad("A client hears of logouts in one way.")
    for uri in (metadata.backchannel_logout_uri, metadata.frontchannel_logout_uri):
        _judge_logout_uri(uri, token)


def _judge_uris(metadata: Metadata, token: RegistrationToken) -> None:
    if not metadata.redirect_uris:
        raise Unacceptable("invalid_redirect_uri", "At least one redirect URI is needed.")
    uris = (*metadata.redirect_uris, *metadata.post_logout_redirect_uris)
    if len(uris) > MOST_URIS:
        raise Unacceptable("invalid_redirect_uri", f"At most {MOST_URIS} redirect URIs.")
    for uri in uris:
        try:
            redirects.check(RedirectUri(uri))
        except BadRedirectUri:
            raise Unacceptable("invalid_redirect_uri", "A redirect URI is no absolute URI that may be used.") from None
        parts = urlsplit(uri)
        loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1") and metadata.is_public
        if not loopback and not (parts.scheme == "https" and _may_be(parts.hostname or "", token)):
            raise Unacceptable("invalid_redirect_uri", "A redirect URI is on no host that this token is for.")


def _judge_logout_uri(uri: str, token: RegistrationToken) -> None:
    if not uri:
        return
    try:
        egress.check(uri)
    except egress.Refused:
        raise _bad("The log-out URI may not be asked.") from None
    parts = urlsplit(uri)
    if parts.scheme != "https" or not _may_be(parts.hostname or "", token):
        raise _bad("The log-out URI is on no host that this token is for.")


def _may_be(host: str, token: RegistrationToken) -> bool:
    """By whole labels (S-308)."""
    return any(
        host.lower().endswith(allowed) if allowed.startswith(".") else host.lower() == allowed
        for allowed in token.hosts
    )


def _bad(description: str) -> Unacceptable:
    return Unacceptable("invalid_client_metadata", description)
