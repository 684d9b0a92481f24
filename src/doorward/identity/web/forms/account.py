"""What users change about themselves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.directory.passwords import LONGEST, SHORTEST


def secret_input(autocomplete: str) -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": autocomplete, "maxlength": str(LONGEST)})


class OwnPasswordForm(forms.Form):
    """The old one proves who sits there; the new one is typed once, and can be looked at."""

    current = forms.CharField(
        label=gettext_lazy("Current password"), strip=False, widget=secret_input("current-password")
    )
    password = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,
        widget=secret_input("new-password"),
        help_text=format_lazy(
            gettext_lazy("At least {shortest} characters. Long is better than complicated."), shortest=SHORTEST
        ),
    )

    def clean(self) -> dict[str, Any]:
        """A new password is another one."""
        values = self.cleaned_data
        if values.get("current") and values.get("current") == values.get("password"):
            self.add_error("password", _("This is the password that you have already."))
        return values
