"""Copies a directory: its groups, its people, who is in what; and in the end whoever is not there any more.

    groups, page by page ──► people, page by page ──► memberships ──► what has vanished

What was read is written as it comes, so that a directory that goes away midway has lost nobody anything: what has
vanished is only known when everything was read to its end, and something was there at all.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from doorward.identity.directory import actions as directory_actions
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.sources import arrivals, membership
from doorward.identity.sources.arrival import Arrival
from doorward.identity.sources.ldap import people, vanished
from doorward.identity.sources.ldap.chores import still_at_it
from doorward.identity.sources.ldap.client import Directory
from doorward.identity.sources.ldap.entries import Entry, folded_dn
from doorward.identity.sources.ldap.models import LDAPSource, Sync
from doorward.identity.sources.ldap.opening import opened
from doorward.identity.sources.ldap.places import NotAsked
from doorward.identity.sources.mapping import MappingFailed
from doorward.identity.sources.models import GroupSourceConnection, UserSourceConnection

PAGE_SECONDS = 60.0
MOST_IN_A_ROW = 20
"""Entries that cannot be read one after the other: then it is the settings that are wrong."""
_APP = "authentik.sources.ldap"
_log = logging.getLogger("doorward.ldap")


class Abandoned(Exception):
    """Going on would do no good; the text says why."""


def sync(source: LDAPSource) -> Sync:
    """Copy ``source`` now. What goes wrong stands in the result and in an event; nothing is raised."""
    state, _new = Sync.objects.get_or_create(source=source)
    state.begun, state.failure, state.problems = timezone.now(), "", []
    state.users = state.groups = state.changed = state.deactivated = state.skipped = 0
    state.save()
    try:
        _Copy(source, state).run()
        state.succeeded = timezone.now()
    except (NotAsked, Abandoned) as error:
        state.failure = str(error)[:1000]
        _log.warning("the directory %s was not copied to its end: %s", source.slug, error)
        events.record("system_task_exception", _APP, Actor.system(), source=source, message=state.failure)
    finally:
        state.ended = timezone.now()
        # Whoever has asked for another one in the meantime gets it.
        state.save(update_fields=[each.name for each in Sync._meta.fields if each.name not in ("source", "wanted")])
    return state


@dataclass
class _Copy:
    source: LDAPSource
    state: Sync
    groups: dict[str, Group] = field(default_factory=dict)
    """By the folded name of their entry."""
    members: dict[UUID, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What a group says about its members, by the group's key."""
    users: dict[str, int] = field(default_factory=dict)
    """Users by what groups call them."""
    chosen: dict[UUID, set[int]] = field(default_factory=lambda: defaultdict(set))
    seen_users: set[str] = field(default_factory=set)
    seen_groups: set[str] = field(default_factory=set)
    in_a_row: int = 0

    def run(self) -> None:
        source = self.source
        with opened(source) as directory:
            if source.sync_groups:
                self._read(directory, source.group_base, source.group_object_filter, self._groups)
            self._read(directory, source.user_base, source.user_object_filter, self._people)
        if source.sync_groups:
            self._memberships()
        if source.delete_not_found_objects:
            self._vanished()

    @property
    def actor(self) -> Actor:
        # Not the program itself: its own reserved names are not for people of a directory.
        return Actor(None, None, f"ldap-{self.source.slug}")

    def _read(self, directory: Directory, base: str, condition: str, take: Callable[[list[Entry]], None]) -> None:
        directory.give(PAGE_SECONDS)
        for page in directory.search(base, condition, people.attributes_of(self.source)):
            take(page)
            Sync.objects.filter(pk=self.state.pk).update(
                users=self.state.users,
                groups=self.state.groups,
                changed=self.state.changed,
                skipped=self.state.skipped,
            )
            still_at_it()
            directory.give(PAGE_SECONDS)

    def _groups(self, page: list[Entry]) -> None:
        for entry in page:
            self.state.groups += 1
            try:
                upstream = people.group_of(self.source, entry)
                self.seen_groups.add(upstream.identifier)
                group = membership.connected(self.actor, self.source, upstream)
                if group is not None:
                    self._bring_up_to_date(group, upstream.name, dict(upstream.attributes))
            except (MappingFailed, ValidationError, Refused) as error:
                self._skip(entry, error)
                continue
            self.in_a_row = 0
            if group is not None:
                self.groups[folded_dn(entry.dn)] = group
                self.members[group.pk] = list(entry.all(self.source.group_membership_field))

    def _bring_up_to_date(self, group: Group, name: str, attributes: dict[str, object]) -> None:
        changes: dict[str, Any] = {"name": name} if name != group.name else {}
        if (merged := {**group.attributes, **attributes}) != group.attributes:
            changes["attributes"] = merged
        if changes:
            directory_actions.update_group(self.actor, group, **changes)
            self.state.changed += 1

    def _people(self, page: list[Entry]) -> None:
        read: list[tuple[Entry, Arrival]] = []
        for entry in page:
            self.state.users += 1
            if identifier := people.identifier_of(self.source, entry):
                self.seen_users.add(identifier)
            try:
                read.append((entry, people.arrival_of(self.source, entry)))
                self.in_a_row = 0
            except MappingFailed as error:
                self._skip(entry, error)
        known = {
            connection.identifier: connection.user
            for connection in UserSourceConnection.objects.filter(
                source=self.source, identifier__in=[arrival.identifier for _entry, arrival in read]
            ).select_related("user")
        }
        for entry, arrival in read:
            try:
                user = self._person(entry, arrival, known.get(arrival.identifier))
            except (ValidationError, Refused, PermissionDenied, arrivals.NotSettled) as error:
                self._skip(entry, error)
                continue
            if user is not None:
                self._note(entry, user)

    def _person(self, entry: Entry, arrival: Arrival, user: User | None) -> User | None:
        if not self.source.sync_users:
            return user
        disabled = people.is_disabled(entry)
        if user is not None and user.is_active and disabled:
            self.state.deactivated += 1
            return vanished.deactivate(self.actor, self.source, user)
        if user is not None and not user.is_active and not disabled and vanished.was_ours(self.source, user):
            user = vanished.let_in_again(self.actor, user)
            self.state.changed += 1
        if user is not None and (not user.is_active or _is_as_said(user, arrival)):
            return user
        if disabled:
            return None
        adopted = arrivals.adopt(self.actor, self.source, arrival, names_are_fixed=True)
        if adopted is None:
            raise ValidationError("There is an account of this name or address that is not connected.")
        self.state.changed += 1
        return adopted

    def _note(self, entry: Entry, user: User) -> None:
        """By what groups know the user, or which groups the user knows."""
        source = self.source
        if source.lookup_groups_from_user:
            for name in entry.all(source.group_membership_field):
                if group := self.groups.get(folded_dn(name)):
                    self.chosen[group.pk].add(user.pk)
        elif value := people.value_of(entry, source.user_membership_attribute):
            self.users[_folded(value)] = user.pk

    def _memberships(self) -> None:
        for group in self.groups.values():
            wanted = set(self.chosen[group.pk])
            wanted |= {self.users[name] for value in self.members[group.pk] if (name := _folded(value)) in self.users}
            self._set_members(group, wanted)
            still_at_it()
        self._set_parents()

    def _set_members(self, group: Group, wanted: set[int]) -> None:
        """Members who are not from this directory stay."""
        theirs = User.objects.filter(groups=group, source_connections__source=self.source)
        present = set(theirs.values_list("pk", flat=True))
        for user in User.objects.filter(pk__in=present - wanted):
            self._try(directory_actions.remove_member, group, user)
        for user in User.objects.filter(pk__in=wanted - present):
            self._try(directory_actions.add_member, group, user)

    def _try(self, change: Callable[[Actor, Group, User], None], group: Group, user: User) -> None:
        try:
            change(self.actor, group, user)
            self.state.changed += 1
        except Refused as error:  # the last superuser stays one
            self._say(f"{group.name}: {error}")

    def _set_parents(self) -> None:
        source = self.source
        above: dict[UUID, set[UUID]] = defaultdict(set)
        if source.sync_group_hierarchy:
            for group in self.groups.values():
                for value in self.members[group.pk]:
                    if child := self.groups.get(folded_dn(value)):
                        above[child.pk].add(group.pk)
        ours = {group.pk for group in self.groups.values()}
        for group in self.groups.values():
            present = set(group.parents.values_list("pk", flat=True))
            wanted = (present - ours if source.sync_group_hierarchy else present) | above[group.pk]
            if source.sync_parent_group_id:
                wanted.add(source.sync_parent_group_id)
            if wanted != present:
                try:
                    parents = list(Group.objects.filter(pk__in=wanted))
                    directory_actions.update_group(self.actor, group, parents=parents)
                    self.state.changed += 1
                except (ValidationError, Refused) as error:
                    self._say(f"{group.name}: {_words(error)}")

    def _vanished(self) -> None:
        if self.source.sync_users and self.seen_users:
            gone = UserSourceConnection.objects.filter(source=self.source, user__is_active=True)
            for pk, identifier in gone.values_list("pk", "identifier"):
                if identifier not in self.seen_users:
                    user = UserSourceConnection.objects.select_related("user").get(pk=pk).user
                    try:
                        vanished.deactivate(self.actor, self.source, user)
                        self.state.deactivated += 1
                    except Refused as error:
                        self._say(f"{user.username}: {error}")
        if self.source.sync_groups and self.seen_groups:
            for connection in GroupSourceConnection.objects.filter(source=self.source).select_related("group"):
                if connection.identifier not in self.seen_groups:
                    try:
                        directory_actions.delete_group(self.actor, connection.group)
                        self.state.changed += 1
                    except Refused as error:
                        self._say(f"{connection.group.name}: {error}")

    def _skip(self, entry: Entry, error: Exception) -> None:
        self.state.skipped += 1
        self.in_a_row += 1
        self._say(f"{entry.dn}: {_words(error)}")
        if self.in_a_row >= MOST_IN_A_ROW:
            raise Abandoned(f"{self.in_a_row} entries in a row cannot be read; the last one: {_words(error)}")

    def _say(self, problem: str) -> None:
        if len(self.state.problems) < 10:
            self.state.problems.append(problem[:300])


def _is_as_said(user: User, arrival: Arrival) -> bool:
    """Nothing is to be written."""
    said = ((arrival.username, user.username), (arrival.name, user.name), (arrival.email, user.email))
    return all(not new or new == old for new, old in said) and all(
        user.attributes.get(key) == value for key, value in arrival.attributes.items()
    )


def _folded(value: str) -> str:
    return folded_dn(value) if "=" in value else value.casefold()


def _words(error: Exception) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
