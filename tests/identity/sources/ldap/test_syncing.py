"""A directory is copied: people, groups, who is in what, and who is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from doorward.identity.chores import runner
from doorward.identity.chores.models import Turn
from doorward.identity.directory.actions import add_member, create_group, create_user, update_user
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.sources.ldap import chores, client, people, syncing
from doorward.identity.sources.ldap.models import LDAPSource, Sync
from doorward.identity.sources.ldap.syncing import sync
from doorward.identity.sources.models import Source, UserSourceConnection
from identity.sources.ldap.conftest import EVERYBODY, source_for
from peers.directory_server import DirectoryServer, group, person

pytestmark = pytest.mark.django_db


def _members(name: str) -> set[str]:
    return set(Group.objects.get(name=name).users.values_list("username", flat=True))


def test_people_and_groups_come_across(company: DirectoryServer) -> None:
    """With names, addresses and memberships; nobody has a password here."""
    state = sync(source_for(company))

    dora = User.objects.get(username="dora")
    assert (dora.name, dora.email, dora.path) == ("Dora Example", "dora@example.test", "goauthentik.io/sources/company")
    assert dora.attributes["distinguishedName"] == person("dora")
    assert not dora.has_usable_password()
    assert (state.failure, state.users, state.groups, state.skipped) == ("", 3, 3, 0)
    assert _members("staff") == {"dora", "emil"}
    assert _members("managers") == {"emil"}


def test_a_second_time_changes_nothing(company: DirectoryServer) -> None:
    """Nothing is written for what is as it was."""
    source = source_for(company)
    sync(source)
    events = Event.objects.count()

    state = sync(source)

    assert (state.failure, state.changed, Event.objects.count()) == ("", 0, events)


def test_groups_within_groups(company: DirectoryServer) -> None:
    """Where that is wanted, whoever is in the inner one is in the outer one."""
    everything = create_group(Actor.system(), name="from the directory")

    sync(source_for(company, sync_group_hierarchy=True, sync_parent_group=everything))

    dora = User.objects.get(username="dora")
    assert {each.name for each in dora.all_groups()} == {"staff", "everybody", "from the directory"}


def test_groups_that_the_users_name(fresh: DirectoryServer) -> None:
    """``memberOf`` instead of ``member``."""
    fresh.remove(group("staff"))  # slapd writes ``memberOf`` while it runs
    fresh.add(group("staff"), ["groupOfNames"], member=[person("dora"), person("emil")])

    sync(source_for(fresh, lookup_groups_from_user=True, group_membership_field="memberOf"))

    assert _members("staff") == {"dora", "emil"}


def test_groups_whose_members_are_names(company: DirectoryServer) -> None:
    """As POSIX groups have them."""
    sync(
        source_for(
            company,
            group_object_filter="(objectClass=posixGroup)",
            group_membership_field="memberUid",
            user_membership_attribute="uid",
        )
    )

    assert _members("printers") == {"dora"}


def test_what_changes_there_changes_here(fresh: DirectoryServer) -> None:
    """Another name, another membership; and a rename keeps the account, because its identifier is the same."""
    source = source_for(fresh)
    sync(source)
    dora = User.objects.get(username="dora")
    mine = create_user(Actor.system(), username="mine")
    add_member(Actor.system(), Group.objects.get(name="staff"), mine)

    fresh.change(person("dora"), cn=["Dora Renamed"], displayName=["Dora Renamed"])
    fresh.change(group("staff"), member=[person("emil")])
    fresh.rename(person("dora"), "uid=theodora")
    state = sync(source)

    dora.refresh_from_db()
    assert (state.failure, dora.username, dora.name) == ("", "theodora", "Dora Renamed")
    assert _members("staff") == {"emil", "mine"}  # who was put in by hand stays


@pytest.mark.parametrize("option", [True, False])
def test_whoever_is_gone_cannot_log_in(fresh: DirectoryServer, option: bool) -> None:
    """By the option; they come back with their account, unless somebody here has closed it."""  # S-524
    source = source_for(fresh, delete_not_found_objects=option)
    sync(source)
    fresh.change(group("staff"), member=[person("emil")])
    fresh.remove(person("dora"))
    fresh.remove(group("managers"))

    state = sync(source)

    assert User.objects.get(username="dora").is_active is not option
    assert Group.objects.filter(name="managers").exists() is not option
    assert state.deactivated == int(option)
    assert User.objects.filter(username="emil", is_active=True).exists()


def test_the_disabled_come_back_when_they_are_enabled(
    company: DirectoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the directory has switched off it can switch on; what an administrator here has closed stays closed."""
    source = source_for(company)
    sync(source)
    update_user(Actor.system(), User.objects.get(username="emil"), is_active=False)

    monkeypatch.setattr(people, "is_disabled", lambda entry: entry.first("uid") in ("dora", "worker00"))
    sync(source)
    assert not User.objects.get(username="dora").is_active
    monkeypatch.undo()
    sync(source)

    assert User.objects.get(username="dora").is_active
    assert not User.objects.get(username="emil").is_active


