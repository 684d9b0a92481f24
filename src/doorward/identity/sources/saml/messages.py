"""What we say to an identity provider: that somebody wants to log in, that somebody has logged out, who we are."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from doorward.identity.sources.saml.xml import ASSERTION, METADATA, PROTOCOL, SIGNATURE, attribute

POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_NAMES = f'xmlns:samlp="{PROTOCOL[1:-1]}" xmlns:saml="{ASSERTION[1:-1]}"'


@dataclass(frozen=True, slots=True)
class Ourselves:
    """Who this service provider is to one identity provider."""

    entity_id: str
    acs_url: str
    slo_url: str
    metadata_url: str


def new_id() -> str:
    """160 random bits; begins with a letter, as XML wants it."""
    return f"_{secrets.token_hex(20)}"


def login_request(us: Ourselves, identifier: str, to: str, *, name_id_policy: str, force: bool) -> bytes:
    """An AuthnRequest (core, section 3.4.1)."""
    forced = ' ForceAuthn="true"' if force else ""
    policy = f'<samlp:NameIDPolicy Format={attribute(name_id_policy)} AllowCreate="true"/>' if name_id_policy else ""
    return (
        f'<samlp:AuthnRequest {_NAMES} ID="{identifier}" Version="2.0" IssueInstant="{_now()}" '
        f'Destination={attribute(to)} ProtocolBinding="{POST}" AssertionConsumerServiceURL={attribute(us.acs_url)}'
        f"{forced}>"
        f"<saml:Issuer>{escape(us.entity_id)}</saml:Issuer>{policy}</samlp:AuthnRequest>"
    ).encode()


def logout_request(
    us: Ourselves, identifier: str, to: str, *, name_id: str, name_id_format: str, session_index: str
) -> bytes:
    """A LogoutRequest (core, section 3.7.1)."""
    form = f" Format={attribute(name_id_format)}" if name_id_format else ""
    index = f"<samlp:SessionIndex>{escape(session_index)}</samlp:SessionIndex>" if session_index else ""
    return (
        f'<samlp:LogoutRequest {_NAMES} ID="{identifier}" Version="2.0" IssueInstant="{_now()}" '
        f"Destination={attribute(to)}>"
        f"<saml:Issuer>{escape(us.entity_id)}</saml:Issuer><saml:NameID{form}>{escape(name_id)}</saml:NameID>{index}"
        "</samlp:LogoutRequest>"
    ).encode()


def logout_response(us: Ourselves, to: str, in_response_to: str) -> bytes:
    """A LogoutResponse (core, section 3.7.2): it is done."""
    return (
        f'<samlp:LogoutResponse {_NAMES} ID="{new_id()}" Version="2.0" IssueInstant="{_now()}" '
        f"Destination={attribute(to)} InResponseTo={attribute(in_response_to)}>"
        f"<saml:Issuer>{escape(us.entity_id)}</saml:Issuer>"
        f'<samlp:Status><samlp:StatusCode Value="{SUCCESS}"/></samlp:Status></samlp:LogoutResponse>'
    ).encode()


def metadata(
    us: Ourselves,
    *,
    name_id_policy: str,
    signing_der: str,
    encryption_der: str,
    with_logout: bool,
    assertions_signed: bool = True,
) -> bytes:
    """What an identity provider's administrator imports. The certificates are DER in base64, or empty."""
    keys = "".join(
        f'<md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate>'
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for use, der in (("signing", signing_der), ("encryption", encryption_der))
        if der
    )
    logout = f'<md:SingleLogoutService Binding="{REDIRECT}" Location={attribute(us.slo_url)}/>' if with_logout else ""
    want_signed = "true" if assertions_signed else "false"
    named = f"<md:NameIDFormat>{escape(name_id_policy)}</md:NameIDFormat>" if name_id_policy else ""
    return (
        f'<md:EntityDescriptor xmlns:md="{METADATA[1:-1]}" xmlns:ds="{SIGNATURE[1:-1]}" '
        f"entityID={attribute(us.entity_id)}>"
        f'<md:SPSSODescriptor AuthnRequestsSigned="{"true" if signing_der else "false"}" '
        f'WantAssertionsSigned="{want_signed}" '
        f'protocolSupportEnumeration="{PROTOCOL[1:-1]}">{keys}{logout}{named}'
        f'<md:AssertionConsumerService Binding="{POST}" Location={attribute(us.acs_url)} index="0" isDefault="true"/>'
        "</md:SPSSODescriptor></md:EntityDescriptor>"
    ).encode()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
