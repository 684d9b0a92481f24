"""Reads what an identity provider says about somebody who logged in (profiles, section 4.1.4; S-455).

Whatever is read was signed, by a key of the source's settings. It is for us (audience, recipient), now (its times),
and the answer to what we asked, or to nothing where that is allowed. Whether it was there before is for the caller,
who has a database (``replays``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from doorward.identity.sources.saml import signature
from doorward.identity.sources.saml.encryption import opened
from doorward.identity.sources.saml.errors import Declined, NotBelieved, NotSigned
from doorward.identity.sources.saml.messages import SUCCESS
from doorward.identity.sources.saml.xml import ASSERTION, PROTOCOL, Element, only, parse, parse_within, plain, text

SKEW = timedelta(seconds=60)
"""How much another clock may differ from ours."""
LONGEST = timedelta(hours=24)
"""Nobody vouches for somebody for longer; how long an assertion is remembered at most."""
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_CONDITIONS = {f"{ASSERTION}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer must be like to be believed."""

    keys: tuple[signature.PublicKey, ...]
    entity_id: str
    acs_url: str
    signed_assertion: bool
    signed_response: bool
    unasked: bool
    """An answer to no question may do (``allow_idp_initiated``)."""
    issuer: str = ""
    """Who has to say it; empty: whoever has one of the keys."""
    private_key_pem: str = ""
    """Opens an assertion that is encrypted."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the identity provider has logged in."""

    issuer: str
    name_id: str
    name_id_format: str
    attributes: Mapping[str, tuple[str, ...]]
    session_index: str
    in_response_to: str
    """The request that it answers; empty for an answer to no question."""
    assertion_id: str
    until: datetime
    """When the assertion is no longer worth anything, and need not be remembered any more."""
    session_until: datetime | None
    authenticated: datetime | None
    """When they proved there who they are."""


def read(raw: bytes, wanted: Wanted, now: datetime) -> Vouched:
    """Raises NotBelieved, with its reason; Declined when the provider says that it logged nobody in."""
    response = parse(raw)
    if response.tag != f"{PROTOCOL}Response":
        raise NotBelieved("The message is no response.")
    response_is_signed = signature.is_signed(response)
    if response_is_signed:
        response = signature.verified(response, wanted.keys)
    elif wanted.signed_response:
        raise NotSigned("The response is not signed.")
    _check_response(response, wanted, signed=response_is_signed)
    assertion = _assertion(response, wanted, response_is_signed)
    return _vouched(response, assertion, wanted, now)


def _check_response(response: Element, wanted: Wanted, *, signed: bool) -> None:
    if response.get("Version") != "2.0":
        raise NotBelieved("The response is not of SAML 2.0.")
    destination = response.get("Destination")
    if (destination or signed) and destination != wanted.acs_url:
        raise NotBelieved("The response was meant for another address.")
    code = only(only(response, f"{PROTOCOL}Status"), f"{PROTOCOL}StatusCode")
    if code.get("Value") != SUCCESS:
        inner = code.find(f"{PROTOCOL}StatusCode")
        said = [str(part.get("Value")).rpartition(":")[2] for part in (code, inner) if part is not None]
        raise Declined(f"The identity provider has logged nobody in: {', '.join(said)[:200]}.")


def _assertion(response: Element, wanted: Wanted, response_is_signed: bool) -> Element:
    """The one assertion, as it was signed."""
    names = {f"{ASSERTION}Assertion", f"{ASSERTION}EncryptedAssertion"}
    everywhere = [element for element in response.iter() if element.tag in names]
    if len(everywhere) != 1 or everywhere[0].getparent() is not response:
        raise NotBelieved(f"{len(everywhere)} assertions where exactly one belongs.")
    assertion = everywhere[0]
    if assertion.tag == f"{ASSERTION}EncryptedAssertion":
        if not wanted.private_key_pem:
            raise NotBelieved("The assertion is encrypted, and this source has no key for that.")
        plaintext = opened(assertion, wanted.private_key_pem, unaltered=response_is_signed)
        assertion = parse_within(plaintext, assertion)
        inside = [element for element in assertion.iter() if element.tag in names]
        if assertion.tag != f"{ASSERTION}Assertion" or len(inside) != 1:
            raise NotBelieved("What is encrypted is not exactly one assertion.")
    if signature.is_signed(assertion):
        return signature.verified(assertion, wanted.keys)
    if wanted.signed_assertion or not response_is_signed:
        raise NotSigned("The assertion is not signed.")
    return assertion


