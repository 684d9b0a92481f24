"""Asking for anything, and writing it: the prompt stage, its fields, the write stage."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.directory.models import Group, User
from doorward.identity.policies.models import PasswordPolicy
from doorward.identity.stages.models import Prompt, PromptStage, UserWriteStage
from doorward.identity.stages.prompt_fields import RESERVED
from doorward.identity.web.forms.fields import PLAIN, plain_input
from doorward.identity.web.forms.stages.base import RelatedField, StageForm, values_of

TYPES = {
    Prompt.Type.TEXT: gettext_lazy("One line of text"),
    Prompt.Type.TEXT_AREA: gettext_lazy("Several lines of text"),
    Prompt.Type.TEXT_READ_ONLY: gettext_lazy("One line, to read"),
    Prompt.Type.TEXT_AREA_READ_ONLY: gettext_lazy("Several lines, to read"),
    Prompt.Type.USERNAME: gettext_lazy("A user name that nobody has"),
    Prompt.Type.EMAIL: gettext_lazy("An e-mail address"),
    Prompt.Type.PASSWORD: gettext_lazy("A password"),
    Prompt.Type.NUMBER: gettext_lazy("A number"),
    Prompt.Type.CHECKBOX: gettext_lazy("A box to tick"),
    Prompt.Type.RADIO: gettext_lazy("One of several, all in sight"),
    Prompt.Type.DROPDOWN: gettext_lazy("One of several, in a list"),
    Prompt.Type.DATE: gettext_lazy("A date"),
    Prompt.Type.DATE_TIME: gettext_lazy("A date and a time"),
    Prompt.Type.SEPARATOR: gettext_lazy("A line between fields"),
    Prompt.Type.HIDDEN: gettext_lazy("Hidden, with the value below"),
    Prompt.Type.STATIC: gettext_lazy("A text"),
    Prompt.Type.ALERT_INFO: gettext_lazy("A text, as a notice"),
    Prompt.Type.ALERT_WARNING: gettext_lazy("A text, as a warning"),
    Prompt.Type.ALERT_DANGER: gettext_lazy("A text, as an alarm"),
    Prompt.Type.LOCALE: gettext_lazy("A language"),
}


class FieldsField(RelatedField):
    def label_from_instance(self, obj: Prompt) -> str:
        """Names are long; label and key tell what it asks for."""
        return f"{obj.label} ({obj.field_key}, {obj.order}): {obj.name}"


class PromptStageForm(StageForm):
    model = PromptStage
    title = gettext_lazy("Prompt")
    does = gettext_lazy("Asks for anything")

    fields = FieldsField(  # type: ignore[assignment]  # the stage's, not this form's own table
        Prompt.objects.all(),
        required=False,
        help_text="They come in the order of the number behind their key.",
    )
    validation_policies = RelatedField(
        PasswordPolicy.objects.all(),
        required=False,
        label="Rules for passwords",
        help_text="What a password typed here must be like.",
    )


class UserWriteForm(StageForm):
    model = UserWriteStage
    title = gettext_lazy("User write")
    does = gettext_lazy("Writes what was answered to the user")

    user_creation_mode = forms.ChoiceField(
        label="A new account",
        choices=[
            (UserWriteStage.CreationMode.CREATE_WHEN_REQUIRED, gettext_lazy("is made for whoever is not logged in")),
            (UserWriteStage.CreationMode.ALWAYS_CREATE, gettext_lazy("is always made")),
            (UserWriteStage.CreationMode.NEVER_CREATE, gettext_lazy("is never made")),
        ],
        help_text="Otherwise what was answered is written to the account of the flow’s visitor.",
    )
    create_users_as_inactive = forms.BooleanField(
        label="New accounts are inactive",
        required=False,
        help_text="Until an e-mail stage or an administrator activates them.",
    )
    create_users_group = forms.ModelChoiceField(
        Group.objects.all(),
        required=False,
        empty_label=gettext_lazy("None"),
        label="Group of new accounts",
        help_text="With a group of administrators, whoever comes through here becomes one.",
    )
    user_type = forms.ChoiceField(
        label="Kind of new accounts",
        choices=[
            (User.Type.INTERNAL, gettext_lazy("A person of this organisation")),
            (User.Type.EXTERNAL, gettext_lazy("A person from outside")),
            (User.Type.SERVICE_ACCOUNT, gettext_lazy("A machine")),
        ],
        help_text="Applications are told it.",
    )
    user_path_template = forms.CharField(
        label="Path of new accounts",
        max_length=500,
        required=False,
        widget=plain_input(),
        help_text="A folder to keep accounts apart in, for example users/guests.",
    )


class PromptForm(forms.Form):
    """One field of a prompt stage."""

    name = forms.CharField(max_length=150, help_text="What administrators find it under. Its visitors never see it.")
    label = forms.CharField(max_length=300, help_text="What stands above the field, or the text itself.")
    field_key = forms.CharField(
        label="Key",
        max_length=128,
        widget=plain_input(),
        help_text="Where a write stage puts the answer: username, name, email, password, locale, or attributes.… for "
        "an attribute.",
    )
    type = forms.ChoiceField(label="Kind", choices=list(TYPES.items()), help_text="What is taken for an answer.")
    required = forms.BooleanField(required=False, help_text="Nobody goes on without an answer.")
    placeholder = forms.CharField(
        label="Hint or choices",
        max_length=10_000,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={**PLAIN, "rows": "3"}),
        help_text="What an empty field shows. For one of several: the choices, one in each line.",
    )
    initial_value = forms.CharField(
        label="Value to begin with",
        max_length=10_000,
        required=False,
        help_text="Filled in already; of a hidden field, the only value.",
    )
    sub_text = forms.CharField(
        label="Text below", max_length=2000, required=False, help_text="In small letters under the field."
    )
    order = forms.IntegerField(
        min_value=-1_000_000, max_value=1_000_000, help_text="Fields of a page come in the order of these numbers."
    )

    def __init__(self, data: Any = None, *, prompt: Prompt | None = None) -> None:
        super().__init__(data, initial=values_of(prompt or Prompt(), self.base_fields))

    def clean_field_key(self) -> str:
        """None of the names that the page itself uses."""
        key: str = self.cleaned_data["field_key"]
        if key in RESERVED:
            raise ValidationError(_("The page uses this name itself; choose another."))
        return key
