"""Change one binding: whom it names, and how it is counted."""

from __future__ import annotations

from typing import Any

from django import forms

from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.policies.models import PolicyBinding
from doorward.identity.web.forms.applications import BindingForm

_KEPT = ("group", "policy", "negate", "enabled", "order", "failure_result", "timeout", "expires")


class BindingEditForm(BindingForm):
    enabled = forms.BooleanField(
        label="In force",
        required=False,
        help_text="Switched off it is not asked. If nothing else is bound, it is then as if nothing ever was.",
    )
    order = forms.IntegerField(
        min_value=-(2**31), max_value=2**31 - 1, help_text="They are asked in the order of these numbers."
    )
    failure_result = forms.ChoiceField(
        label="When its policy cannot be judged",
        choices=[("", gettext_lazy("It says no")), ("on", gettext_lazy("It says yes"))],
        required=False,
        help_text="Neither is turned around by “Everybody but them”.",
    )
    timeout = forms.IntegerField(
        label="Time limit",
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        help_text="Seconds. Kept for other programs; policies are bounded by their own budget.",
    )
    field_order = ["group", "user", "policy", "negate", "enabled", "expires", "order", "failure_result", "timeout"]

    def __init__(self, data: Any = None, *, binding: PolicyBinding) -> None:
        initial = {name: getattr(binding, name) for name in _KEPT}
        initial["failure_result"] = "on" if binding.failure_result else ""
        initial["user"] = binding.user.username if binding.user is not None else ""
        if not binding.expiring:
            initial["expires"] = None
        super().__init__(data, initial=initial)
        self._binding = binding

    def clean(self) -> dict[str, Any]:
        """Exactly one; what is left empty stays."""
        values = super().clean()
        if values.get("timeout") is None:
            values["timeout"] = self._binding.timeout
        values["failure_result"] = values.get("failure_result") == "on"
        values["user"] = values.get("user") or None
        return values
