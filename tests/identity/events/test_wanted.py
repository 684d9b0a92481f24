"""Filters and exports of events: what was asked for, all of it, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.events import actions, exporting
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.events.wanted import Wanted

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(action="login_failed"),
        Wanted(client_ip="192.0.2.7"),
        Wanted(client_ip="192.0.2."),
        Wanted(username="eve"),
        Wanted(app="authentik.flo"),
        Wanted(text="EVE"),
        Wanted(since=timezone.now() - timedelta(days=1), text="%"),
    ],
)
def test_each_filter_finds_what_fits(bob: User, wanted: Wanted) -> None:
    """And nothing else; a percent sign is a percent sign."""  # S-607
    actions.record("login_failed", "authentik.flows", Actor(None, "192.0.2.7", ""), username="eve", message="100 %")
    actions.record("logout", "authentik.core", Actor(bob, "198.51.100.1", ""))

    assert [event.action for event in wanted.events()] == ["login_failed"]


def test_an_export_has_everything_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event once, newest first, also where many have one time."""
    Event.objects.all().delete()
    now = timezone.now()
    for _ in range(7):
        Event.objects.create(action="login", app="tests", created=now)
    monkeypatch.setattr(exporting, "AT_ONCE", 3)

    lines = [json.loads(line) for line in exporting.lines(Wanted(), "jsonl")]

    assert len({line["pk"] for line in lines}) == len(lines) == 7


def test_a_spreadsheet_runs_nothing() -> None:
    """Strangers choose the names with which they fail to log in."""  # S-607
    Event.objects.all().delete()
    actions.record("custom_x", "=cmd|' /C calc'!A0", Actor.system())

    header, row = csv.reader(io.StringIO("".join(exporting.lines(Wanted(), "csv"))))

    assert row[header.index("app")].startswith("'=")
