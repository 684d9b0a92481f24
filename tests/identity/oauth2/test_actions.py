"""Creating and changing clients."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.oauth2 import defaults
from doorward.identity.oauth2.actions import delete_oauth2_provider, update_oauth2_provider
from doorward.identity.oauth2.models import OAuth2Provider, ScopeMapping
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import RelyingParty

SYSTEM = Actor.system()


def test_clients_are_made_with_id_and_secret(register: Register) -> None:
    """Forty and a hundred and twenty-eight random characters; the secret is encrypted in the database."""
    provider = register().provider
    assert len(provider.client_id) == 40
    assert len(provider.client_secret) == 128
    assert provider.client_secret not in provider.sealed_client_secret
    assert provider.require_pkce


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"redirect_uris": [{"url": "javascript:alert(1)"}]}, "redirect_uris"),  # S-405
        ({"redirect_uris": [{"url": ".*", "matching_mode": "regex"}]}, "redirect_uris"),  # S-403
        ({"redirect_uris": "https://rp.example.test/cb"}, "redirect_uris"),
        ({"redirect_uris": [{"url": "https://rp.example.test/", "matching_mode": "glob"}]}, "redirect_uris"),
        ({"client_type": "public", "require_pkce": False}, "require_pkce"),
        ({"client_secret": "short"}, "client_secret"),
        ({"client_id": "with space"}, "client_id"),
        ({"access_token_validity": "soon"}, "access_token_validity"),
        ({"access_token_validity": "seconds=0"}, "access_token_validity"),
        ({"sub_mode": "shoe_size"}, "sub_mode"),
    ],
)
def test_unsafe_settings_are_refused(register: Register, fields: dict[str, Any], wrong: str) -> None:
    """The refusal names the field."""
    with pytest.raises(ValidationError) as refused:
        register(**fields)
    assert wrong in refused.value.message_dict


def test_unknown_settings_are_a_mistake_of_the_caller(register: Register) -> None:
    """Nothing is silently ignored."""
    with pytest.raises(TypeError):
        register(shoe_size=43)


def test_bare_dots_are_warned_about(register: Register) -> None:
    """An unescaped dot in a pattern is accepted, with an event that says what it means."""  # S-403
    register(redirect_uris=[{"url": "https://rp.example.test/cb", "matching_mode": "regex"}])
    assert "write it as" in Event.objects.get(action="configuration_warning").context["message"]


def test_a_new_client_id_keeps_the_secret(rp: RelyingParty) -> None:
    """The secret is bound to the id it is stored under, and is stored again under the new one."""
    secret = rp.provider.client_secret
    update_oauth2_provider(SYSTEM, rp.provider, client_id="chosen-by-hand")
    assert OAuth2Provider.objects.get(client_id="chosen-by-hand").client_secret == secret
    update_oauth2_provider(SYSTEM, rp.provider, client_secret="a secret of our own choice")
    assert OAuth2Provider.objects.get().client_secret == "a secret of our own choice"


def test_changes_are_events_without_secrets(rp: RelyingParty) -> None:
    """The diff names what changed and shows no secret, sealed or not."""
    update_oauth2_provider(
        SYSTEM, rp.provider, client_secret="a secret of our own choice", sub_mode="user_id", scope_mappings=[]
    )
    event = Event.objects.get(action="model_updated")
    assert event.context["diff"]["sub_mode"] == {"previous_value": "hashed_user_id", "new_value": "user_id"}
    told = event.context["diff"]["sealed_client_secret"]
    assert "".join(told.values()).strip("*") == ""
    assert event.context["diff"]["scope_mappings"]["new_value"] == []
    delete_oauth2_provider(SYSTEM, rp.provider)
    assert Event.objects.filter(action="model_deleted").count() == 1


def test_shipped_scopes_are_made_once(flows: None) -> None:
    """The second start changes nothing, also not what an administrator changed."""
    mapping = ScopeMapping.objects.get(scope_name="email")
    mapping.description = "Your address"
    mapping.save()
    defaults.ensure()
    assert ScopeMapping.objects.count() == 7
    assert ScopeMapping.objects.get(scope_name="email").description == "Your address"
    assert ScopeMapping.objects.get(managed="goauthentik.io/providers/proxy/scope-proxy").scope_name == "ak_proxy"