def _vouched(response: Element, assertion: Element, wanted: Wanted, now: datetime) -> Vouched:
    if assertion.get("Version") != "2.0" or not assertion.get("ID"):
        raise NotBelieved("The assertion is not of SAML 2.0.")
    issuer = text(only(assertion, f"{ASSERTION}Issuer"))
    outer = response.find(f"{ASSERTION}Issuer")
    if not issuer or (outer is not None and text(outer) != issuer):
        raise NotBelieved("Response and assertion are of different issuers.")
    if wanted.issuer and issuer != wanted.issuer:
        raise NotBelieved("The assertion is of another identity provider, which has the same key.")
    subject = only(assertion, f"{ASSERTION}Subject")
    name = only(subject, f"{ASSERTION}NameID")
    name_id = text(name)
    if not name_id or len(name_id) > 512:
        raise NotBelieved("The assertion names nobody.")
    in_response_to = _confirmed(subject, response, wanted, now)
    endings = _endings(subject, now)
    conditions_until = _conditions(only(assertion, f"{ASSERTION}Conditions"), wanted, now)
    statement, session_until = _statement(assertion, now)
    return Vouched(
        issuer=issuer,
        name_id=name_id,
        name_id_format=name.get("Format") or "",
        attributes=_attributes(assertion),
        session_index=statement.get("SessionIndex") or "",
        in_response_to=in_response_to,
        assertion_id=assertion.get("ID"),
        until=max(end for end in (conditions_until, *endings, now) if end is not None) + SKEW,
        session_until=session_until,
        authenticated=moment(statement.get("AuthnInstant")),
    )


def _confirmed(subject: Element, response: Element, wanted: Wanted, now: datetime) -> str:
    """Which request it answers, from a bearer's confirmation that holds here and now."""
    reason = "The assertion has no confirmation for whoever brings it."
    for confirmation in subject.findall(f"{ASSERTION}SubjectConfirmation"):
        data = confirmation.find(f"{ASSERTION}SubjectConfirmationData")
        if confirmation.get("Method") != BEARER or data is None:
            continue
        ends = moment(data.get("NotOnOrAfter"))
        begins = moment(data.get("NotBefore"))
        answered = data.get("InResponseTo") or ""
        if data.get("Recipient") != wanted.acs_url:
            reason = "The assertion was meant for another recipient."
        elif ends is None or now - SKEW >= ends or (begins is not None and now + SKEW < begins):
            reason = "The assertion is too old, or from the future."
        elif ends > now + LONGEST:
            reason = "The assertion is meant to hold for longer than a day."
        elif answered != (response.get("InResponseTo") or ""):
            reason = "Response and assertion answer different requests."
        elif not answered and not wanted.unasked:
            reason = "It answers no request of ours, and this source does not allow that."
        else:
            return answered
    raise NotBelieved(reason)


def _endings(subject: Element, now: datetime) -> list[datetime | None]:
    """Of all confirmations: one that does not hold now may hold when the first is over."""
    found = [moment(data.get("NotOnOrAfter")) for data in subject.iter(f"{ASSERTION}SubjectConfirmationData")]
    if any(end is not None and end > now + LONGEST for end in found):
        raise NotBelieved("The assertion is meant to hold for longer than a day.")
    return found


def _conditions(conditions: Element, wanted: Wanted, now: datetime) -> datetime | None:
    begins, ends = moment(conditions.get("NotBefore")), moment(conditions.get("NotOnOrAfter"))
    if (begins is not None and now + SKEW < begins) or (ends is not None and now - SKEW >= ends):
        raise NotBelieved("The assertion is too old, or from the future.")
    if ends is not None and ends > now + LONGEST:
        raise NotBelieved("The assertion is meant to hold for longer than a day.")
    if unknown := [child for child in conditions if isinstance(child.tag, str) and child.tag not in _CONDITIONS]:
        raise NotBelieved(f"The assertion has a condition that nobody here knows: {plain(unknown[0].tag)[:50]}.")
    audiences = conditions.findall(f"{ASSERTION}AudienceRestriction")
    for restriction in audiences:
        if wanted.entity_id not in [text(audience) for audience in restriction.findall(f"{ASSERTION}Audience")]:
            raise NotBelieved("The assertion was meant for another audience.")
    if not audiences:
        raise NotBelieved("The assertion says for no audience that it is meant for it.")
    return ends


def _statement(assertion: Element, now: datetime) -> tuple[Element, datetime | None]:
    statements = assertion.findall(f"{ASSERTION}AuthnStatement")
    if not statements:
        raise NotBelieved("The assertion does not say that anybody logged in.")
    until = moment(statements[0].get("SessionNotOnOrAfter"))
    if until is not None and now - SKEW >= until:
        raise NotBelieved("The login at the identity provider has ended.")
    return statements[0], until


def _attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for statement in assertion.findall(f"{ASSERTION}AttributeStatement"):
        for row in statement.findall(f"{ASSERTION}Attribute"):
            name = row.get("Name") or ""
            values = tuple(
                said
                for value in row.findall(f"{ASSERTION}AttributeValue")
                if not any(isinstance(child.tag, str) for child in value) and (said := text(value))
            )
            if name and values:
                found[name] = found.get(name, ()) + values
    return found


def moment(written: str | None) -> datetime | None:
    """A time of XML in UTC. Raises NotBelieved for what is none."""
    if written is None:
        return None
    try:
        read_as = datetime.fromisoformat(written)
        return read_as.replace(tzinfo=UTC) if read_as.tzinfo is None else read_as.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotBelieved("A time in the message is none.") from error
