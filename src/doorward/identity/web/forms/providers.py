"""What the forms of all providers have."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.flows.defaults import IMPLICIT_CONSENT, PROVIDER_INVALIDATION
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.sources.models import OAuthSource
from doorward.identity.web.forms.fields import FlowField


class ProviderForm(forms.Form):
    """What all providers have."""

    name = forms.CharField(max_length=150)
    authorization_flow = FlowField(
        Flow.Designation.AUTHORIZATION,
        label="Authorization flow",
        help_text="Explicit consent asks people before the application learns who they are.",
    )
    invalidation_flow = FlowField(Flow.Designation.INVALIDATION, label="Log-out flow")
    authentication_flow = FlowField(
        Flow.Designation.AUTHENTICATION,
        label="Login flow",
        required=False,
        empty_label=gettext_lazy("The usual one"),
        help_text="For whoever is not logged in yet.",
    )
    jwt_federation_sources = forms.ModelMultipleChoiceField(
        OAuthSource.objects.all(),
        label="Sources whose tokens programs may bring",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Signed by the source’s issuer, for this provider’s client ID alone. A program is whoever is "
        "connected to the source by the name that it has there.",
    )

    def __init__(self, data: Any = None, *, provider: OAuth2Provider | None = None, **options: Any) -> None:
        initial = self.defaults() if provider is None else self.stored(provider)
        super().__init__(data, initial=initial, **options)

    def defaults(self) -> dict[str, Any]:
        """For a new provider."""
        return {
            "authorization_flow": Flow.objects.filter(slug=IMPLICIT_CONSENT).first(),
            "invalidation_flow": Flow.objects.filter(slug=PROVIDER_INVALIDATION).first(),
        }

    def stored(self, provider: OAuth2Provider) -> dict[str, Any]:
        """As the provider is."""
        fields = {name: getattr(provider, name) for name in self.base_fields if hasattr(provider, name)}
        return {**fields, "jwt_federation_sources": list(provider.jwt_federation_sources.all())}
