"""Flows, stages, scopes, certificates, brands and events by the official client."""

from __future__ import annotations

from typing import Any

import pytest


def test_the_default_flows_are_there(api: Any) -> None:
    """Under the slugs that every guide names."""  # C13
    slugs = {found.slug for found in api.flows_instances_list().results}

    assert slugs >= {
        "default-authentication-flow",
        "default-invalidation-flow",
        "default-provider-authorization-explicit-consent",
        "default-provider-authorization-implicit-consent",
        "default-provider-invalidation-flow",
    }


def test_a_flow_lives_and_dies(api: Any, official: Any) -> None:
    """By its slug, with a stage bound into it."""
    made = api.flows_instances_create(
        official.FlowRequest(name="Mine", slug="mine", title="Mine", designation="authorization")
    )
    stage = api.stages_user_logout_create(official.UserLogoutStageRequest(name="out"))
    binding = api.flows_bindings_create(official.FlowStageBindingRequest(target=made.pk, stage=stage.pk, order=0))
    assert binding.stage_obj.component == "ak-stage-user-logout-form"

    put = api.flows_instances_update(
        "mine", official.FlowRequest(name="Ours", slug="mine", title="Ours", designation="authorization")
    )
    moved = api.flows_bindings_partial_update(
        binding.pk, patched_flow_stage_binding_request=official.PatchedFlowStageBindingRequest(order=5)
    )
    api.flows_bindings_update(binding.pk, official.FlowStageBindingRequest(target=made.pk, stage=stage.pk, order=6))

    assert (put.stages, moved.order) == ([stage.pk], 5)
    assert (
        api.flows_instances_list(designation=official.FlowDesignationEnum.AUTHORIZATION, search="mine").pagination.count
        == 1
    )
    assert api.flows_bindings_list(target=made.pk, stage=stage.pk).results[0].order == 6
    assert api.flows_bindings_retrieve(binding.pk).target == made.pk
    assert api.stages_user_logout_retrieve(stage.pk).flow_set[0].slug == "mine"
    assert {user.model_name for user in api.stages_all_used_by_list(stage.pk)} == {"flowstagebinding"}
    assert {user.model_name for user in api.flows_instances_used_by_list("mine")} == {"flowstagebinding"}
    assert api.flows_bindings_used_by_list(binding.pk) == []
    assert api.flows_bindings_destroy(binding.pk) is None
    assert api.flows_instances_destroy("mine") is None
    assert api.stages_all_destroy(stage.pk) is None


def test_a_flow_in_use_stays(api: Any, official: Any, provider: Any) -> None:
    """A provider must have its flows: deleting one is refused with a reason."""
    with pytest.raises(official.exceptions.BadRequestException) as refused:
        api.flows_instances_destroy("default-provider-invalidation-flow")

    assert "used_by" in refused.value.body


def test_the_cache_is_always_clear(api: Any) -> None:
    """Scripts that clear it after a change get what they expect."""
    assert api.flows_instances_cache_clear_create() is None
    assert api.flows_instances_cache_info_retrieve().count == 0


STAGES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("identification", "IdentificationStage", {"user_fields": ["username"]}, {"pretend_user_exists": False}),
    (
        "password",
        "PasswordStage",
        {"backends": ["authentik.core.auth.InbuiltBackend"]},
        {"failed_attempts_before_cancel": 3},
    ),
    ("user_login", "UserLoginStage", {"session_duration": "hours=8"}, {"terminate_other_sessions": True}),
    ("user_logout", "UserLogoutStage", {}, {"name": "renamed"}),
    ("consent", "ConsentStage", {"mode": "expiring"}, {"consent_expire_in": "weeks=1"}),
    (
        "authenticator_validate",
        "AuthenticatorValidateStage",
        {"not_configured_action": "skip", "device_classes": ["totp", "webauthn"]},
        {"last_auth_threshold": "hours=1"},
    ),
    ("authenticator_totp", "AuthenticatorTOTPStage", {"digits": "8"}, {"friendly_name": "Phone"}),
    ("authenticator_static", "AuthenticatorStaticStage", {"token_count": 8}, {"token_length": 16}),
    ("authenticator_email", "AuthenticatorEmailStage", {"subject": "Your code"}, {"token_expiry": "minutes=5"}),
    ("authenticator_webauthn", "AuthenticatorWebAuthnStage", {"hints": ["hybrid"]}, {"max_attempts": 3}),
    (
        "captcha",
        "CaptchaStage",
        {"public_key": "site", "private_key": "secret", "js_url": "https://js.hcaptcha.com/1/api.js"},
        {"score_min_threshold": 0.25},
    ),
    ("user_write", "UserWriteStage", {"user_creation_mode": "never_create"}, {"user_path_template": "guests"}),
    ("email", "EmailStage", {"use_global_settings": True}, {"subject": "Hello"}),
    ("prompt_stages", "PromptStage", {"fields": []}, {"name": "renamed"}),
    ("deny", "DenyStage", {}, {"deny_message": "Closed."}),
    ("dummy", "DummyStage", {}, {"throw_error": True}),
    ("redirect", "RedirectStage", {"mode": "static", "target_static": "/if/user/"}, {"keep_context": False}),
    ("user_delete", "UserDeleteStage", {}, {"name": "renamed"}),
    ("invitation_stages", "InvitationStage", {}, {"continue_flow_without_invitation": True}),
]