def test_a_directory_that_goes_away_loses_nobody_anything(
    company: DirectoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that ends early is none: nobody is deactivated, and the failure is told."""
    source = source_for(company, delete_not_found_objects=True, user_object_filter=EVERYBODY)
    sync(source)
    monkeypatch.setattr(client.Directory.search, "__kwdefaults__", {"page": 10})
    monkeypatch.setattr(syncing, "PAGE_SECONDS", 0.3)
    real = client.Directory._ask

    def hanging(self: client.Directory, *arguments: object) -> object:
        answer = real(self, *arguments)  # type: ignore[arg-type]
        if any(entry.first("uid") == "dora" for entry in answer[0]):
            company.hold()
        return answer

    monkeypatch.setattr(client.Directory, "_ask", hanging)
    try:
        state = sync(source)
    finally:
        company.let_go()

    assert state.failure
    assert 0 < state.users < 33
    assert not User.objects.filter(is_active=False).exists()
    assert Event.objects.filter(action="system_task_exception").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"user_object_filter": "(objectClass=nothing)"}, {"additional_user_dn": "ou=gone"}, {"bind_password": "x"}],
)
def test_an_empty_answer_is_nobodys_end(company: DirectoryServer, wrong: dict[str, str]) -> None:
    """Settings that find nobody do not deactivate everybody."""
    source = source_for(company, delete_not_found_objects=True)
    sync(source)
    for name, value in wrong.items():
        setattr(source, name, value)
    source.save()

    sync(source)

    assert not User.objects.filter(is_active=False).exists()


def test_names_that_are_taken_are_not_taken_over(company: DirectoryServer, akadmin: User) -> None:
    """An account of the same name stays its owner's: skipped, and said."""  # S-525
    owner = create_user(Actor.system(), username="dora", password="correct horse battery staple")

    state = sync(source_for(company))

    assert not UserSourceConnection.objects.filter(user=owner).exists()
    assert state.skipped == 1
    assert "dora" in state.problems[0]


def test_names_can_be_matched(company: DirectoryServer, akadmin: User) -> None:
    """By the source's mode; never an account that may do more than others."""
    owner = create_user(Actor.system(), username="dora")
    powerful = create_user(Actor.system(), username="emil", groups=akadmin.groups.all())

    sync(source_for(company, user_matching_mode=Source.UserMatching.USERNAME_LINK))

    assert UserSourceConnection.objects.filter(user=owner).exists()
    assert not UserSourceConnection.objects.filter(user=powerful).exists()


def test_reserved_names_are_nobodys(fresh: DirectoryServer) -> None:
    """A directory cannot make the program's own administrator."""
    fresh.add(person("akadmin"), ["inetOrgPerson"], cn="A", sn="A")

    state = sync(source_for(fresh))

    assert not User.objects.filter(username="akadmin").exists()
    assert state.skipped == 1


def test_the_chore_copies_what_is_due(company: DirectoryServer) -> None:
    """At first, when somebody asks, and not again right after."""
    source = source_for(company)

    assert runner.run_now(chores.NAME)
    first = Sync.objects.get(source=source)
    runner.run_now(chores.NAME)
    second = Sync.objects.get(source=source)
    Sync.objects.filter(source=source).update(wanted=second.ended)
    runner.run_now(chores.NAME)

    assert first.begun == second.begun
    third = Sync.objects.get(source=source)
    assert third.begun is not None
    assert second.begun is not None
    assert third.begun > second.begun


def test_a_long_copy_is_not_taken_for_dead(company: DirectoryServer) -> None:
    """Each page says that somebody is still at it; nobody's turn is begun by that."""
    source = source_for(company)
    Turn.objects.create(name=chores.NAME, due=timezone.now(), busy_until=timezone.now())
    sync(source)
    assert Turn.objects.get(name=chores.NAME).busy_until > timezone.now() + timedelta(minutes=5)  # type: ignore[operator]

    Turn.objects.update(busy_until=None)
    sync(source)
    assert Turn.objects.get(name=chores.NAME).busy_until is None


def test_a_disabled_source_is_not_copied(company: DirectoryServer) -> None:
    """Switched off is off."""  # S-526
    source_for(company, enabled=False)

    runner.run_now(chores.NAME)

    assert not User.objects.exists()
    assert not LDAPSource.objects.get().user_connections.exists()
