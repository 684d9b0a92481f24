"""Who here is meant by somebody from a source: every mode, and who is never meant without further ado."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.mail.models import UnprovenAddress
from doorward.identity.sources import arrivals, connections
from doorward.identity.sources.arrival import Arrival, UpstreamGroup
from doorward.identity.sources.mapping import MappingFailed, arrival
from doorward.identity.sources.matching import Deny, Enrol, Link, LogIn, Prove, decide
from doorward.identity.sources.models import GroupSourceConnection, Source, SourceMapping, UserSourceConnection

pytestmark = pytest.mark.django_db
Mode = Source.UserMatching
SYSTEM = Actor.system()


def source(mode: Mode = Mode.IDENTIFIER, **fields: object) -> Source:
    return Source.objects.create(name="Upstream", slug="upstream", user_matching_mode=mode, **fields)


def from_(where: Source, identifier: str = "42", **said: object) -> Arrival:
    return Arrival(source=str(where.pk), slug=where.slug, identifier=identifier, **said)  # type: ignore[arg-type]


def person(username: str = "carol", email: str = "carol@example.test", **fields: object) -> User:
    return directory.create_user(SYSTEM, username=username, email=email, **fields)  # type: ignore[arg-type]


def test_a_connection_says_who_it_is() -> None:
    """Whoever is connected logs in, whatever name and address the source names today."""
    here, carol = source(Mode.EMAIL_DENY), person()
    UserSourceConnection.objects.create(source=here, user=carol, identifier="42")

    assert decide(here, from_(here, email="other@example.test")) == LogIn(carol)
    assert decide(here, from_(here, "43", email="new@example.test")) == Enrol()


def test_a_deactivated_user_is_refused() -> None:
    """No source opens an account that was closed here."""
    here, carol = source(Mode.EMAIL_LINK), person(is_active=False)
    verified = from_(here, email=carol.email, email_verified=True)  # S-524

    assert isinstance(decide(here, verified), Deny)
    UserSourceConnection.objects.create(source=here, user=carol, identifier="42")
    assert isinstance(decide(here, verified), Deny)


def test_which_accounts_can_be_connected() -> None:
    """A service account can, for programs that come with tokens of the source; the program's own accounts cannot."""
    here = source()
    connections.connect(SYSTEM, here, person("robot", type=User.Type.SERVICE_ACCOUNT), "42")
    with pytest.raises(ValidationError):
        connections.connect(SYSTEM, here, person("inside", type=User.Type.INTERNAL_SERVICE_ACCOUNT), "43")


@pytest.mark.parametrize("mode", list(Mode))
def test_a_disabled_source_lets_nobody_in(mode: Mode) -> None:
    """What was begun with a source ends with it."""
    here, carol = source(mode, enabled=False), person()  # S-526
    said = from_(here, email=carol.email, username="carol", email_verified=True)

    assert isinstance(decide(here, said), Deny)
    with pytest.raises(arrivals.NotSettled):
        arrivals.settle(SYSTEM, said, carol)
    assert not UserSourceConnection.objects.exists()


def test_a_verified_address_links() -> None:
    """The source vouches for the address, and so the account with it is meant."""
    here, carol = source(Mode.EMAIL_LINK), person()

    assert decide(here, from_(here, email="Carol@Example.test", email_verified=True)) == Link(carol)


def test_an_address_that_nobody_vouches_for_has_to_be_proved() -> None:
    """An account is not handed to whoever writes its address into a profile elsewhere."""
    here, carol = source(Mode.EMAIL_LINK), person()  # S-525, S-450

    assert decide(here, from_(here, email=carol.email)) == Prove(carol)


def test_an_address_that_was_only_claimed_here_has_to_be_proved() -> None:
    """Whoever enrols with somebody's address does not get their login later."""
    here, carol = source(Mode.EMAIL_LINK), person()
    UnprovenAddress.objects.create(user=carol, email=carol.email)  # S-525

    assert decide(here, from_(here, email=carol.email, email_verified=True)) == Prove(carol)


