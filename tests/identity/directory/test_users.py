"""Users: what may be one, and what ends with one."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.directory import actions
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.directory.passwords import check
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event

pytestmark = pytest.mark.django_db


def by(user: User) -> Actor:
    return Actor(user, "192.0.2.1", "request")


def test_a_created_user_can_log_in_and_is_an_event(akadmin: User, staff: Group, password: str) -> None:
    """Creating a user is one event by its maker, and the password works."""
    carol = actions.create_user(by(akadmin), username="carol", groups=[staff], password=password)

    assert check(carol, password)
    assert list(carol.groups.all()) == [staff]
    event = Event.objects.filter(action="model_created", context__model__name="carol").get()
    assert event.user["username"] == "akadmin"
    assert event.client_ip == "192.0.2.1"


@pytest.mark.parametrize("twin", ["BOB", "ｂｏｂ", "bob"])
def test_names_that_look_the_same_are_the_same(akadmin: User, bob: User, twin: str) -> None:
    """Two users do not differ by case or width of letters alone."""  # S-522
    with pytest.raises(ValidationError) as refusal:
        actions.create_user(by(akadmin), username=twin)

    assert "username" in refusal.value.message_dict


@pytest.mark.parametrize("name", ["bo\u200bb", "\u202ebob", "b\0b", "b\nb", " bob", "", "x" * 151, "\ud800"])
def test_invisible_characters_do_not_stand_in_names(akadmin: User, name: str) -> None:
    """Zero-width, control and direction characters are refused."""  # S-522 S-607 S-808
    with pytest.raises(ValidationError):
        actions.create_user(by(akadmin), username=name)


@pytest.mark.parametrize("name", ["akadmin", "AKadmin", "goauthentik.io/token", "ak-outpost-1"])
def test_reserved_names_are_the_programs_own(admins: Group, bob: User, name: str) -> None:
    """Nobody becomes akadmin by name, also after akadmin was deleted."""  # S-522
    with pytest.raises(ValidationError):
        actions.create_user(by(bob), username=name)
    with pytest.raises(ValidationError):
        actions.update_user(by(bob), bob, username=name)


def test_a_user_has_no_fields_beyond_the_listed(akadmin: User, bob: User) -> None:
    """What is not a user's field is refused, never set."""  # S-604
    with pytest.raises(TypeError):
        actions.update_user(by(akadmin), bob, last_login=None)


def test_an_update_says_what_was_and_what_is(akadmin: User, bob: User) -> None:
    """The event of a change holds old and new values, and nothing when nothing changed."""  # S-619
    actions.update_user(by(akadmin), bob, name="Robert")
    actions.update_user(by(akadmin), bob, name="Robert")

    event = Event.objects.get(action="model_updated")
    assert event.context["diff"] == {"name": {"previous_value": "Bob", "new_value": "Robert"}}


def test_the_last_superuser_stays(akadmin: User, admins: Group, bob: User) -> None:
    """Whatever would leave nobody to administer is refused and undone."""  # S-621
    with pytest.raises(Refused):
        actions.update_user(Actor.system(), User.objects.get(pk=akadmin.pk), is_active=False)
    with pytest.raises(Refused):
        actions.delete_user(Actor.system(), User.objects.get(pk=akadmin.pk))
    with pytest.raises(Refused):
        actions.remove_member(Actor.system(), admins, akadmin)
    with pytest.raises(Refused):
        actions.update_group(Actor.system(), admins, is_superuser=False)
    with pytest.raises(Refused):
        actions.delete_group(Actor.system(), admins)

    akadmin = User.objects.get(username="akadmin")
    assert akadmin.is_active
    assert akadmin.is_superuser


def test_nobody_locks_themselves_out(akadmin: User, bob: User, admins: Group) -> None:
    """One does not deactivate or delete oneself."""  # S-621
    actions.add_member(by(akadmin), admins, bob)

    with pytest.raises(Refused):
        actions.update_user(by(bob), bob, is_active=False)
    with pytest.raises(Refused):
        actions.delete_user(by(bob), bob)


def test_a_new_user_of_the_same_name_inherits_nothing(akadmin: User, bob: User, password: str) -> None:
    """Tokens, groups and the pseudonym go with the user."""  # S-817
    former_uid = bob.uid
    actions.create_token(by(akadmin), user=bob, identifier="bobs", intent="api")
    actions.delete_user(by(akadmin), bob)

    again = actions.create_user(by(akadmin), username="bob", password=password)

    assert again.uid != former_uid
    assert not again.tokens.exists()
    assert not again.groups.exists()


def test_membership_is_inherited_upward(akadmin: User, admins: Group, staff: Group, bob: User) -> None:
    """A member of a child group is a member of its parents, also when they are superusers."""
    actions.update_group(by(akadmin), staff, parents=[admins])

    assert User.objects.get(pk=bob.pk).is_superuser


def test_groups_have_no_circles(akadmin: User, admins: Group, staff: Group) -> None:
    """A group is not its own ancestor."""
    actions.update_group(by(akadmin), staff, parents=[admins])

    with pytest.raises(ValidationError):
        actions.update_group(by(akadmin), admins, parents=[staff])
