"""Sources of every kind, and who is known to them, by the official client."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def sources(api: Any, official: Any) -> dict[str, Any]:
    """One of each kind, by kind."""
    from doorward.identity.crypto.models import CertificateKeyPair
    from doorward.identity.flows.models import Flow
    from doorward.identity.sources.ldap.models import LDAPSource
    from doorward.identity.sources.models import OAuthSource
    from doorward.identity.sources.saml.models import SAMLSource

    return {
        "oauth": OAuthSource.objects.create(name="Forge", slug="forge", provider_type="github", consumer_key="x"),
        "ldap": LDAPSource.objects.create(name="Dir", slug="dir", server_uri="ldaps://x", base_dn="dc=x"),
        "saml": SAMLSource.objects.create(
            name="Saml",
            slug="saml",
            sso_url="https://idp.example.test/",
            pre_authentication_flow=Flow.objects.earliest("slug"),
            verification_kp=CertificateKeyPair.objects.earliest("name"),
        ),
    }


def test_sources_of_every_kind_are_one_list(api: Any, sources: dict[str, Any]) -> None:
    """Listed, read, told apart, and removed."""
    assert {source.component for source in api.sources_all_list().results} == {
        "ak-source-oauth-form",
        "ak-source-ldap-form",
        "ak-source-saml-form",
    }
    assert api.sources_all_list(slug="forge").pagination.count == 1
    assert api.sources_all_retrieve("forge").meta_model_name == "authentik_sources_oauth.oauthsource"
    assert {kind.model_name for kind in api.sources_all_types_list()} == {"oauthsource", "ldapsource", "samlsource"}
    assert "forge" in {each.object_uid for each in api.sources_all_user_settings_list()}
    assert api.sources_all_used_by_list("forge") == []
    for slug in ("forge", "dir", "saml"):
        assert api.sources_all_destroy(slug) is None
    assert api.sources_all_list().results == []


@pytest.mark.parametrize("kind", ["oauth", "ldap", "saml"])
def test_people_are_connected(api: Any, official: Any, sources: dict[str, Any], kind: str) -> None:
    """Made for whoever asks, another identifier, ended; of one kind and of all."""
    request = getattr(official, f"User{ {'oauth': 'OAuth'}.get(kind, kind.upper()) }SourceConnectionRequest")(
        source=sources[kind].pk, identifier="42"
    )
    room = f"sources_user_connections_{kind}_"
    create = {
        "oauth": api.sources_user_connections_oauth_create,
        "ldap": api.sources_user_connections_ldap_create,
        "saml": api.sources_user_connections_saml_create,
    }[kind]
    made = create(request)
    assert (made.identifier, made.source_obj.slug) == ("42", sources[kind].slug)
    everywhere = official.UserSourceConnectionRequest(source=sources[kind].pk, identifier="43")
    assert api.sources_user_connections_all_update(made.pk, everywhere).identifier == "43"
    patch = official.PatchedUserSourceConnectionRequest(identifier="44")
    patched = api.sources_user_connections_all_partial_update(made.pk, patched_user_source_connection_request=patch)
    assert patched.identifier == "44"
    assert api.sources_user_connections_all_retrieve(made.pk).user == made.user
    assert api.sources_user_connections_all_list(source__slug=sources[kind].slug).pagination.count == 1
    assert api.sources_user_connections_all_used_by_list(made.pk) == []
    _same_of_kind(api, official, room, made.pk, request)
    made = create(request)
    assert api.sources_user_connections_all_destroy(made.pk) is None


@pytest.mark.parametrize("kind", ["oauth", "ldap", "saml"])
def test_groups_are_connected(api: Any, official: Any, sources: dict[str, Any], kind: str) -> None:
    """The client cannot name the group when it makes one; everything else it can."""
    from doorward.identity.directory.actions import create_group
    from doorward.identity.events.actor import Actor
    from doorward.identity.sources.connections import connect_group

    request = getattr(official, f"Group{ {'oauth': 'OAuth'}.get(kind, kind.upper()) }SourceConnectionRequest")(
        source=sources[kind].pk, identifier="doors"
    )
    create = {
        "oauth": api.sources_group_connections_oauth_create,
        "ldap": api.sources_group_connections_ldap_create,
        "saml": api.sources_group_connections_saml_create,
    }[kind]
    with pytest.raises(official.exceptions.BadRequestException, match="group"):
        create(request)
    group = create_group(Actor.system(), name="doors")
    pk = connect_group(Actor.system(), sources[kind], group, "doors").pk
    everywhere = official.GroupSourceConnectionRequest(source=sources[kind].pk, identifier="windows")
    patch = official.PatchedGroupSourceConnectionRequest(identifier="walls")
    patched = api.sources_group_connections_all_partial_update(pk, patched_group_source_connection_request=patch)
    assert patched.identifier == "walls"
    with pytest.raises(official.exceptions.BadRequestException, match="group"):
        api.sources_group_connections_all_update(pk, everywhere)
    assert api.sources_group_connections_all_retrieve(pk).group == group.pk
    assert api.sources_group_connections_all_list().pagination.count == 1
    assert api.sources_group_connections_all_used_by_list(pk) == []
    _same_of_kind(api, official, f"sources_group_connections_{kind}_", pk, request)
    pk = connect_group(Actor.system(), sources[kind], group, "doors").pk
    assert api.sources_group_connections_all_destroy(pk) is None


def _same_of_kind(api: Any, official: Any, room: str, pk: int, request: Any) -> None:
    """The rest of a kind's own resource, which ends with the connection."""
    assert getattr(api, room + "list")().pagination.count == 1
    assert getattr(api, room + "retrieve")(pk).identifier
    assert getattr(api, room + "used_by_list")(pk) == []
    assert getattr(api, room + "partial_update")(pk).pk == pk
    if "user" in room:
        assert getattr(api, room + "update")(pk, request).identifier == request.identifier
    assert getattr(api, room + "destroy")(pk) is None