@pytest.mark.parametrize(("kind", "model", "fields", "change"), STAGES)
def test_a_stage_lives_and_dies(
    api: Any, official: Any, kind: str, model: str, fields: dict[str, Any], change: dict[str, Any]
) -> None:
    """Each kind of stage is created, changed, found among its kind and among all, and deleted."""

    def call(operation: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(api, f"stages_{kind}_{operation}")(*args, **kwargs)

    request, patched_request = getattr(official, f"{model}Request"), getattr(official, f"Patched{model}Request")
    made = call("create", request(name="mine", **fields))
    words = kind.replace("webauthn", "web_authn").removesuffix("_stages")
    parameter = f"patched_{words}_stage_request"
    patched = call("partial_update", made.pk, **{parameter: patched_request(**change)})
    put = call("update", made.pk, request(name="ours", **fields))

    for field, value in change.items():
        assert getattr(patched, field) == value
    assert put.name == "ours"
    assert call("list", name="ours").results[0].pk == made.pk
    assert call("retrieve", made.pk).flow_set == []
    assert call("used_by_list", made.pk) == []
    assert api.stages_all_retrieve(made.pk).component == made.component
    assert api.stages_all_list(name="ours").pagination.count == 1
    assert call("destroy", made.pk) is None


def test_letters_of_stages_are_listed(api: Any, official: Any) -> None:
    """By the names that blueprints know, and a stage takes no other."""
    names = [template.name for template in api.stages_email_templates_list()]

    assert names == ["email/password_reset.html", "email/account_confirmation.html"]
    made = api.stages_email_create(official.EmailStageRequest(name="mine", template=names[1]))
    assert made.template == names[1]
    with pytest.raises(official.ApiException) as refused:
        api.stages_email_create(official.EmailStageRequest(name="other", template="email/password_rest.html"))
    assert "did you mean 'email/password_reset.html'?" in str(refused.value.body)
    api.stages_email_destroy(made.pk)


def test_kinds_of_stages_are_listed(api: Any) -> None:
    """A client's menu."""
    assert len(api.stages_all_types_list()) == 19


def test_scopes_are_found_by_their_managed_names(api: Any, official: Any) -> None:
    """The shipped ones by the names that scripts list; an own one names a scope."""
    names = [f"goauthentik.io/providers/oauth2/scope-{scope}" for scope in ("openid", "email", "profile")]
    assert api.propertymappings_provider_scope_list(managed=names).pagination.count == 3
    assert api.propertymappings_all_list(managed__isnull=False).pagination.count > 3

    made = api.propertymappings_provider_scope_create(
        official.ScopeMappingRequest(name="mine", scope_name="mine", expression="return {}")
    )
    patched = api.propertymappings_provider_scope_partial_update(
        made.pk, patched_scope_mapping_request=official.PatchedScopeMappingRequest(description="Mine")
    )
    put = api.propertymappings_provider_scope_update(
        made.pk,
        official.ScopeMappingRequest(name="ours", scope_name="ours", expression='return {"team": user.username}'),
    )

    assert (patched.description, put.scope_name) == ("Mine", "ours")
    tried = api.propertymappings_all_test_create(
        made.pk, property_mapping_test_request=official.PropertyMappingTestRequest()
    )
    assert (tried.successful, tried.result) == (True, '{\n    "team": "akadmin"\n}')
    assert api.propertymappings_provider_scope_retrieve(made.pk).managed is None
    assert api.propertymappings_all_retrieve(made.pk).component == made.component
    assert len(api.propertymappings_all_types_list()) == 1
    assert api.propertymappings_provider_scope_used_by_list(made.pk) == []
    assert api.propertymappings_all_used_by_list(made.pk) == []
    assert api.propertymappings_provider_scope_destroy(made.pk) is None


@pytest.mark.parametrize(("alg", "key_type"), [("rsa", "rsa"), ("ecdsa", "ec"), ("ed25519", "ed25519")])
def test_certificates_are_generated(api: Any, official: Any, alg: str, key_type: str) -> None:
    """Certificate and key leave by their own calls."""
    made = api.crypto_certificatekeypairs_generate_create(
        official.CertificateGenerationRequest(common_name="mine", validity_days=10, alg=alg)
    )

    assert (made.key_type.value, made.private_key_available, made.cert_subject) == (key_type, True, "CN=mine")
    assert "BEGIN CERTIFICATE" in api.crypto_certificatekeypairs_view_certificate_retrieve(made.pk).data
    assert "BEGIN PRIVATE KEY" in api.crypto_certificatekeypairs_view_private_key_retrieve(made.pk).data


def test_a_certificate_lives_and_dies(api: Any, official: Any) -> None:
    """Imported, found, renamed, deleted."""
    (shipped,) = api.crypto_certificatekeypairs_list(name="authentik Self-signed Certificate", has_key=True).results
    pem = api.crypto_certificatekeypairs_view_certificate_retrieve(shipped.pk).data
    made = api.crypto_certificatekeypairs_create(official.CertificateKeyPairRequest(name="mine", certificate_data=pem))
    patched = api.crypto_certificatekeypairs_partial_update(
        made.pk, patched_certificate_key_pair_request=official.PatchedCertificateKeyPairRequest(name="ours")
    )
    put = api.crypto_certificatekeypairs_update(
        made.pk, official.CertificateKeyPairRequest(name="theirs", certificate_data=pem)
    )

    assert (made.private_key_available, patched.name, put.name) == (False, "ours", "theirs")
    assert api.crypto_certificatekeypairs_retrieve(made.pk).fingerprint_sha256 == shipped.fingerprint_sha256
    assert api.crypto_certificatekeypairs_used_by_list(made.pk) == []
    assert api.crypto_certificatekeypairs_destroy(made.pk) is None


def test_a_brand_lives_and_dies(api: Any, official: Any) -> None:
    """Beside the default one, which stays."""
    (default,) = api.core_brands_list(default=True).results
    made = api.core_brands_create(official.BrandRequest(domain="example.test", branding_title="Example"))
    assert api.core_brands_current_retrieve().branding_title == "Example"

    patched = api.core_brands_partial_update(
        made.brand_uuid,
        patched_brand_request=official.PatchedBrandRequest(flow_authentication=default.flow_authentication),
    )
    put = api.core_brands_update(made.brand_uuid, official.BrandRequest(domain="other.test"))

    assert patched.flow_authentication == default.flow_authentication
    assert put.domain == "other.test"
    assert api.core_brands_retrieve(made.brand_uuid).default is False
    assert api.core_brands_used_by_list(made.brand_uuid) == []
    assert api.core_brands_destroy(made.brand_uuid) is None
    with pytest.raises(official.exceptions.BadRequestException):
        api.core_brands_destroy(default.brand_uuid)


def test_what_was_done_can_be_read(api: Any, official: Any) -> None:
    """Every change is an event with its actor, found by the filters that auditors use."""  # C16
    group = api.core_groups_create(official.GroupRequest(name="staff"))
    api.core_groups_partial_update(group.pk, patched_group_request=official.PatchedGroupRequest(name="crew"))

    (updated,) = api.events_events_list(action="model_updated", username="akadmin", ordering="-created").results
    both = api.events_events_list(context_model_pk=group.pk.hex, actions=["model_created", "model_updated"])

    assert updated.app == "authentik.core"
    assert updated.user["username"] == "akadmin"
    assert updated.context["model"]["model_name"] == "group"
    assert both.pagination.count == 2
    assert api.events_events_retrieve(updated.pk).action == updated.action
    assert len(api.events_events_actions_list()) == 40


def test_a_report_is_appended(api: Any, official: Any) -> None:
    """Outposts and administrators report; user and time are the server's."""
    made = api.events_events_create(
        official.EventRequest(
            action="configuration_error",
            app="authentik.providers.proxy",
            client_ip="192.0.2.1",
            context={"message": "no forward URL"},
            user={"username": "somebody else"},
        )
    )

    assert (made.user["username"], made.client_ip) == ("akadmin", "192.0.2.1")


def test_an_invitation_lives_and_dies(api: Any, official: Any) -> None:
    """For one flow, with what it fixes, by whom."""
    flow = api.flows_instances_retrieve("default-invitation-flow")
    made = api.stages_invitation_invitations_create(
        official.InvitationRequest(name="carol", single_use=True, fixed_data={"email": "c@example.test"}, flow=flow.pk)
    )
    patched = api.stages_invitation_invitations_partial_update(
        made.pk, patched_invitation_request=official.PatchedInvitationRequest(single_use=False)
    )
    put = api.stages_invitation_invitations_update(made.pk, official.InvitationRequest(name="dora"))

    assert (made.created_by.username, made.flow_obj.slug) == ("akadmin", "default-invitation-flow")
    assert (patched.single_use, put.name) == (False, "dora")
    found = api.stages_invitation_invitations_list(created_by__username="akadmin", flow__slug="default-invitation-flow")
    assert [invitation.pk for invitation in found.results] == [made.pk]
    assert api.stages_invitation_invitations_retrieve(made.pk).fixed_data == {"email": "c@example.test"}
    assert api.stages_invitation_invitations_used_by_list(made.pk) == []
    assert api.stages_invitation_invitations_destroy(made.pk) is None


@pytest.mark.parametrize(
    "wrong", [{"target_static": "javascript:alert(1)"}, {"target_static": "//evil.test"}, {}, {"mode": "flow"}]
)
def test_a_redirect_needs_a_target_that_may_be(api: Any, official: Any, wrong: dict[str, str]) -> None:
    """A path of this host or an http(s) URL, or a flow."""
    with pytest.raises(official.exceptions.BadRequestException):
        api.stages_redirect_create(official.RedirectStageRequest(**{"name": "on", "mode": "static", **wrong}))
