"""How the question for a factor looks, on the page and in the API: one for each factor, or set-ups to choose."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from msgspec import Struct

from doorward.identity.authenticators.mailed_codes import masked
from doorward.identity.authenticators.models import Device, DeviceClass, EmailDevice
from doorward.identity.authenticators.options import RequestOptions
from doorward.identity.stages.models import Stage
from doorward.identity.stages.view import Challenge

SET_UP_PASSKEY = "authenticatorwebauthn"
SET_UP_NAMES = {
    "authenticatortotp": (
        gettext_noop("Authenticator app"),
        "authentik_stages_authenticator_totp.authenticatortotpstage",
    ),
    "authenticatorstatic": (
        gettext_noop("Recovery codes"),
        "authentik_stages_authenticator_static.authenticatorstaticstage",
    ),
    "authenticatoremail": (
        gettext_noop("Codes by e-mail"),
        "authentik_stages_authenticator_email.authenticatoremailstage",
    ),
    SET_UP_PASSKEY: (
        gettext_noop("Passkey or security key"),
        "authentik_stages_authenticator_webauthn.authenticatorwebauthnstage",
    ),
}
"""Words and model name of each kind."""


class DeviceChallenge(Struct, frozen=True, kw_only=True):
    device_class: str
    device_uid: str
    challenge: RequestOptions | dict[str, str]
    last_used: datetime | None


class SelectableStage(Struct, frozen=True, kw_only=True):
    pk: str
    name: str
    verbose_name: str
    meta_model_name: str


class ValidationChallenge(Challenge, frozen=True, kw_only=True):
    pending_user: str
    pending_user_avatar: str = "/static/person.svg"
    device_challenges: list[DeviceChallenge]
    configuration_stages: list[SelectableStage]
    remember_for: str = ""
    """For how long the browser can be remembered, in words; empty where it cannot."""
    sent_to: str = ""
    """Where the last code of this login went, as ``b•••@example.test``; empty when none was asked for."""

    @property
    def passkey(self) -> RequestOptions | None:
        """What to ask the browser for, if keys are taken."""
        asked = (each.challenge for each in self.device_challenges)
        return next((options for options in asked if isinstance(options, RequestOptions)), None)

    @property
    def takes_app(self) -> bool:
        return any(each.device_class == DeviceClass.TOTP for each in self.device_challenges)

    @property
    def takes_paper(self) -> bool:
        return any(each.device_class == DeviceClass.STATIC for each in self.device_challenges)

    @property
    def only_paper(self) -> bool:
        return all(each.device_class == DeviceClass.STATIC for each in self.device_challenges)

    @property
    def mailboxes(self) -> list[DeviceChallenge]:
        """The factors that a code can be sent to."""
        return [each for each in self.device_challenges if each.device_class == DeviceClass.EMAIL]


def about(device: Device, asked: RequestOptions | dict[str, str]) -> DeviceChallenge:
    """The question for one factor."""
    return DeviceChallenge(
        device_class=device.CLASS, device_uid=str(device.pk), challenge=asked, last_used=device.last_used
    )


def public(device: Device) -> dict[str, str]:
    """What the question for a factor tells about it."""
    return {"email": masked(device.email)} if isinstance(device, EmailDevice) else {}


def selectable(stage: Stage) -> SelectableStage:
    """A set-up stage, as a choice."""
    words, model = SET_UP_NAMES[stage.kind]
    return SelectableStage(pk=str(stage.pk), name=stage.name, verbose_name=_(words), meta_model_name=model)


def in_words(threshold: timedelta) -> str:
    """``30 days``; empty for none."""
    if not threshold:
        return ""
    seconds = int(threshold.total_seconds())
    if days := seconds // 86400:
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    if hours := seconds // 3600:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    if minutes := seconds // 60:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    return _("a moment")
