"""What an expression can ask about a user, a group and a request: the fields of each, chosen one by one.

Names are those that authentik's expressions use (``contracts/identity.md`` section 5.3). No secret is among them:
no password, no token, no cookie.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from ipaddress import ip_address

from django.contrib.auth.models import AnonymousUser

from doorward.identity.directory.models import Group, User
from doorward.identity.expressions.budget import Budget
from doorward.identity.expressions.values import Function, Record, Records, Value, admit
from doorward.identity.policies.asked import Asked

Person = User | AnonymousUser


def group_record(group: Group, budget: Budget) -> Record:
    """A group."""
    return Record(
        "a group",
        {
            "pk": str(group.pk),
            "num_pk": group.num_pk,
            "name": group.name,
            "is_superuser": group.is_superuser,
            "attributes": once(lambda: admit(group.attributes, budget)),
        },
    )


def user_record(user: Person, budget: Budget) -> Record:
    """A user, or nobody; groups are read when they are asked for."""
    if not isinstance(user, User):
        nothing = Records("groups", tuple)
        return Record(
            "a user",
            {
                "pk": None,
                "uuid": None,
                "uid": "",
                "username": "",
                "name": "",
                "email": "",
                "path": "",
                "type": "",
                "is_active": False,
                "is_superuser": False,
                "is_authenticated": False,
                "is_anonymous": True,
                "attributes": {},
                "groups": nothing,
                "ak_groups": nothing,
                "date_joined": None,
                "password_change_date": None,
            },
            {"all_groups": Function("all_groups", lambda call: nothing)},
        )
    direct = Records(
        "groups",
        once(
            lambda: tuple(group_record(each, budget) for each in sorted(user.groups.all(), key=lambda each: each.name))
        ),
    )
    inherited = Records("groups", once(lambda: tuple(group_record(each, budget) for each in user.all_groups())))
    return Record(
        "a user",
        {
            "pk": user.pk,
            "uuid": str(user.uuid),
            "uid": once(lambda: user.uid),
            "username": user.username,
            "name": user.name,
            "email": user.email,
            "path": user.path,
            "type": str(user.type),
            "is_active": user.is_active,
            "is_superuser": once(lambda: user.is_superuser),
            "is_authenticated": True,
            "is_anonymous": False,
            "attributes": once(lambda: admit(user.attributes, budget)),
            "groups": direct,
            "ak_groups": direct,
            "date_joined": user.date_joined,
            "password_change_date": user.password_change_date,
        },
        {"all_groups": Function("all_groups", lambda call: inherited)},
    )


def http_record(asked: Asked) -> Record:
    """The request of the browser."""
    return Record(
        "the HTTP request",
        {"method": asked.method, "path": asked.path, "host": asked.host, "user_agent": asked.user_agent},
    )


def address(asked: Asked) -> Value:
    """``ak_client_ip``; None where it is not known."""
    try:
        return ip_address(asked.client_ip)
    except ValueError:
        return None


def find_user(filters: dict[str, Value]) -> User | None:
    """The one user with these values. Unknown fields find nobody."""
    known = {"pk", "username", "email", "uuid", "name"}
    if not filters or set(filters) - known or any(not isinstance(each, (str, int)) for each in filters.values()):
        return None
    if "uuid" in filters and not _is_uuid(filters["uuid"]):
        return None
    return User.objects.filter(**filters).first()


def _is_uuid(text: Value) -> bool:
    try:
        uuid.UUID(str(text))
    except ValueError:
        return False
    return True


def once(read: Callable[[], Value]) -> Callable[[], Value]:
    """``read``, asked at the first time only."""
    said: list[
        Value
    ] = []  # made for every expression, mostly for nothing: ``functools.cache`` would be the dearest part

    def answer() -> Value:
        if not said:
            said.append(read())
        return said[0]

    return answer
