"""What a blueprint says is what the database has afterwards: all of it, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doorward.identity.applications.models import Application
from doorward.identity.blueprints.errors import Unusable
from doorward.identity.blueprints.report import Outcome
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.events.models import Change, Event
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.outposts.models import Outpost, ProxyProvider
from doorward.identity.policies.models import PolicyBinding
from identity.blueprints.conftest import entries

if TYPE_CHECKING:
    from identity.blueprints.conftest import Apply

WIKI = """
version: 1
metadata:
  name: A wiki behind the proxy
context:
  host: https://wiki.example.test
entries:
  - model: authentik_providers_proxy.proxyprovider
    id: provider
    identifiers:
      name: wiki
    attrs:
      mode: forward_single
      external_host: !Context host
      authorization_flow: !Find [authentik_flows.flow, [slug, default-provider-authorization-implicit-consent]]
      invalidation_flow: !Find [authentik_flows.flow, [slug, default-provider-invalidation-flow]]
      property_mappings:
        - !Find [authentik_providers_oauth2.scopemapping, [scope_name, openid]]
        - !Find [authentik_providers_oauth2.scopemapping, [managed, goauthentik.io/providers/oauth2/scope-email]]
  - model: authentik_core.application
    id: application
    identifiers:
      slug: wiki
    attrs:
      name: Wiki
      provider: !KeyOf provider
      icon: https://wiki.example.test/icon.png
  - model: authentik_core.group
    id: readers
    identifiers:
      name: readers
    attrs:
      attributes: {source: files}
  - model: authentik_policies.policybinding
    identifiers:
      target: !KeyOf application
      group: !KeyOf readers
      order: 0
  - model: authentik_outposts.outpost
    identifiers:
      managed: goauthentik.io/outposts/embedded
    attrs:
      providers:
        - !KeyOf provider
