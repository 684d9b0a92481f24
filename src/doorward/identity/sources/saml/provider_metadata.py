"""What an identity provider's metadata says about it (SAML metadata, section 2.4): where to log in, and its keys.

Whoever imports it believes the place that it came from: a URL that an administrator wrote, or what they pasted. A
signature on it says nothing to somebody who does not know the key yet, and is not looked at.
"""

from __future__ import annotations

import base64
import binascii
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime

from doorward.identity.egress import client
from doorward.identity.sources.saml.answers import moment
from doorward.identity.sources.saml.errors import NotBelieved
from doorward.identity.sources.saml.messages import POST, REDIRECT
from doorward.identity.sources.saml.xml import METADATA, PROTOCOL, SIGNATURE, Element, only, parse, text


@dataclass(frozen=True, slots=True)
class Described:
    entity_id: str
    sso_redirect: str
    """Empty where it takes forms only."""
    sso_post: str
    slo_redirect: str
    """Empty where it has no log-out that browsers are sent to."""
    certificates_pem: str
    """What it signs with, one after the other: two while it changes its key."""
    wants_signed: bool
    """It takes requests with a signature only."""


def fetched(url: str) -> Described:
    """Raises client.NotAsked, NotBelieved."""
    answer = client.ask("GET", url, private=True)
    if answer.status != 200:
        raise NotBelieved(f"{url} answers {answer.status}.")
    return read(answer.body)


def read(raw: bytes) -> Described:
    """Raises NotBelieved for what is no metadata of one identity provider that speaks SAML 2.0."""
    root = parse(raw.strip())
    entities = [
        entity
        for entity in root.iter(f"{METADATA}EntityDescriptor")
        if entity.find(f"{METADATA}IDPSSODescriptor") is not None
    ]
    if len(entities) != 1:
        raise NotBelieved(f"The metadata describes {len(entities)} identity providers, where one belongs.")
    entity = entities[0]
    ends = moment(entity.get("validUntil"))
    if ends is not None and ends < datetime.now(UTC):
        raise NotBelieved("The metadata is too old: it says itself until when it was good.")
    about = only(entity, f"{METADATA}IDPSSODescriptor")
    if PROTOCOL[1:-1] not in (about.get("protocolSupportEnumeration") or "").split():
        raise NotBelieved("The identity provider does not speak SAML 2.0.")
    found = Described(
        entity_id=entity.get("entityID") or "",
        sso_redirect=_address(about, "SingleSignOnService", REDIRECT),
        sso_post=_address(about, "SingleSignOnService", POST),
        slo_redirect=_address(about, "SingleLogoutService", REDIRECT),
        certificates_pem="".join(_certificates(about)),
        wants_signed=about.get("WantAuthnRequestsSigned") in ("true", "1"),
    )
    if not found.certificates_pem:
        raise NotBelieved("The metadata has no certificate to check signatures with.")
    if not found.sso_redirect and not found.sso_post:
        raise NotBelieved("The metadata does not say where to log in.")
    return found


def _address(about: Element, service: str, binding: str) -> str:
    for place in about.findall(f"{METADATA}{service}"):
        if place.get("Binding") == binding:
            return str(place.get("Location") or "")
    return ""


def _certificates(about: Element) -> list[str]:
    found = []
    for key in about.findall(f"{METADATA}KeyDescriptor"):
        if key.get("use", "signing") != "signing":
            continue
        for certificate in key.iter(f"{SIGNATURE}X509Certificate"):
            encoded = "".join(text(certificate).split())
            try:
                base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError) as error:
                raise NotBelieved("A certificate in the metadata is not in base64.") from error
            lines = "\n".join(textwrap.wrap(encoded, 64))
            found.append(f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    return list(dict.fromkeys(found))
