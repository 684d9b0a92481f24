"""Whoever changes configuration in whatever way: the very next request goes by it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import F
from django.test import Client

from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import application_by_key, application_of_provider
from doorward.identity.blueprints.actions import apply_text
from doorward.identity.brands.models import Brand
from doorward.identity.brands.queries import current_brand
from doorward.identity.directory.actions import update_group
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.flows.queries import course, flow_named
from doorward.identity.oauth2 import clients, scopes
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.policies.models import DummyPolicy, PolicyBinding
from doorward.identity.policies.queries import bindings_on, verdict
from doorward.identity.stages.models import DenyStage, IdentificationStage, PasswordStage, UserLoginStage
from doorward.identity.system import actions as system
from doorward.identity.system import queries as settings_in_force
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
SLUG = "default-authentication-flow"
LOGIN = f"/if/flow/{SLUG}/"
SYSTEM = Actor.system()
STRANGER = AnonymousUser()


def by_saving(flow: Flow) -> None:
    flow.title = "Changed"
    flow.save()


def by_an_update(flow: Flow) -> None:
    Flow.objects.filter(pk=flow.pk).update(title="Changed")


def by_a_bulk_update(flow: Flow) -> None:
    flow.title = "Changed"
    Flow.objects.bulk_update([flow], ["title"])


def by_sql(flow: Flow) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE flows_flow SET title = 'Changed' WHERE slug = %s", [flow.slug])


def by_a_blueprint(flow: Flow) -> None:
    entry = {"model": "authentik_flows.flow", "identifiers": {"slug": flow.slug}, "attrs": {"title": "Changed"}}
    apply_text(SYSTEM, json.dumps({"version": 1, "entries": [entry]}), "test.yaml")


def by_the_api(flow: Flow) -> None:
    admin = Client(headers={"Authorization": f"Bearer {_key()}"})
    answer = admin.patch(f"/api/v3/flows/instances/{flow.slug}/", {"title": "Changed"}, content_type="application/json")
    assert answer.status_code == 200, answer.content


def by_a_page(flow: Flow) -> None:
    form = {"name": "x", "slug": flow.slug, "title": "Changed", "designation": "authentication"}
    more = {"authentication": "none", "denied_action": "message", "layout": "stacked", "policy_engine_mode": "any"}
    Visitor("akadmin", "correct horse battery staple").succeed(f"/if/admin/flows/{flow.slug}/edit/", **form, **more)


def _key() -> str:
    from doorward.identity.directory.actions import create_token
    from doorward.identity.directory.models import Token

    _, key = create_token(
        SYSTEM, user=User.objects.get(username="akadmin"), identifier="test", intent=Token.Intent.API, expiring=False
    )
    return key


WAYS = (by_saving, by_an_update, by_a_bulk_update, by_sql, by_a_blueprint, by_the_api, by_a_page)


@pytest.mark.parametrize("write", WAYS)
def test_every_way_of_writing_is_seen(
    write: Callable[[Flow], None], flows: None, akadmin: User, client: Client
) -> None:
    """The login page has the new title, and had the old one a moment ago."""
    for _ in range(2):
        assert "Changed" not in client.get(LOGIN).content.decode()

    write(Flow.objects.get(slug=SLUG))

    assert "Changed" in client.get(LOGIN).content.decode()


def test_brands(flows: None) -> None:
    """A title; another default."""
    first = current_brand()
    Brand.objects.filter(pk=first.pk).update(branding_title="Changed")
    assert current_brand().branding_title == "Changed"

    Brand.objects.all().delete()
    Brand.objects.bulk_create([Brand(domain="new", default=True, branding_title="Another")])
    assert current_brand().branding_title == "Another"


def test_stages_and_their_places(flows: None) -> None:
    """A setting, what a stage names, the order, a stage more, a stage less, a flow less."""
    flow = flow_named(SLUG)
    assert flow is not None
    first = course(flow.pk)[0].stage
    assert isinstance(first, IdentificationStage)
    IdentificationStage.objects.filter(pk=first.pk).update(enable_remember_me=not first.enable_remember_me)
    again = course(flow.pk)[0].stage
    assert isinstance(again, IdentificationStage)
    assert again.enable_remember_me is not first.enable_remember_me

    assert first.passwordless_flow is None
    IdentificationStage.objects.filter(pk=first.pk).update(passwordless_flow=flow)
    named = course(flow.pk)[0].stage
    assert isinstance(named, IdentificationStage)
    assert named.passwordless_flow == flow

    FlowStageBinding.objects.filter(flow=flow).update(order=-F("order"))
    assert isinstance(course(flow.pk)[0].stage, UserLoginStage)
    before = FlowStageBinding(flow=flow, stage=DenyStage.objects.create(name="no"), order=-1000)
    before.save()
    assert isinstance(course(flow.pk)[0].stage, DenyStage)
    PasswordStage.objects.all().delete()
    assert "password" not in {place.stage.kind for place in course(flow.pk)}
    Flow.objects.all().delete()
    assert flow_named(SLUG) is None
    assert course(flow.pk) == []


def test_bindings_and_policies(flows: None, staff: Group, bob: User, mallory: User) -> None:
    """Bound, turned around, switched off, another policy's word, gone with the group."""
    flow = Flow.objects.get(slug=SLUG)
    assert verdict(flow, mallory).passing
    PolicyBinding.objects.bulk_create([PolicyBinding(target=flow, group=staff)])
    assert not verdict(flow, mallory).passing
    assert verdict(flow, bob).passing
    flow.bindings.update(negate=True)
    assert verdict(flow, mallory).passing
    assert not verdict(flow, bob).passing
    flow.bindings.update(enabled=False)
    assert verdict(flow, bob).passing

    dummy = DummyPolicy.objects.create(name="dummy", result=False)
    PolicyBinding.objects.create(target=flow, policy=dummy)
    assert not verdict(flow, mallory).passing
    DummyPolicy.objects.filter(pk=dummy.pk).update(result=True)
    assert verdict(flow, mallory).passing
    flow.bindings.all().delete()
    PolicyBinding.objects.create(target=flow, group=staff)
    assert not verdict(flow, mallory).passing
    staff.delete()
    assert verdict(flow, mallory).passing


