"""Stages that steer, reach people elsewhere, or end an account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.stages import letters
from doorward.identity.stages.models import (
    DenyStage,
    DummyStage,
    EmailStage,
    InvitationStage,
    RedirectStage,
    Stage,
    UserDeleteStage,
)
from doorward.identity.web.forms.fields import DurationField, plain_input
from doorward.identity.web.forms.stages.base import AnyFlowField, StageForm


class DenyForm(StageForm):
    model = DenyStage
    title = gettext_lazy("Deny")
    does = gettext_lazy("Lets nobody through")

    deny_message = forms.CharField(
        label="What they read",
        max_length=1000,
        required=False,
        help_text="Left empty, the page says only that access is denied.",
    )


class DummyForm(StageForm):
    model = DummyStage
    title = gettext_lazy("Dummy")
    does = gettext_lazy("Shows a button")

    throw_error = forms.BooleanField(
        label="Break", required=False, help_text="Fails with an error, to see what visitors and events then say."
    )


class RedirectForm(StageForm):
    model = RedirectStage
    title = gettext_lazy("Redirect")
    does = gettext_lazy("Goes on elsewhere")

    mode = forms.ChoiceField(
        label="Where to",
        choices=[
            (RedirectStage.Mode.STATIC, gettext_lazy("To an address")),
            (RedirectStage.Mode.FLOW, gettext_lazy("Into another flow")),
        ],
        help_text="Only the field that belongs to it counts.",
    )
    target_static = forms.CharField(
        label="Address",
        max_length=2000,
        required=False,
        widget=plain_input(inputmode="url"),
        help_text="A path on this host, beginning with one slash, or a whole http(s) URL.",
    )
    target_flow = AnyFlowField(label="Flow", help_text="What it requires is asked again there.")
    keep_context = forms.BooleanField(
        label="Take along what was learned",
        required=False,
        help_text="Who was named and proven, and what was answered. Only for another flow.",
    )


class EmailForm(StageForm):
    model = EmailStage
    title = gettext_lazy("E-mail")
    does = gettext_lazy("Sends a link that leads back")

    subject = forms.CharField(max_length=200, help_text="Of the letter.")
    template = forms.ChoiceField(
        label="Letter", help_text="What it says around the link. Letters of your own are files in a folder."
    )
    token_expiry = DurationField(label="The link works for", help_text="Once. For example minutes=30.")
    activate_user_on_success = forms.BooleanField(
        label="Activate the account",
        required=False,
        help_text="For accounts that are made inactive until their address is proven.",
    )

    def __init__(self, data: Any = None, *, stage: Stage | None = None) -> None:
        super().__init__(data, stage=stage)
        template = self.fields["template"]
        assert isinstance(template, forms.ChoiceField)
        template.choices = letters.choices(stage.template if isinstance(stage, EmailStage) else "")


class InvitationForm(StageForm):
    model = InvitationStage
    title = gettext_lazy("Invitation")
    does = gettext_lazy("Lets through who was invited")

    continue_flow_without_invitation = forms.BooleanField(
        label="Let others through as well",
        required=False,
        help_text="Then everybody can make an account, and an invitation only brings what was written into it.",
    )


class UserDeleteForm(StageForm):
    model = UserDeleteStage
    title = gettext_lazy("User deletion")
    does = gettext_lazy("Deletes the account, after asking")
