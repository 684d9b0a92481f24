"""SAML sources and their mappings by the official client."""

from __future__ import annotations

from typing import Any

from peers.saml_provider import pair


def test_a_provider_is_set_up_and_removed(api: Any, official: Any) -> None:
    """Made, changed and removed; the client understands every answer."""
    theirs = api.crypto_certificatekeypairs_create(
        official.CertificateKeyPairRequest(name="their SAML key", certificate_data=pair()[1])
    )
    flow = api.flows_instances_retrieve("default-source-pre-authentication")
    request = official.SAMLSourceRequest(
        name="Company SAML",
        slug="company-saml",
        sso_url="https://idp.example.test/sso",
        pre_authentication_flow=flow.pk,
        verification_kp=theirs.pk,
        enabled=False,
    )
    made = api.sources_saml_create(request)
    assert (made.component, made.signed_assertion, made.binding_type) == ("ak-source-saml-form", True, "REDIRECT")
    assert api.sources_saml_list(slug="company-saml").pagination.count == 1
    assert api.sources_saml_retrieve("company-saml").pk == made.pk
    patch = official.PatchedSAMLSourceRequest(binding_type="POST_AUTO", slo_url="https://idp.example.test/slo")
    assert api.sources_saml_partial_update("company-saml", patched_saml_source_request=patch).slo_url
    assert made.url_issuer in api.sources_saml_metadata_retrieve("company-saml").metadata
    assert api.sources_saml_update("company-saml", request).name == "Company SAML"
    assert api.sources_saml_used_by_list("company-saml") == []
    assert api.sources_saml_destroy("company-saml") is None
    api.crypto_certificatekeypairs_destroy(theirs.pk)


def test_a_mapping_lives_and_dies(api: Any, official: Any) -> None:
    """As other mappings do."""
    request = official.SAMLSourcePropertyMappingRequest(name="saml mine", expression='return {"name": name_id}')
    made = api.propertymappings_source_saml_create(request)
    assert made.component == "ak-property-mapping-source-saml-form"
    assert api.propertymappings_source_saml_retrieve(made.pk).name == "saml mine"
    assert api.propertymappings_source_saml_list(name="saml mine").pagination.count == 1
    patch = official.PatchedSAMLSourcePropertyMappingRequest(name="saml other")
    patched = api.propertymappings_source_saml_partial_update(
        made.pk, patched_saml_source_property_mapping_request=patch
    )
    assert patched.name == "saml other"
    assert api.propertymappings_source_saml_update(made.pk, request).name == "saml mine"
    assert api.propertymappings_source_saml_used_by_list(made.pk) == []
    assert api.propertymappings_source_saml_destroy(made.pk) is None
