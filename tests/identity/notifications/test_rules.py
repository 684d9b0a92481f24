"""Notification rules: who is told about which events, by which ways, and that nothing is held up or goes in circles."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.utils import timezone

from doorward.identity.chores import runner
from doorward.identity.directory.models import Group, User
from doorward.identity.egress import client
from doorward.identity.events import actions as events
from doorward.identity.events import checkpoints
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.mail import sender
from doorward.identity.mail.models import Letter
from doorward.identity.notifications import actions, delivering, following
from doorward.identity.notifications.defaults import ensure
from doorward.identity.notifications.models import Cursor, Delivery, Notification, Rule, Transport, WebhookMapping
from doorward.identity.policies.actions import bind
from doorward.identity.policies.models import EventMatcherPolicy, ExpressionPolicy, Policy

pytestmark = pytest.mark.django_db


class Hook:
    """A webhook's server: keeps what it was sent, and answers as it is told."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 204
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.bodies.append(json.loads(body))
                hook.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(hook.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook on this machine."""
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(autouse=True)
def beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened before does not count, and nobody is woken."""
    monkeypatch.setattr(checkpoints, "path", lambda: tmp_path / "checkpoints")
    monkeypatch.setattr(runner, "wake", lambda name: None)
    following.follow()


def a_rule(*transports: Transport, policy: Policy | None = None, **fields: object) -> Rule:
    """About failed logins, unless a policy says otherwise."""
    rule = Rule.objects.create(name="failed logins", severity="warning", **fields)
    rule.transports.set(transports)
    matcher = policy or EventMatcherPolicy.objects.create(name="failed", action="login_failed")
    bind(Actor.system(), rule, policy=matcher)
    following.follow()
    return rule


def failed_login(username: str = "mallory") -> Event:
    """Somebody guesses."""
    return events.record("login_failed", "authentik.flows", Actor(None, "192.0.2.1", ""), username=username)


def test_a_rule_tells_its_group(staff: Group, bob: User, mallory: User) -> None:
    """On the pages of its members, and of nobody else."""
    a_rule(destination_group=staff)
    event = failed_login()

    following.follow()

    [told] = Notification.objects.all()
    assert (told.user, told.event, told.severity, told.seen) == (bob, event, "warning", False)
    assert told.body == "mallory failed to log in"


def test_what_a_rule_is_not_about_is_told_to_nobody(staff: Group, bob: User) -> None:
    """Another action; and a rule without policies is about nothing."""
    a_rule(destination_group=staff)
    Rule.objects.create(name="about nothing", destination_group=staff)
    events.record("login", "authentik.flows", Actor.system())

    following.follow()

    assert not Notification.objects.exists()


def test_an_event_is_judged_once(staff: Group, bob: User) -> None:
    """However often the chore runs; a rule of today says nothing about yesterday."""
    failed_login()
    following.follow()
    a_rule(destination_group=staff)
    failed_login()

    following.follow()
    following.follow()

    assert Notification.objects.count() == 1


def test_whoever_it_is_about_can_be_told(bob: User) -> None:
    """The event's own user."""
    a_rule(destination_event_user=True, policy=EventMatcherPolicy.objects.create(name="logins", action="login"))
    events.record("login", "authentik.flows", Actor(bob, None, ""))

    following.follow()

    assert Notification.objects.get().user == bob


def test_members_of_groups_below_are_told_and_deactivated_ones_are_not(staff: Group, bob: User, mallory: User) -> None:
    """Groups are inherited here as everywhere."""
    below = Group.objects.create(name="night shift")
    below.parents.add(staff)
    mallory.groups.add(below)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    a_rule(destination_group=staff)
    failed_login()

    following.follow()

    assert [told.user for told in Notification.objects.all()] == [mallory]


def test_a_policy_that_breaks_makes_no_event_of_its_own(staff: Group, bob: User) -> None:
    """It would be asked about that one next, and break again; its binding's failure result says no."""
    broken = ExpressionPolicy.objects.create(name="broken", expression="return 1 / 0")
    a_rule(destination_group=staff, policy=broken)
    failed_login()
    before = Event.objects.count()

    assert following.follow() >= 1
    assert following.follow() == 0
    assert Event.objects.count() == before
    assert not Notification.objects.exists()


def test_a_webhook_gets_the_words_that_authentik_sends(hook: Hook, staff: Group, bob: User) -> None:
    """One message for everybody where it says so."""
    chat = Transport.objects.create(name="chat", mode="webhook", webhook_url=hook.url, send_once=True)
    User.objects.create(username="dora").groups.add(staff)
    a_rule(chat, destination_group=staff)
    failed_login()

    following.follow()
    assert delivering.deliver() == 1

    [body] = hook.bodies
    assert body["body"] == "mallory failed to log in"
    assert (body["severity"], body["user_username"]) == ("warning", "bob")
    assert not Delivery.objects.exists()


def test_a_mapping_makes_body_and_headers(hook: Hook, staff: Group, bob: User) -> None:
    """Expressions see the notification and its event."""
    body = WebhookMapping.objects.create(
        name="body", expression='return {"text": notification["body"], "what": notification["event"]["action"]}'
    )
    headers = WebhookMapping.objects.create(name="headers", expression='return {"X-Token": "abc"}')
    chat = Transport.objects.create(
        name="chat",
        mode="webhook",
        webhook_url=hook.url,
        webhook_mapping_body=body,
        webhook_mapping_headers=headers,
    )
    a_rule(chat, destination_group=staff)
    failed_login()

    following.follow()
    delivering.deliver()

    assert hook.bodies == [{"text": "mallory failed to log in", "what": "login_failed"}]
    assert hook.headers[0]["x-token"] == "abc"


@pytest.mark.parametrize("headers", ['{"Host": "x"}', '{"A B": "x"}', '{"X": "a\\nb"}', '{"X": 1}', '["X"]'])
def test_headers_that_would_be_others_are_refused(hook: Hook, staff: Group, bob: User, headers: str) -> None:
    """Neither the server's name nor a second line; what cannot be made is given up at once, with an event."""
    mapping = WebhookMapping.objects.create(name="headers", expression=f"return {headers}")
    chat = Transport.objects.create(name="chat", mode="webhook", webhook_url=hook.url, webhook_mapping_headers=mapping)
    a_rule(chat, destination_group=staff)
    failed_login()

    following.follow()

    assert delivering.deliver() == 0
    assert hook.bodies == []
    assert Event.objects.filter(action="system_task_exception", app=following.APP).count() == 1


def test_chat_rooms_are_not_called_by_names_that_strangers_choose(hook: Hook) -> None:
    """A user name is text there: no mention, no link."""
    chat = Transport.objects.create(name="chat", mode="webhook_slack", webhook_url=hook.url)
    a_rule(Transport.objects.get(pk=chat.pk))
    Transport.objects.update(send_once=True)
    failed_login("<!channel> <https://evil.test|log in>")

    following.follow()
    delivering.deliver()

    assert "<" not in json.dumps(hook.bodies[0]["attachments"])


def test_a_failing_webhook_is_tried_again_and_given_up(hook: Hook, staff: Group, bob: User) -> None:
    """Nothing waits for it; a redirect is no success; giving up is an event that no rule is asked about."""  # S-650
    chat = Transport.objects.create(name="chat", mode="webhook", webhook_url=hook.url)
    everything = EventMatcherPolicy.objects.create(name="chores", action="system_task_exception")
    rule = a_rule(chat, destination_group=staff)
    bind(Actor.system(), rule, policy=everything)
    failed_login()
    following.follow()
    hook.status = 302

    for _ in range(delivering.ATTEMPTS):
        assert delivering.deliver() == 0
        assert delivering.deliver() == 0  # not before its time
        Delivery.objects.update(next_try=timezone.now())

    assert len(hook.bodies) == delivering.ATTEMPTS
    assert not Delivery.objects.exists()
    assert "302" in Transport.objects.get().failure
    assert Event.objects.filter(app=following.APP).count() == 1
    following.follow()
    assert not Delivery.objects.exists()


def test_a_webhook_cannot_lead_to_the_clouds_own_services() -> None:
    """Not even a superuser means that."""  # S-650
    chat = Transport(name="chat", mode="webhook", webhook_url="http://169.254.169.254/latest")
    with pytest.raises(Exception, match="reserved"):
        chat.full_clean()
    chat.save()
    assert issubclass(client.Refused, client.NotAsked)
    with pytest.raises(client.Refused):
        actions.send_test(Actor.system(), chat, User(username="x"))


def test_letters_are_sent_but_not_about_letters(
    staff: Group, bob: User, mail_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule about sent letters, told by letters, would go on for ever."""
    monkeypatch.setattr(sender, "wake", lambda: None)
    post = Transport.objects.create(name="post", mode="email")
    rule = a_rule(post, destination_group=staff)
    bind(Actor.system(), rule, policy=EventMatcherPolicy.objects.create(name="letters", action="email_sent"))
    failed_login()

    for _ in range(3):
        following.follow()
        delivering.deliver()
        sender.deliver_due()

    assert not Letter.objects.exists()
    [letter] = mail_folder.glob("*.eml")
    message = message_from_bytes(letter.read_bytes())
    assert (message["To"], message["Subject"]) == ("bob@example.test", "Doorward: mallory failed to log in")


def test_what_was_undone_is_told_to_nobody(staff: Group, bob: User) -> None:
    """An event of a transaction that failed never happened."""
    from django.db import transaction

    a_rule(destination_group=staff)
    with pytest.raises(RuntimeError), transaction.atomic():
        failed_login()
        raise RuntimeError

    following.follow()

    assert not Notification.objects.exists()


def test_shipped_rules_are_made_once(admins: Group) -> None:
    """Whoever deletes them is rid of them."""
    Cursor.objects.all().delete()
    ensure(admins)
    assert Rule.objects.get(name="default-notify-tampering").bindings.count() == 1

    Rule.objects.all().delete()
    ensure(admins)

    assert not Rule.objects.exists()


def test_a_broken_seal_is_told_to_administrators(admins: Group, akadmin: User) -> None:
    """By the shipped rules, from the chore's event."""
    Cursor.objects.all().delete()
    ensure(admins)
    following.follow()
    events.record("suspicious_request", "authentik.events", Actor.system(), message="The record was tampered with")

    following.follow()

    assert Notification.objects.get().user == akadmin
