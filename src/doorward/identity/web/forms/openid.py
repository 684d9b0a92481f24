"""The settings of an OAuth2 provider that most clients never need: proof by signature, pushed requests, encryption."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.web.forms.fields import PLAIN, DurationField, FlowField, plain_input

_Way = OAuth2Provider.Authentication
ORDER = [
    "client_authentication",
    "client_jwks",
    "client_jwks_uri",
    "require_pushed_requests",
    "step_up_flow",
    "refresh_token_threshold",
    "encryption_key",
    "typed_access_tokens",
]


class KeysField(forms.JSONField):
    """A JSON Web Key Set; nothing is an empty box."""

    widget = forms.Textarea(attrs={**PLAIN, "rows": "4", "placeholder": '{"keys": [{"kty": "EC", …}]}'})

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class OpenIdForm(forms.Form):
    """Mixed into the form of OAuth2 providers."""

    client_authentication = forms.ChoiceField(
        label="How the application proves itself",
        choices=[
            (_Way.CLIENT_SECRET, gettext_lazy("With its secret, in the header or in the form")),
            (_Way.CLIENT_SECRET_BASIC, gettext_lazy("With its secret, in the header only (client_secret_basic)")),
            (_Way.CLIENT_SECRET_POST, gettext_lazy("With its secret, in the form only (client_secret_post)")),
            (_Way.PRIVATE_KEY_JWT, gettext_lazy("With a signature by a key of its own (private_key_jwt)")),
        ],
        widget=forms.RadioSelect,
    )
    client_jwks = KeysField(
        label="Its public keys",
        required=False,
        help_text="A JSON Web Key Set, for signatures. Or the address below, where it publishes them.",
    )
    client_jwks_uri = forms.CharField(
        label="Where it publishes its keys",
        required=False,
        max_length=2048,
        widget=plain_input(inputmode="url", placeholder="https://app.example.com/jwks.json"),
    )
    require_pushed_requests = forms.BooleanField(
        label="Demand pushed requests",
        required=False,
        help_text="The application must leave its request here first (PAR); nothing of it stands in a URL then.",
    )
    step_up_flow = FlowField(
        Flow.Designation.AUTHORIZATION,
        label="Flow for a second factor",
        required=False,
        empty_label=gettext_lazy("None: people log in again"),
        help_text="Where people go when the application asks for a stronger login (acr_values mfa or phr).",
    )
    refresh_token_threshold = DurationField(
        label="Keep refresh tokens that last longer than",
        help_text="seconds=0 gives a new one at every use, so that a stolen one is noticed. Keep it so if you can.",
    )
    encryption_key = forms.ModelChoiceField(
        CertificateKeyPair.objects.filter(algorithm="RS256"),
        label="Encrypt tokens for",
        required=False,
        empty_label=gettext_lazy("Nobody: tokens are signed only"),
        help_text="An RSA certificate whose private key the application has.",
    )
    typed_access_tokens = forms.BooleanField(
        label="Mark access tokens as such",
        required=False,
        help_text="typ at+jwt (RFC 9068), for services that insist on it.",
    )
