"""Ask the rules about what happened: the chore ``notifications.follow``, once a minute, or at once for what matters.

Events are read in the order of the chain (``events.sealing``), so that none is missed however long its transaction
took, and none is read twice. Whatever happened is long done by then: a rule can neither delay nor undo it. What the
delivery of notifications itself writes down is no rule's business, or a broken transport would notify of itself.
"""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models import Prefetch

from doorward.identity.chores import runner
from doorward.identity.directory.models import User
from doorward.identity.events import sealing
from doorward.identity.events.models import Event, Link
from doorward.identity.events.signals import recorded
from doorward.identity.notifications import words
from doorward.identity.notifications.matching import is_about
from doorward.identity.notifications.models import Cursor, Delivery, Notification, Rule, Transport
from doorward.identity.policies.models import PolicyBinding

FOLLOW, DELIVER = "notifications.follow", "notifications.deliver"
APP = "authentik.events.notifications"
"""Of events about the delivery itself."""
AT_ONCE = 100
MOST_PEOPLE = 1000
"""Of a group; a larger one is told by a mailing list, or in a chat room."""
PAUSE = 5.0
"""Seconds between two times that events wake the chore."""
URGENT = frozenset(
    {
        "suspicious_request",
        "configuration_error",
        "policy_exception",
        "property_mapping_exception",
        "system_exception",
        "system_task_exception",
    }
)
"""What wakes it; the rest waits for its minute."""
_MAIL = "authentik.stages.email"
_last = [float("-inf")]


def listen() -> None:
    """Connect to the events; called once, when Django has started."""
    recorded.connect(_recorded, dispatch_uid="notifications.follow")


def _recorded(sender: type, *, action: str, **_: object) -> None:
    if action in URGENT and time.monotonic() - _last[0] > PAUSE:
        _last[0] = time.monotonic()
        transaction.on_commit(lambda: runner.wake(FOLLOW))


def has_news() -> bool:
    """Whether anything has happened that is not sealed, or that no rule was asked about."""
    cursor = Cursor.objects.filter(pk=1).first()
    return cursor is None or cursor.number < _newest() or Event.objects.filter(number=None).exists()


def follow() -> int:
    """Seal what is new, and ask the rules about it; says how many events that were."""
    sealing.seal()
    asked = 0
    while batch := _next():
        asked += len(batch)
    return asked


def _next() -> list[Event]:
    cursor, made = Cursor.objects.get_or_create(pk=1, defaults={"number": _newest()})
    if made:
        return []  # what happened before there were rules is no news
    links = list(Link.objects.filter(number__gt=cursor.number).order_by("number")[:AT_ONCE])
    if not links:
        return []
    events = Event.objects.in_bulk([link.event for link in links])
    batch = [events[link.event] for link in links if link.event in events]
    told = _judged(batch)
    with transaction.atomic():
        if not Cursor.objects.filter(pk=1, number=cursor.number).update(number=links[-1].number):
            return []  # another replica was faster
        Notification.objects.bulk_create([each for each in told if isinstance(each, Notification)], batch_size=500)
        deliveries = [each for each in told if isinstance(each, Delivery)]
        Delivery.objects.bulk_create(deliveries, batch_size=500)
        if deliveries:
            transaction.on_commit(lambda: runner.wake(DELIVER))
    return batch


def _newest() -> int:
    return Link.objects.order_by("-number").values_list("number", flat=True).first() or 0


def _judged(batch: list[Event]) -> list[Notification | Delivery]:
    """What the rules have to say about ``batch``."""
    bindings = PolicyBinding.objects.select_related("policy")
    rules = list(
        Rule.objects.filter(bindings__isnull=False)
        .distinct()
        .select_related("destination_group")
        .prefetch_related("transports", Prefetch("bindings", bindings))
    )
    told: list[Notification | Delivery] = []
    if not rules:
        return told
    for event in batch:
        if event.app == APP:
            continue
        by = User.objects.filter(pk=event.user.get("pk")).first() if event.user.get("pk") else None
        for rule in rules:
            if is_about(rule, event, by):
                told += _messages(rule, event, by)
    return told


def _messages(rule: Rule, event: Event, by: User | None) -> list[Notification | Delivery]:
    people = _people(rule, by)
    transports = list(rule.transports.all()) or [Transport(mode=Transport.Mode.LOCAL)]
    messages: list[Notification | Delivery] = []
    for transport in transports:
        if transport.mode == Transport.Mode.EMAIL and event.app == _MAIL:
            continue  # a letter about a letter would be followed by the next
        if transport.mode == Transport.Mode.LOCAL:
            messages += [
                Notification(user=user, event=event, severity=rule.severity, body=words.body_for(event, user))
                for user in people
            ]
            continue
        whom: list[User | None] = [*people]
        if transport.send_once and transport.is_webhook:
            whom = [people[0] if people else None]
        messages += [
            Delivery(
                transport=transport,
                user=user,
                event=event,
                severity=rule.severity,
                body=words.body_for(event, user),
            )
            for user in whom
        ]
    return messages


def _people(rule: Rule, by: User | None) -> list[User]:
    """Whoever may log in, each once."""
    found: dict[int, User] = {}
    if rule.destination_group is not None:
        for user in members(rule)[:MOST_PEOPLE]:
            found[user.pk] = user
    if rule.destination_event_user and by is not None and by.is_active:
        found[by.pk] = by
    return list(found.values())


def members(rule: Rule) -> list[User]:
    """Of the rule's group and of the groups below it."""
    group = rule.destination_group
    assert group is not None
    groups = {group.pk: group}
    fresh = [group]
    while fresh:
        below = [child for each in fresh for child in each.children.all() if child.pk not in groups]
        groups |= {child.pk: child for child in below}
        fresh = list({child.pk: child for child in below}.values())
    return list(User.objects.filter(groups__in=groups, is_active=True).distinct().order_by("pk")[: MOST_PEOPLE + 1])
