"""Applications, providers, outposts and bindings by the official client."""

from __future__ import annotations

from typing import Any

import pytest


def test_empty_lists_are_lists(api: Any) -> None:
    """A fresh installation answers every list, also those with nothing in them."""
    lists = (
        api.core_applications_list,
        api.core_user_consent_list,
        api.outposts_proxy_list,
        api.providers_all_list,
        api.providers_oauth2_list,
        api.providers_proxy_list,
    )
    for listed in lists:
        answer = listed()
        assert answer.results == []
        assert (answer.pagination.count, answer.pagination.total_pages, answer.pagination.start_index) == (0, 1, 0)
        assert answer.autocomplete == {}


def test_a_page_beyond_the_last_is_not_found(api: Any, official: Any) -> None:
    """Scripts that count pages stop there."""
    with pytest.raises(official.exceptions.NotFoundException) as beyond:
        api.core_users_list(page=9)

    assert beyond.value.body == '{"detail":"Invalid page."}'


def test_pages_are_numbered(api: Any) -> None:
    """``next`` and ``previous`` are page numbers, 0 where there is none."""
    first = api.flows_instances_list(page_size=2).pagination
    second = api.flows_instances_list(page_size=2, page=2).pagination

    assert (first.next, first.previous, first.current, first.start_index, first.end_index) == (2, 0, 1, 1, 2)
    assert (second.previous, second.start_index) == (1, 3)


def test_an_application_lives_and_dies(api: Any, official: Any, application: Any, provider: Any) -> None:
    """By its slug; its provider outlives it."""
    patched = api.core_applications_partial_update(
        "whoami", patched_application_request=official.PatchedApplicationRequest(group="Tools")
    )
    put = api.core_applications_update(
        "whoami", official.ApplicationRequest(name="Who am I", slug="whoami", provider=provider.pk)
    )

    assert (patched.group, put.name) == ("Tools", "Who am I")
    assert api.core_applications_list(superuser_full_list=True, slug="whoami").pagination.count == 1
    assert api.core_applications_list(only_with_launch_url=True).pagination.count == 1
    assert api.core_applications_used_by_list("whoami") == []
    assert api.core_applications_destroy("whoami") is None
    assert api.providers_all_list(application__isnull=True).results[0].pk == provider.pk


def test_an_entitlement_lives_and_dies(api: Any, official: Any, application: Any) -> None:
    """A right inside an application, and who has it."""
    made = api.core_application_entitlements_create(
        official.ApplicationEntitlementRequest(name="editor", app=application.pk, attributes={"level": 1})
    )
    me = api.core_users_me_retrieve().user
    api.policies_bindings_create(official.PolicyBindingRequest(target=made.pbm_uuid, user=me.pk, order=0))
    patched = api.core_application_entitlements_partial_update(
        made.pbm_uuid, patched_application_entitlement_request=official.PatchedApplicationEntitlementRequest(name="b")
    )
    put = api.core_application_entitlements_update(
        made.pbm_uuid, official.ApplicationEntitlementRequest(name="c", app=application.pk)
    )
    assert (patched.name, put.name) == ("b", "c")
    assert api.core_application_entitlements_list(app=application.pk, name="c").results == [put]
    assert api.core_application_entitlements_retrieve(made.pbm_uuid).attributes == {"level": 1}
    assert [each.model_name for each in api.core_application_entitlements_used_by_list(made.pbm_uuid)] == [
        "policybinding"
    ]
    assert api.core_application_entitlements_destroy(made.pbm_uuid) is None


@pytest.mark.parametrize("slug", ["authorize", "token", "device", "userinfo", "introspect", "revoke"])
def test_slugs_of_endpoints_are_taken(api: Any, official: Any, slug: str) -> None:
    """An application cannot stand where an endpoint is."""
    with pytest.raises(official.exceptions.BadRequestException) as refused:
        api.core_applications_create(official.ApplicationRequest(name="x", slug=slug))

    assert '"slug"' in refused.value.body


