"""Reads what an identity provider says about log-outs (core, section 3.7): requests, and answers to ours.

Whoever calls has checked the signature of what travelled in a URL (``bindings.from_url``); a message of a form carries
its own. Only what is for this address, and written just now, counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorward.identity.sources.saml import signature
from doorward.identity.sources.saml.answers import SKEW, moment
from doorward.identity.sources.saml.errors import NotBelieved, NotSigned
from doorward.identity.sources.saml.messages import SUCCESS
from doorward.identity.sources.saml.xml import ASSERTION, PROTOCOL, Element, only, parse, text

LONGEST = timedelta(minutes=5)
"""How old a request may be."""
_MOST_SESSIONS = 100


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody's logins are to end."""

    identifier: str
    name_id: str
    session_indexes: tuple[str, ...]
    """Which; all of theirs where none is named."""
    until: datetime
    """When the request is too old to be believed."""


def signed_root(raw: bytes, keys: Sequence[signature.PublicKey]) -> Element:
    """The message of a form, as it was signed. Raises NotBelieved, NotSigned."""
    root = parse(raw)
    if not signature.is_signed(root):
        raise NotSigned("The message is not signed.")
    return signature.verified(root, keys)


def departure(request: Element, our_url: str, issuer: str, now: datetime) -> Departure:
    """Whom a LogoutRequest is about. ``issuer``: who has to say it, if that is known. Raises NotBelieved."""
    _check(request, "LogoutRequest", our_url, issuer)
    written, ends = moment(request.get("IssueInstant")), moment(request.get("NotOnOrAfter"))
    if (
        written is None
        or not now - LONGEST - SKEW <= written <= now + SKEW
        or (ends is not None and now - SKEW >= ends)
    ):
        raise NotBelieved("The request is too old, or from the future.")
    name_id = text(only(request, f"{ASSERTION}NameID"))
    indexes = [text(each) for each in request.findall(f"{PROTOCOL}SessionIndex")]
    if not name_id or len(indexes) > _MOST_SESSIONS:
        raise NotBelieved("The request names nobody, or too much.")
    return Departure(request.get("ID"), name_id, tuple(indexes), written + LONGEST + 2 * SKEW)


def require_done(response: Element, our_url: str, issuer: str, in_response_to: str) -> None:
    """A LogoutResponse says that the login there has ended. Raises NotBelieved."""
    _check(response, "LogoutResponse", our_url, issuer)
    if response.get("InResponseTo") != in_response_to:
        raise NotBelieved("It answers another request.")
    code = only(only(response, f"{PROTOCOL}Status"), f"{PROTOCOL}StatusCode").get("Value")
    if code != SUCCESS:
        raise NotBelieved(f"The identity provider has not ended everything: {str(code).rpartition(':')[2][:100]}.")


def _check(message: Element, name: str, our_url: str, issuer: str) -> None:
    if message.tag != f"{PROTOCOL}{name}" or message.get("Version") != "2.0" or not message.get("ID"):
        raise NotBelieved(f"The message is no {name} of SAML 2.0.")
    if message.get("Destination") != our_url:
        raise NotBelieved("The message was meant for another address.")
    if issuer and text(only(message, f"{ASSERTION}Issuer")) != issuer:
        raise NotBelieved("The message is of another identity provider, which has the same key.")
