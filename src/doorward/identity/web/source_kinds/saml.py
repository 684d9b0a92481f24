"""SAML identity providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.crypto import actions as crypto
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.events.actor import Actor
from doorward.identity.sources.models import Source
from doorward.identity.sources.saml import actions
from doorward.identity.sources.saml.models import SAMLSource
from doorward.identity.sources.trial import Finding
from doorward.identity.web.forms.saml_source import SAMLSourceForm
from doorward.identity.web.source_kinds.kind import BrowserKind, Offer, Told


class SAMLKind(BrowserKind):
    kind = SAMLSource.KIND
    title: ClassVar[str] = gettext_noop("SAML identity provider")
    form: ClassVar[type[SAMLSourceForm]] = SAMLSourceForm

    def offers(self) -> tuple[Offer, ...]:
        does = gettext_noop("Entra ID, Google Workspace, Okta, Shibboleth, Keycloak and others, from their metadata")
        return (Offer("SAML", does, reverse("admin-new-source-of", args=[self.kind]), "id-card"),)

    def where(self, source: Source) -> str:
        return _one(source).sso_url.partition("://")[2].partition("/")[0]

    def create(self, actor: Actor, values: Mapping[str, Any]) -> Source:
        with transaction.atomic():
            return actions.create(actor, _with_certificate(actor, values, None))

    def update(self, actor: Actor, source: Source, changes: Mapping[str, Any]) -> None:
        with transaction.atomic():
            actions.update(actor, _one(source), _with_certificate(actor, changes, _one(source)))

    def delete(self, actor: Actor, source: Source) -> None:
        actions.delete(actor, _one(source))

    def told(self, slug: str) -> tuple[Told, ...]:
        base = f"{settings.EXTERNAL_URL}/source/saml/{slug}"
        return (
            Told(_("Metadata, and entity ID (audience)"), f"{base}/metadata/"),
            Told(_("Assertion consumer service (ACS), by HTTP-POST"), f"{base}/acs/"),
            Told(_("Single log-out, by HTTP-Redirect"), f"{base}/slo/"),
        )

    def facts(self, source: Source) -> tuple[Told, ...]:
        one = _one(source)
        return (
            Told(_("Its entity ID"), one.provider_entity_id or _("any that has the key")),
            Told(_("Signatures are checked with"), one.verification_kp.name),
        )

    def tried(self, source: Source) -> tuple[Finding, ...]:
        from doorward.identity.sources.saml.trial import tried

        return tried(_one(source))


def _with_certificate(actor: Actor, values: Mapping[str, Any], source: SAMLSource | None) -> dict[str, Any]:
    """A certificate that was pasted, or came with the metadata, becomes one that is kept; the same one stays."""
    found = {name: value for name, value in values.items() if name != "certificate"}
    pem = str(values.get("certificate", "")).replace("\r\n", "\n").strip() + "\n"
    if not pem.strip():
        return found
    if source is not None and source.verification_kp.certificate_pem.strip() == pem.strip():
        return {**found, "verification_kp": source.verification_kp}
    base = f"SAML: {values.get('name') or (source.name if source else '')}"
    names = set(CertificateKeyPair.objects.filter(name__startswith=base).values_list("name", flat=True))
    name, number = base, 1
    while name in names:
        number += 1
        name = f"{base} {number}"
    try:
        return {**found, "verification_kp": crypto.import_pair(actor, name=name, certificate_pem=pem)}
    except ValidationError as error:
        raise ValidationError({"certificate": error.messages}) from error


def _one(source: Source) -> SAMLSource:
    assert isinstance(source, SAMLSource)
    return source
