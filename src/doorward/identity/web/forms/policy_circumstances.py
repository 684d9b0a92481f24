"""Policies by when and from where somebody asks: time, network, place."""

from __future__ import annotations

import calendar
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.policies.models import GeoIPPolicy, NetworkPolicy, TimeWindowPolicy
from doorward.identity.web.forms.fields import PLAIN, plain_input
from doorward.identity.web.forms.policy_form import PolicyForm

_SEPARATORS = re.compile(r"[\s,;]+")
_FARTHEST = 40_000


class WordsField(forms.CharField):
    """Several words without spaces in them, as a list; separated by commas, spaces or line breaks."""

    widget = forms.Textarea(attrs={**PLAIN, "rows": "3"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[Any]:
        """Raises ValidationError."""
        return [self.one(word) for word in _SEPARATORS.split(super().clean(value)) if word]

    def one(self, word: str) -> Any:
        return word


class NumbersField(WordsField):
    """The same of whole numbers."""

    def one(self, word: str) -> int:
        digits = word.upper().removeprefix("AS")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 10:
            raise ValidationError(_("“%(word)s” is no number.") % {"word": word}, "number")
        return int(digits)


class NetworkForm(PolicyForm):
    of = NetworkPolicy
    title = gettext_lazy("Network")
    does = gettext_lazy("Passes for requests from some networks")

    networks = WordsField(
        label="Networks", max_length=20_000, help_text="Such as 192.0.2.0/24 or 2001:db8::/32, one a line."
    )


class TimeWindowForm(PolicyForm):
    of = TimeWindowPolicy
    title = gettext_lazy("Time window")
    does = gettext_lazy("Passes on some days of the week, between two times")

    days = forms.TypedMultipleChoiceField(
        label="Days",
        coerce=int,
        choices=list(enumerate(calendar.day_name)),
        widget=forms.CheckboxSelectMultiple,
        help_text="A window over midnight belongs to the day on which it begins.",
    )
    start = forms.TimeField(
        label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), help_text="Hours and minutes."
    )
    end = forms.TimeField(
        label="Until",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="Earlier than it begins: on the next day. The same: the whole day.",
    )
    timezone = forms.CharField(
        label="Time zone", max_length=64, widget=plain_input(), help_text="Such as Europe/Berlin, or UTC."
    )


class GeoIPForm(PolicyForm):
    of = GeoIPPolicy
    title = gettext_lazy("Place")
    does = gettext_lazy("Passes by country and network, and by the way from earlier logins")

    countries = WordsField(
        label="Countries", required=False, max_length=2000, help_text="Two letters each, such as DE FR. One of them."
    )
    asns = NumbersField(
        label="Networks (AS numbers)",
        required=False,
        max_length=6000,
        help_text="Such as 64496. One of them, or one of the countries.",
    )
    check_history_distance = forms.BooleanField(
        label="Near earlier logins only", required=False, help_text="Not farther from any of them than said below."
    )
    history_max_distance_km = forms.IntegerField(
        label="Farthest, in km", min_value=0, max_value=_FARTHEST, help_text="From each of the earlier logins."
    )
    distance_tolerance_km = forms.IntegerField(
        label="Allowance, in km", min_value=0, max_value=_FARTHEST, help_text="Databases of places are not exact."
    )
    history_login_count = forms.IntegerField(
        label="Earlier logins", min_value=0, max_value=20, help_text="So many of the latest are compared."
    )
    check_impossible_travel = forms.BooleanField(
        label="No impossible travel",
        required=False,
        help_text="Nobody who would have had to travel faster than 1000 km/h since an earlier login.",
    )
    impossible_tolerance_km = forms.IntegerField(
        label="Allowance for travel, in km",
        min_value=0,
        max_value=_FARTHEST,
        help_text="Databases of places are not exact.",
    )
