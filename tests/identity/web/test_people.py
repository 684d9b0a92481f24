"""Users and groups on their pages, and that nobody locks everybody out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from doorward.identity.applications.models import Application
from doorward.identity.authenticators import queries
from doorward.identity.authenticators.actions import set_recovery_codes
from doorward.identity.authenticators.recovery_codes import generate
from doorward.identity.directory import passwords
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.models import LoginSession
from identity import proxied
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
NEW_USER, NEW_GROUP = "/if/admin/new/user/", "/if/admin/new/group/"


def page(user: User, rest: str = "") -> str:
    return reverse("admin-user", args=[user.pk]) + rest


def group_page(group: Group, rest: str = "") -> str:
    return reverse("admin-group", args=[group.pk]) + rest


def test_the_list_is_searched_and_narrowed(admin: Visitor, bob: User, mallory: User) -> None:
    """By name and address; active, deactivated, administrators."""
    User.objects.filter(pk=mallory.pk).update(is_active=False)

    assert page(bob) in admin.open("/if/admin/users/?q=BOB@example")
    assert page(mallory) not in admin.text
    assert page(mallory) in admin.open("/if/admin/users/?state=deactivated")
    assert page(bob) not in admin.text
    assert page(bob) in admin.open("/if/admin/users/?state=active")
    assert page(bob) not in admin.open("/if/admin/users/?state=administrators")
    assert page(bob) in admin.open("/if/admin/users/?state=nonsense")


def test_create_a_user_who_can_log_in(admin: Visitor, staff: Group) -> None:
    """With groups and a password, and an event that does not hold it."""
    fields: dict[str, Any] = {
        "username": "carol",
        "name": "Carol",
        "email": "carol@example.test",
        "password": "carols-long-password",
        "groups": [str(staff.pk)],
        "type": "internal",
        "attributes": '{"language": "de"}',
    }
    text = admin.succeed(NEW_USER, **fields)

    carol = User.objects.get(username="carol")
    assert "The user “carol” is created." in text
    assert passwords.check(carol, "carols-long-password")
    assert list(carol.groups.all()) == [staff]
    assert carol.attributes == {"language": "de"}
    assert Visitor("carol", "carols-long-password").get("/if/user/").status_code == 200
    assert all("carols-long-password" not in str(event.context) for event in Event.objects.all())


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"username": "BOB"}, "There is a user of this name, or of one that looks the same."),  # S-522
        ({"username": "ak-outpost-x"}, "reserved"),
        ({"username": "a\u200bb"}, "U+200B is not allowed"),
        ({"password": "short"}, "at least 8 characters"),
        ({"email": "nonsense"}, "valid email address"),
        ({"attributes": "[1]"}, "A JSON object"),
        ({"attributes": "{"}, "valid JSON"),
        ({"type": "internal_service_account"}, "Select a valid choice"),
        ({"groups": ["nonsense"]}, "is not a valid"),
    ],
)
def test_a_user_who_cannot_be(admin: Visitor, bob: User, fields: dict[str, Any], text: str) -> None:
    """400, at the field, and nobody is created."""
    assert admin.send(NEW_USER, **{"username": "carol", "type": "internal", **fields}).status_code == 400
    assert text in admin.text
    assert User.objects.count() == 2


def test_fields_that_the_form_does_not_have_change_nothing(admin: Visitor, bob: User) -> None:
    """Keys, password, superuser."""  # S-604
    before = bob.password
    admin.succeed(
        page(bob, "edit/"), username="bob", type="internal", pk="1", password="x" * 12, is_superuser="on", uuid="x"
    )

    bob.refresh_from_db()
    assert (bob.password, bob.is_superuser) == (before, False)


@pytest.mark.parametrize(("stored", "shown"), [({}, ""), ({"language": "de"}, '{"language": "de"}')])
def test_attributes_are_shown_as_they_are_typed(admin: Visitor, bob: User, stored: dict[str, str], shown: str) -> None:
    """Nothing as an empty field; and what is wrong stays to be mended."""
    User.objects.filter(pk=bob.pk).update(attributes=stored)
    assert f">\n{shown}</textarea>" in admin.open(page(bob, "edit/"))

    admin.send(page(bob, "edit/"), username="bob", type="internal", attributes="{not json")

    assert ">\n{not json</textarea>" in admin.text


def test_change_a_user(admin: Visitor, bob: User) -> None:
    """Groups too; sessions that carry the old ones end."""
    proxied.log_in(bob)
    text = admin.succeed(page(bob, "edit/"), username="robert", email="r@example.test", type="external")

    bob.refresh_from_db()
    assert (bob.username, bob.email, bob.type, bob.groups.count()) == ("robert", "r@example.test", "external", 0)
    assert "robert" in text
    changed = Event.objects.get(action="model_updated", context__model__pk=str(bob.pk))
    assert changed.context["diff"]["groups"] == {"previous_value": ["staff"], "new_value": []}


def test_set_a_password(admin: Visitor, bob: User) -> None:
    """Their logins end; the administrator's does not."""
    proxied.log_in(bob)

    admin.succeed(page(bob, "password/"), password="a-new-long-password")

    bob.refresh_from_db()
    assert passwords.check(bob, "a-new-long-password")
    assert not LoginSession.objects.filter(user=bob).exists()
    assert admin.send(page(bob, "password/"), password="short").status_code == 400