def test_a_proxy_provider_lives_and_dies(api: Any, official: Any, provider: Any, application: Any, flow: Any) -> None:
    """A PATCH needs to name only what it changes; deleting leaves the application without a provider."""
    patched = api.providers_proxy_partial_update(
        provider.pk, patched_proxy_provider_request=official.PatchedProxyProviderRequest(skip_path_regex="^/health$")
    )
    put = api.providers_proxy_update(
        provider.pk,
        official.ProxyProviderRequest(
            name="whoami",
            authorization_flow=flow("default-provider-authorization-explicit-consent"),
            invalidation_flow=flow("default-provider-invalidation-flow"),
            mode="forward_single",
            external_host="https://who.example.test",
        ),
    )

    assert patched.skip_path_regex == "^/health$"
    assert put.external_host == "https://who.example.test"
    assert api.providers_proxy_list(name__iexact="WHOAMI").pagination.count == 1
    assert api.providers_proxy_list(external_host__iexact="https://who.example.test").pagination.count == 1
    assert api.providers_proxy_list(application__isnull=True).pagination.count == 0
    (user,) = api.providers_proxy_used_by_list(provider.pk)
    assert (user.app, user.model_name, user.action.value) == ("authentik_core", "application", "set_null")
    assert api.providers_proxy_destroy(provider.pk) is None
    assert api.core_applications_retrieve("whoami").provider is None


def test_an_oauth2_provider_lives_and_dies(api: Any, official: Any, flow: Any) -> None:
    """The answer that creates it shows the secret; afterwards no answer does."""
    flows = {
        "authorization_flow": flow("default-provider-authorization-implicit-consent"),
        "invalidation_flow": flow("default-provider-invalidation-flow"),
    }
    uri = official.RedirectURIRequest(matching_mode="strict", url="https://rp.example.test/cb")
    mappings = [mapping.pk for mapping in api.propertymappings_provider_scope_list(scope_name="email").results]
    made = api.providers_oauth2_create(
        official.OAuth2ProviderRequest(name="rp", redirect_uris=[uri], property_mappings=mappings, **flows)
    )
    assert (len(made.client_id), len(made.client_secret)) == (40, 128)

    api.core_applications_create(official.ApplicationRequest(name="RP", slug="rp", provider=made.pk))
    patched = api.providers_oauth2_partial_update(
        made.pk, patched_o_auth2_provider_request=official.PatchedOAuth2ProviderRequest(sub_mode="user_username")
    )
    put = api.providers_oauth2_update(made.pk, official.OAuth2ProviderRequest(name="rp2", redirect_uris=[uri], **flows))

    assert (patched.sub_mode.value, patched.client_secret, put.name) == ("user_username", None, "rp2")
    assert api.providers_oauth2_list(client_id=made.client_id).results[0].client_secret is None
    assert api.providers_oauth2_retrieve(made.pk).client_secret is None
    assert api.providers_oauth2_preview_user_retrieve(made.pk).preview["email"] == ""
    assert api.providers_oauth2_setup_urls_retrieve(made.pk).issuer == "https://auth.example.test/application/o/rp/"
    assert len(api.providers_oauth2_used_by_list(made.pk)) == 1
    assert api.providers_oauth2_destroy(made.pk) is None


def test_all_providers_are_seen_together(api: Any, provider: Any, application: Any) -> None:
    """Each says what it is; any can be deleted."""
    assert {kind.component for kind in api.providers_all_types_list()} == {
        "ak-provider-proxy-form",
        "ak-provider-oauth2-form",
    }
    (found,) = api.providers_all_list().results
    assert found.meta_model_name == "authentik_providers_proxy.proxyprovider"
    assert api.providers_all_retrieve(provider.pk).assigned_application_slug == "whoami"
    assert api.providers_oauth2_list().results == []
    assert len(api.providers_all_used_by_list(provider.pk)) == 1
    assert api.providers_all_destroy(provider.pk) is None


