"""One login through a SAML source: the question to the browser, what came back, and who that is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from msgspec import structs

from doorward.identity.policies.asked import NOTHING_KNOWN, Asked
from doorward.identity.sources import mapping
from doorward.identity.sources.arrival import Arrival
from doorward.identity.sources.oauth.attempts import Attempt
from doorward.identity.sources.saml import answers, bindings, messages, replays, service, signature
from doorward.identity.sources.saml.answers import SKEW, TRANSIENT, Vouched
from doorward.identity.sources.saml.errors import NotBelieved
from doorward.identity.sources.saml.models import SAMLSource

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_MICROSOFT = "http://schemas.microsoft.com/"
# Names that providers give to the same things, the plainest first; OIDs are those of LDAP's attributes.
USERNAMES = ("username", "uid", "urn:oid:0.9.2342.19200300.100.1.1", f"{_CLAIMS}name")
NAMES = (
    "displayName", "urn:oid:2.16.840.1.113730.3.1.241", "name", "cn", "urn:oid:2.5.4.3",
    f"{_MICROSOFT}identity/claims/displayname",
)  # fmt: skip
EMAILS = ("email", "mail", "urn:oid:0.9.2342.19200300.100.1.3", f"{_CLAIMS}emailaddress")
GROUPS = (
    "groups", "memberOf", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1", "http://schemas.xmlsoap.org/claims/Group",
    f"{_MICROSOFT}ws/2008/06/identity/claims/groups",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What the browser carries to the identity provider: a URL to go to, or a form's one field."""

    to: str
    field: str = ""


def question(source: SAMLSource, attempt: Attempt) -> Question:
    """Raises vault.Unreadable, ValueError for a key that does not sign with the source's algorithm."""
    signer = service.signer(source)
    written = messages.login_request(
        service.ourselves(source),
        request_id(attempt),
        source.sso_url,
        name_id_policy=source.name_id_policy,
        force=attempt.forced,
    )
    if source.binding_type == SAMLSource.Binding.REDIRECT:
        return Question(
            bindings.in_url(source.sso_url, bindings.REQUEST, written, "", signer.key_pem, signer.algorithm)
        )
    if signer.key_pem:
        written = signature.signed(written, signer.key_pem, signer.certificate_pem, signer.algorithm, signer.digest)
    return Question(source.sso_url, bindings.in_field(written))


def request_id(attempt: Attempt) -> str:
    """Begins as XML wants it; the state behind it is known to this browser's session only."""
    return f"_{attempt.state}"


def state_of(identifier: str) -> str:
    """The state behind a request's identifier; empty for one that is none of ours."""
    return identifier[1:] if identifier.startswith("_") else ""


def believed(source: SAMLSource, field: str) -> Vouched:
    """What the form's field says, once. Raises NotBelieved, vault.Unreadable."""
    said = answers.read(bindings.from_field(field), service.wanted(source), datetime.now(UTC))
    if said.name_id_format == TRANSIENT:
        raise NotBelieved(
            "The identity provider calls people anew with every login (a transient NameID), so nobody can be "
            "recognised. Have it send a persistent name, or the e-mail address."
        )
    replays.require_first(source, said.assertion_id, said.until)
    return said


def require_fresh(attempt: Attempt, said: Vouched) -> None:
    """Whoever has to prove anew who they are has done so since they were asked. Raises NotBelieved."""
    asked = datetime.fromtimestamp(attempt.started, UTC)
    if said.authenticated is None or said.authenticated < asked - SKEW:
        raise NotBelieved("The identity provider was to ask for the password again, and has not.")


def arrived(source: SAMLSource, said: Vouched, asked: Asked = NOTHING_KNOWN) -> Arrival:
    """Who that is, by the source's mappings. Raises mapping.MappingFailed."""
    attributes = said.attributes
    base: dict[str, object] = {
        "username": _first(attributes, USERNAMES) or said.name_id,
        "name": _first(attributes, NAMES),
        "email": _first(attributes, EMAILS) or (said.name_id if said.name_id_format.endswith(":emailAddress") else ""),
        # Providers leave out an attribute without values: who is in no group there is in none of its groups here.
        "groups": list(next((attributes[name] for name in GROUPS if name in attributes), ())),
    }
    names = {
        "name_id": said.name_id,
        "name_id_format": said.name_id_format,
        "attributes": {name: list(values) for name, values in attributes.items()},
    }
    arrival = mapping.arrival(source, said.name_id, base, names, email_verified=source.emails_are_verified, asked=asked)
    session = msgspec.json.encode((said.name_id, said.name_id_format, said.session_index)).decode()
    return structs.replace(arrival, session=session)


def _first(attributes: Mapping[str, tuple[str, ...]], names: tuple[str, ...]) -> str:
    return next((attributes[name][0] for name in names if name in attributes), "")
