"""The steps of every set-up guide, in their order, by the official client (C1, C3, C4)."""

from __future__ import annotations

from typing import Any

import pytest


def test_the_script_learns_where_it_is(api: Any, anonymous: Any, official: Any) -> None:
    """Config and brand are public; version, system and oneself need the token."""
    assert anonymous.root_config_retrieve().capabilities == [official.CapabilitiesEnum.CAN_IMPERSONATE]
    assert anonymous.core_brands_current_retrieve().branding_title == "Doorward"
    assert api.admin_version_retrieve().outdated is False
    assert api.admin_system_retrieve().base_url == "https://auth.example.test"
    assert api.core_users_me_retrieve().user.username == "akadmin"


def test_wrong_token_is_forbidden(official: Any, anonymous: Any, impostor: Any) -> None:
    """A bad token and a missing one are 403 with a ``detail``, never 401."""  # C2
    with pytest.raises(official.exceptions.ForbiddenException) as bad:
        impostor.core_users_me_retrieve()
    with pytest.raises(official.exceptions.ForbiddenException) as missing:
        anonymous.core_users_list()

    assert '"detail":"Token invalid/expired"' in bad.value.body
    assert '"detail":"Authentication credentials were not provided."' in missing.value.body


def test_a_proxy_provider_is_created_as_the_guides_say(provider: Any) -> None:
    """Two strict redirect URIs, a client id of 40 characters, no outpost yet, no secret in the answer."""  # C3
    assert [entry.matching_mode.value for entry in provider.redirect_uris] == ["strict", "strict"]
    assert len(provider.client_id) == 40
    assert provider.outpost_set == []
    assert provider.component == "ak-provider-proxy-form"
    assert provider.meta_model_name == "authentik_providers_proxy.proxyprovider"


def test_a_provider_without_mode_needs_an_inside_host(api: Any, official: Any, flow: Any) -> None:
    """The default mode is ``proxy``, which has to know where to."""  # C3
    request = official.ProxyProviderRequest(
        name="no mode",
        authorization_flow=flow("default-provider-authorization-implicit-consent"),
        invalidation_flow=flow("default-provider-invalidation-flow"),
        external_host="https://whoami.example.test",
    )
    with pytest.raises(official.exceptions.BadRequestException) as refused:
        api.providers_proxy_create(request)

    assert '"internal_host":["Internal host cannot be empty when forward auth is disabled."]' in refused.value.body


def test_a_provider_in_proxy_mode_is_created_with_its_inside_host(api: Any, official: Any, flow: Any) -> None:
    """The mode may be left out; what is not said is safe: certificates are verified."""  # C3
    request = official.ProxyProviderRequest(
        name="proxied",
        authorization_flow=flow("default-provider-authorization-implicit-consent"),
        invalidation_flow=flow("default-provider-invalidation-flow"),
        external_host="https://proxied.example.test",
        internal_host="http://10.0.0.7:3000/",
    )
    made = api.providers_proxy_create(request)

    assert made.mode.value == "proxy"
    assert made.internal_host == "http://10.0.0.7:3000"
    assert made.internal_host_ssl_validation is True


def test_the_application_has_the_provider(api: Any, application: Any, provider: Any) -> None:
    """Its two keys are one, and its launch URL is the provider's outside URL."""
    assert application.provider == provider.pk
    assert application.provider_obj.assigned_application_slug == "whoami"
    assert application.pk == application.pbm_uuid
    assert application.launch_url == "https://whoami.example.test"
    assert [found.slug for found in api.core_applications_list().results] == ["whoami"]


def test_the_embedded_outpost_serves_what_it_is_given(api: Any, official: Any, provider: Any, application: Any) -> None:
    """Found by its managed name, patched with the provider; the provider then names the outpost."""  # C4
    (outpost,) = api.outposts_instances_list(managed__iexact="goauthentik.io/outposts/embedded").results
    patched = api.outposts_instances_partial_update(
        outpost.pk, patched_outpost_request=official.PatchedOutpostRequest(providers=[provider.pk])
    )

    assert patched.providers == [provider.pk]
    assert api.providers_proxy_retrieve(provider.pk).outpost_set == ["Outpost authentik Embedded Outpost"]
    (health,) = api.outposts_instances_health_list(outpost.pk)
    assert health.version_outdated is False


def test_the_embedded_outpost_keeps_its_name(api: Any, official: Any) -> None:
    """A rename is refused; scripts find it by this name."""  # C4
    (outpost,) = api.outposts_instances_list(name__iexact="authentik Embedded Outpost").results
    with pytest.raises(official.exceptions.BadRequestException):
        api.outposts_instances_partial_update(
            outpost.pk, patched_outpost_request=official.PatchedOutpostRequest(name="mine")
        )


def test_all_in_one_request(api: Any, official: Any, flow: Any) -> None:
    """The transactional call creates application, provider and binding, and the embedded outpost serves it."""
    group = api.core_groups_create(official.GroupRequest(name="staff"))
    done = api.core_transactional_applications_update(
        official.TransactionApplicationRequest(
            app=official.ApplicationRequest(name="Wiki", slug="wiki"),
            provider_model="authentik_providers_proxy.proxyprovider",
            provider=official.ModelRequest(
                official.ProxyProviderRequest(
                    name="wiki",
                    authorization_flow=flow("default-provider-authorization-implicit-consent"),
                    invalidation_flow=flow("default-provider-invalidation-flow"),
                    mode="forward_single",
                    external_host="https://wiki.example.test",
                )
            ),
            policy_bindings=[official.TransactionPolicyBindingRequest(group=group.pk, order=0)],
        )
    )

    assert done.applied is True
    application = api.core_applications_retrieve("wiki")
    (binding,) = api.policies_bindings_list(target=application.pbm_uuid).results
    assert binding.group == group.pk
    assert api.providers_proxy_retrieve(application.provider).outpost_set == ["Outpost authentik Embedded Outpost"]


def test_compatibility_mode_is_kept(api: Any, official: Any) -> None:
    """The switch of the flow page is stored by slug."""  # C13
    patched = api.flows_instances_partial_update(
        "default-authentication-flow", patched_flow_request=official.PatchedFlowRequest(compatibility_mode=True)
    )

    assert patched.compatibility_mode is True
    assert api.flows_instances_retrieve("default-authentication-flow").compatibility_mode is True


def test_restrict_to_a_group(api: Any, official: Any, application: Any) -> None:
    """A bound group lets its members in and keeps others out."""  # C14
    group = api.core_groups_create(official.GroupRequest(name="staff"))
    bob = api.core_users_create(official.UserRequest(username="bob", name="Bob"))
    api.policies_bindings_create(official.PolicyBindingRequest(target=application.pbm_uuid, group=group.pk, order=0))

    refused = api.core_applications_check_access_retrieve("whoami", for_user=bob.pk)
    api.core_groups_add_user_create(group.pk, official.UserAccountRequest(pk=bob.pk))
    allowed = api.core_applications_check_access_retrieve("whoami", for_user=bob.pk)

    assert (refused.passing, allowed.passing) == (False, True)
    assert "staff" in refused.messages[0]
    assert [found.slug for found in api.core_applications_list(for_user=bob.pk).results] == ["whoami"]
