"""Find people and tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Q, QuerySet
from django.utils import timezone

from doorward.identity.crypto import vault
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.directory.names import folded


def find_by_identifier(
    value: str, fields: Collection[str] = ("email", "username"), case_insensitive: bool = True
) -> User | None:
    """The one user whom ``value`` names, active or not.

    A user name goes before an address, an address before ``attributes.upn``. Addresses are not unique: one that
    several people share names nobody.
    """
    if not value or len(value) > 512 or "\0" in value:
        return None
    for field in ("username", "email", "upn"):
        if field in fields:
            found = list(User.objects.filter(_match(field, value, case_insensitive)).order_by()[:2])
            if len(found) == 1:
                return found[0]
    return None


def user_by_key(key: int | None) -> User | None:
    """The user with this primary key, active or not."""
    try:
        return User.objects.get(pk=key) if key is not None else None
    except User.DoesNotExist:
        return None


def active_user(key: int | None) -> User | None:
    """The user with this primary key; nobody once they were deactivated."""
    user = user_by_key(key)
    return user if user is not None and user.is_active else None


def _match(field: str, value: str, case_insensitive: bool) -> Q:
    if field == "username":
        return Q(folded_username=folded(value)) if case_insensitive else Q(username=value)
    if field == "email":
        return Q(email__iexact=value) if case_insensitive else Q(email=value)
    return Q(attributes__upn=value)


def token_by_key(key: str, intents: Collection[str]) -> Token | None:
    """The token with this secret, if it is one of ``intents``, has not expired, and its user is active (S-608)."""
    if not key or len(key) > 512:
        return None
    # Looked up by the digest of a 357-bit secret: timing of the comparison tells nothing about it (S-814).
    token = (
        Token.objects.select_related("user")
        .filter(key_hash=vault.digest(key), intent__in=list(intents), user__is_active=True)
        .first()
    )
    return None if token is None or token.is_expired else token


def with_descendants(groups: Iterable[Group]) -> list[Group]:
    """These groups and all whose members inherit from them."""
    seen: dict[object, Group] = {}
    waiting = list(groups)
    while waiting:
        group = waiting.pop()
        if group.pk not in seen:
            seen[group.pk] = group
            waiting.extend(group.children.all())
    return list(seen.values())


def members(group: Group) -> list[User]:
    """Everybody who is in the group, directly or through a child group."""
    return list(User.objects.filter(groups__in=with_descendants([group])).distinct())


def a_superuser_exists() -> bool:
    """Whether anybody active could still administer."""
    return superusers().filter(is_active=True).exists()


def superusers() -> QuerySet[User]:
    """All users who are superusers through any group."""
    groups = with_descendants(Group.objects.filter(is_superuser=True))
    return User.objects.filter(groups__in=groups).distinct()


def live_tokens(user: User) -> QuerySet[Token]:
    """The user's tokens that have not expired."""
    return user.tokens.filter(Q(expiring=False) | Q(expires__isnull=True) | Q(expires__gt=timezone.now()))
