"""OAuth sources and their mappings by the official client."""

from __future__ import annotations

from typing import Any

import pytest

WELL_KNOWN = "https://login.example.test/.well-known/openid-configuration"


def test_a_provider_is_set_up_and_removed(api: Any, official: Any) -> None:
    """Made, changed and removed; the client understands every answer, and none has the secret."""
    kinds = {kind.name: kind for kind in api.sources_oauth_source_types_list()}
    assert {"google", "github", "gitlab", "entraid", "okta", "openidconnect"} <= kinds.keys()
    request = official.OAuthSourceRequest(
        name="Company",
        slug="company",
        provider_type="openidconnect",
        consumer_key="doorward",
        consumer_secret="a secret",
        oidc_well_known_url=WELL_KNOWN,
        enabled=False,
    )
    made = api.sources_oauth_create(request)
    assert (made.component, made.pkce, made.type.name) == ("ak-source-oauth-form", "S256", "openidconnect")
    assert made.callback_url.endswith("/source/oauth/callback/company/")
    assert "a secret" not in api.sources_oauth_list(slug="company").to_json()  # S-605
    assert api.sources_oauth_retrieve("company").pk == made.pk
    patch = official.PatchedOAuthSourceRequest(promoted=True)
    assert api.sources_oauth_partial_update("company", patched_o_auth_source_request=patch).promoted is True
    moved = official.PatchedOAuthSourceRequest(oidc_well_known_url=WELL_KNOWN.replace("login", "evil"))
    with pytest.raises(official.exceptions.BadRequestException, match="secret again"):
        api.sources_oauth_partial_update("company", patched_o_auth_source_request=moved)
    assert api.sources_oauth_update("company", request).name == "Company"
    assert api.sources_oauth_used_by_list("company") == []
    assert api.sources_oauth_destroy("company") is None


def test_a_mapping_lives_and_dies(api: Any, official: Any) -> None:
    """As other mappings do."""
    request = official.OAuthSourcePropertyMappingRequest(name="mine", expression='return {"name": info["login"]}')
    made = api.propertymappings_source_oauth_create(request)
    assert made.component == "ak-property-mapping-source-oauth-form"
    assert api.propertymappings_source_oauth_retrieve(made.pk).name == "mine"
    assert api.propertymappings_source_oauth_list(name="mine").pagination.count == 1
    patch = official.PatchedOAuthSourcePropertyMappingRequest(name="other")
    patched = api.propertymappings_source_oauth_partial_update(
        made.pk, patched_o_auth_source_property_mapping_request=patch
    )
    assert patched.name == "other"
    assert api.propertymappings_source_oauth_update(made.pk, request).name == "mine"
    assert api.propertymappings_source_oauth_used_by_list(made.pk) == []
    assert api.propertymappings_source_oauth_destroy(made.pk) is None
