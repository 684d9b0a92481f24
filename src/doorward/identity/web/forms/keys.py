"""Make and take in keys."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.web.forms.fields import PLAIN

KINDS = [
    ("ES256", gettext_lazy("Elliptic curve P-256 (ES256): the usual choice")),
    ("RS256", gettext_lazy("RSA with 2048 bits (RS256): for old applications, and for encryption")),
    ("ES384", gettext_lazy("Elliptic curve P-384 (ES384)")),
    ("ES512", gettext_lazy("Elliptic curve P-521 (ES512)")),
    ("EdDSA", gettext_lazy("Ed25519 (EdDSA)")),
]


class NewKeyForm(forms.Form):
    name = forms.CharField(max_length=150)
    algorithm = forms.ChoiceField(label="Kind", choices=KINDS, widget=forms.RadioSelect)
    common_name = forms.CharField(
        label="Name in the certificate", max_length=64, required=False, help_text="The name above, if empty."
    )
    valid_days = forms.IntegerField(
        label="Valid for days", min_value=1, max_value=36500, help_text="Of the certificate; tokens do not mind."
    )


class ImportKeyForm(forms.Form):
    name = forms.CharField(max_length=150)
    certificate_data = forms.CharField(
        label="Certificate",
        max_length=100_000,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "6", "placeholder": "-----BEGIN CERTIFICATE-----"}),
    )
    key_data = forms.CharField(
        label="Private key",
        max_length=100_000,
        required=False,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "6", "placeholder": "-----BEGIN PRIVATE KEY-----"}),
        help_text="Without a password. Leave it empty for a certificate that tokens are only encrypted for.",
    )