def test_ones_own_password_keeps_ones_login(admin: Visitor, akadmin: User) -> None:
    """Whoever sets it is not thrown out by it."""
    proxied.log_in(akadmin)

    admin.succeed(page(akadmin, "password/"), password="a-new-long-password")

    assert LoginSession.objects.filter(user=akadmin).count() == 1


def test_deactivate_and_activate(admin: Visitor, whoami: Application, bob: User) -> None:
    """It asks; sessions end at once; the way back is one button."""
    session = proxied.enter(proxied.log_in(bob), whoami)
    assert "worthless within a second" in admin.open(page(bob, "deactivate/"))

    admin.succeed(page(bob, "deactivate/"))

    bob.refresh_from_db()
    assert not bob.is_active
    assert not proxied.is_known(session)
    assert "Deactivated" in admin.open(page(bob))
    admin.succeed(page(bob, "activate/"), at=page(bob))
    bob.refresh_from_db()
    assert bob.is_active


@pytest.mark.parametrize(
    ("path", "text"), [("deactivate/", "You cannot deactivate yourself"), ("delete/", "You cannot delete yourself")]
)
def test_nobody_removes_themselves(admin: Visitor, akadmin: User, path: str, text: str) -> None:
    """409, with a page that says what to do; the page of oneself does not offer it."""  # S-621
    assert path not in admin.open(page(akadmin))

    answer = admin.send(page(akadmin, path))

    assert answer.status_code == 409
    assert text in admin.text
    assert User.objects.filter(pk=akadmin.pk, is_active=True).exists()


@pytest.mark.parametrize("how", ["groups of the user", "member of the group", "flag of the group", "the group itself"])
def test_the_last_administrator_stays(admin: Visitor, akadmin: User, admins: Group, how: str) -> None:
    """409 on every way to lose them."""  # S-621
    match how:
        case "groups of the user":
            answer = admin.send(page(akadmin, "edit/"), username="akadmin", type="internal")
        case "member of the group":
            answer = admin.send(group_page(admins, f"members/{akadmin.pk}/remove/"), at=group_page(admins))
        case "flag of the group":
            answer = admin.send(group_page(admins, "edit/"), name="authentik Admins")
        case _:
            answer = admin.send(group_page(admins, "delete/"))

    assert answer.status_code == 409
    assert "make another superuser first" in admin.text
    assert User.objects.get(pk=akadmin.pk).is_superuser


def test_delete_a_user(admin: Visitor, bob: User) -> None:
    """It asks first; the event keeps the name."""
    assert "Delete the user “bob” for good?" in admin.open(page(bob, "delete/"))

    text = admin.succeed(page(bob, "delete/"))

    assert "bob is deleted." in text
    assert not User.objects.filter(username="bob").exists()
    assert Event.objects.filter(action="model_deleted", context__model__name="bob").exists()


def test_whoever_alone_may_enter_something_is_not_deleted(admin: Visitor, whoami: Application, staff: Group) -> None:
    """It would open the application to everybody: 409, and the text says what to do first."""
    answer = admin.send(group_page(staff, "delete/"))

    assert answer.status_code == 409
    assert "Only “staff” may enter one application" in admin.text
    assert whoami.bindings.count() == 1


def test_logins_are_ended_one_by_one_or_all(admin: Visitor, bob: User, akadmin: User) -> None:
    """With events; somebody else's login does not end under this user's address."""
    first, _ = proxied.log_in(bob), proxied.log_in(bob)
    admins_own = LoginSession.objects.get(user=akadmin)

    admin.succeed(page(bob, f"logins/{first.pk}/end/"), at=page(bob))
    assert LoginSession.objects.filter(user=bob).count() == 1
    assert admin.send(page(bob, f"logins/{admins_own.pk}/end/"), at=page(bob)).status_code == 404
    admin.succeed(page(bob, "logins/end/"), at=page(bob))

    assert not LoginSession.objects.filter(user=bob).exists()
    assert Event.objects.filter(action="logout").count() == 2


def test_ending_all_of_ones_own_logins_spares_this_one(admin: Visitor, akadmin: User) -> None:
    """And ending exactly this one logs out."""
    proxied.log_in(akadmin)

    admin.succeed(page(akadmin, "logins/end/"), at=page(akadmin))
    (own,) = LoginSession.objects.filter(user=akadmin)
    answer = admin.send(page(akadmin, f"logins/{own.pk}/end/"), at=page(akadmin))

    assert (answer.status_code, answer["Location"]) == (303, "/")
    assert not LoginSession.objects.filter(user=akadmin).exists()


