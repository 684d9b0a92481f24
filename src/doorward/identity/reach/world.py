"""Everything that decides who enters what, read once and held in memory, so that it can be judged, changed and judged
again without a question to the database for each of a thousand users.

Reasons come from the same code as in earnest (``policies.queries.judge``), and so do the words of policies; who enters,
of all, from rules that say the same faster (``deciding``). It is a rehearsal: nothing is written down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.judges import CONCRETE
from doorward.identity.policies.models import Policy, PolicyBinding, PolicyTarget
from doorward.identity.policies.queries import granted, judge, weighed
from doorward.identity.reach.deciding import Policies, Rules

Pair = tuple[int, UUID]
"""Keys of a user and an application."""


@dataclass
class World:
    users: dict[int, User]
    groups: dict[UUID, Group]
    members: dict[int, set[UUID]]
    """The direct groups of each user."""
    parents: dict[UUID, set[UUID]]
    applications: dict[UUID, Application]
    bindings: dict[UUID, list[PolicyBinding]]
    """By application, in order."""
    asked: Asked = field(default_factory=lambda: Asked(rehearsal=True))

    @classmethod
    def load(cls, client_ip: str = "") -> World:
        """As it is now; ``client_ip`` is the address that rules about addresses are judged by."""
        members, parents = defaultdict[int, set[UUID]](set), defaultdict[UUID, set[UUID]](set)
        for user, group in User.groups.through._default_manager.values_list("user_id", "group_id"):
            members[user].add(group)
        for child, parent in Group.parents.through._default_manager.values_list("from_group_id", "to_group_id"):
            parents[child].add(parent)
        applications = {each.pk: each for each in Application.objects.select_related("provider").order_by("name")}
        bindings: dict[UUID, list[PolicyBinding]] = {key: [] for key in applications}
        found = PolicyBinding.objects.filter(target__in=list(applications), enabled=True)
        policies: dict[UUID, Policy] = {}
        for binding in found.select_related("user", "group", "policy", *CONCRETE):
            if binding.policy is not None:  # one object of each, however often it is bound
                binding.policy = policies.setdefault(binding.policy.pk, binding.policy)
            bindings[binding.target_id].append(binding)
        return cls(
            {user.pk: user for user in User.objects.order_by("username")},
            {group.pk: group for group in Group.objects.all()},
            members,
            parents,
            applications,
            bindings,
            Asked(client_ip=client_ip, rehearsal=True),
        )

    def all_groups(self, user: int) -> frozenset[UUID]:
        """Of a user, inherited ones included."""
        found, waiting = set[UUID](), list(self.members.get(user, ()))
        while waiting:
            group = waiting.pop()
            if group in self.groups and group not in found:
                found.add(group)
                waiting.extend(self.parents.get(group, ()))
        return frozenset(found)

    def entering(self, users: Iterable[int] | None = None, applications: Iterable[UUID] | None = None) -> set[Pair]:
        """Who may enter what, among these (all by default)."""
        now, policies = timezone.now(), Policies(self.asked, self.prepared)
        rules = {
            key: Rules.of(self.bindings[key], self.applications[key].policy_engine_mode, now)
            for key in (self.applications if applications is None else applications)
        }
        found = set[Pair]()
        for pk in self.users if users is None else users:
            if self.users[pk].is_active:
                groups = self.all_groups(pk)
                found.update((pk, key) for key, each in rules.items() if each.let_in(pk, groups, policies))
        return found

    def why(self, application: UUID, user: int) -> tuple[bool, str]:
        """Whether the user may enter, and the rule that decides."""
        target, who, groups = self.applications[application], self.prepared(user), self.all_groups(user)
        bindings = self.bindings[application]
        judged = judge(bindings, target.policy_engine_mode, who, groups, self.asked)
        if not judged.passing:
            return False, "; ".join(judged.reasons)
        now = timezone.now()
        if (grant := granted(bindings, who, now)) is not None and grant.expires is not None:
            return True, f"Was given access on request, until {grant.expires:%Y-%m-%d %H:%M} UTC"
        rules = [each for each in bindings if not each.is_grant and not each.has_ended(now)]
        if not rules:
            return True, "Nothing is bound: everybody may enter"
        reasons = [said.reason for said in (weighed(each, who, groups, self.asked) for each in rules) if said.passing]
        if target.policy_engine_mode == PolicyTarget.EngineMode.ALL:
            return True, "; ".join(reasons)
        return True, reasons[0]

    def prepared(self, pk: int) -> User:
        """The user, whose groups are those of this world: rules that ask for them ask no database."""
        user = self.users[pk]
        if user.known_groups is None:
            direct = [self.groups[key] for key in self.members.get(pk, ()) if key in self.groups]
            _keep(user, "groups", Group.objects.all(), direct)
            user.known_groups = [self.groups[key] for key in self.all_groups(pk)]
        return user

    def forget_groups(self, pk: int) -> None:
        """The user's groups have changed in this world."""
        self.users[pk].known_groups = None


def _keep(of: Model, name: str, rows: QuerySet[Group], found: list[Group]) -> None:
    rows._result_cache = found
    cache = getattr(of, "_prefetched_objects_cache", None)
    if cache is None:
        cache = of._prefetched_objects_cache = {}  # type: ignore[attr-defined]
    cache[name] = rows