def test_accounts_with_rights_are_never_linked_by_themselves(akadmin: User) -> None:
    """An administrator's account is connected by that administrator only."""
    here = source(Mode.EMAIL_LINK)

    assert decide(here, from_(here, email=akadmin.email, email_verified=True)) == Prove(akadmin)


def test_letters_that_look_alike_are_not_the_same_address() -> None:
    """Databases fold more letters than mail does."""
    here = source(Mode.EMAIL_LINK)
    person(email="kim@example.test")  # S-450

    assert decide(here, from_(here, email="\u212aim@example.test", email_verified=True)) == Enrol()


def test_a_user_name_links_only_with_proof() -> None:
    """User names elsewhere can be chosen, so one in common says nothing."""
    here, carol = source(Mode.USERNAME_LINK), person()  # S-525

    assert decide(here, from_(here, username="Carol")) == Prove(carol)
    assert decide(here, from_(here, username="carol"), names_are_fixed=True) == Link(carol)


@pytest.mark.parametrize("mode", [Mode.EMAIL_DENY, Mode.USERNAME_DENY])
def test_denying_modes_bring_strangers_only(mode: Mode) -> None:
    """Nobody comes in beside an account that has their name or address."""
    here = source(mode)
    person()

    assert isinstance(decide(here, from_(here, email="carol@example.test", username="carol")), Deny)
    assert decide(here, from_(here, email="new@example.test", username="new")) == Enrol()


@pytest.mark.parametrize("mode", [Mode.EMAIL_LINK, Mode.EMAIL_DENY, Mode.USERNAME_LINK, Mode.USERNAME_DENY])
def test_what_is_matched_by_has_to_be_said(mode: Mode) -> None:
    """A source that names neither name nor address brings nobody past the question."""
    here = source(mode)

    assert isinstance(decide(here, from_(here)), Deny)


def test_settling_connects_once_and_says_so() -> None:
    """The event tells whose account was connected to what."""
    here, carol = source(), person()
    said = from_(here, known="linking", user=carol.pk)
    arrivals.settle(SYSTEM, said, carol)
    arrivals.settle(SYSTEM, said, carol)

    assert Event.objects.filter(action="source_linked", user__pk=carol.pk).count() == 1
    with pytest.raises(arrivals.NotSettled):
        arrivals.settle(SYSTEM, said, person("dave", "dave@example.test"))


def test_a_connection_that_was_removed_is_not_made_again() -> None:
    """A login that began before the disconnecting does not undo it."""
    here, carol = source(), person()  # S-526

    with pytest.raises(arrivals.NotSettled):
        arrivals.settle(SYSTEM, from_(here, known="connected", user=carol.pk), carol)


def test_groups_follow_the_source() -> None:
    """Connected groups come and go with what the source says; others stay."""
    here, carol = source(), person()
    own = directory.create_group(SYSTEM, name="own", users=[carol])
    staff, admins = UpstreamGroup("g1", "staff"), UpstreamGroup("g2", "editors")

    arrivals.settle(SYSTEM, from_(here, groups=(staff, admins)), carol)
    assert set(carol.groups.values_list("name", flat=True)) == {"own", "staff", "editors"}
    arrivals.settle(SYSTEM, from_(here, groups=(admins,)), carol)
    assert set(carol.groups.values_list("name", flat=True)) == {"own", "editors"}
    arrivals.settle(SYSTEM, from_(here, groups=None), carol)
    assert set(carol.groups.values_list("name", flat=True)) == {"own", "editors"}
    assert own in carol.groups.all()


