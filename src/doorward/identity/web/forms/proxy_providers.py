"""Create and change proxy providers, and try their rules for paths."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.flows.models import Flow
from doorward.identity.outposts import step_up
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.outposts.providers import DEFAULT_VALIDITY
from doorward.identity.web.forms.domain import CookieDomainField, InternalHostField, ModeField, VerifiedField
from doorward.identity.web.forms.fields import PLAIN, DurationField, FlowField, plain_input
from doorward.identity.web.forms.providers import ProviderForm


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
        empty_label=gettext_lazy("None: people log in again"),
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