def test_people_are_not_remembered(flows: None, staff: Group, bob: User, mallory: User) -> None:
    """Who is in a group, whether somebody is active, and what a group is called."""
    flow = Flow.objects.get(slug=SLUG)
    PolicyBinding.objects.create(target=flow, group=staff)
    assert verdict(flow, mallory).reasons == ("mallory is not a member of the group “staff”",)

    update_group(SYSTEM, staff, name="crew")
    assert verdict(flow, mallory).reasons == ("mallory is not a member of the group “crew”",)
    mallory.groups.add(staff)
    assert verdict(flow, mallory).passing
    staff.users.clear()
    assert not verdict(flow, bob).passing
    bob.is_active = False
    assert not verdict(flow, bob).passing


def test_applications_and_their_providers(whoami: Application) -> None:
    """A name, another provider, a secret, scopes that are taken away, no application any more."""
    key, provider = str(whoami.pk), OAuth2Provider.objects.get(application=whoami)
    client = clients.find(provider.client_id)
    assert client is not None
    assert client.application.name == "whoami"
    Application.objects.filter(pk=whoami.pk).update(name="Changed")
    for found in (application_by_key(key), application_of_provider(provider.pk)):
        assert found is not None
        assert found.name == "Changed"

    assert "email" in scopes.mappings_of(provider)
    provider.scope_mappings.clear()
    assert not scopes.mappings_of(provider)
    before = client.provider.client_secret
    provider.client_secret = "another"
    provider.save()
    client = clients.find(provider.client_id)
    assert client is not None
    assert client.provider.client_secret == "another" != before
    Application.objects.filter(pk=whoami.pk).update(provider=None)
    assert clients.find(provider.client_id) is None
    assert application_of_provider(provider.pk) is None


def test_system_settings(db: None) -> None:
    """With the very next question, in this process or another."""
    assert settings_in_force.current().footer_links == []
    system.update(SYSTEM, footer_links=[{"name": "Imprint"}])
    assert settings_in_force.current().footer_links == [{"name": "Imprint"}]


def test_what_is_taken_back_is_not_remembered(login_flows: None) -> None:
    """Neither by a whole transaction nor by a part of one; and what stays does."""
    flow = Flow.objects.get(slug=SLUG)
    titles = [_title()]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Flow.objects.filter(pk=flow.pk).update(title="First")
        titles.append(_title())
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Flow.objects.filter(pk=flow.pk).update(title="Second")
            titles.append(_title())
            raise ZeroDivisionError
        titles.append(_title())
        raise ZeroDivisionError
    titles.append(_title())

    assert titles == [flow.title, "First", "Second", "First", flow.title]
    Flow.objects.filter(pk=flow.pk).update(title="Third")
    assert _title() == "Third"


def test_changing_an_answer_changes_nobody_elses(login_flows: None) -> None:
    """Everybody gets objects of their own, lists in them included."""
    flow = flow_named(SLUG)
    assert flow is not None
    flow.title = "Mine"
    stage = course(flow.pk)[0].stage
    assert isinstance(stage, IdentificationStage)
    stage.user_fields.clear()
    bindings_on(flow.pk).append(PolicyBinding())

    assert _title() != "Mine"
    again = course(flow.pk)[0].stage
    assert isinstance(again, IdentificationStage)
    assert again.user_fields
    assert bindings_on(flow.pk) == []
    assert verdict(flow, STRANGER).passing


def _title() -> str:
    flow = flow_named(SLUG)
    assert flow is not None
    return flow.title
