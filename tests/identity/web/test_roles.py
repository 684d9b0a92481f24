"""Roles on the pages, and what a delegated administrator finds there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.roles.actions import add_user, assign, create_role
from doorward.identity.roles.models import Role
from identity.web.visitor import Visitor

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group

SYSTEM = Actor.system()


def delegate(user: User, *permissions: str, object_pk: object = "") -> Role:
    """A role of their own, with a way to the administrators' pages."""
    role = create_role(SYSTEM, name=f"of {user}")
    assign(SYSTEM, role, ["authentik_rbac.access_admin_interface"])
    assign(SYSTEM, role, [f"authentik_core.{name}" for name in permissions], str(object_pk))
    add_user(SYSTEM, role, user)
    return role


def test_a_role_is_made_given_and_taken(admin: Visitor, bob: User, staff: Group) -> None:
    """Named, permissions for all and for one, held by a user and a group; each of it taken away again."""
    page = admin.succeed("/if/admin/new/role/", name="Help desk")
    role = Role.objects.get(name="Help desk")
    assert "Nothing yet." in page
    at = reverse("admin-role", args=[role.pk])
    admin.succeed(f"{at}permissions/", at=at, permission="authentik_core.view_user", object="")
    page = admin.succeed(f"{at}permissions/", at=at, permission="authentik_core.change_user", object="bob")
    assert "authentik_core.change_user" in page
    assert {str(grant) for grant in role.grants.all()} == {
        "authentik_core.view_user",
        f"authentik_core.change_user {bob.pk}",
    }
    admin.succeed(f"{at}holders/", at=at, user="bob", group="")
    admin.succeed(f"{at}holders/", at=at, user="", group=str(staff.pk))
    assert "Help desk" in admin.open(f"/if/admin/users/{bob.pk}/")
    assert "Help desk" in admin.open(f"/if/admin/groups/{staff.pk}/")
    admin.succeed(f"{at}users/{bob.pk}/remove/", at=at)
    admin.succeed(f"{at}groups/{staff.pk}/remove/", at=at)
    for grant in role.grants.all():
        admin.succeed(f"{at}permissions/{grant.pk}/remove/", at=at)
    assert not role.grants.exists()
    admin.succeed(f"{at}edit/", name="Desk")
    admin.succeed(f"{at}delete/")
    assert not Role.objects.exists()


def test_mistakes_are_told_at_their_field(admin: Visitor, bob: User) -> None:
    """Nobody of this name, nothing of this name, both or neither of user and group."""
    role = create_role(SYSTEM, name="desk")
    at = reverse("admin-role", args=[role.pk])

    admin.send(f"{at}permissions/", at=at, permission="authentik_core.change_user", object="nobody")
    assert (admin.answer.status_code, "There is nothing of this key: user." in admin.text) == (400, True)
    admin.send(f"{at}permissions/", at=at, permission="authentik_flows.change_flow", object="")
    assert admin.answer.status_code == 400
    admin.send(f"{at}holders/", at=at, user="", group="")
    assert (admin.answer.status_code, "Name a user or a group." in admin.text) == (400, True)


def test_a_delegate_finds_what_is_theirs(visiting_bob: Visitor, bob: User, mallory: User, akadmin: User) -> None:
    """The navigation has the places that open, the list the users whom they may see, and the rest is refused."""
    delegate(bob, "view_user", "change_user", object_pk=mallory.pk)

    assert visiting_bob.get("/if/admin/")["Location"] == "/if/admin/users/"
    text = visiting_bob.open("/if/admin/users/")
    assert "mallory" in text
    assert "akadmin" not in text
    assert 'href="/if/admin/flows/"' not in text
    one = visiting_bob.open(f"/if/admin/users/{mallory.pk}/")
    assert f"/if/admin/users/{mallory.pk}/edit/" in one
    assert "Set password" not in one
    assert "New user" not in text
    assert 'href="/if/admin/"' in visiting_bob.open("/if/user/")
    page = visiting_bob.succeed(
        f"/if/admin/users/{mallory.pk}/edit/", username="mallory", name="Mal", type="internal", attributes="{}"
    )
    assert "Mal" in page
    for address in (f"users/{akadmin.pk}/", f"users/{mallory.pk}/delete/", "groups/", "flows/", "new/user/", "roles/"):
        assert visiting_bob.get(f"/if/admin/{address}").status_code == 403, address