"""


def test_an_application_with_provider_outpost_and_binding_is_there(flows: None, apply: Apply) -> None:
    """One file protects an application."""
    report = apply(WIKI)

    application = Application.objects.get(slug="wiki")
    assert application.meta_icon == "https://wiki.example.test/icon.png"
    assert Outpost.objects.get().providers.get().pk == application.provider_id
    assert PolicyBinding.objects.get(target=application).group == Group.objects.get(name="readers")
    assert [done.outcome for done in report.done][:2] == [Outcome.CREATED, Outcome.CREATED]


def test_a_second_time_nothing_happens(flows: None, apply: Apply) -> None:
    """No event and no word to the data plane when everything is there already (C18)."""
    apply(WIKI)
    before = Event.objects.count(), Change.objects.count()
    report = apply(WIKI)

    assert not report.differs
    assert {done.outcome for done in report.done} == {Outcome.UNCHANGED}
    assert (Event.objects.count(), Change.objects.count()) == before


def test_a_dry_run_shows_what_differs_and_keeps_nothing(flows: None, apply: Apply) -> None:
    """What somebody changed by hand is shown with both values."""
    apply(WIKI)
    ProxyProvider.objects.update(external_host="https://other.example.test")
    events = Event.objects.count()
    report = apply(WIKI, dry=True)

    (changed,) = report.writes
    (difference,) = changed.differences
    assert (difference.field, difference.database, difference.blueprint) == (
        "external_host",
        "https://other.example.test",
        "https://wiki.example.test",
    )
    assert ProxyProvider.objects.get().external_host == "https://other.example.test"
    assert Event.objects.count() == events


def test_a_context_that_is_given_goes_before_the_files_own(flows: None, apply: Apply) -> None:
    """One file serves several installations."""
    apply(WIKI, context={"host": "https://elsewhere.example.test"})

    assert ProxyProvider.objects.get().external_host == "https://elsewhere.example.test"


def test_one_wrong_entry_leaves_nothing_of_the_others(flows: None, apply: Apply) -> None:
    """The whole file is one transaction, and everything that is wrong is told with its line."""
    text = WIKI.replace("mode: forward_single", "mode: forward_singel").replace("slug: wiki", "slug: not a slug")
    with pytest.raises(Unusable) as refused:
        apply(text)

    said = str(refused.value)
    assert "test.yaml:13: entries[0] (provider).attrs.mode" in said
    assert "'forward_singel'" in said
    assert "did you mean 'forward_single'?" in said
    assert "test.yaml:24: entries[1] (application).identifiers.slug" not in said  # it needed the provider: told once
    assert not Application.objects.exists()
    assert not Group.objects.filter(name="readers").exists()


def test_states(flows: None, apply: Apply) -> None:
    """created leaves what exists, must_created refuses it, absent removes it, present brings it back in line."""
    group = entries(
        "model: authentik_core.group\nstate: {}\nidentifiers: {{name: night}}\nattrs: {{attributes: {{a: {}}}}}"
    )
    apply(group.format("created", 1))
    apply(group.format("created", 2))
    assert Group.objects.get(name="night").attributes == {"a": 1}
    apply(group.format("present", 3))
    assert Group.objects.get(name="night").attributes == {"a": 3}
    with pytest.raises(Unusable, match="exists already"):
        apply(group.format("must_created", 1))
    assert apply(group.format("absent", 1)).done[0].outcome is Outcome.DELETED
    assert apply(group.format("absent", 1)).done[0].outcome is Outcome.UNCHANGED
    assert not Group.objects.filter(name="night").exists()


def test_an_object_is_found_by_what_its_attributes_contain(flows: None, apply: Apply) -> None:
    """A mapping among the identifiers is matched by containment, and does not replace the rest."""
    Group.objects.create(name="old name", attributes={"id": 7, "note": "kept"})
    apply(entries("model: authentik_core.group\nidentifiers: {attributes: {id: 7}}\nattrs: {name: new name}"))

    assert Group.objects.get(name="new name").attributes == {"id": 7, "note": "kept"}


def test_conditions_leave_an_entry_out(flows: None, apply: Apply) -> None:
    """An entry whose conditions do not all hold is as if it were not there."""
    report = apply(
        entries(
            "model: authentik_core.group\nconditions: [true, !Condition [EQ, 1, 2]]\nidentifiers: {name: a}",
            "model: authentik_core.group\nconditions:\n"
            "  - !Find [authentik_flows.flow, [slug, default-authentication-flow]]\nidentifiers: {name: b}",
        )
    )

    assert [done.outcome for done in report.done] == [Outcome.LEFT_OUT, Outcome.CREATED]


def test_people_with_passwords_tokens_with_keys_and_roles_with_permissions(flows: None, apply: Apply) -> None:
    """What the API writes by actions of its own, blueprints write as attributes; twice without an event."""
    text = entries(
        "model: authentik_rbac.role\nid: desk\nidentifiers: {name: desk}\n"
        "attrs: {permissions: [authentik_core.view_user, authentik_core.reset_user_password]}",
        "model: authentik_core.user\nid: carol\nidentifiers: {username: carol}\n"
        "attrs: {name: Carol, password: a long enough password, roles: [!KeyOf desk]}",
        "model: authentik_core.token\nidentifiers: {identifier: carols}\n"
        "attrs: {user: !KeyOf carol, intent: api, expiring: false, key: 0123456789abcdef0123456789abcdef}",
        "model: authentik_core.group\nidentifiers: {name: staff}\nattrs: {users: [!KeyOf carol]}\n"
        "permissions: [{permission: authentik_core.view_group, role: !KeyOf desk}]",
    )
    apply(text)
    events = Event.objects.count()
    report = apply(text)

    carol = User.objects.get(username="carol")
    assert carol.check_password("a long enough password")
    assert carol.roles.get().grants.count() == 3
    assert Token.objects.get(identifier="carols").user == carol
    assert not report.differs
    assert Event.objects.count() == events
    assert "long enough" not in str(apply(text.replace("a long enough", "another long"), dry=True).writes)


def test_the_last_way_in_stays_open(flows: None, akadmin: User, apply: Apply) -> None:
    """A blueprint after which nobody could log in is refused like every other such change (S-621)."""
    with pytest.raises(Unusable, match="no administrator could log in"):
        apply(
            entries(
                "model: authentik_flows.flowstagebinding\nstate: absent\nidentifiers:\n"
                "  target: !Find [authentik_flows.flow, [slug, default-authentication-flow]]\n"
                "  stage: !Find [authentik_stages_password.passwordstage, [name, default-authentication-password]]"
            )
        )
    assert FlowStageBinding.objects.filter(stage__name="default-authentication-password").exists()


def test_a_name_that_is_nearly_right_is_named(flows: None, apply: Apply) -> None:
    """Models, fields and objects that do not exist are answered with the nearest that does."""
    for text, expected in (
        (
            entries("model: authentik_core.aplication\nidentifiers: {slug: a}"),
            "did you mean 'authentik_core.application'?",
        ),
        (entries("model: authentik_core.group\nidentifiers: {name: a}\nattrs: {is_superusr: true}"), "'is_superuser'?"),
        (entries("model: authentik_core.group\nidentifiers: {nam: a}"), "did you mean 'name'?"),
        (
            entries(
                "model: authentik_flows.flowstagebinding\nidentifiers:\n"
                "  target: !Find [authentik_flows.flow, [slug, default-authentication-flw]]\n  order: 5\n"
                "  stage: !Find [authentik_stages_user_login.userloginstage, [name, default-authentication-login]]"
            ),
            "did you mean 'default-authentication-flow'?",
        ),
        (entries("model: authentik_core.group\nidentifiers: {name: !KeyOf later}", "model: x.y\nid: later"), "later"),
        (entries("model: authentik_core.group\nattrs: {name: a}"), "identifiers are missing"),
        (entries("model: authentik_core.group\nidentifiers: {pk: 3}\nattrs: {name: a}"), "keys cannot be chosen"),
    ):
        with pytest.raises(Unusable) as refused:
            apply(text)
        assert expected in str(refused.value)


def test_an_expression_that_is_none_of_ours_is_named_with_its_line(flows: None, apply: Apply) -> None:
    """Python that this language has not is refused with a reason, before anything judges with it (S-612)."""
    with pytest.raises(Unusable) as refused:
        apply(
            entries(
                "model: authentik_policies_expression.expressionpolicy\nidentifiers: {name: py}\n"
                "attrs:\n  expression: |\n    import os\n    return True"
            )
        )

    assert "test.yaml:6: entries[0].attrs.expression" in str(refused.value)
    assert "import" in str(refused.value)


def test_an_enrolment_flow_with_a_letter(flows: None, apply: Apply) -> None:
    """Prompts, stages, bindings and a policy at a binding, as the documented examples have them."""
    report = apply(ENROLMENT)
    events = Event.objects.count()

    flow = Flow.objects.get(slug="join")
    assert [binding.stage.kind for binding in flow.stage_bindings.order_by("order")] == [
        "prompt",
        "userwrite",
        "email",
        "userlogin",
    ]
    assert [warning.path for warning in report.warnings] == [
        f"entries[5] (letter).attrs.{name}" for name in ("from_address", "host", "port")
    ]
    binding = flow.stage_bindings.get(order=30)
    assert PolicyBinding.objects.get(target=binding).policy is not None
    assert not apply(ENROLMENT).differs
    assert Event.objects.count() == events


def test_files_of_earlier_versions_apply(flows: None, akadmin: User, apply: Apply) -> None:
    """One parent instead of several, a template that nobody has any more, invitations with what is fixed."""
    text = entries(
        "model: authentik_core.group\nid: all\nidentifiers: {name: all}",
        "model: authentik_core.group\nidentifiers: {name: some}\nattrs: {parent: !KeyOf all, is_superuser: false}",
        "model: authentik_stages_identification.identificationstage\nidentifiers: {name: who}\n"
        "attrs: {user_fields: [email, username], template: stages/identification/login.html}",
        "model: authentik_stages_invitation.invitation\nidentifiers: {name: for-jane}\n"
        'attrs: {single_use: true, expires: "2038-12-31T23:59:59Z", fixed_data: {name: Jane, attributes: {team: b}}}',
    )
    report = apply(text)

    assert [str(warning.path) for warning in report.warnings] == ["entries[2].attrs.template"]
    assert Group.objects.get(name="some").parents.get().name == "all"
    assert not apply(text).differs


ENROLMENT = """
version: 1
metadata:
  name: Joining with a letter
  labels: {blueprints.goauthentik.io/instantiate: "false"}
