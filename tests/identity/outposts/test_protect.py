"""Protecting an application is one step, and the data plane knows at once."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.outposts import actions, queries
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.policies.queries import verdict

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def test_one_step_does_all_three(whoami: Application, bob: User, mallory: User) -> None:
    """Provider, application, assignment and who may enter."""
    assert whoami.provider is not None
    assert whoami.provider in queries.embedded().providers.all()
    assert verdict(whoami, bob).passing
    assert not verdict(whoami, mallory).passing


def test_the_data_plane_is_told_everything(whoami: Application) -> None:
    """What is pushed to the outpost is complete, and names our own endpoints."""
    configuration = queries.configuration()

    (provider,) = configuration.providers
    assert configuration.position == queries.position() > 0
    assert provider.external_host == "https://app.example.test"
    assert (provider.application_slug, provider.application_name) == ("whoami", "whoami")
    assert provider.outpost == "authentik Embedded Outpost"
    assert provider.issuer == "https://auth.example.test/application/o/whoami/"
    assert provider.authorization_endpoint == "https://auth.example.test/application/o/authorize/"
    assert provider.mode == "forward_single"
    assert provider.access_token_validity == 86400.0
    assert {"openid", "ak_proxy"} <= set(provider.scopes)
    assert [key.alg for key in provider.keys] == ["ES256"]
    assert '"d"' not in provider.keys[0].jwk
    stored = ProxyProvider.objects.get()
    assert (provider.client_secret, provider.cookie_secret) == (stored.client_secret, stored.cookie_secret)


def test_all_or_nothing(flows: None, staff: Group) -> None:
    """A slug that is taken leaves no provider behind."""
    actions.protect(SYSTEM, name="a", slug="a", external_host="https://a.example.test")

    with pytest.raises(ValidationError):
        actions.protect(SYSTEM, name="b", slug="a", external_host="https://b.example.test")

    assert ProxyProvider.objects.count() == 1


def test_two_applications_do_not_claim_one_host(whoami: Application) -> None:
    """However the second one writes it."""
    with pytest.raises(ValidationError) as refusal:
        actions.protect(SYSTEM, name="b", slug="b", external_host="HTTPS://APP.example.test:443/")

    assert "whoami" in refusal.value.messages[0]


def test_a_provider_without_application_is_not_served(whoami: Application) -> None:
    """Deleting the application takes the host out of service."""
    from doorward.identity.applications.actions import delete_application

    delete_application(SYSTEM, whoami)

    assert queries.configuration().providers == ()


def test_an_unreadable_provider_takes_no_other_down(
    whoami: Application, flows: None, caplog: pytest.LogCaptureFixture
) -> None:
    """One damaged secret disables its own application, and is said."""
    actions.protect(SYSTEM, name="b", slug="b", external_host="https://b.example.test")
    ProxyProvider.objects.filter(application__slug="whoami").update(sealed_cookie_secret="damaged")

    assert [provider.name for provider in queries.configuration().providers] == ["Provider for b"]
    assert "Provider for whoami" in caplog.text
