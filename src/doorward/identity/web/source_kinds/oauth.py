"""Providers of OAuth 2 and OpenID Connect: each preset is an offer of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.events.actor import Actor
from doorward.identity.sources.models import OAuthSource, Source
from doorward.identity.sources.oauth import actions
from doorward.identity.sources.oauth.presets import BY_NAME, PRESETS
from doorward.identity.sources.trial import Finding
from doorward.identity.web.forms.oauth_source import OAuthSourceForm
from doorward.identity.web.source_kinds.kind import BrowserKind, Offer, Told


class OAuthKind(BrowserKind):
    kind = OAuthSource.KIND
    title: ClassVar[str] = gettext_noop("OpenID Connect or OAuth")
    form: ClassVar[type[OAuthSourceForm]] = OAuthSourceForm

    def offers(self) -> tuple[Offer, ...]:
        address = reverse("admin-new-source-of", args=[self.kind])
        return tuple(
            Offer(preset.title, preset.does, f"{address}?preset={preset.name}", preset.symbol) for preset in PRESETS
        )

    def where(self, source: Source) -> str:
        source = _one(source)
        preset = BY_NAME[source.provider_type]
        url = source.oidc_well_known_url or source.authorization_url or preset.well_known_url
        host = (url or preset.authorization_url).partition("://")[2].partition("/")[0]
        return f"{preset.title} · {host}" if host else preset.title

    def create(self, actor: Actor, values: Mapping[str, Any]) -> Source:
        return actions.create(actor, values)

    def update(self, actor: Actor, source: Source, changes: Mapping[str, Any]) -> None:
        actions.update(actor, _one(source), changes)

    def delete(self, actor: Actor, source: Source) -> None:
        actions.delete(actor, _one(source))

    def told(self, slug: str) -> tuple[Told, ...]:
        return (Told(_("Redirect URI (callback URL)"), f"{settings.EXTERNAL_URL}/source/oauth/callback/{slug}/"),)

    def facts(self, source: Source) -> tuple[Told, ...]:
        preset = BY_NAME[_one(source).provider_type]
        return (Told(_("Kind"), preset.title), Told(_("Client ID"), _one(source).consumer_key))

    def tried(self, source: Source) -> tuple[Finding, ...]:
        from doorward.identity.sources.oauth.trial import tried

        return tried(_one(source))


def _one(source: Source) -> OAuthSource:
    assert isinstance(source, OAuthSource)
    return source
