"""The fields and rules of the default flows in which people change their password and what is known about them."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from doorward.identity.policies.models import PasswordPolicy
from doorward.identity.stages.models import Prompt, PromptStage

PASSWORD = "default-password-change-prompt"  # noqa: S105 - a name
SETTINGS = "default-user-settings"
POLICY = "default-password-change-password-policy"
INVITATION = "default-invitation-prompt"
SOURCE = "default-source-enrollment-prompt"
_TYPE = Prompt.Type

FIELDS: dict[str, tuple[tuple[str, str, str, Prompt.Type, bool], ...]] = {
    PASSWORD: (
        ("default-password-change-field-password", "password", gettext_noop("New password"), _TYPE.PASSWORD, True),
        (
            "default-password-change-field-password-repeat",
            "password_repeat",
            gettext_noop("The same again"),
            _TYPE.PASSWORD,
            True,
        ),
    ),
    INVITATION: (
        ("default-invitation-field-username", "username", gettext_noop("Username"), _TYPE.USERNAME, True),
        ("default-invitation-field-name", "name", gettext_noop("Name"), _TYPE.TEXT, True),
        ("default-invitation-field-email", "email", gettext_noop("E-mail"), _TYPE.EMAIL, True),
        ("default-invitation-field-password", "password", gettext_noop("Password"), _TYPE.PASSWORD, True),
        (
            "default-invitation-field-password-repeat",
            "password_repeat",
            gettext_noop("The same again"),
            _TYPE.PASSWORD,
            True,
        ),
    ),
    SOURCE: (("default-source-enrollment-field-username", "username", gettext_noop("Username"), _TYPE.USERNAME, True),),
    SETTINGS: (
        ("default-user-settings-field-username", "username", gettext_noop("Username"), _TYPE.USERNAME, True),
        ("default-user-settings-field-name", "name", gettext_noop("Name"), _TYPE.TEXT, False),
        ("default-user-settings-field-email", "email", gettext_noop("E-mail"), _TYPE.EMAIL, False),
        ("default-user-settings-field-locale", "locale", gettext_noop("Language"), _TYPE.LOCALE, False),
    ),
}
"""Name, key, label, type and whether it is required."""


def fill(stage: PromptStage) -> None:
    """Give a default prompt stage its fields, and those that ask for passwords their policy."""
    for order, (name, key, label, kind, required) in enumerate(FIELDS.get(stage.name, ())):
        values = {"field_key": key, "label": label, "type": kind, "required": required, "order": order}
        field, _ = Prompt.objects.get_or_create(name=name, defaults=values)
        stage.fields.add(field)
    if stage.name in (PASSWORD, INVITATION):
        rules = {"length_min": 8, "check_zxcvbn": True}
        policy, _ = PasswordPolicy.objects.get_or_create(name=POLICY, defaults=rules)
        stage.validation_policies.add(policy)
