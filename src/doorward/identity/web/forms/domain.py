"""How an application is protected: the choice, and what goes with it, wherever a provider is made."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.web.forms.fields import plain_input

RISK = gettext_noop(
    "Every host under this domain is sent the session cookie, also one that no proxy of yours stands before: whoever "
    "controls one of them can act as your visitors at the others. Choose it only for a domain that is wholly yours."
)
"""What whoever creates such a provider must have read (S-341)."""


class ModeField(forms.ChoiceField):
    """What one login opens, and who hands requests on."""

    def __init__(self, **options: Any) -> None:
        choices = [
            (ProxyProvider.Mode.FORWARD_SINGLE, gettext_lazy("This application alone")),
            (ProxyProvider.Mode.FORWARD_DOMAIN, gettext_lazy("Every host under a domain, with one login")),
            (
                ProxyProvider.Mode.PROXY,
                gettext_lazy("This application alone, and Doorward stands in front of it: no other proxy"),
            ),
        ]
        options = {"label": _("What is protected"), "widget": forms.RadioSelect, **options}
        super().__init__(choices=choices, initial=ProxyProvider.Mode.FORWARD_SINGLE, **options)


class CookieDomainField(forms.CharField):
    """The domain; only a provider for a whole domain needs it."""

    widget = plain_input(placeholder="example.com")

    def __init__(self, **options: Any) -> None:
        options = {"label": _("Domain"), "required": False, "max_length": 253, "help_text": RISK, **options}
        super().__init__(**options)


class InternalHostField(forms.CharField):
    """Where the application is; only proxy mode needs it."""

    widget = plain_input(inputmode="url", placeholder="http://10.0.0.7:3000")

    def __init__(self, **options: Any) -> None:
        text = _("Where Doorward reaches the application: scheme, host and port. People never see it.")
        options = {"label": _("Inside URL"), "required": False, "max_length": 2000, "help_text": text, **options}
        super().__init__(**options)

    def clean(self, value: Any) -> str:
        """Without a scheme http is meant."""
        url: str = super().clean(value).strip()
        return url if "://" in url or not url else f"http://{url}"


class VerifiedField(forms.BooleanField):
    """Whether the inside certificate counts."""

    def __init__(self, **options: Any) -> None:
        text = _("Switch it off only for a certificate of its own making, in a network that is yours.")
        super().__init__(**{"label": "Verify its certificate", "required": False, "help_text": text, **options})
