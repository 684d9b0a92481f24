"""Forms about one's own factors."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.authenticators.models import LONGEST_NAME
from doorward.identity.web.forms.fields import plain_input


class FactorNameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("What you call it"), max_length=LONGEST_NAME, widget=plain_input(autocomplete="off")
    )
