"""Create a token: for oneself, or as an administrator for anybody."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from doorward.identity.directory.models import Token
from doorward.identity.web.forms.fields import PersonField, plain_input

LIVES = {"1": "A day", "30": "30 days", "365": "A year", "": "For ever, until it is deleted"}
"""Days."""
INTENTS = [
    (Token.Intent.API, "API token: for scripts that administer Doorward or ask it"),
    (Token.Intent.APP_PASSWORD, "App password: for programs that log in with user name and password"),
]


class OwnTokenForm(forms.Form):
    identifier = forms.SlugField(
        label="Name",
        max_length=255,
        widget=plain_input(),
        help_text="Letters, digits, - and _; for example backup-script.",
    )
    intent = forms.ChoiceField(
        label="What it is for", choices=INTENTS, widget=forms.RadioSelect, initial=Token.Intent.API
    )
    life = forms.ChoiceField(label="How long it works", choices=list(LIVES.items()), initial="30", required=False)
    description = forms.CharField(max_length=1000, required=False)

    def clean_identifier(self) -> str:
        """Names are unique over all users."""
        identifier: str = self.cleaned_data["identifier"]
        if Token.objects.filter(identifier=identifier).exists():
            raise ValidationError("There is a token of this name already.")
        return identifier

    @property
    def expires(self) -> datetime | None:
        """When it ends; None for never."""
        days = self.cleaned_data["life"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class TokenForm(OwnTokenForm):
    user = PersonField(label="User", help_text="Whoever uses the token may do what this user may.")
    field_order = ["user", "identifier", "intent", "life", "description"]
