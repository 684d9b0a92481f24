"""Let programs register themselves as clients."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from doorward.identity.directory.models import Group
from doorward.identity.flows.defaults import EXPLICIT_CONSENT, PROVIDER_INVALIDATION
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.models import ScopeMapping
from doorward.identity.oauth2.registration_tokens import MOST_USES
from doorward.identity.web.forms.fields import PLAIN, FlowField, plain_input
from doorward.identity.web.forms.oauth2_providers import USUAL_SCOPES, ScopesField

LIVES = {
    "1": gettext_lazy("A day"),
    "7": gettext_lazy("A week"),
    "30": gettext_lazy("30 days"),
    "365": gettext_lazy("A year"),
}
"""Days."""


class RegistrationTokenForm(forms.Form):
    name = forms.CharField(max_length=150, widget=plain_input(), help_text="For you to recognise it by.")
    hosts = forms.CharField(
        label="Hosts of redirect URIs",
        max_length=10_000,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "3", "placeholder": "app.example.com\n.apps.example.com"}),
        help_text="One per line. A dot in front stands for everything below it. Nobody is sent anywhere else.",
    )
    scope_mappings = ScopesField(
        ScopeMapping.objects.all(),
        label="What the applications may be told",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    group = forms.ModelChoiceField(
        Group.objects.order_by("name"),
        label="Who may enter them",
        required=False,
        empty_label=gettext_lazy("Everybody"),
    )
    authorization_flow = FlowField(
        Flow.Designation.AUTHORIZATION,
        label="Authorization flow",
        help_text="Explicit consent asks people before an application learns who they are.",
    )
    invalidation_flow = FlowField(Flow.Designation.INVALIDATION, label="Log-out flow")
    public_clients = forms.BooleanField(
        label="Also programs on people’s devices, which keep no secret",
        required=False,
        help_text="They may then name loopback addresses to return to.",
    )
    uses = forms.IntegerField(label="How many may register", min_value=1, max_value=MOST_USES, initial=1)
    life = forms.ChoiceField(label="How long it works", choices=list(LIVES.items()), initial="1")

    def __init__(self, data: Any = None) -> None:
        initial = {
            "authorization_flow": Flow.objects.filter(slug=EXPLICIT_CONSENT).first(),
            "invalidation_flow": Flow.objects.filter(slug=PROVIDER_INVALIDATION).first(),
            "scope_mappings": list(ScopeMapping.objects.filter(scope_name__in=USUAL_SCOPES, managed__isnull=False)),
        }
        super().__init__(data, initial=initial)

    @property
    def expires(self) -> datetime:
        return timezone.now() + timedelta(days=int(self.cleaned_data["life"]))

    @property
    def fields_of_token(self) -> dict[str, Any]:
        """As the action takes them."""
        kept = {name: value for name, value in self.cleaned_data.items() if name != "life"}
        return {**kept, "hosts": self.cleaned_data["hosts"].split(), "expires": self.expires}
