"""The flows, stages and the brand that a fresh installation has (``contracts/identity.md`` section 7.1).

Slugs and names are authentik's, so that what people wrote for it finds them. A flow that exists is left alone with
all its bindings: whatever an operator has changed or taken out stays so.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from doorward.identity.brands.models import Brand
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.stages.models import (
    AuthenticatorStaticStage,
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    ConsentStage,
    IdentificationStage,
    PasswordStage,
    SetUpStage,
    Stage,
    UserLoginStage,
    UserLogoutStage,
)

AUTHENTICATION = "default-authentication-flow"
INVALIDATION = "default-invalidation-flow"
IMPLICIT_CONSENT = "default-provider-authorization-implicit-consent"
EXPLICIT_CONSENT = "default-provider-authorization-explicit-consent"
PROVIDER_INVALIDATION = "default-provider-invalidation-flow"
TOTP_SETUP = "default-authenticator-totp-setup"
STATIC_SETUP = "default-authenticator-static-setup"
WEBAUTHN_SETUP = "default-authenticator-webauthn-setup"
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
        "Welcome to Doorward!",
        "Welcome to Doorward!",
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
        "Logout",
        "Default Invalidation Flow",
        Flow.Designation.INVALIDATION,
        Flow.Authentication.NONE,
        ((0, UserLogoutStage, "default-invalidation-logout"),),
    ),
    DefaultFlow(
        IMPLICIT_CONSENT,
        "Authorize Application",
        "Redirecting to %(app)s",
        Flow.Designation.AUTHORIZATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
    ),
    DefaultFlow(
        EXPLICIT_CONSENT,
        "Authorize Application",
        "Redirecting to %(app)s",
        Flow.Designation.AUTHORIZATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, ConsentStage, "default-provider-authorization-consent"),),
    ),
    DefaultFlow(
        PROVIDER_INVALIDATION,
        "Logged out of application",
        "You've logged out of %(app)s.",
        Flow.Designation.INVALIDATION,
        Flow.Authentication.NONE,
    ),
    DefaultFlow(
        TOTP_SETUP,
        "Set up an authenticator app",
        "Set up an authenticator app",
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, AuthenticatorTOTPStage, TOTP_SETUP),),
    ),
    DefaultFlow(
        STATIC_SETUP,
        "Set up recovery codes",
        "Set up recovery codes",
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, AuthenticatorStaticStage, STATIC_SETUP),),
    ),
    DefaultFlow(
        WEBAUTHN_SETUP,
        "Set up a passkey",
        "Set up a passkey",
        Flow.Designation.STAGE_CONFIGURATION,
        Flow.Authentication.REQUIRE_AUTHENTICATED,
        ((0, AuthenticatorWebAuthnStage, WEBAUTHN_SETUP),),
    ),
)

SETTINGS: dict[str, dict[str, object]] = {
    "default-authentication-identification": {"user_fields": ["email", "username"]},
    "default-authentication-password": {
        "backends": ["authentik.core.auth.InbuiltBackend"],
        "allow_show_password": True,
    },
    # The user decides, browser by browser, and can take it back.
    "default-authentication-mfa-validation": {"last_auth_threshold": "days=30"},
}


LINKS = {"default-authentication-identification": ("webauthn_stage", "default-authentication-mfa-validation")}
"""Stages that refer to another one of the same flow."""


def ensure() -> None:
    """Create what is missing. Does nothing the second time."""
    with transaction.atomic():
        flows = {default.slug: _flow(default) for default in FLOWS}
        Brand.objects.get_or_create(
            domain=BRAND,
            defaults={
                "default": not Brand.objects.filter(default=True).exists(),
                "flow_authentication": flows[AUTHENTICATION],
                "flow_invalidation": flows[INVALIDATION],
            },
        )


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
        _link(flow)
    return flow


def _link(flow: Flow) -> None:
    for name, (field, other) in LINKS.items():
        stage, linked = (flow.stages.filter(name=each).first() for each in (name, other))
        if stage is not None and linked is not None:
            concrete = stage.concrete()
            setattr(concrete, field, linked.concrete())
            concrete.save(update_fields=[field])
