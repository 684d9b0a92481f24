"""The kinds of stages, with their settings (``contracts/identity.md`` section 6.3)."""

from doorward.identity.stages.models.base import Stage
from doorward.identity.stages.models.factors import (
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
from doorward.identity.stages.models.mail import EmailStage
from doorward.identity.stages.models.prompts import Prompt, PromptStage, UserWriteStage

__all__ = [
    "AuthenticatorStaticStage",
    "AuthenticatorTOTPStage",
    "AuthenticatorValidateStage",
    "AuthenticatorWebAuthnStage",
    "ConsentStage",
    "EmailStage",
    "IdentificationStage",
    "PasswordStage",
    "Preference",
    "Prompt",
    "PromptStage",
    "SetUpStage",
    "Stage",
    "UserLoginStage",
    "UserLogoutStage",
    "UserWriteStage",
    "default_device_classes",
    "default_user_fields",
]
