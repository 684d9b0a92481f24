"""Entitlements: rights inside an application, which it is told by name and nobody has by accident."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from doorward.identity.applications.entitlements import create_entitlement, delete_entitlement, update_entitlement
from doorward.identity.applications.models import Application, Entitlement
from doorward.identity.applications.queries import entitlements
from doorward.identity.directory.actions import add_member, create_group, delete_group
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import scopes
from doorward.identity.oauth2.person import Person
from doorward.identity.outposts.models import ProxyProvider, StoredSession
from doorward.identity.policies.actions import bind, unbind, update_binding
from doorward.identity.policies.models import Policy
from identity import proxied

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


@pytest.fixture
def editor(whoami: Application) -> Entitlement:
    return create_entitlement(SYSTEM, whoami, name="editor")


def held(user: User, application: Application) -> tuple[str, ...]:
    assert application.provider is not None
    return entitlements(User.objects.get(pk=user.pk), application.provider)


def test_nobody_has_what_nobody_was_given(whoami: Application, editor: Entitlement, bob: User, akadmin: User) -> None:
    """An empty list is empty: other than an application without bindings, and for superusers too."""
    assert held(bob, whoami) == held(akadmin, whoami) == ()


def test_users_members_and_members_of_members_have_it(
    whoami: Application, editor: Entitlement, staff: Group, bob: User, mallory: User
) -> None:
    """Named themselves, or by a group or one that contains theirs; nobody else."""
    create_entitlement(SYSTEM, whoami, name="auditor")
    company = create_group(SYSTEM, name="company", parents=[])
    staff.parents.add(company)
    bind(SYSTEM, editor, group=company)
    assert (held(bob, whoami), held(mallory, whoami)) == (("editor",), ())
    bind(SYSTEM, whoami.entitlements.get(name="auditor"), user=mallory)
    bind(SYSTEM, whoami.entitlements.get(name="auditor"), user=bob)
    assert (held(bob, whoami), held(mallory, whoami)) == (("auditor", "editor"), ("auditor",))


def test_it_ends_by_itself_and_by_a_switch(whoami: Application, editor: Entitlement, bob: User) -> None:
    """What has ended or is switched off gives nothing."""
    binding = bind(SYSTEM, editor, user=bob, expiring=True, expires=timezone.now() + timedelta(hours=1))
    assert held(bob, whoami) == ("editor",)
    update_binding(SYSTEM, binding, expires=timezone.now() - timedelta(seconds=1))
    assert held(bob, whoami) == ()
    update_binding(SYSTEM, binding, expiring=False, expires=None, enabled=False)
    assert held(bob, whoami) == ()


def test_policies_and_everybody_but_are_refused(editor: Entitlement, bob: User) -> None:
    """A list of people: nothing that could mean somebody whom nobody thought of."""
    with pytest.raises(ValidationError):
        bind(SYSTEM, editor, policy=Policy.objects.earliest("name"))
    with pytest.raises(ValidationError):
        bind(SYSTEM, editor, user=bob, negate=True)
    with pytest.raises(ValidationError):
        update_binding(SYSTEM, bind(SYSTEM, editor, user=bob), negate=True)


@pytest.mark.parametrize("name", ["", " ", "a|b", "a\nb", "editor"])
def test_names_that_cannot_be(whoami: Application, editor: Entitlement, name: str) -> None:
    """The header separates them by bars, and two of one name would be one."""
    with pytest.raises(ValidationError):
        create_entitlement(SYSTEM, whoami, name=name)


def test_the_application_is_told(whoami: Application, editor: Entitlement, bob: User, mallory: User) -> None:
    """By the claims of the scope, which proxy providers always have; ``roles`` says the same."""
    bind(SYSTEM, editor, user=bob)
    provider = ProxyProvider.objects.get(application=whoami)
    mappings = scopes.mappings_of(provider)
    assert scopes.claims_of(Person(bob, provider), ["entitlements"], mappings) == {
        "entitlements": ["editor"],
        "roles": ["editor"],
    }
    assert scopes.claims_of(Person(mallory, provider), ["entitlements"], mappings)["entitlements"] == []


def test_whoever_loses_it_is_told_anew_at_once(whoami: Application, editor: Entitlement, bob: User) -> None:
    """Proxy sessions carry entitlements: each change ends those at this application (S-322)."""

    def ends() -> bool:
        return not StoredSession.objects.filter(user=bob).exists()

    login = proxied.log_in(bob)
    proxied.enter(login, whoami)
    binding = bind(SYSTEM, editor, user=bob)
    assert ends()
    for change in (
        lambda: update_entitlement(SYSTEM, editor, name="writer"),
        lambda: unbind(SYSTEM, binding),
        lambda: delete_entitlement(SYSTEM, editor),
    ):
        proxied.enter(login, whoami)
        change()
        assert ends()


def test_the_last_group_on_its_list_can_be_deleted(whoami: Application, editor: Entitlement, bob: User) -> None:
    """Nothing is opened by it: the list is empty then, and nobody has it."""
    group = create_group(SYSTEM, name="editors")
    add_member(SYSTEM, group, bob)
    bind(SYSTEM, editor, group=group)
    delete_group(SYSTEM, group)
    assert held(bob, whoami) == ()
