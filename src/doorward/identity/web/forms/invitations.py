"""Invite somebody to make an account of their own."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.flows.models import Flow
from doorward.identity.stages.models import InvitationStage
from doorward.identity.web.forms.fields import plain_input

LIVES = {
    "1": gettext_lazy("A day"),
    "7": gettext_lazy("A week"),
    "30": gettext_lazy("30 days"),
    "": gettext_lazy("For ever, until it is deleted"),
}
"""Days."""


class InvitationForm(forms.Form):
    name = forms.SlugField(
        max_length=50,
        widget=plain_input(),
        help_text="For you to recognise it by: letters, digits, - and _.",
    )
    email = forms.EmailField(
        label="E-mail",
        required=False,
        help_text="The account gets this address, whatever is typed; empty: whoever is invited says theirs.",
    )
    username = forms.CharField(max_length=150, required=False, widget=plain_input(autocomplete="off"))
    life = forms.ChoiceField(label="How long it works", choices=list(LIVES.items()), initial="7", required=False)
    single_use = forms.BooleanField(label="For one person only", required=False, initial=True)
    flow = forms.ModelChoiceField(
        label="Opens",
        queryset=Flow.objects.none(),
        required=False,
        empty_label=gettext_lazy("Every enrolment flow that asks for an invitation"),
    )
    send = forms.BooleanField(label="Send the link to this address", required=False)

    def __init__(self, data: object = None, *, can_send: bool) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["flow"].queryset = (  # type: ignore[attr-defined]
            Flow.objects.filter(stages__kind=InvitationStage.KIND).order_by("slug").distinct()
        )
        if not can_send:
            del self.fields["send"]

    def clean(self) -> None:
        if self.cleaned_data.get("send") and not self.cleaned_data.get("email"):
            self.add_error("email", _("Say where to send it."))

    @property
    def expires(self) -> datetime | None:
        """When it ends; None for never."""
        days = self.cleaned_data["life"]
        return timezone.now() + timedelta(days=int(days)) if days else None

    @property
    def fixed_data(self) -> dict[str, str]:
        named = {key: self.cleaned_data[key] for key in ("username", "email")}
        return {key: value for key, value in named.items() if value}
