"""One application or a whole domain: the choice, and the domain that goes with it, wherever a provider is made."""

from __future__ import annotations

from typing import Any

from django import forms

from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.web.forms.fields import plain_input

RISK = (
    "Every host under this domain is sent the session cookie, also one that no proxy of yours stands before: whoever "
    "controls one of them can act as your visitors at the others. Choose it only for a domain that is wholly yours."
)
"""What whoever creates such a provider must have read (S-341)."""


class ModeField(forms.ChoiceField):
    """What one login opens."""

    def __init__(self, **options: Any) -> None:
        choices = [
            (ProxyProvider.Mode.FORWARD_SINGLE, "This application alone"),
            (ProxyProvider.Mode.FORWARD_DOMAIN, "Every host under a domain, with one login"),
        ]
        options = {"label": "What is protected", "widget": forms.RadioSelect, **options}
        super().__init__(choices=choices, initial=ProxyProvider.Mode.FORWARD_SINGLE, **options)


class CookieDomainField(forms.CharField):
    """The domain; only a provider for a whole domain needs it."""

    widget = plain_input(placeholder="example.com")

    def __init__(self, **options: Any) -> None:
        options = {"label": "Domain", "required": False, "max_length": 253, "help_text": RISK, **options}
        super().__init__(**options)
