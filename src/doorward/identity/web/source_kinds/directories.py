"""LDAP directories, which have pages of their own (``pages.directories``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.events.actor import Actor
from doorward.identity.sources.ldap import actions
from doorward.identity.sources.ldap.models import LDAPSource, Sync
from doorward.identity.sources.models import Source
from doorward.identity.web.source_kinds.kind import Offer, SourceKind


class DirectoryKind(SourceKind):
    kind = LDAPSource.KIND
    title: ClassVar[str] = gettext_noop("LDAP directory")
    state_template: ClassVar[str] = "admin/parts/directory_state.html"

    def offers(self) -> tuple[Offer, ...]:
        does = _("OpenLDAP, Active Directory and others: people log in here with the password that they have there")
        return (Offer(_("LDAP directory"), does, reverse("admin-new-directory"), "book-user"),)

    def where(self, source: Source) -> str:
        return _one(source).server_uri

    def update(self, actor: Actor, source: Source, changes: Mapping[str, Any]) -> None:
        actions.update(actor, _one(source), changes)

    def delete(self, actor: Actor, source: Source) -> None:
        actions.delete(actor, _one(source))

    def address(self, source: Source) -> str:
        return reverse("admin-directory", args=[source.slug])

    def state(self, source: Source) -> Sync | None:
        return Sync.objects.filter(source=source.pk).first()


def _one(source: Source) -> LDAPSource:
    assert isinstance(source, LDAPSource)
    return source
