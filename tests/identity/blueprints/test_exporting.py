"""What is written as a blueprint brings the same objects back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from doorward.identity.applications.models import Application
from doorward.identity.blueprints.exporting import Unknown, export, one_called
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.actions import create_oauth2_provider
from doorward.identity.stages.models import Stage

if TYPE_CHECKING:
    from identity.blueprints.conftest import Apply


@pytest.mark.parametrize(
    "slug", ["default-authentication-flow", "default-password-change", "default-user-settings-flow"]
)
def test_a_flow_differs_from_its_own_export_in_nothing(flows: None, apply: Apply, slug: str) -> None:
    """Flow, stages, prompts, policies and bindings all stand in it."""
    report = apply(export(Flow.objects.get(slug=slug)), dry=True)

    assert not report.writes
    assert len(report.done) > 3


def test_a_flow_comes_back_from_its_export(flows: None, apply: Apply) -> None:
    """Elsewhere, or after it was deleted."""
    flow = Flow.objects.get(slug="default-password-change")
    text = export(flow)
    kinds = [binding.stage.kind for binding in flow.stage_bindings.order_by("order")]
    Stage.objects.filter(flows=flow).delete()
    flow.delete()
    apply(text)

    again = Flow.objects.get(slug="default-password-change")
    assert [binding.stage.kind for binding in again.stage_bindings.order_by("order")] == kinds


def test_an_application_is_written_with_its_provider_and_who_may_enter(whoami: Application, apply: Apply) -> None:
    """By names, without a key of this database."""
    text = export(whoami)

    assert str(whoami.pk) not in text
    assert "!Find [authentik_flows.flow, [slug, default-provider-authorization-implicit-consent]]" in text
    assert "provider: !KeyOf proxyprovider-provider-for-whoami" in text
    assert "authentik_policies.policybinding" in text
    assert not apply(text, dry=True).differs


def test_a_secret_is_a_variable(flows: None, apply: Apply, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text can be kept in a repository; the same secret in the environment is no difference."""

    def flow(name: str) -> Any:
        return Flow.objects.get(slug=f"default-provider-{name}")

    provider = create_oauth2_provider(
        Actor.system(),
        name="Grafana",
        authorization_flow=flow("authorization-implicit-consent"),
        invalidation_flow=flow("invalidation-flow"),
        redirect_uris=[
            {"matching_mode": "strict", "url": "https://g.example.test/", "redirect_uri_type": "authorization"}
        ],
        client_secret="a secret of some length",
    )
    text = export(provider)
    assert "a secret of some length" not in text
    assert "client_secret: !Env DOORWARD_BLUEPRINT_GRAFANA_CLIENT_SECRET" in text

    monkeypatch.setenv("DOORWARD_BLUEPRINT_GRAFANA_CLIENT_SECRET", "a secret of some length")
    assert not apply(text, dry=True).differs
    monkeypatch.setenv("DOORWARD_BLUEPRINT_GRAFANA_CLIENT_SECRET", "another secret of some length")
    (changed,) = apply(text, dry=True).writes
    assert [(each.field, each.database, each.blueprint) for each in changed.differences] == [
        ("client_secret", "*" * 20, "*" * 20)
    ]


def test_objects_are_found_by_the_name_that_people_have_for_them(flows: None) -> None:
    """Slug, identifier, user name or name."""
    assert one_called("authentik_flows.flow", "default-authentication-flow").pk
    with pytest.raises(Unknown, match="did you mean"):
        one_called("authentik_flows.flw", "x")
    with pytest.raises(Unknown, match="called 'x'"):
        one_called("authentik_flows.flow", "x")
