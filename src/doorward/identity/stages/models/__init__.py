"""The kinds of stages, with their settings (``contracts/identity.md`` section 6.3)."""

from doorward.identity.stages.models.base import Stage
from doorward.identity.stages.models.captcha import CaptchaStage
from doorward.identity.stages.models.course import DenyStage, DummyStage, RedirectStage
from doorward.identity.stages.models.factors import (
    AuthenticatorEmailStage,
    AuthenticatorStaticStage,
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    Preference,
    SetUpStage,
    default_device_classes,
)
from doorward.identity.stages.models.login import (
    ConsentStage,
    IdentificationStage,
    PasswordStage,
    UserLoginStage,
    UserLogoutStage,
    default_user_fields,
)
from doorward.identity.stages.models.mail import EmailStage, Invitation, InvitationStage
from doorward.identity.stages.models.prompts import Prompt, PromptStage, UserDeleteStage, UserWriteStage

__all__ = [
    "AuthenticatorEmailStage",
    "AuthenticatorStaticStage",
    "AuthenticatorTOTPStage",
    "AuthenticatorValidateStage",
    "AuthenticatorWebAuthnStage",
    "CaptchaStage",
    "ConsentStage",
    "DenyStage",
    "DummyStage",
    "EmailStage",
    "IdentificationStage",
    "Invitation",
    "InvitationStage",
    "PasswordStage",
    "Preference",
    "Prompt",
    "PromptStage",
    "RedirectStage",
    "SetUpStage",
    "Stage",
    "UserDeleteStage",
    "UserLoginStage",
    "UserLogoutStage",
    "UserWriteStage",
    "default_device_classes",
    "default_user_fields",
]
