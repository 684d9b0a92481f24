"""The table of stages: which view runs which kind. A new stage is one file and one line here."""

from __future__ import annotations

from typing import Any

from doorward.identity.flows.plan import IFRAME_LOGOUT, SESSION_END, SOURCE_LOGOUT
from doorward.identity.stages.authenticator_email import AuthenticatorEmailView
from doorward.identity.stages.authenticator_static import AuthenticatorStaticView
from doorward.identity.stages.authenticator_totp import AuthenticatorTOTPView
from doorward.identity.stages.authenticator_validate import AuthenticatorValidateView
from doorward.identity.stages.authenticator_webauthn import AuthenticatorWebAuthnView
from doorward.identity.stages.captcha import CaptchaView
from doorward.identity.stages.consent import ConsentView
from doorward.identity.stages.deny import DenyView
from doorward.identity.stages.dummy import DummyView
from doorward.identity.stages.email import EmailView
from doorward.identity.stages.identification import IdentificationView
from doorward.identity.stages.iframe_logout import IframeLogoutView
from doorward.identity.stages.invitation import InvitationView
from doorward.identity.stages.models import (
    AuthenticatorEmailStage,
    AuthenticatorStaticStage,
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    CaptchaStage,
    ConsentStage,
    DenyStage,
    DummyStage,
    EmailStage,
    IdentificationStage,
    InvitationStage,
    PasswordStage,
    PromptStage,
    RedirectStage,
    UserDeleteStage,
    UserLoginStage,
    UserLogoutStage,
    UserWriteStage,
)
from doorward.identity.stages.password import PasswordView
from doorward.identity.stages.prompt import PromptView
from doorward.identity.stages.redirect import RedirectView
from doorward.identity.stages.session_end import SessionEndView
from doorward.identity.stages.source_logout import SourceLogoutView
from doorward.identity.stages.user_delete import UserDeleteView
from doorward.identity.stages.user_login import UserLoginView
from doorward.identity.stages.user_logout import UserLogoutView
from doorward.identity.stages.user_write import UserWriteView
from doorward.identity.stages.view import StageView, Visit

VIEWS: dict[str, type[StageView[Any]]] = {
    IdentificationStage.KIND: IdentificationView,
    PasswordStage.KIND: PasswordView,
    UserLoginStage.KIND: UserLoginView,
    UserLogoutStage.KIND: UserLogoutView,
    ConsentStage.KIND: ConsentView,
    AuthenticatorValidateStage.KIND: AuthenticatorValidateView,
    AuthenticatorTOTPStage.KIND: AuthenticatorTOTPView,
    AuthenticatorStaticStage.KIND: AuthenticatorStaticView,
    AuthenticatorEmailStage.KIND: AuthenticatorEmailView,
    AuthenticatorWebAuthnStage.KIND: AuthenticatorWebAuthnView,
    CaptchaStage.KIND: CaptchaView,
    EmailStage.KIND: EmailView,
    PromptStage.KIND: PromptView,
    UserWriteStage.KIND: UserWriteView,
    InvitationStage.KIND: InvitationView,
    UserDeleteStage.KIND: UserDeleteView,
    DenyStage.KIND: DenyView,
    DummyStage.KIND: DummyView,
    RedirectStage.KIND: RedirectView,
    SESSION_END: SessionEndView,
    IFRAME_LOGOUT: IframeLogoutView,
    SOURCE_LOGOUT: SourceLogoutView,
}


def view_of(visit: Visit) -> StageView[Any]:
    """The view of the stage that ``visit`` is at. Raises KeyError for a kind that nobody registered."""
    return VIEWS[visit.stage.kind](visit, visit.stage)
