"""An entitlement of an application, and who has it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.directory.models import Group
from doorward.identity.web.forms.fields import PersonField, plain_input


class EntitlementForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=150,
        widget=plain_input(),
        help_text=gettext_lazy("As the application reads it, for example “editor”."),
    )


class HolderForm(forms.Form):
    """One group or one user who has an entitlement, for ever or until a moment."""

    group = forms.ModelChoiceField(
        Group.objects.all(),
        label=gettext_lazy("Group"),
        required=False,
        empty_label=gettext_lazy("Choose a group"),
    )
    user = PersonField(label=gettext_lazy("or user"), required=False)
    expires = forms.DateTimeField(
        label=gettext_lazy("Until (UTC)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Then it ends by itself. Left empty, it stays."),
    )

    def clean(self) -> dict[str, Any]:
        """Exactly one."""
        values = self.cleaned_data
        if not self.errors and bool(values.get("group")) == bool(values.get("user")):
            self.add_error(None, _("Choose a group, or name a user: one of them."))
        values["expiring"] = values.get("expires") is not None
        return values
