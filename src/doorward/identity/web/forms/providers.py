"""Create and change providers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.crypto.queries import signing_key
from doorward.identity.flows.defaults import IMPLICIT_CONSENT, PROVIDER_INVALIDATION
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.models import DEVICE_CODE, TOKEN_EXCHANGE, OAuth2Provider, ScopeMapping
from doorward.identity.outposts import step_up
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.outposts.providers import DEFAULT_VALIDITY
from doorward.identity.sources.models import OAuthSource
from doorward.identity.web.forms.domain import CookieDomainField, InternalHostField, ModeField, VerifiedField
from doorward.identity.web.forms.fields import PLAIN, DurationField, FlowField, plain_input
from doorward.identity.web.forms.openid import ORDER, OpenIdForm

RELATED = ("scope_mappings", "exchange_from", "jwt_federation_sources")
USUAL_SCOPES = ("openid", "email", "profile")


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
        empty_label="The usual one",
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


class StepUpRulesField(forms.CharField):
    """One rule a line: what is asked for, then the path."""

    widget = forms.Textarea(
        attrs={**PLAIN, "rows": "3", "class": "code-input", "placeholder": "mfa minutes=15 ^/admin(/|$)"}
    )

    def clean(self, value: Any) -> list[step_up.Rule]:
        return step_up.parsed(super().clean(value))

    def prepare_value(self, value: Any) -> Any:
        """Stored rules as lines."""
        return step_up.lines_of(value) if isinstance(value, list) else value


class ProxyProviderForm(ProviderForm):
    """What only one mode needs is asked for in all, and kept."""

    external_host = forms.CharField(
        label="Outside URL",
        max_length=2000,
        widget=plain_input(inputmode="url", placeholder="https://wiki.example.com"),
        help_text="Where people open the application, exactly as the browser shows it.",
    )
    skip_path_regex = forms.CharField(
        label="Open paths",
        required=False,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "3"}),
        help_text="Regular expressions, one per line: what matches is open to everybody, without a login.",
    )
    step_up_rules = StepUpRulesField(
        label="Paths that ask for more",
        required=False,
        help_text="One rule a line: mfa (a second factor), phr (a passkey or security key) or a duration (the oldest "
        "login that is good), then a regular expression for the path. machines before it lets programs off, which "
        "otherwise do not get there.",
    )
    step_up_flow = FlowField(
        Flow.Designation.AUTHORIZATION,
        label="Flow for a second factor",
        required=False,
        empty_label="None: people log in again",
        help_text="Where people go who are logged in and lack the factor that a path asks for.",
    )
    access_token_validity = DurationField(label="How long a login lasts")
    intercept_header_auth = forms.BooleanField(
        label="Take Authorization headers",
        required=False,
        help_text="Programs may then log in with an app password or a token instead of a browser.",
    )
    redirect_everything = forms.BooleanField(
        label="Send every request to the login",
        required=False,
        help_text="Also those of scripts in a page, which otherwise get the status 401.",
    )
    skip_preflight = forms.BooleanField(
        label="Let CORS preflights pass",
        required=False,
        help_text="Browsers send them without cookies. For an application that answers other sites’ scripts itself.",
    )
    keep_posts = forms.BooleanField(
        label="Keep forms that meet an ended session",
        required=False,
        help_text="After the login its sender may send it again. Needs a proxy that hands bodies over (forwardBody).",
    )
    cookie_prefix = forms.ChoiceField(
        label="Name of the session cookie",
        choices=ProxyProvider.CookiePrefix.choices,
        required=False,
        help_text="Browsers keep a __Host- cookie only from this very host, and never send it anywhere else: no other "
        "host can plant one. Needs https, and a single application; for a whole domain there is __Secure-.",
    )
    renew_sessions = forms.BooleanField(
        label="Renew sessions",
        required=False,
        help_text="A session goes on after its login’s time, without a detour, while the person may still enter.",
    )
    refresh_token_validity = DurationField(
        label="How long sessions are renewed", help_text="From the login on, where sessions are renewed."
    )
    idle_limit = DurationField(
        label="Idle limit",
        help_text="A session that nobody used for so long ends, to a minute or two. seconds=0: no limit.",
    )
    mode = ModeField()
    cookie_domain = CookieDomainField()
    internal_host = InternalHostField()
    internal_host_ssl_validation = VerifiedField()
    basic_auth_enabled = forms.BooleanField(
        label="Send the application HTTP Basic credentials",
        required=False,
        help_text="From attributes of the user or their groups, for an application that wants a login of its own.",
    )
    basic_auth_user_attribute = forms.CharField(label="Attribute with the user name", max_length=200, required=False)
    basic_auth_password_attribute = forms.CharField(label="Attribute with the password", max_length=200, required=False)
    field_order = [
        "name",
        "external_host",
        "mode",
        "cookie_domain",
        "internal_host",
        "internal_host_ssl_validation",
        "skip_path_regex",
        "step_up_rules",
        "step_up_flow",
        "access_token_validity",
        "renew_sessions",
        "refresh_token_validity",
        "idle_limit",
        "authorization_flow",
        "invalidation_flow",
        "authentication_flow",
        "intercept_header_auth",
        "jwt_federation_sources",
        "redirect_everything",
        "skip_preflight",
        "keep_posts",
        "cookie_prefix",
    ]

    def defaults(self) -> dict[str, Any]:
        plain = ProxyProvider()
        usual = {
            "access_token_validity": DEFAULT_VALIDITY,
            "refresh_token_validity": plain.refresh_token_validity,
            "idle_limit": plain.idle_limit,
            "intercept_header_auth": True,
            "mode": ProxyProvider.Mode.FORWARD_SINGLE,
            "internal_host_ssl_validation": True,
        }
        return {**super().defaults(), **usual}


class OpenPathsForm(forms.Form):
    """Rules to try, and paths to try them on; nothing of it is stored."""

    skip_path_regex = forms.CharField(
        label="Rules",
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "4"}),
        help_text="As they are in force; change them here to see what would change. To keep them, edit the provider.",
    )
    step_up_rules = StepUpRulesField(
        label="Rules for paths that ask for more",
        required=False,
        max_length=100_000,
        help_text="The same: mfa, phr or a duration, then the path.",
    )
    paths = forms.CharField(
        label="Paths",
        max_length=100_000,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "6", "placeholder": "/health\n/static/logo.png\n/admin"}),
        help_text="Paths or whole URLs, one per line.",
    )


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
        empty_label="None: signed with the client secret",
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
