"""Ending logins on both sides: what we ask the identity provider, and what it asks us (profiles, section 4.4)."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from doorward.identity.events.actor import Actor
from doorward.identity.logins import actions as logins
from doorward.identity.sources.saml import bindings, departures, messages, replays, service, vouched_logins
from doorward.identity.sources.saml.departures import Departure
from doorward.identity.sources.saml.models import SAMLSource
from doorward.identity.sources.saml.vouched_logins import Leaving
from doorward.identity.sources.saml.xml import Element, parse


def request_url(source: SAMLSource, leaving: Leaving) -> tuple[str, str]:
    """Where the browser goes to log out there, and the identifier of what it asks. Raises vault.Unreadable."""
    identifier = messages.new_id()
    written = messages.logout_request(
        service.ourselves(source),
        identifier,
        source.slo_url,
        name_id=leaving.name_id,
        name_id_format=leaving.name_id_format,
        session_index=leaving.session_index,
    )
    signer = service.signer(source)
    return (
        bindings.in_url(source.slo_url, bindings.REQUEST, written, "", signer.key_pem, signer.algorithm),
        identifier,
    )


def response_url(source: SAMLSource, in_response_to: str, relay_state: str) -> str:
    """Where the browser brings our answer to a request. Raises vault.Unreadable."""
    written = messages.logout_response(service.ourselves(source), source.slo_url, in_response_to)
    signer = service.signer(source)
    return bindings.in_url(source.slo_url, bindings.RESPONSE, written, relay_state, signer.key_pem, signer.algorithm)


def in_query(source: SAMLSource, raw_query: str, name: str) -> Element:
    """The message of a signed URL. Raises NotBelieved, NotSigned."""
    return parse(bindings.from_url(raw_query, name, service.keys(source)))


def in_form(source: SAMLSource, field: str) -> Element:
    """The signed message of a form. Raises NotBelieved, NotSigned."""
    return departures.signed_root(bindings.from_field(field), service.keys(source))


def end_logins(actor: Actor, source: SAMLSource, request: Element) -> Departure:
    """End the logins that a LogoutRequest, whose signature was checked, is about. Raises NotBelieved."""
    asked = departures.departure(request, source.url("slo"), source.provider_entity_id, datetime.now(UTC))
    actor = Actor(None, actor.client_ip, actor.request_id)
    with transaction.atomic():
        replays.require_first(source, asked.identifier, asked.until)
        for login in vouched_logins.of(source, asked.name_id, asked.session_indexes):
            logins.end(actor, login)
    return asked


def require_done(source: SAMLSource, response: Element, leaving: Leaving) -> None:
    """The answer to our own request says that the login there has ended. Raises NotBelieved."""
    departures.require_done(response, source.url("slo"), source.provider_entity_id, leaving.request)
