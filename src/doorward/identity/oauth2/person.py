"""What claims say about one user, read with as few queries as they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from doorward.identity.applications.models import Provider
from doorward.identity.applications.queries import entitlements
from doorward.identity.directory.models import Group, User


@dataclass
class Person:
    """A user with their groups, as ``provider`` is told of them; each read once per issued set of tokens."""

    user: User
    provider: Provider

    @cached_property
    def direct_groups(self) -> list[Group]:
        """By name."""
        return list(self.user.groups.order_by("name"))

    @cached_property
    def all_groups(self) -> list[Group]:
        """Direct and inherited, by name."""
        return self.user.all_groups()

    @cached_property
    def entitlements(self) -> list[str]:
        """Their rights inside the application, by name."""
        return list(entitlements(self.user, self.provider))

    @property
    def is_superuser(self) -> bool:
        return any(group.is_superuser for group in self.all_groups)

    @property
    def attributes(self) -> dict[str, object]:
        """Those of every group by name, then the user's own; later wins, lists are joined (outpost.md 9.1)."""
        merged: dict[str, object] = {}
        for group in self.all_groups:
            merged = merged_deeply(merged, group.attributes)
        return merged_deeply(merged, self.user.attributes)


def merged_deeply(first: Mapping[str, object], second: object) -> dict[str, object]:
    """``first`` with ``second`` over it. What is no object (somebody stored a list) adds nothing."""
    result = dict(first)
    if not isinstance(second, dict):
        return result
    for name, value in second.items():
        present = result.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            result[name] = merged_deeply(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            result[name] = [*present, *value]
        else:
            result[name] = value
    return result