def test_an_outpost_elsewhere_lives_and_dies(api: Any, official: Any, provider: Any, application: Any) -> None:
    """Created with its account and token, and its configuration listed for it."""
    defaults = api.outposts_instances_default_settings_retrieve().config
    assert defaults["authentik_host"] == "https://auth.example.test"
    outpost = api.outposts_instances_create(
        official.OutpostRequest(name="edge", type="proxy", providers=[provider.pk], config=defaults)
    )
    assert (outpost.refresh_interval_s, outpost.managed) == (300, None)
    assert len(api.core_tokens_view_key_retrieve(outpost.token_identifier).key) == 60

    (config,) = api.outposts_proxy_list().results
    assert config.assigned_application_slug == "whoami"
    assert config.oidc_configuration.issuer == "https://auth.example.test/application/o/whoami/"
    assert api.outposts_instances_list(providers_by_pk=[provider.pk]).results[0].pk == outpost.pk
    assert api.outposts_instances_retrieve(outpost.pk).providers_obj[0].name == "whoami"
    put = api.outposts_instances_update(
        outpost.pk, official.OutpostRequest(name="edge2", type="proxy", providers=[provider.pk], config={})
    )
    assert put.name == "edge2"
    assert api.outposts_instances_health_list(outpost.pk) == []
    assert api.outposts_instances_used_by_list(outpost.pk) == []
    assert api.outposts_instances_destroy(outpost.pk) is None


def test_an_outpost_elsewhere_must_serve_something(api: Any, official: Any) -> None:
    """Only the embedded outpost may be without providers."""
    with pytest.raises(official.exceptions.BadRequestException) as refused:
        api.outposts_instances_create(official.OutpostRequest(name="x", type="proxy", providers=[], config={}))

    assert '"providers":["This list may not be empty."]' in refused.value.body


def test_a_binding_lives_and_dies(api: Any, official: Any, application: Any) -> None:
    """It names a user or a group, never both."""
    me = api.core_users_me_retrieve().user
    binding = api.policies_bindings_create(
        official.PolicyBindingRequest(target=application.pbm_uuid, user=me.pk, order=1)
    )
    assert (binding.user_obj.username, binding.enabled, binding.expiring) == ("akadmin", True, False)

    patched = api.policies_bindings_partial_update(
        binding.pk, patched_policy_binding_request=official.PatchedPolicyBindingRequest(negate=True)
    )
    put = api.policies_bindings_update(
        binding.pk, official.PolicyBindingRequest(target=application.pbm_uuid, user=me.pk, order=2)
    )

    assert (patched.negate, put.order) == (True, 2)
    assert api.policies_bindings_retrieve(binding.pk).target == application.pbm_uuid
    assert api.policies_bindings_list(target=application.pbm_uuid, order=2, enabled=True).pagination.count == 1
    assert api.policies_bindings_list(target_in=[application.pbm_uuid]).pagination.count == 1
    assert api.policies_bindings_used_by_list(binding.pk) == []
    assert api.policies_bindings_destroy(binding.pk) is None


def test_consents_are_withdrawn(api: Any, application: Any) -> None:
    """What a user agreed to is listed, and can be taken back."""
    from doorward.identity.applications.models import Application, Consent
    from doorward.identity.directory.models import User

    Consent.objects.create(
        user=User.objects.get(username="akadmin"),
        application=Application.objects.get(slug="whoami"),
        permissions="openid",
        expires=None,
    )

    (consent,) = api.core_user_consent_list().results
    assert api.core_user_consent_retrieve(consent.pk).application.slug == "whoami"
    assert api.core_user_consent_used_by_list(consent.pk) == []
    assert api.core_user_consent_destroy(consent.pk) is None


def test_the_policies_that_are_objects(api: Any, official: Any) -> None:
    """The one for passwords; clearing the cache succeeds."""
    (policy,) = api.policies_all_list(search="default-password-change").results
    assert policy.name == "default-password-change-password-policy"
    assert {user.name for user in api.policies_all_used_by_list(policy.pk)} == {
        "default-invitation-prompt",
        "default-password-change-prompt",
    }
    assert {"passwordpolicy", "expressionpolicy", "passwordexpirypolicy"} <= {
        kind.model_name for kind in api.policies_all_types_list()
    }
    assert api.policies_all_cache_clear_create() is None
    assert api.policies_all_destroy(policy.pk) is None
    with pytest.raises(official.exceptions.NotFoundException):
        api.policies_all_retrieve(policy.pk)