def test_groups_of_a_name_in_common() -> None:
    """A group of the same name is joined in the linking mode only, and never one that gives rights."""
    here, carol = source(), person()
    directory.create_group(SYSTEM, name="staff")
    directory.create_group(SYSTEM, name="root", is_superuser=True)
    said = from_(here, groups=(UpstreamGroup("g1", "staff"), UpstreamGroup("g2", "root")))

    arrivals.settle(SYSTEM, said, carol)
    assert not carol.groups.exists()
    Source.objects.update(group_matching_mode=Source.GroupMatching.NAME_LINK)
    arrivals.settle(SYSTEM, said, carol)
    assert [group.name for group in carol.groups.all()] == ["staff"]
    assert Event.objects.filter(action="configuration_warning").count() == 3
    GroupSourceConnection.objects.create(source=here, group=Group.objects.get(name="root"), identifier="g2")
    arrivals.settle(SYSTEM, said, carol)
    assert User.objects.get(pk=carol.pk).is_superuser


def test_adopting_a_directory() -> None:
    """Users of a synchronised directory are made once, and follow it from then on."""
    here = source(Mode.USERNAME_LINK)
    said = from_(here, username="erin", name="Erin", email="erin@example.test", attributes={"room": "7"})
    erin = arrivals.adopt(SYSTEM, here, said)
    assert erin is not None and erin.path == "goauthentik.io/sources/upstream" and not erin.has_usable_password()

    renamed = arrivals.adopt(SYSTEM, here, from_(here, username="erin2", name="Erin E.", attributes={"floor": 1}))
    assert renamed is not None and (renamed.pk, renamed.username) == (erin.pk, "erin2")
    assert renamed.attributes == {"room": "7", "floor": 1}
    person("frank", "frank@example.test")
    assert arrivals.adopt(SYSTEM, here, from_(here, "43", username="frank")) is None
    assert arrivals.adopt(SYSTEM, here, from_(here, "43", username="frank"), names_are_fixed=True) is not None


def test_expressions_map_what_a_source_says() -> None:
    """An administrator's expressions see what came and choose what becomes of it."""
    here = source()
    text = 'return {"username": info["login"].lower(), "attributes": {"team": info["team"]}, "groups": [info["team"]]}'
    here.user_property_mappings.add(SourceMapping.objects.create(name="user", kind="oauth", expression=text))
    here.group_property_mappings.add(
        SourceMapping.objects.create(name="group", kind="oauth", expression='return {"name": f"up {group_id}"}')
    )
    info = {"login": "ERIN", "team": "blue"}
    said = arrival(here, "42", {"email": "erin@example.test"}, {"info": info}, email_verified=True)

    assert (said.username, said.attributes, said.email_verified) == ("erin", {"team": "blue"}, True)
    assert said.groups == (UpstreamGroup("blue", "up blue"),)


@pytest.mark.parametrize("text", ['return info["nothing"]', "return 7", 'return __import__("os")'])
def test_an_expression_that_fails_stops_the_arrival(text: str) -> None:
    """Half a user could be somebody else."""
    here = source()
    mapping = SourceMapping.objects.create(name="user", kind="oauth", expression=text)
    here.user_property_mappings.add(mapping)  # S-612

    with pytest.raises(MappingFailed):
        arrival(here, "42", {}, {"info": {}})
    assert Event.objects.filter(action="property_mapping_exception").exists()


def test_what_nobody_may_say_from_outside_is_not_read() -> None:
    """Rights, kinds of accounts and the program's own attributes are not a source's to give."""
    here = source()
    text = 'return {"is_superuser": True, "type": "service_account", "attributes": {"goauthentik.io/user/debug": True}}'
    here.user_property_mappings.add(SourceMapping.objects.create(name="user", kind="oauth", expression=text))
    said = arrival(here, "42", {"username": "erin", "email": 'a"@b"@example.test'}, {})  # S-521, S-450
    erin = arrivals.adopt(SYSTEM, here, said)

    assert (
        erin is not None and not erin.is_superuser and (erin.type, erin.attributes, erin.email) == ("internal", {}, "")
    )
