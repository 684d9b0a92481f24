"""Second factors and passkeys: asking for them, setting them up."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from doorward.identity.authenticators.models import LONGEST_NAME, DeviceClass
from doorward.identity.authenticators.recovery_codes import SHORTEST
from doorward.identity.flows.models import Flow
from doorward.identity.stages.factor_questions import SET_UP_NAMES
from doorward.identity.stages.models import (
    AuthenticatorEmailStage,
    AuthenticatorStaticStage,
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    Preference,
    Stage,
)
from doorward.identity.web.forms.fields import DurationField
from doorward.identity.web.forms.stages.base import AnyFlowField, ChosenField, RelatedField, StageForm

CLASSES = {
    DeviceClass.TOTP: gettext_lazy("Codes of an authenticator app"),
    DeviceClass.WEBAUTHN: gettext_lazy("Passkeys and security keys"),
    DeviceClass.STATIC: gettext_lazy("Recovery codes"),
    DeviceClass.EMAIL: gettext_lazy("Codes by e-mail"),
}
_PREFERENCES = [
    (Preference.REQUIRED, gettext_lazy("It must")),
    (Preference.PREFERRED, gettext_lazy("If it can")),
    (Preference.DISCOURAGED, gettext_lazy("Rather not")),
]
_ACTION = AuthenticatorValidateStage.NotConfiguredAction


def class_choices() -> list[tuple[str, str]]:
    """Every class of factors that exists."""
    return [(kind.value, str(CLASSES.get(kind, kind.label))) for kind in DeviceClass]


class HintsField(ChosenField):
    def __init__(self) -> None:
        super().__init__(
            label="What the browser suggests first",
            choices=[
                ("security-key", gettext_lazy("A security key")),
                ("client-device", gettext_lazy("This device")),
                ("hybrid", gettext_lazy("A phone")),
            ],
            required=False,
            help_text="Nothing is excluded by it. With none the browser decides.",
        )


class AuthenticatorValidateForm(StageForm):
    model = AuthenticatorValidateStage
    title = gettext_lazy("Authenticator validation")
    does = gettext_lazy("Asks for a second factor")

    device_classes = ChosenField(
        label="Factors that are taken",
        choices=class_choices,
        help_text="As the first stage of a flow it takes passkeys alone, and nobody types a name.",
    )
    not_configured_action = forms.ChoiceField(
        label="Whoever has none of them",
        choices=[
            (_ACTION.SKIP, gettext_lazy("goes on without")),
            (_ACTION.CONFIGURE, gettext_lazy("sets one up")),
            (_ACTION.DENY, gettext_lazy("is refused")),
        ],
        help_text="Refuse only when everybody has one, administrators included.",
    )
    configuration_stages = RelatedField(
        Stage.objects.filter(kind__in=SET_UP_NAMES),
        required=False,
        label="What they may set up",
        help_text="Where one is to be set up: with several, they choose.",
    )
    last_auth_threshold = DurationField(
        label="A browser is not asked again for",
        help_text="When its owner says so, at most days=30. seconds=0: it is asked every time.",
    )
    webauthn_user_verification = forms.ChoiceField(
        label="A passkey verifies its owner",
        choices=_PREFERENCES,
        help_text="By a PIN, a finger or a face. A passkey without a password before it always must.",
    )
    webauthn_hints = HintsField()


class SetUpForm(StageForm):
    """What all stages have in which a factor is set up."""

    friendly_name = forms.CharField(
        label="A new one is called",
        max_length=LONGEST_NAME,
        required=False,
        help_text="Unless its owner says otherwise. Left empty, it is named after its kind.",
    )
    configure_flow = AnyFlowField(
        Flow.Designation.STAGE_CONFIGURATION,
        label="Flow from one’s own pages",
        help_text="Where people come who add such a factor by themselves. With none, they are not offered it.",
    )


class AuthenticatorTOTPForm(SetUpForm):
    model = AuthenticatorTOTPStage
    title = gettext_lazy("Authenticator app set-up")
    does = gettext_lazy("Sets up an authenticator app")

    digits = forms.TypedChoiceField(
        choices=[(6, "6"), (8, "8")], coerce=int, help_text="Every app can do six; some cannot do eight."
    )


class AuthenticatorStaticForm(SetUpForm):
    model = AuthenticatorStaticStage
    title = gettext_lazy("Recovery codes set-up")
    does = gettext_lazy("Gives recovery codes")

    token_count = forms.IntegerField(
        label="How many codes", min_value=1, max_value=100, help_text="Each of them works once."
    )
    token_length = forms.IntegerField(
        label="Length of a code", min_value=SHORTEST, max_value=64, help_text="In characters."
    )


class AuthenticatorEmailForm(SetUpForm):
    model = AuthenticatorEmailStage
    title = gettext_lazy("E-mail code set-up")
    does = gettext_lazy("Sets up codes by e-mail")

    subject = forms.CharField(max_length=200, help_text="Of the letters, also of those at a login.")
    token_expiry = DurationField(label="A code works for", help_text="Once. At most minutes=30.")


class AuthenticatorWebAuthnForm(SetUpForm):
    model = AuthenticatorWebAuthnStage
    title = gettext_lazy("Passkey set-up")
    does = gettext_lazy("Sets up a passkey")

    user_verification = forms.ChoiceField(
        label="It verifies its owner", choices=_PREFERENCES, help_text="By a PIN, a finger or a face."
    )
    resident_key_requirement = forms.ChoiceField(
        label="It keeps the account’s name",
        choices=_PREFERENCES,
        help_text="Then nobody need type it. Security keys have room for a few.",
    )
    authenticator_attachment = forms.TypedChoiceField(
        label="Which ones",
        choices=[
            ("", gettext_lazy("All")),
            ("platform", gettext_lazy("Those built into the device")),
            ("cross-platform", gettext_lazy("Those to carry about")),
        ],
        required=False,
        empty_value=None,
        help_text="Whoever has only the other kind cannot set one up then.",
    )
    hints = HintsField()
    max_attempts = forms.IntegerField(
        label="Attempts", min_value=0, max_value=1000, help_text="How often one may try. 0: as often as one likes."
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.initial["authenticator_attachment"] = self.initial["authenticator_attachment"] or ""
