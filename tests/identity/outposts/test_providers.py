"""Proxy providers: what is forced, what is refused, what is told to the data plane."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.applications.actions import create_application
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change, Event
from doorward.identity.flows.models import Flow
from doorward.identity.outposts import actions, queries
from doorward.identity.outposts.models import ProxyProvider

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def make(**fields: Any) -> ProxyProvider:
    given = {
        "name": "provider",
        "external_host": "https://app.example.test/*",
        "authorization_flow": Flow.objects.get(slug="default-provider-authorization-implicit-consent"),
        "invalidation_flow": Flow.objects.get(slug="default-provider-invalidation-flow"),
        "mode": "forward_single",
        **fields,
    }
    return actions.create_proxy_provider(SYSTEM, **given)


def test_everything_that_the_outpost_needs_is_there(flows: None) -> None:
    """Normalised URL, callbacks, scopes, generated secrets, and a key with which the JWT can be verified."""
    provider = ProxyProvider.objects.get(pk=make().pk)

    assert provider.external_host == "https://app.example.test"
    assert len(provider.redirect_uris) == 2
    assert len(provider.client_id) == 40
    assert len(provider.client_secret) == 128
    assert len(provider.cookie_secret) == 32
    assert provider.client_type == "confidential"
    assert provider.signing_key is not None
    assert provider.signing_key.algorithm == "ES256"
    assert provider.access_token_validity == "hours=24"
    scopes = {mapping.scope_name for mapping in provider.scope_mappings.all()}
    assert scopes >= {"openid", "profile", "email", "ak_proxy", "entitlements"}


def test_secrets_are_neither_in_the_rows_nor_in_the_events(flows: None) -> None:
    """Encrypted at rest, stars in the log."""  # S-803 S-605
    provider = make()

    kept = str(list(ProxyProvider.objects.values())) + str(list(Event.objects.values()))
    assert provider.client_secret not in kept
    assert provider.cookie_secret not in kept


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"mode": "proxy"}, "internal_host"),
        ({"basic_auth_enabled": True, "basic_auth_user_attribute": "u"}, "basic_auth_enabled"),
        ({"mode": "forward_domain"}, "cookie_domain"),
        ({"mode": "forward_domain", "cookie_domain": "ample.test"}, "cookie_domain"),
        ({"access_token_validity": "soon"}, "access_token_validity"),
        ({"access_token_validity": "seconds=0"}, "access_token_validity"),
        ({"idle_limit": "soon"}, "idle_limit"),
        ({"skip_path_regex": "^/ok$\n(["}, "skip_path_regex"),
        ({"mode": "sideways"}, "mode"),
        ({"external_host": "app"}, "external_host"),
    ],
)
def test_nonsense_is_refused_with_the_field(flows: None, fields: dict[str, Any], wrong: str) -> None:
    """Every mistake names where it is."""
    with pytest.raises(ValidationError) as refusal:
        make(**fields)

    assert wrong in refusal.value.message_dict


def test_a_change_is_judged_by_the_whole(flows: None) -> None:
    """A partial change of a forward provider does not ask for an internal host."""
    provider = actions.update_proxy_provider(SYSTEM, make(), name="renamed")

    assert provider.name == "renamed"
    with pytest.raises(ValidationError):
        actions.update_proxy_provider(SYSTEM, provider, mode="proxy")


def test_what_the_outpost_can_do_reaches_it(flows: None) -> None:
    """By default as the outpost's own defaults are; each switch arrives."""
    provider = make()
    create_application(SYSTEM, name="App", slug="app", provider=provider)
    actions.assign(SYSTEM, queries.embedded(), [provider])

    (plain,) = queries.configuration().providers
    actions.update_proxy_provider(SYSTEM, provider, skip_preflight=True, keep_posts=True, idle_limit="minutes=30")
    (changed,) = queries.configuration().providers

    assert (plain.skip_preflight, plain.keep_posts, plain.idle_limit) == (False, False, 0.0)
    assert (changed.skip_preflight, changed.keep_posts, changed.idle_limit) == (True, True, 1800.0)


