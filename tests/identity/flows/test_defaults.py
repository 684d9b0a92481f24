"""What a fresh installation has (C13), and that an operator's changes survive."""

from __future__ import annotations

import pytest

from doorward.identity.brands.models import Brand
from doorward.identity.brands.queries import current_brand
from doorward.identity.flows import defaults
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.stages.models import ConsentStage, IdentificationStage, Stage

pytestmark = pytest.mark.django_db


def test_the_flows_have_the_names_that_people_know() -> None:
    """Slugs, stages and their order."""  # C13
    defaults.ensure()

    bindings = FlowStageBinding.objects.order_by("flow__slug", "order")
    assert [(binding.flow.slug, binding.order, binding.stage.name) for binding in bindings] == [
        ("default-authentication-flow", 10, "default-authentication-identification"),
        ("default-authentication-flow", 20, "default-authentication-password"),
        ("default-authentication-flow", 30, "default-authentication-mfa-validation"),
        ("default-authentication-flow", 100, "default-authentication-login"),
        ("default-authenticator-email-setup", 0, "default-authenticator-email-setup"),
        ("default-authenticator-static-setup", 0, "default-authenticator-static-setup"),
        ("default-authenticator-totp-setup", 0, "default-authenticator-totp-setup"),
        ("default-authenticator-webauthn-setup", 0, "default-authenticator-webauthn-setup"),
        ("default-invalidation-flow", 0, "default-invalidation-logout"),
        ("default-invitation-flow", 10, "default-invitation"),
        ("default-invitation-flow", 20, "default-invitation-prompt"),
        ("default-invitation-flow", 30, "default-invitation-user-write"),
        ("default-invitation-flow", 100, "default-invitation-user-login"),
        ("default-password-change", 0, "default-password-change-prompt"),
        ("default-password-change", 1, "default-password-change-write"),
        ("default-provider-authorization-explicit-consent", 0, "default-provider-authorization-consent"),
        ("default-recovery-flow", 10, "default-recovery-identification"),
        ("default-recovery-flow", 20, "default-recovery-email"),
        ("default-recovery-flow", 25, "default-authentication-mfa-validation"),
        ("default-recovery-flow", 30, "default-password-change-prompt"),
        ("default-recovery-flow", 40, "default-recovery-user-write"),
        ("default-recovery-flow", 100, "default-recovery-user-login"),
        ("default-source-authentication", 0, "default-source-authentication-login"),
        ("default-source-enrollment", 0, "default-source-enrollment-prompt"),
        ("default-source-enrollment", 1, "default-source-enrollment-write"),
        ("default-source-enrollment", 2, "default-source-enrollment-login"),
        ("default-user-settings-flow", 20, "default-user-settings"),
        ("default-user-settings-flow", 100, "default-user-settings-write"),
    ]
    assert set(Flow.objects.values_list("slug", flat=True)) == {default.slug for default in defaults.FLOWS}
    assert Flow.objects.get(slug=defaults.AUTHENTICATION).title == "Welcome to Doorward!"
    first = IdentificationStage.objects.get(name="default-authentication-identification")
    assert first.user_fields == ["email", "username"]
    assert ConsentStage.objects.get().consent_expire_in == "weeks=4"


def test_the_brand_starts_the_default_flows() -> None:
    """authentik-default, the fallback for every host."""
    defaults.ensure()

    brand = current_brand()
    assert brand.domain == "authentik-default"
    assert brand.flow_authentication is not None
    assert brand.flow_authentication.slug == defaults.AUTHENTICATION
    assert brand.branding_title == "Doorward"


def test_a_brand_of_this_host_goes_before_the_default() -> None:
    """The longest domain that covers the external URL's host, at a dot."""
    defaults.ensure()
    Brand.objects.create(domain="example.test", branding_title="Example")
    Brand.objects.create(domain="th.example.test", branding_title="Not a suffix at a dot")

    assert current_brand().branding_title == "Example"


def test_a_second_time_changes_nothing() -> None:
    """An operator's title, a stage they took out and a brand they renamed stay as they are."""
    defaults.ensure()
    Flow.objects.filter(slug=defaults.AUTHENTICATION).update(title="Our house", compatibility_mode=True)
    FlowStageBinding.objects.filter(flow__slug=defaults.EXPLICIT_CONSENT).delete()
    Brand.objects.update(branding_title="Ours")
    stages = Stage.objects.count()

    defaults.ensure()

    flow = Flow.objects.get(slug=defaults.AUTHENTICATION)
    assert (flow.title, flow.compatibility_mode) == ("Our house", True)
    assert not FlowStageBinding.objects.filter(flow__slug=defaults.EXPLICIT_CONSENT).exists()
    assert Brand.objects.get().branding_title == "Ours"
    assert Stage.objects.count() == stages