def test_the_page_of_a_user_tells_their_story(admin: Visitor, bob: User) -> None:
    """Groups with inherited ones, logins, what happened."""
    everybody = Group.objects.create(name="everybody")
    bob.groups.get().parents.add(everybody)
    proxied.log_in(bob)

    text = admin.open(page(bob))

    assert "everybody (inherited)" in text
    assert "created user bob" in text
    assert "Unknown browser" in text


def test_create_and_change_a_group(admin: Visitor, staff: Group) -> None:
    """Part of others, with the flag that makes administrators."""
    fields: dict[str, Any] = {"name": "ops", "is_superuser": "on", "parents": [str(staff.pk)]}
    admin.succeed(NEW_GROUP, **fields)
    ops = Group.objects.get(name="ops")
    assert ops.is_superuser
    assert list(ops.parents.all()) == [staff]

    admin.succeed(group_page(ops, "edit/"), name="operations")

    ops.refresh_from_db()
    assert (ops.name, ops.is_superuser, ops.parents.count()) == ("operations", False, 0)
    assert Event.objects.filter(context__model__model_name="group", user__username="akadmin").count() == 2


def test_a_group_that_cannot_be(admin: Visitor, staff: Group) -> None:
    """A name that exists; a circle."""
    assert admin.send(NEW_GROUP, name="staff").status_code == 400
    assert "There is a group of this name." in admin.text
    below = Group.objects.create(name="below")
    below.parents.add(staff)

    assert admin.send(group_page(staff, "edit/"), name="staff", parents=[str(below.pk)]).status_code == 400
    assert "A group cannot be its own ancestor." in admin.text


def test_members_come_and_go(admin: Visitor, staff: Group, mallory: User) -> None:
    """By name or address; with an event each."""
    admin.succeed(group_page(staff, "members/"), at=group_page(staff), user="mallory@example.test")
    assert mallory in staff.users.all()
    assert "mallory" in admin.text
    admin.succeed(group_page(staff, f"members/{mallory.pk}/remove/"), at=group_page(staff))

    assert mallory not in staff.users.all()
    assert Event.objects.filter(action="model_updated", user__username="akadmin").count() == 2
    assert admin.send(group_page(staff, "members/"), at=group_page(staff), user="nobody").status_code == 400
    assert "There is no user “nobody”." in admin.text


def test_delete_a_group(admin: Visitor, staff: Group, bob: User) -> None:
    """Its members stay."""
    assert "Its 1 member stays" in admin.open(group_page(staff, "delete/"))

    admin.succeed(group_page(staff, "delete/"))

    assert not Group.objects.filter(name="staff").exists()
    assert User.objects.filter(pk=bob.pk).exists()


def test_a_recovery_link_is_shown_once(admin: Visitor, bob: User) -> None:
    """An administrator hands it over; it leads to a new password."""
    admin.send(page(bob, "recovery/"), at=page(bob))

    link = re.search(r"https://auth\.example\.test(/if/flow/default-recovery-flow/\?flow_token=[\w-]+)", admin.text)
    assert link
    assert "flow_token" not in admin.open(page(bob))
    assert "bob" in Visitor().open(link[1])


def test_a_lost_factor_is_removed(admin: Visitor, bob: User) -> None:
    """By an administrator who was asked to; the user's logins end."""  # S-520
    paper = set_recovery_codes(Actor.system(), bob, generate(), name="paper")
    proxied.log_in(bob)
    assert "paper" in admin.open(page(bob))

    assert "is removed" in admin.succeed(page(bob, f"factors/{paper.uuid}/remove/"))

    assert "a password is enough" in admin.open(page(bob))
    assert not LoginSession.objects.filter(user=bob).exists()


def test_ones_own_factor_is_not_removed_here(admin: Visitor, akadmin: User) -> None:
    """One's own page asks for a factor first."""  # S-512
    paper = set_recovery_codes(Actor.system(), akadmin, generate(), name="paper")

    admin.get(page(akadmin, f"factors/{paper.uuid}/remove/"))

    assert queries.device_by_uuid(akadmin, paper.uuid) is not None
    assert admin.answer.status_code in (302, 303)


def test_a_service_account_comes_with_its_token(admin: Visitor) -> None:
    """A user without a password, its group, and a token that is shown this once."""
    admin.send("/if/admin/new/service-account/", name="backup-robot", create_group="on", life="365")

    key = re.search(r'<pre id="key"[^>]*><code>([A-Za-z0-9]{60})<', admin.raw)
    assert key
    account = User.objects.get(username="backup-robot")
    assert account.type == User.Type.SERVICE_ACCOUNT
    assert not account.has_usable_password()
    assert [group.name for group in account.groups.all()] == ["backup-robot"]
    token = token_by_key(key[1], [Token.Intent.APP_PASSWORD])
    assert token is not None
    assert token.user == account
    assert not token.sealed_key
    assert admin.send("/if/admin/new/service-account/", name="backup-robot", life="1").status_code == 400