def test_a_cookie_prefix_that_browsers_would_not_keep(flows: None) -> None:
    """Refused with the reason where every login would go in circles; a new name ends the sessions of the old one."""
    provider = make()
    create_application(SYSTEM, name="App", slug="app", provider=provider)
    actions.assign(SYSTEM, queries.embedded(), [provider])
    actions.update_proxy_provider(SYSTEM, provider, cookie_prefix="host")
    (served,) = queries.configuration().providers
    assert served.cookie_prefix == "host"

    refusals: tuple[tuple[dict[str, Any], str], ...] = (
        ({"mode": "forward_domain", "cookie_domain": "example.test"}, "one host"),
        ({"external_host": "http://app.example.test"}, "https"),
        ({"cookie_prefix": "none"}, "valid choice"),
    )
    for changes, why in refusals:
        provider.refresh_from_db()
        with pytest.raises(ValidationError) as refused:
            actions.update_proxy_provider(SYSTEM, provider, **changes)
        assert why in " ".join(refused.value.message_dict["cookie_prefix"])
    provider.refresh_from_db()
    actions.update_proxy_provider(
        SYSTEM, provider, mode="forward_domain", cookie_domain="example.test", cookie_prefix="secure"
    )


def test_renewal_is_a_switch(flows: None) -> None:
    """On and off by one word; whoever does not say it changes nothing."""
    provider = make(renew_sessions=True)
    on = provider.renew_sessions
    actions.update_proxy_provider(SYSTEM, provider, name="renamed")
    still_on = provider.renew_sessions
    actions.update_proxy_provider(SYSTEM, provider, renew_sessions=False)
    off = provider.renew_sessions

    assert (on, still_on, off) == (True, True, False)
    assert not make(name="plain", external_host="https://other.example.test").renew_sessions
    scopes = {mapping.scope_name for mapping in provider.scope_mappings.all()}
    assert scopes == {"openid", "profile", "email", "ak_proxy", "entitlements"}


def test_moving_a_provider_moves_its_callbacks(flows: None) -> None:
    """Redirect URIs follow the outside URL."""
    provider = actions.update_proxy_provider(SYSTEM, make(), external_host="https://new.example.test")

    assert all(entry["url"].startswith("https://new.example.test") for entry in provider.redirect_uris)


def test_every_write_that_matters_is_told(flows: None) -> None:
    """Create, change, assign and delete each append to the change log; a change of nothing does not."""

    def told() -> int:
        return Change.objects.filter(kind="outposts").count()

    counts = [told()]
    provider = make()
    counts.append(told())
    actions.update_proxy_provider(SYSTEM, provider, name="renamed")
    counts.append(told())
    actions.assign(SYSTEM, queries.embedded(), [provider])
    counts.append(told())
    actions.update_proxy_provider(SYSTEM, provider, name="renamed")
    counts.append(told())
    actions.delete_provider(SYSTEM, provider)
    counts.append(told())

    assert [later - earlier for earlier, later in itertools.pairwise(counts)] == [1, 1, 1, 0, 1]


def test_the_embedded_outpost_stays_what_it_is(flows: None) -> None:
    """It is neither renamed nor deleted; it may serve nothing."""
    outpost = queries.embedded()

    with pytest.raises(ValidationError):
        actions.update_outpost(SYSTEM, outpost, name="mine")
    with pytest.raises(ValidationError):
        actions.delete_outpost(SYSTEM, outpost)
    actions.assign(SYSTEM, queries.embedded(), [])


def test_another_outpost_has_an_account_and_a_token(flows: None) -> None:
    """Created with its service account, and gone with it."""
    from doorward.identity.directory.models import Token, User

    outpost = actions.create_outpost(SYSTEM, name="remote", providers=[make()])

    token = Token.objects.get(identifier=f"ak-outpost-{outpost.pk}-api")
    assert token.user.username == f"ak-outpost-{outpost.pk.hex}"
    with pytest.raises(ValidationError):
        actions.assign(SYSTEM, outpost, [])
    actions.delete_outpost(SYSTEM, outpost)
    assert not User.objects.filter(path="goauthentik.io/outposts").exists()
