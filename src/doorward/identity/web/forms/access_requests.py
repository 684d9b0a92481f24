"""Ask for access, decide about it, and let an application be asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorward.identity import durations
from doorward.identity.access_requests.actions import LONGEST_TEXT
from doorward.identity.access_requests.models import AccessOffer
from doorward.identity.web.forms.fields import DurationField, GroupsField, PeopleField

_FORMAT = "%Y-%m-%dT%H:%M"


def _moment_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_FORMAT)


class AskForAccessForm(forms.Form):
    reason = forms.CharField(
        label=_("What do you need it for?"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": "3"})
    )
    until = forms.DateTimeField(label=_("Until (UTC)"), widget=_moment_input())

    def __init__(self, data: Any = None, *, longest: timedelta) -> None:
        latest = timezone.now().replace(second=0, microsecond=0) + longest
        super().__init__(data, initial={"until": min(latest, timezone.now() + timedelta(days=1))})
        self.fields["until"].help_text = _("At the latest %(latest)s.") % {"latest": latest.strftime("%Y-%m-%d %H:%M")}
        self.fields["until"].widget.attrs["max"] = latest.strftime(_FORMAT)


class DecideForm(forms.Form):
    """Which button was pressed says what is decided."""

    until = forms.DateTimeField(
        label=_("Until (UTC)"),
        required=False,
        widget=_moment_input(),
        help_text=_("Earlier than was asked for, if you like; not later."),
    )
    answer = forms.CharField(
        label=_("Your answer"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": "2"}),
        help_text=_("Whoever asked reads it."),
    )

    def __init__(self, data: Any = None, *, until: datetime) -> None:
        super().__init__(data, initial={"until": until})


class OfferForm(forms.Form):
    enabled = forms.BooleanField(
        label="Whoever may not enter can ask for access",
        required=False,
        help_text="On the page that turns them away, and in their library.",
    )
    longest = DurationField(label="For how long at most", max_length=128)
    approver_groups = GroupsField(label="Groups that decide", help_text="Each of their members can say yes or no.")
    approver_users = PeopleField(
        label="Users who decide", required=False, help_text="User names, separated by commas. Nobody decides their own."
    )

    def __init__(self, data: Any = None, *, offer: AccessOffer | None = None) -> None:
        initial: dict[str, object] = {"longest": "days=30", "enabled": True}
        if offer is not None:
            users = ", ".join(user.username for user in offer.approver_users.order_by("username"))
            initial = {
                "enabled": offer.enabled,
                "longest": offer.longest,
                "approver_groups": list(offer.approver_groups.all()),
                "approver_users": users,
            }
        super().__init__(data, initial=initial)

    def clean_longest(self) -> str:
        text: str = self.cleaned_data["longest"]
        durations.require(text)
        return text
