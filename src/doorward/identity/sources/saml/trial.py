"""An administrator tries a source: is it there, and what would stop somebody who logs in through it?

A SAML identity provider answers browsers only, so nobody can be logged in from here; what can be known without one is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from django.utils.translation import gettext as _

from doorward.identity.egress import client
from doorward.identity.sources.saml import service
from doorward.identity.sources.saml.errors import NotSigned
from doorward.identity.sources.saml.models import SAMLSource
from doorward.identity.sources.trial import Finding


def tried(source: SAMLSource) -> tuple[Finding, ...]:
    """What is right and what is wrong, in the order in which a login needs it."""
    return tuple(_found(source))


def _found(source: SAMLSource) -> Iterator[Finding]:
    yield _there(source)
    yield from _certificates(source)
    if source.signing_kp is None:
        yield Finding("warn", _("Our requests are not signed: the provider has to take them without a signature."))
    if not source.provider_entity_id:
        yield Finding("warn", _("Whoever signs with its key is believed, also for another tenant with the same key."))
    if source.allow_idp_initiated:
        yield Finding("warn", _("It may log people in who have asked for nothing, and who may not notice as whom."))
    if source.authentication_flow_id is None:
        yield Finding("warn", _("Without a flow for whoever is known, nobody logs in through it."))
    if source.enrollment_flow_id is None:
        yield Finding("warn", _("Without a flow for whoever is new, only those who are connected already come in."))
    if not source.enabled:
        yield Finding("warn", _("It is switched off."))


def _there(source: SAMLSource) -> Finding:
    try:
        answer = client.ask("GET", source.sso_url, private=True)
    except client.NotAsked as error:
        # Browsers may reach what this machine does not.
        return Finding("warn", _("From here it cannot be reached: %(error)s") % {"error": error})
    if answer.status >= 500 or answer.status == 404:
        answers = {"url": source.sso_url, "status": answer.status}
        return Finding("warn", _("%(url)s answers %(status)s to a visitor without a request.") % answers)
    return Finding("good", _("%(url)s is there.") % {"url": source.sso_url})


def _certificates(source: SAMLSource) -> Iterator[Finding]:
    try:
        service.keys(source)
    except NotSigned as error:
        yield Finding("bad", str(error))
        return
    for certificate in x509.load_pem_x509_certificates(source.verification_kp.certificate_pem.encode()):
        ends = certificate.not_valid_after_utc
        words = {"name": certificate.subject.rfc4514_string() or "?", "day": ends.date().isoformat()}
        if ends < datetime.now(UTC):
            yield Finding(
                "warn",
                _(
                    "Signatures are checked with %(name)s, which was good until %(day)s: the key still counts, but its "
                    "owner may have another one by now."
                )
                % words,
            )
        else:
            yield Finding("good", _("Signatures are checked with %(name)s, good until %(day)s.") % words)