entries:
  - {model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {name: Default - Password change flow}}}
  - identifiers: {slug: join}
    id: flow
    model: authentik_flows.flow
    attrs: {name: Join, title: Join us, designation: enrollment, authentication: require_unauthenticated}
  - identifiers: {name: join-username}
    id: username
    model: authentik_stages_prompt.prompt
    attrs: {field_key: username, label: User name, type: username, required: true, order: 0,
            placeholder: User name, placeholder_expression: false}
  - identifiers: {name: join-email}
    id: email
    model: authentik_stages_prompt.prompt
    attrs: {field_key: email, label: E-mail, type: email, required: true, order: 1}
  - identifiers: {name: join-questions}
    id: questions
    model: authentik_stages_prompt.promptstage
    attrs: {fields: [!KeyOf username, !KeyOf email]}
  - identifiers: {name: join-letter}
    id: letter
    model: authentik_stages_email.emailstage
    attrs: {use_global_settings: true, host: localhost, port: 25, from_address: login@example.test,
            token_expiry: minutes=30, template: email/account_confirmation.html, activate_user_on_success: true}
  - identifiers: {name: join-write}
    id: write
    model: authentik_stages_user_write.userwritestage
    attrs: {user_creation_mode: always_create, create_users_as_inactive: true}
  - identifiers: {name: join-login}
    id: login
    model: authentik_stages_user_login.userloginstage
  - identifiers: {name: join-restored}
    id: restored
    model: authentik_policies_expression.expressionpolicy
    attrs: {expression: "return not request.context.get('is_restored', False)"}
  - identifiers: {target: !KeyOf flow, stage: !KeyOf questions, order: 10}
    model: authentik_flows.flowstagebinding
  - identifiers: {target: !KeyOf flow, stage: !KeyOf write, order: 20}
    model: authentik_flows.flowstagebinding
  - identifiers: {pk: 1219d06e-2c06-4c5b-a162-78e3959c6cf0, target: !KeyOf flow, stage: !KeyOf letter, order: 30}
    id: letter-binding
    model: authentik_flows.flowstagebinding
    attrs: {evaluate_on_plan: true, re_evaluate_policies: true, invalid_response_action: retry}
  - identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 40}
    model: authentik_flows.flowstagebinding
  - identifiers: {policy: !KeyOf restored, target: !KeyOf letter-binding, order: 0}
    model: authentik_policies.policybinding
    attrs: {negate: false, enabled: true, timeout: 30}
"""
