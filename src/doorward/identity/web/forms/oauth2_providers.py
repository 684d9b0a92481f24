"""Create and change OAuth2 providers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.crypto.queries import signing_key
from doorward.identity.oauth2.models import DEVICE_CODE, TOKEN_EXCHANGE, OAuth2Provider, ScopeMapping
from doorward.identity.web.forms.fields import PLAIN, DurationField, plain_input
from doorward.identity.web.forms.openid import ORDER, OpenIdForm
from doorward.identity.web.forms.providers import ProviderForm

RELATED = ("scope_mappings", "exchange_from", "jwt_federation_sources")
USUAL_SCOPES = ("openid", "email", "profile")


class RedirectUrisField(forms.CharField):
    """One URL per line; ``logout`` and ``regex`` before it say what else it is."""

    widget = forms.Textarea(attrs={**PLAIN, "rows": "3", "class": "code-input"})
    words = frozenset({"logout", "regex"})

    def clean(self, value: Any) -> list[dict[str, str]]:
        lines = [line.split() for line in super().clean(value).splitlines() if line.strip()]
        return [self._entry(words) for words in lines]

    def _entry(self, words: list[str]) -> dict[str, str]:
        if not set(words[:-1]) <= self.words:
            raise ValidationError(
                _("“%(line)s”: one URL per line, after “logout” or “regex” where it is one.")
                % {"line": " ".join(words)}
            )
        return {
            "matching_mode": "regex" if "regex" in words[:-1] else "strict",
            "url": words[-1],
            "redirect_uri_type": "logout" if "logout" in words[:-1] else "authorization",
        }

    def prepare_value(self, value: Any) -> Any:
        """Stored entries as lines."""
        return "\n".join(map(line_of, value)) if isinstance(value, list) else value


def line_of(entry: dict[str, str]) -> str:
    """A stored redirect URI as it is written in the form."""
    words = []
    if entry.get("redirect_uri_type") == "logout":
        words.append("logout")
    if entry.get("matching_mode") == "regex":
        words.append("regex")
    return " ".join([*words, entry["url"]])


class ScopesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    def label_from_instance(self, obj: ScopeMapping) -> str:
        """The scope, and what it tells."""
        return f"{obj.scope_name}: {obj.description}" if obj.description else obj.scope_name


class OAuth2ProviderForm(OpenIdForm, ProviderForm):
    client_type = forms.ChoiceField(
        label="Kind of client",
        choices=[
            (OAuth2Provider.ClientType.CONFIDENTIAL, gettext_lazy("Confidential: a server that keeps a secret")),
            (OAuth2Provider.ClientType.PUBLIC, gettext_lazy("Public: a program on people’s devices, without a secret")),
        ],
        widget=forms.RadioSelect,
    )
    redirect_uris = RedirectUrisField(
        label="Redirect URIs",
        required=False,
        help_text="Where the application receives its users, one exact URL per line. “regex” before it makes it a "
        "pattern, “logout” the place where people land after logging out.",
    )
    scope_mappings = ScopesField(
        ScopeMapping.objects.all(),
        label="What the application may be told",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    signing_key = forms.ModelChoiceField(
        CertificateKeyPair.objects.exclude(sealed_key=""),
        label="Signing key",
        required=False,
        empty_label=gettext_lazy("None: signed with the client secret"),
    )
    access_token_validity = DurationField(label="Access tokens work for")
    refresh_token_validity = DurationField(label="Refresh tokens work for")
    access_code_validity = DurationField(label="Codes work for")
    sub_mode = forms.ChoiceField(
        label="Name of the user in tokens (sub)",
        choices=[
            (OAuth2Provider.SubMode.HASHED_USER_ID, gettext_lazy("A pseudonym that never changes")),
            (OAuth2Provider.SubMode.USER_ID, gettext_lazy("The user’s number")),
            (OAuth2Provider.SubMode.USER_UUID, gettext_lazy("The user’s UUID")),
            (OAuth2Provider.SubMode.USER_USERNAME, gettext_lazy("The user name")),
            (OAuth2Provider.SubMode.USER_EMAIL, gettext_lazy("The e-mail address")),
            (OAuth2Provider.SubMode.USER_UPN, gettext_lazy("The attribute upn")),
        ],
    )
    issuer_mode = forms.ChoiceField(
        label="Issuer",
        choices=[
            (OAuth2Provider.IssuerMode.PER_PROVIDER, gettext_lazy("One for each application")),
            (OAuth2Provider.IssuerMode.GLOBAL, gettext_lazy("The same for all")),
        ],
    )
    require_pkce = forms.BooleanField(
        label="Demand PKCE", required=False, help_text="Switch it off only for a client that cannot do it."
    )
    include_claims_in_id_token = forms.BooleanField(label="Put what it is told into the ID token", required=False)
    grant_types = forms.MultipleChoiceField(
        label="Ways to get tokens",
        required=False,
        choices=[
            ("authorization_code", gettext_lazy("Through the browser")),
            ("refresh_token", gettext_lazy("Anew, without the browser, where it may ask for offline access")),
            ("client_credentials", gettext_lazy("As a machine, with its secret or somebody’s app password")),
            (DEVICE_CODE, gettext_lazy("With a code that people type elsewhere (televisions, command lines)")),
            (TOKEN_EXCHANGE, gettext_lazy("In exchange for a token that another application was given")),
            ("hybrid", gettext_lazy("Some through the browser beside a code (only for old applications)")),
            ("implicit", gettext_lazy("All through the browser, without a code (only for old applications)")),
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    exchange_from = forms.ModelMultipleChoiceField(
        OAuth2Provider.objects.all(),
        label="Whose tokens it may exchange",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Besides its own. Only where token exchange is among the ways above.",
    )
    logout_uri = forms.CharField(
        label="Log-out URL",
        required=False,
        max_length=2048,
        widget=plain_input(inputmode="url", placeholder="https://app.example.com/backchannel-logout"),
        help_text="Where the application wants to hear that a login has ended. Empty: it is not told.",
    )
    logout_method = forms.ChoiceField(
        label="How it is told",
        choices=[
            (
                OAuth2Provider.LogoutMethod.BACKCHANNEL,
                gettext_lazy("Back channel: by a message from here, however the login ended"),
            ),
            (
                OAuth2Provider.LogoutMethod.FRONTCHANNEL,
                gettext_lazy("Front channel: in a frame of the browser that logs out"),
            ),
        ],
        widget=forms.RadioSelect,
    )
    field_order = [
        "name",
        "client_type",
        "redirect_uris",
        "scope_mappings",
        "authorization_flow",
        "signing_key",
        "access_token_validity",
        "refresh_token_validity",
        "access_code_validity",
        "sub_mode",
        "issuer_mode",
        "invalidation_flow",
        "authentication_flow",
        "require_pkce",
        "include_claims_in_id_token",
        "grant_types",
        "exchange_from",
        "jwt_federation_sources",
        "logout_uri",
        "logout_method",
        *ORDER,
    ]

    def defaults(self) -> dict[str, Any]:
        plain = OAuth2Provider()
        names = [name for name in self.base_fields if name not in ("name", *RELATED) and hasattr(plain, name)]
        fields = {name: getattr(plain, name) for name in names if not name.endswith("_flow")}
        scopes = ScopeMapping.objects.filter(scope_name__in=USUAL_SCOPES, managed__isnull=False)
        return {**fields, **super().defaults(), "signing_key": signing_key(), "scope_mappings": list(scopes)}

    def stored(self, provider: OAuth2Provider) -> dict[str, Any]:
        related = {name: list(getattr(provider, name).all()) for name in RELATED}
        return {**super().stored(provider), **related}
