"""What an administrator says about a provider of OpenID Connect or OAuth."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _

from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.sources.models import OAuthSource, Source
from doorward.identity.sources.oauth.presets import BY_NAME, Preset
from doorward.identity.web.forms.fields import PLAIN, ObjectField, plain_input
from doorward.identity.web.forms.sources import SourceForm

ADDRESSES = ("oidc_well_known_url", "authorization_url", "access_token_url", "profile_url", "oidc_jwks_url")


def _address(label: str, help_text: str) -> forms.CharField:
    widget = plain_input(inputmode="url")
    return forms.CharField(label=label, required=False, max_length=2000, widget=widget, help_text=help_text)


class OAuthSourceForm(SourceForm):
    model = OAuthSource
    secret: ClassVar[frozenset[str]] = frozenset({"consumer_secret"})
    sections_of: ClassVar[tuple[tuple[str, tuple[str, ...], bool], ...]] = (
        (
            gettext_lazy("What the provider has given you"),
            ("consumer_key", "consumer_secret", "oidc_well_known_url"),
            False,
        ),
        (
            gettext_lazy("Addresses and ways of the provider"),
            (
                "authorization_url", "access_token_url", "profile_url", "oidc_jwks_url", "oidc_jwks",
                "additional_scopes", "pkce", "authorization_code_auth_method",
            ),
            True,
        ),
    )  # fmt: skip

    consumer_key = forms.CharField(label="Client ID", max_length=2000, widget=plain_input())
    consumer_secret = forms.CharField(
        label="Client secret",
        required=False,
        max_length=8192,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Kept encrypted, and never shown. Empty: as it is, or none.",
    )
    oidc_well_known_url = _address(
        gettext_lazy("Well-known URL"),
        gettext_lazy("From it everything else is discovered, and what the provider signs is checked."),
    )
    authorization_url = _address(
        gettext_lazy("Authorization URL"), gettext_lazy("Where people are sent. Needed without a well-known URL only.")
    )
    access_token_url = _address(gettext_lazy("Token URL"), gettext_lazy("Where the code is redeemed."))
    profile_url = _address(gettext_lazy("Profile URL"), gettext_lazy("Where it is asked who has logged in."))
    oidc_jwks_url = _address(
        gettext_lazy("Key URL"), gettext_lazy("Where the keys are that ID tokens are checked with.")
    )
    oidc_jwks = ObjectField(label="Keys", help_text="Instead of fetching them: a JSON Web Key Set.")
    additional_scopes = forms.CharField(
        label="More scopes",
        required=False,
        max_length=2000,
        widget=plain_input(),
        help_text="Besides the usual ones. A first one that begins with an asterisk replaces them.",
    )
    pkce = forms.ChoiceField(
        label="PKCE",
        choices=[
            (OAuthSource.Pkce.S256, gettext_lazy("S256")),
            (OAuthSource.Pkce.PLAIN, gettext_lazy("plain, for a provider that knows nothing better")),
            (OAuthSource.Pkce.NONE, gettext_lazy("none, for a provider that does not know it")),
        ],
        help_text="Binds the code to this login.",
    )
    authorization_code_auth_method = forms.ChoiceField(
        label="The secret is sent",
        choices=[
            (OAuthSource.AuthMethod.BASIC, gettext_lazy("In a header (client_secret_basic)")),
            (OAuthSource.AuthMethod.POST, gettext_lazy("In the form (client_secret_post)")),
        ],
    )

    def __init__(
        self, data: Any = None, *, source: Source | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        self.preset = _preset(source, initial)
        self.titled, self.register_at = self.preset.title, self.preset.register_at
        super().__init__(data, source=source, initial={**_names(self.preset), **self.preset.usual()})
        written = [name for name in ADDRESSES if self.initial.get(name)]
        if not self.preset.urls_customizable:
            for name in (*ADDRESSES, "oidc_jwks"):
                if name not in written:
                    del self.fields[name]
        for name, example in self.preset.examples.items():
            if name in self.fields:
                self.fields[name].widget.attrs["placeholder"] = example
        if self.preset.signs_secret:
            self.fields["consumer_key"].help_text = _(
                "client;team;key: the ID of the service, of the team, of the key."
            )
            self.fields["consumer_secret"].widget = forms.Textarea(attrs={**PLAIN, "rows": "6", "class": "code-input"})
            self.fields["consumer_secret"].help_text = _(
                "The private key that the provider gave you, with its first and last line. Kept encrypted, and never "
                "shown. Empty: as it is."
            )

    @property
    def changes(self) -> dict[str, Any]:
        return {**super().changes, "provider_type": self.preset.name}


def _preset(source: Source | None, initial: dict[str, Any] | None) -> Preset:
    if isinstance(source, OAuthSource):
        return BY_NAME[source.provider_type]
    return BY_NAME.get(str((initial or {}).get("preset", "")), BY_NAME["openidconnect"])


def _names(preset: Preset) -> dict[str, Any]:
    """What a source of this preset is called, unless there is one of that name."""
    if preset.name == "openidconnect":
        return {}
    slug, number = preset.name, 1
    while Source.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{preset.name}-{number}"
    return {"name": preset.title if number == 1 else f"{preset.title} {number}", "slug": slug}
