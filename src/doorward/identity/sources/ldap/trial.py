"""What a source finds in its directory, without writing anything: shown beside its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorward.identity.sources.ldap import people
from doorward.identity.sources.ldap.entries import Entry
from doorward.identity.sources.ldap.models import LDAPSource
from doorward.identity.sources.ldap.opening import opened
from doorward.identity.sources.ldap.places import NotAsked
from doorward.identity.sources.mapping import MappingFailed

if TYPE_CHECKING:
    from doorward.identity.sources.ldap.client import Directory

MOST_COUNTED = 100_000
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Found:
    """How many, and the first of them as they would be here."""

    count: int
    first: tuple[str, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """``failure`` says why there is no answer; what was found until then is there."""

    failure: str = ""
    users: Found | None = None
    groups: Found | None = None


def tried(source: LDAPSource) -> Trial:
    """Ask the directory who is in it."""
    users = groups = None
    try:
        with opened(source) as directory:
            users = _counted(source, directory, source.user_base, source.user_object_filter, _user)
            groups = _counted(source, directory, source.group_base, source.group_object_filter, _group)
    except NotAsked as error:
        return Trial(str(error), users, groups)
    return Trial("", users, groups)


def _counted(
    source: LDAPSource, directory: Directory, base: str, condition: str, name: Callable[[LDAPSource, Entry], str]
) -> Found:
    count, entries = 0, list[Entry]()
    attributes = people.attributes_of(source)
    for page in directory.search(base, condition, attributes):
        count += len(page)
        entries.extend(page[: SHOWN - len(entries)])
        if count > MOST_COUNTED:
            break
    return Found(count, tuple(name(source, entry) for entry in entries), tuple(entries))


def _user(source: LDAPSource, entry: Entry) -> str:
    try:
        said = people.arrival_of(source, entry)
    except MappingFailed as error:
        return f"{entry.dn}: {error}"
    return f"{said.username or '?'}: {said.name}" + (f" <{said.email}>" if said.email else "")


def _group(source: LDAPSource, entry: Entry) -> str:
    try:
        return people.group_of(source, entry).name
    except MappingFailed as error:
        return f"{entry.dn}: {error}"
