"""Policies of every kind: what a password must be like, who passes. One form and one line in the table for each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.api.events.words import ACTIONS
from doorward.identity.policies.models import (
    DummyPolicy,
    EventMatcherPolicy,
    ExpressionPolicy,
    PasswordExpiryPolicy,
    PasswordPolicy,
    Policy,
    ReputationPolicy,
    UniquePasswordPolicy,
)
from doorward.identity.web.forms.fields import PLAIN, PersonField, plain_input
from doorward.identity.web.forms.policy_circumstances import GeoIPForm, NetworkForm, TimeWindowForm
from doorward.identity.web.forms.policy_form import PolicyForm


class ExpressionForm(PolicyForm):
    of = ExpressionPolicy
    title = gettext_lazy("Expression")
    does = gettext_lazy("Passes where its rule says so")

    expression = forms.CharField(
        label="Rule",
        max_length=100_000,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "8", "class": "code-input"}),
        help_text='For example: return ak_is_group_member(request.user, name="staff"). It says yes by returning '
        "something true.",
    )


class PasswordExpiryForm(PolicyForm):
    of = PasswordExpiryPolicy
    title = gettext_lazy("Password age")
    does = gettext_lazy("Passes while the password is young enough")

    days = forms.IntegerField(
        label="Days", min_value=1, max_value=36500, help_text="Whose password is older is told to choose a new one."
    )


class PasswordPolicyForm(PolicyForm):
    of = PasswordPolicy
    title = gettext_lazy("Password")
    does = gettext_lazy("Says what a new password must be like")

    password_field = forms.CharField(
        label="Field", max_length=128, widget=plain_input(), help_text="Key of the field with the password."
    )
    check_static_rules = forms.BooleanField(
        label="Count characters", required=False, help_text="The rules up to the sentence count only then."
    )
    length_min = forms.IntegerField(
        label="Least length", min_value=0, max_value=1000, help_text="In characters. Long is better than complicated."
    )
    amount_digits = forms.IntegerField(label="Digits", min_value=0, max_value=100, help_text="At least so many.")
    amount_lowercase = forms.IntegerField(
        label="Small letters", min_value=0, max_value=100, help_text="At least so many."
    )
    amount_uppercase = forms.IntegerField(
        label="Capital letters", min_value=0, max_value=100, help_text="At least so many."
    )
    amount_symbols = forms.IntegerField(label="Symbols", min_value=0, max_value=100, help_text="At least so many.")
    symbol_charset = forms.CharField(
        label="What counts as a symbol", max_length=1000, strip=False, widget=plain_input(), help_text="Each character."
    )
    error_message = forms.CharField(
        label="What people then read",
        max_length=1000,
        required=False,
        help_text="Left empty, they read what is missing.",
    )
    check_zxcvbn = forms.BooleanField(
        label="Estimate how hard it is to guess", required=False, help_text="Known passwords, names and dates are easy."
    )
    zxcvbn_score_threshold = forms.IntegerField(
        label="Hard enough above", min_value=0, max_value=4, help_text="Of 0 (guessed at once) to 4 (very hard)."
    )
    num_historical_passwords = forms.IntegerField(
        label="Former passwords that may not come back", min_value=0, max_value=100, help_text="0: all may."
    )


class ReputationForm(PolicyForm):
    of = ReputationPolicy
    title = gettext_lazy("Reputation")
    does = gettext_lazy("Passes for names and addresses whose logins have failed")

    check_username = forms.BooleanField(
        label="Look at the name", required=False, help_text="What failed under it anywhere, also by others."
    )
    check_ip = forms.BooleanField(
        label="Look at the address", required=False, help_text="What failed from there under any name."
    )
    threshold = forms.IntegerField(
        label="Bad enough at",
        min_value=-(10**6),
        max_value=10**6,
        help_text="The score and below: each failed login takes one point away, each successful one gives one back.",
    )


class UniquePasswordForm(PolicyForm):
    of = UniquePasswordPolicy
    title = gettext_lazy("Former passwords")
    does = gettext_lazy("Passes where a new password is none of the former ones")

    password_field = forms.CharField(
        label="Field", max_length=128, widget=plain_input(), help_text="Key of the field with the password."
    )
    num_historical_passwords = forms.IntegerField(
        label="Former passwords that may not come back", min_value=0, max_value=100, help_text="0: all may."
    )

    def __init__(self, data: Any = None, *, policy: Policy | None = None) -> None:
        super().__init__(data, policy=policy)
        if policy is None:
            self.initial["num_historical_passwords"] = 1


class DummyForm(PolicyForm):
    of = DummyPolicy
    title = gettext_lazy("Dummy")
    does = gettext_lazy("Says what it is told to, to try out bindings")

    result = forms.BooleanField(label="It passes", required=False, help_text="Everybody does, or nobody.")
    wait_min = forms.IntegerField(
        label="Least wait", min_value=0, max_value=3600, help_text="Kept for clients of the API; it answers at once."
    )
    wait_max = forms.IntegerField(
        label="Longest wait", min_value=0, max_value=3600, help_text="Kept for clients of the API; it answers at once."
    )


class EventMatcherForm(PolicyForm):
    of = EventMatcherPolicy
    title = gettext_lazy("Event matcher")
    does = gettext_lazy("Passes for some events, for notification rules")

    action = forms.ChoiceField(
        label="What happened",
        required=False,
        choices=[("", gettext_lazy("Anything")), *ACTIONS.items()],
        help_text="Nothing chosen: whatever it was.",
    )
    app = forms.CharField(
        label="Part of the program",
        max_length=128,
        required=False,
        widget=plain_input(),
        help_text="As events name it, such as authentik.core.",
    )
    model = forms.CharField(
        label="Kind of object",
        max_length=128,
        required=False,
        widget=plain_input(),
        help_text="What was made, changed or deleted, such as authentik_core.user.",
    )
    client_ip = forms.CharField(
        label="Address",
        max_length=64,
        required=False,
        widget=plain_input(),
        help_text="Of whoever did it, or a network, such as 192.0.2.0/24.",
    )
    query = forms.CharField(
        label="Query",
        max_length=4096,
        required=False,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "3", "class": "code-input"}),
        help_text='For example: user.username = "akadmin" and context.auth_method != "password". All that is '
        "filled in must be so.",
    )


FORMS: dict[str, type[PolicyForm]] = {
    form.of.KIND: form
    for form in (
        ExpressionForm,
        TimeWindowForm,
        NetworkForm,
        GeoIPForm,
        ReputationForm,
        PasswordExpiryForm,
        PasswordPolicyForm,
        UniquePasswordForm,
        EventMatcherForm,
        DummyForm,
    )
}
"""By kind, in the order in which they are offered."""


def kinds() -> dict[str, type[PolicyForm]]:
    """The form of every kind that exists; a plain one, of the model's columns, where there is no other."""
    return {**FORMS, **{each.KIND: _plain(each) for each in Policy.__subclasses__() if each.KIND not in FORMS}}


def _plain(model: type[Policy]) -> type[PolicyForm]:
    title = str(model._meta.verbose_name).removesuffix(" policy").capitalize()
    return type(f"{model.__name__}Form", (PolicyForm,), {"of": model, "title": title, "does": "Judges by its rules"})


class AskForm(forms.Form):
    """What does it say about this user?"""

    ask = PersonField(label="User", help_text="As if they asked now, from here; in a flow it may know more.")
