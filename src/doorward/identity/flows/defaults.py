"""The flows, stages and the brand that a fresh installation has (``contracts/identity.md`` section 7.1).

Slugs and names are authentik's, so that what people wrote for it finds them. A flow that exists is left alone with
all its bindings: whatever an operator has changed or taken out stays so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_noop

from doorward.identity.brands.models import Brand
from doorward.identity.directory.models import User
from doorward.identity.flows import default_prompts
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.policies.models import ExpressionPolicy, PolicyBinding, PolicyTarget
from doorward.identity.stages.models import (
    AuthenticatorEmailStage,
    AuthenticatorStaticStage,
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    ConsentStage,
    EmailStage,
    IdentificationStage,
    InvitationStage,
    PasswordStage,
    PromptStage,
    SetUpStage,
    Stage,
    UserLoginStage,
    UserLogoutStage,
    UserWriteStage,
)

AUTHENTICATION = "default-authentication-flow"
INVALIDATION = "default-invalidation-flow"
IMPLICIT_CONSENT = "default-provider-authorization-implicit-consent"
EXPLICIT_CONSENT = "default-provider-authorization-explicit-consent"
PROVIDER_INVALIDATION = "default-provider-invalidation-flow"
TOTP_SETUP = "default-authenticator-totp-setup"
STATIC_SETUP = "default-authenticator-static-setup"
WEBAUTHN_SETUP = "default-authenticator-webauthn-setup"
EMAIL_SETUP = "default-authenticator-email-setup"
PASSWORD_CHANGE = "default-password-change"  # noqa: S105 - a slug
RECOVERY = "default-recovery-flow"
INVITATION = "default-invitation-flow"
USER_SETTINGS = "default-user-settings-flow"
SOURCE_AUTHENTICATION = "default-source-authentication"
SOURCE_ENROLLMENT = "default-source-enrollment"
SOURCE_PRE_AUTHENTICATION = "default-source-pre-authentication"
DEVICE_CODE = "default-device-code-flow"
BRAND = "authentik-default"


@dataclass(frozen=True, slots=True)
class DefaultFlow:
    slug: str
    name: str
    title: str
    designation: Flow.Designation
    authentication: Flow.Authentication
    stages: tuple[tuple[int, type[Stage], str], ...] = ()
    """Order, kind and name of each stage."""


FLOWS = (
    DefaultFlow(
        AUTHENTICATION,
        gettext_noop("Welcome to Doorward!"),
        gettext_noop("Welcome to Doorward!"),
        Flow.Designation.AUTHENTICATION,
        Flow.Authentication.NONE,
        (
            (10, IdentificationStage, "default-authentication-identification"),
            (20, PasswordStage, "default-authentication-password"),
            (30, AuthenticatorValidateStage, "default-authentication-mfa-validation"),
            (100, UserLoginStage, "default-authentication-login"),
        ),
    ),
    DefaultFlow(
        INVALIDATION,
        gettext_noop("Logout"),
        gettext_noop("Default Invalidation Flow"),
        Flow.Designation.INVALIDATION,
        Flow.Authentication.NONE,
        ((0, UserLogoutStage, "default-invalidation-logout"),),
    ),
    DefaultFlow(
        IMPLICIT_CONSENT,
        gettext_noop("Authorize Application"),
        gettext_noop("Redirecting to %(app)s"),
        Flow.Designation.AUTHORIZATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
    ),
    DefaultFlow(
        EXPLICIT_CONSENT,
        gettext_noop("Authorize Application"),
        gettext_noop("Redirecting to %(app)s"),
        Flow.Designation.AUTHORIZATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, ConsentStage, "default-provider-authorization-consent"),),
    ),
    DefaultFlow(
        PROVIDER_INVALIDATION,
        gettext_noop("Logged out of application"),
        gettext_noop("You've logged out of %(app)s."),
        Flow.Designation.INVALIDATION,
        Flow.Authentication.NONE,
    ),
    DefaultFlow(
        TOTP_SETUP,
        gettext_noop("Set up an authenticator app"),
        gettext_noop("Set up an authenticator app"),
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, AuthenticatorTOTPStage, TOTP_SETUP),),
    ),
    DefaultFlow(
        STATIC_SETUP,
        gettext_noop("Set up recovery codes"),
        gettext_noop("Set up recovery codes"),
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, AuthenticatorStaticStage, STATIC_SETUP),),
    ),
    DefaultFlow(
        WEBAUTHN_SETUP,
        gettext_noop("Set up a passkey"),
        gettext_noop("Set up a passkey"),
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, AuthenticatorWebAuthnStage, WEBAUTHN_SETUP),),
    ),
    DefaultFlow(
        EMAIL_SETUP,
        gettext_noop("Set up codes by e-mail"),
        gettext_noop("Set up codes by e-mail"),
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, AuthenticatorEmailStage, EMAIL_SETUP),),
    ),
    DefaultFlow(
        PASSWORD_CHANGE,
        gettext_noop("Change Password"),
        gettext_noop("Change password"),
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        (
            (0, PromptStage, default_prompts.PASSWORD),
            (1, UserWriteStage, "default-password-change-write"),
        ),
    ),
    DefaultFlow(
        RECOVERY,
        gettext_noop("Recovery"),
        gettext_noop("Choose a new password"),
        Flow.Designation.RECOVERY,
        Flow.Authentication.REQUIRE_UNAUTHENTICATED,
        (
            (10, IdentificationStage, "default-recovery-identification"),
            (20, EmailStage, "default-recovery-email"),
            # A mailbox must not be a way around the second factor.
            (25, AuthenticatorValidateStage, "default-authentication-mfa-validation"),
            (30, PromptStage, default_prompts.PASSWORD),
            (40, UserWriteStage, "default-recovery-user-write"),
            (100, UserLoginStage, "default-recovery-user-login"),
        ),
    ),
    DefaultFlow(
        INVITATION,
        gettext_noop("Invitation"),
        gettext_noop("Make your account"),
        Flow.Designation.ENROLLMENT,
        Flow.Authentication.REQUIRE_UNAUTHENTICATED,
        (
            (10, InvitationStage, "default-invitation"),
            (20, PromptStage, default_prompts.INVITATION),
            (30, UserWriteStage, "default-invitation-user-write"),
            (100, UserLoginStage, "default-invitation-user-login"),
        ),
    ),
    DefaultFlow(
        USER_SETTINGS,
        gettext_noop("User settings"),
        gettext_noop("Update your info"),
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        (
            (20, PromptStage, default_prompts.SETTINGS),
            (100, UserWriteStage, "default-user-settings-write"),
        ),
    ),
    DefaultFlow(
        DEVICE_CODE,
        gettext_noop("Connect a device"),
        gettext_noop("Connect a device"),
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
    ),
    DefaultFlow(
        SOURCE_AUTHENTICATION,
        gettext_noop("Welcome to Doorward!"),
        gettext_noop("Welcome to Doorward!"),
        Flow.Designation.AUTHENTICATION,
        Flow.Authentication.REQUIRE_UNAUTHENTICATED,
        ((0, UserLoginStage, "default-source-authentication-login"),),
    ),
    DefaultFlow(
        SOURCE_ENROLLMENT,
        gettext_noop("Choose a user name"),
        gettext_noop("Choose a user name"),
        Flow.Designation.ENROLLMENT,
        Flow.Authentication.NONE,
        (
            (0, PromptStage, default_prompts.SOURCE),
            (1, UserWriteStage, "default-source-enrollment-write"),
            (2, UserLoginStage, "default-source-enrollment-login"),
        ),
    ),
    DefaultFlow(
        SOURCE_PRE_AUTHENTICATION,
        gettext_noop("Pre-Authentication"),
        gettext_noop("Pre-authentication"),
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.NONE,
    ),
)

IF_SSO = (
    (SOURCE_AUTHENTICATION, "default-source-authentication-if-sso"),
    (SOURCE_ENROLLMENT, "default-source-enrollment-if-sso"),
)
"""Flow and name of the policy that keeps it for those whom a source has sent."""
IF_USERNAME = "default-source-enrollment-if-username"
ASK_FOR_USERNAME = """
username = request.context["prompt_data"].get("username")
return not username or ak_user_by(username=username) is not None
"""

SETTINGS: dict[str, dict[str, object]] = {
    "default-authentication-identification": {"user_fields": ["email", "username"]},
    "default-authentication-password": {
        "backends": ["authentik.core.auth.InbuiltBackend"],
        "allow_show_password": True,
    },
    # The user decides, browser by browser, and can take it back.
    "default-authentication-mfa-validation": {"last_auth_threshold": "days=30"},
    "default-password-change-write": {"user_creation_mode": UserWriteStage.CreationMode.NEVER_CREATE},
    "default-recovery-identification": {"user_fields": ["email", "username"]},
    "default-recovery-email": {"subject": gettext_noop("Choose a new password")},
    "default-recovery-user-write": {"user_creation_mode": UserWriteStage.CreationMode.NEVER_CREATE},
    "default-invitation-user-write": {
        "user_creation_mode": UserWriteStage.CreationMode.ALWAYS_CREATE,
        "user_type": User.Type.INTERNAL,
    },
    "default-source-enrollment-write": {"user_creation_mode": UserWriteStage.CreationMode.ALWAYS_CREATE},
    "default-user-settings-write": {"user_creation_mode": UserWriteStage.CreationMode.NEVER_CREATE},
}


def ensure() -> None:
    """Create what is missing. Does nothing the second time."""
    with transaction.atomic():
        made = {default.slug for default in FLOWS if not Flow.objects.filter(slug=default.slug).exists()}
        flows = {default.slug: _flow(default) for default in FLOWS}
        if AUTHENTICATION in made:
            _link(flows)
        for slug, name in IF_SSO:
            if slug in made:
                _bind(flows[slug], name, "return ak_is_sso_flow")
        if SOURCE_ENROLLMENT in made:
            place = FlowStageBinding.objects.get(flow=flows[SOURCE_ENROLLMENT], order=0)
            _bind(place, IF_USERNAME, ASK_FOR_USERNAME.strip())
        Brand.objects.get_or_create(
            domain=BRAND,
            defaults={
                "default": not Brand.objects.filter(default=True).exists(),
                "flow_authentication": flows[AUTHENTICATION],
                "flow_invalidation": flows[INVALIDATION],
                "flow_user_settings": flows[USER_SETTINGS],
            },
        )
        if DEVICE_CODE in made:
            # Also where the brand is older than the flow.
            Brand.objects.filter(domain=BRAND, flow_device_code=None).update(flow_device_code=flows[DEVICE_CODE])


def _bind(target: PolicyTarget, name: str, expression: str) -> None:
    policy, _ = ExpressionPolicy.objects.get_or_create(name=name, defaults={"expression": expression})
    PolicyBinding.objects.create(target=target, policy=policy, order=0)


def _flow(default: DefaultFlow) -> Flow:
    flow, created = Flow.objects.get_or_create(
        slug=default.slug,
        defaults={
            "name": default.name,
            "title": default.title,
            "designation": default.designation,
            "authentication": default.authentication,
        },
    )
    if created:
        for order, kind, name in default.stages:
            stage, made = kind._default_manager.get_or_create(name=name, defaults=SETTINGS.get(name, {}))
            FlowStageBinding.objects.create(flow=flow, stage=stage, order=order)
            if made and isinstance(stage, SetUpStage):
                stage.configure_flow = flow
                stage.save(update_fields=["configure_flow"])
            if made and isinstance(stage, PromptStage):
                default_prompts.fill(stage)
    return flow


def _link(flows: Mapping[str, Flow]) -> None:
    """What the stages of a login refer to: passkeys on the first page, and where a password is changed."""
    stages = flows[AUTHENTICATION].stages
    IdentificationStage.objects.filter(pk__in=stages.values("pk"), webauthn_stage=None).update(
        webauthn_stage=AuthenticatorValidateStage.objects.filter(pk__in=stages.values("pk")).first()
    )
    IdentificationStage.objects.filter(pk__in=stages.values("pk"), recovery_flow=None).update(
        recovery_flow=flows[RECOVERY]
    )
    PasswordStage.objects.filter(pk__in=stages.values("pk"), configure_flow=None).update(
        configure_flow=flows[PASSWORD_CHANGE]
    )
