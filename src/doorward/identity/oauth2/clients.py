"""Which client is asking, and whether it can prove it (RFC 6749 sections 2.3 and 3.2.1).

Two steps, because one grant lets a person's app password stand in for the client's secret: ``claim`` reads who the
client says it is, ``authenticate`` demands the proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from django.db.models import QuerySet

from doorward.identity.applications.models import Application
from doorward.identity.oauth2 import client_assertions, denial
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.failure_counter import client_failures
from doorward.identity.oauth2.live import application_of
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.remembered.memory import remembered

LONGEST = 255
_FLOWS = ("authentication_flow", "authorization_flow", "invalidation_flow", "step_up_flow")
_Way = OAuth2Provider.Authentication


@dataclass(frozen=True, slots=True)
class Client:
    """A provider that an application uses, as the client that it is to the outside."""

    provider: OAuth2Provider
    application: Application

    @property
    def is_public(self) -> bool:
        return self.provider.client_type == OAuth2Provider.ClientType.PUBLIC


@dataclass(frozen=True, slots=True)
class ClaimedClient:
    """Who a request says it comes from. ``client`` is None for a name that nobody has."""

    claimed_id: str
    client: Client | None
    presented_secret: str
    """Empty when none was presented."""
    method: Literal["basic", "post", "none", "assertion"]
    address: str | None
    """Of the peer, for counting failures."""
    assertion: str = ""
    """What the client signed, of one that proves itself so."""


def providers() -> QuerySet[OAuth2Provider]:
    """All that answering for a client needs, in one query."""
    return OAuth2Provider.objects.select_related("signing_key", "encryption_key", "application")


def find(client_id: str) -> Client | None:
    """The client with this id, if an application uses it (S-420)."""
    if not client_id or len(client_id) > LONGEST or "\0" in client_id:
        return None
    return _client(_provider(client_id=client_id))


def find_by_slug(slug: str) -> Client | None:
    """The client behind the application with this slug."""
    return _client(_provider(application__slug=slug))


@remembered
def _provider(**wanted: str) -> OAuth2Provider | None:
    """With what answering for it needs. Its keys are not read along: those are never kept."""
    return OAuth2Provider.objects.select_related("application", *_FLOWS).filter(**wanted).first()


def claim(authorization: str, form: Parameters, address: str | None) -> ClaimedClient | Denial:
    """Read Basic, body or bare ``client_id``; more than one way at once is a malformed request (S-416)."""
    client_id, secret = form.get("client_id"), form.get("client_secret")
    signed = _signed(client_id, form, address)
    if signed is not None:
        return denial.TWO_CLIENT_AUTHENTICATIONS if authorization or secret else signed
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ClaimedClient(client_id, find(client_id), secret, "post" if secret else "none", address)
    pair = _basic(encoded)
    if pair is None:
        return denial.MALFORMED_CLIENT
    if "client_secret" in form.values or (client_id and client_id != pair[0]):
        return denial.TWO_CLIENT_AUTHENTICATIONS
    return ClaimedClient(pair[0], find(pair[0]), pair[1], "basic", address)


def authenticate(claimed: ClaimedClient) -> Client | Denial:
    """The client, proven: a confidential one by its secret; a public one has nothing to prove."""
    if client_failures.is_exhausted(claimed.claimed_id, claimed.address):
        return denial.THROTTLED
    client = claimed.client
    if client is not None and client.is_public:
        # A secret is not asked of a public client; a wrong idea of itself is no reason to let it in, either.
        return denial.INVALID_CLIENT if claimed.presented_secret else client
    return client if client is not None and proves(claimed) else failed(claimed)


def proves(claimed: ClaimedClient) -> bool:
    """Whether a confidential client presents its secret, or its signature, in the way it is registered with. Nothing is
    counted; a signature is used up."""
    client = claimed.client
    if client is None or client.is_public:
        return False
    way = client.provider.client_authentication
    if way == _Way.PRIVATE_KEY_JWT or claimed.method == "assertion":
        return way == _Way.PRIVATE_KEY_JWT and client_assertions.proves(client.provider, claimed.assertion)
    if way in (_Way.CLIENT_SECRET_BASIC, _Way.CLIENT_SECRET_POST) and way != f"client_secret_{claimed.method}":
        return False
    return _same_secret(claimed.presented_secret, client.provider.client_secret)


def failed(claimed: ClaimedClient) -> Denial:
    """Count the failure; the answer is the same whether the client exists or not."""
    if claimed.client is not None:
        client_failures.failed(claimed.claimed_id, claimed.address)
    return denial.INVALID_CLIENT


def _client(provider: OAuth2Provider | None) -> Client | None:
    application = application_of(provider) if provider is not None else None
    return Client(provider, application) if provider is not None and application is not None else None


def _signed(client_id: str, form: Parameters, address: str | None) -> ClaimedClient | None:
    """A request with an assertion of the client about itself; others are somebody else's, and no proof of a client."""
    assertion = form.get("client_assertion")
    if not assertion or form.get("client_assertion_type") != client_assertions.TYPE:
        return None
    client = find(client_assertions.named_client(assertion))
    if client is None or client.provider.client_authentication != _Way.PRIVATE_KEY_JWT:
        return None
    claimed_id = client.provider.client_id
    if client_id and client_id != claimed_id:
        return ClaimedClient(client_id, None, "", "assertion", address)
    return ClaimedClient(claimed_id, client, "", "assertion", address, assertion)


def _same_secret(presented: str, secret: str) -> bool:
    if not presented or not secret:
        return False
    # Hashes have one length: the comparison tells neither content nor length of the secret.
    return hmac.compare_digest(
        hashlib.sha256(presented.encode("utf-8", "surrogatepass")).digest(), hashlib.sha256(secret.encode()).digest()
    )


def _basic(encoded: str) -> tuple[str, str] | None:
    """Both parts are form-encoded before they are joined (RFC 6749 section 2.3.1)."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, separator, secret = text.partition(":")
    return (unquote(name), unquote(secret)) if separator else None
