"""What users change about themselves."""

from __future__ import annotations

from typing import Any

from django import forms

from doorward.identity.directory.passwords import LONGEST, SHORTEST


def secret_input(autocomplete: str) -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": autocomplete, "maxlength": str(LONGEST)})


class OwnPasswordForm(forms.Form):
    """The old one proves who sits there; the new one is typed once, and can be looked at."""

    current = forms.CharField(label="Current password", strip=False, widget=secret_input("current-password"))
    password = forms.CharField(
        label="New password",
        strip=False,
        widget=secret_input("new-password"),
        help_text=f"At least {SHORTEST} characters. Long is better than complicated.",
    )

    def clean(self) -> dict[str, Any]:
        """A new password is another one."""
        values = self.cleaned_data
        if values.get("current") and values.get("current") == values.get("password"):
            self.add_error("password", "This is the password that you have already.")
        return values
