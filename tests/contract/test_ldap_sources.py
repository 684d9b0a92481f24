"""LDAP sources and their mappings by the official client."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_directory_is_set_up_and_removed(api: Any, official: Any) -> None:
    """Made, changed, asked how it goes, and removed; the client understands every answer."""
    shipped = api.propertymappings_source_ldap_list(managed=["goauthentik.io/sources/ldap/openldap-uid"]).results
    assert [mapping.name for mapping in shipped] == ["authentik default OpenLDAP Mapping: uid"]
    made = api.sources_ldap_create(
        official.LDAPSourceRequest(
            name="Directory",
            slug="directory",
            server_uri="ldaps://directory.example.test",
            base_dn="dc=example,dc=test",
            bind_password="a secret",
            user_property_mappings=[shipped[0].pk],
            enabled=False,
        )
    )
    assert (made.component, made.user_property_mappings) == ("ak-source-ldap-form", [shipped[0].pk])
    assert api.sources_ldap_list(slug="directory").pagination.count == 1
    assert api.sources_ldap_retrieve("directory").pk == made.pk
    patched = api.sources_ldap_partial_update(
        "directory", patched_ldap_source_request=official.PatchedLDAPSourceRequest(sync_groups=False)
    )
    assert patched.sync_groups is False
    put = api.sources_ldap_update(
        "directory",
        official.LDAPSourceRequest(
            name="Directory", slug="directory", server_uri="ldaps://directory.example.test", base_dn="dc=other"
        ),
    )
    assert put.base_dn == "dc=other"
    assert not api.sources_ldap_sync_status_retrieve("directory").is_running
    with pytest.raises(official.exceptions.BadRequestException, match="directory"):
        api.sources_ldap_debug_retrieve("directory")
    assert api.sources_ldap_used_by_list("directory") == []
    assert api.sources_ldap_destroy("directory") is None


def test_a_mapping_lives_and_dies(api: Any, official: Any) -> None:
    """As other mappings do."""
    request = official.LDAPSourcePropertyMappingRequest(name="mine", expression='return {"name": ldap.get("cn")}')
    made = api.propertymappings_source_ldap_create(request)
    assert made.component == "ak-property-mapping-source-ldap-form"
    assert api.propertymappings_source_ldap_retrieve(made.pk).name == "mine"
    patch = official.PatchedLDAPSourcePropertyMappingRequest(name="other")
    assert (
        api.propertymappings_source_ldap_partial_update(
            made.pk, patched_ldap_source_property_mapping_request=patch
        ).name
        == "other"
    )
    assert api.propertymappings_source_ldap_update(made.pk, request).name == "mine"
    assert api.propertymappings_source_ldap_used_by_list(made.pk) == []
    assert api.propertymappings_source_ldap_destroy(made.pk) is None