def test_without_the_way_in_no_page_opens(visiting_bob: Visitor, bob: User) -> None:
    """Permissions for the API alone show nothing here."""
    role = create_role(SYSTEM, name="api")
    assign(SYSTEM, role, ["authentik_core.view_user"])
    add_user(SYSTEM, role, bob)

    assert visiting_bob.get("/if/admin/users/").status_code == 403


def test_nobody_raises_themselves_on_the_pages(
    visiting_bob: Visitor, bob: User, akadmin: User, admins: Group, password: str
) -> None:
    """Not by their own form, not by a group's, not by the password of somebody above."""  # S-603
    delegate(
        bob,
        "view_user",
        "change_user",
        "reset_user_password",
        "view_group",
        "change_group",
        "add_user_to_group",
        "add_group",
    )
    form = {"username": "bob", "name": "Bob", "type": "internal", "attributes": "{}"}
    attempts: list[tuple[str, str, dict[str, object]]] = [
        (f"users/{bob.pk}/edit/", "", {**form, "groups": [str(admins.pk)]}),
        (f"users/{akadmin.pk}/edit/", "", {**form, "username": "akadmin", "email": "bob@example.test"}),
        (f"users/{akadmin.pk}/password/", "", {"password": "a long enough password"}),
        (f"users/{akadmin.pk}/recovery/", f"users/{akadmin.pk}/", {}),
        (f"groups/{admins.pk}/members/", f"groups/{admins.pk}/", {"user": "bob"}),
        ("new/group/", "", {"name": "x", "is_superuser": "on", "attributes": "{}"}),
        ("new/group/", "", {"name": "x", "parents": [str(admins.pk)], "attributes": "{}"}),
    ]
    for address, at, fields in attempts:
        answer = visiting_bob.send(f"/if/admin/{address}", at=f"/if/admin/{at}" if at else "", **fields)
        assert answer.status_code == 403, (address, visiting_bob.text)
    akadmin.refresh_from_db()
    assert not User.objects.get(pk=bob.pk).is_superuser
    assert akadmin.check_password(password)


def test_a_page_shows_what_its_reader_may_see_elsewhere(visiting_bob: Visitor, bob: User, mallory: User) -> None:
    """Who may see users sees neither their tokens, nor where they are logged in, nor what happened."""  # S-602
    from doorward.identity.directory.actions import create_token
    from identity import proxied

    create_token(SYSTEM, user=mallory, identifier="hers-alone", intent="api")
    login = proxied.log_in(mallory)
    delegate(bob, "view_user")

    text = visiting_bob.open(f"/if/admin/users/{mallory.pk}/")
    assert "hers-alone" not in text
    assert str(login.pk) not in text


@pytest.mark.parametrize("what", ["user", "application"])
def test_pages_say_who_may_administer_what(admin: Visitor, bob: User, whoami: Application, what: str) -> None:
    """The roles with a permission for this object, and those for all of its kind."""
    shown = bob if what == "user" else whoami
    one, every = create_role(SYSTEM, name="for one"), create_role(SYSTEM, name="for every")
    assign(SYSTEM, one, [f"authentik_core.change_{what}"], str(shown.pk))
    assign(SYSTEM, every, [f"authentik_core.delete_{what}"])
    key = bob.pk if what == "user" else whoami.slug

    text = admin.open(f"/if/admin/{what}s/{key}/")
    assert "for one" in text
    assert "for every" in text
    assert f"Change: {what}" in text
