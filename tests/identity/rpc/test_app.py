"""The private app: what it takes, what it refuses, and what it does when the database does not answer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import msgspec
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events.actions import outposts_changed, session_ended
from doorward.identity.events.models import Change, Event
from doorward.identity.outposts import revocation
from doorward.identity.outposts.models import KeptUrl as KeptRow
from doorward.identity.outposts.models import StoredSession, UsedState
from doorward.identity.rpc import sweeping
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.sessions import (
    EndSubject,
    FetchState,
    IdentityState,
    KeepUrl,
    KeptUrl,
    ReportMisconfiguration,
    TakeUrl,
)
from identity.proxied import ask, enter, is_known, log_in, post

pytestmark = pytest.mark.django_db


def state(since: int) -> IdentityState:
    status, body = ask("state", FetchState(since))
    assert status == 200
    return msgspec.msgpack.decode(body, type=IdentityState)


def test_only_questions_are_answered() -> None:
    """Unknown names, other methods, other types, oversized bodies."""
    assert post("/rpc/unknown", b"")[0] == 404
    assert post("/find-session", b"")[0] == 404
    assert post("/rpc/state", b"", method="GET")[0] == 405
    assert post("/rpc/state", b"")[0] == 400
    assert post("/rpc/state", b"\xc1")[0] == 400
    assert post("/rpc/state", msgspec.msgpack.encode({"since": "1"}))[0] == 400
    assert post("/rpc/state", b"x" * (2**20 + 1))[0] == 413


@pytest.mark.django_db(transaction=True)
def test_what_is_new_is_told_while_somebody_writes() -> None:
    """Workers learn who was signed out, however many people are logging in just then."""
    outposts_changed()
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")

        assert state(0).position > 0

        writer.execute("ROLLBACK")
    outposts_changed()  # and whoever looked does not stand in the way of the next to write


def test_trouble_with_the_database_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """503, not an answer that something was done; and the next question works."""  # S-806

    def locked(*_: object) -> int:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(revocation, "end_sessions", locked)
        assert ask("end-subject", EndSubject("nobody"))[0] == 503

    assert ask("end-subject", EndSubject("nobody"))[0] == 204


def test_a_long_url_is_kept_once_and_given_back_once() -> None:
    """Taken is gone."""
    url = "https://app.example.test/?" + "x" * 30000

    assert ask("keep-url", KeepUrl("key", url))[0] == 204
    status, body = ask("take-url", TakeUrl("key"))
    assert (status, msgspec.msgpack.decode(body, type=KeptUrl).url) == (200, url)
    assert ask("take-url", TakeUrl("key"))[0] == 404


def test_kept_urls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes when there are too many, and all go after fifteen minutes."""  # S-331 S-917
    monkeypatch.setattr("doorward.identity.rpc.urls.MOST", 3)
    for number in range(5):
        ask("keep-url", KeepUrl(f"key{number}", "https://app.example.test/"))

    assert sorted(KeptRow.objects.values_list("key", flat=True)) == ["key2", "key3", "key4"]
    KeptRow.objects.update(created=timezone.now() - timedelta(minutes=16))
    assert ask("take-url", TakeUrl("key4"))[0] == 404


def test_a_report_is_an_event(whoami: Application) -> None:
    """What the data plane found wrong can be read in the log."""
    report = ReportMisconfiguration("no forward URL", whoami.provider_id, "192.0.2.1", "https://x.test/", 3)

    assert ask("report", report)[0] == 204
    assert ask("report", ReportMisconfiguration("again", client_ip="not an address"))[0] == 204

    event = Event.objects.get(action="configuration_error", context__message="no forward URL")
    assert event.client_ip == "192.0.2.1"
    assert event.context["provider"]["name"] == "Provider for whoami"
    assert event.context["count"] == 3


def test_who_asks_first_is_told_everything(whoami: Application) -> None:
    """The whole configuration, and the place from which to go on."""
    for since in (-1, 0):
        first = state(since)
        configuration = msgspec.msgpack.decode(first.configuration, type=OutpostConfiguration)
        assert [provider.application_slug for provider in configuration.providers] == ["whoami"]
        assert first.position == configuration.position


def test_who_asks_again_is_told_what_changed(bob: User, whoami: Application) -> None:
    """Nothing, or ended sessions, or a configuration."""
    position = state(0).position
    assert state(position) == IdentityState(position, (), False, b"")

    session = enter(log_in(bob), whoami)
    revocation.end_sessions_of_user(bob)
    later = state(position)
    assert later.ended_sessions == (session.id_hash,)
    assert later.configuration == b""

    outposts_changed()
    assert state(later.position).configuration != b""


def test_who_was_away_too_long_forgets_all_sessions() -> None:
    """When the log no longer reaches back, or was put back, nothing that the asker remembers is trusted."""
    for _ in range(5):
        session_ended("ab" * 32)
    newest = Change.objects.order_by("-id").values_list("id", flat=True)[0]
    Change.objects.filter(id__lt=newest - 1).delete()

    assert state(newest - 4).all_ended
    assert state(newest - 4).configuration != b""
    assert not state(newest - 2).all_ended
    assert state(newest + 1).all_ended


def test_pruning_keeps_the_position(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day, a hundred thousand rows, and always the newest."""
    monkeypatch.setattr(sweeping, "CHANGES_KEPT", 3)
    for _ in range(6):
        outposts_changed()
    newest = Change.objects.order_by("-id").values_list("id", flat=True)[0]

    sweeping.prune_changes()
    assert sorted(Change.objects.values_list("id", flat=True)) == [newest - 2, newest - 1, newest]

    Change.objects.update(created=timezone.now() - timedelta(days=2))
    sweeping.prune_changes()
    assert list(Change.objects.values_list("id", flat=True)) == [newest]


def test_sweeping_takes_what_is_over_and_nothing_else(bob: User, whoami: Application) -> None:
    """Expired sessions and states go; no worker needs to be told, it knows the end of each."""  # S-926
    over, living = enter(log_in(bob), whoami), enter(log_in(bob), whoami)
    StoredSession.objects.filter(id_hash=over.id_hash.hex()).update(expires=timezone.now())
    UsedState.objects.update(expires=timezone.now())
    before = Change.objects.count()

    sweeping.sweep()

    assert is_known(living)
    assert StoredSession.objects.count() == 1
    assert not UsedState.objects.exists()
    assert Change.objects.count() == before
