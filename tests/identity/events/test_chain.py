"""The chain of events: whoever writes the database alone cannot change what happened without being found."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from doorward.identity.events import actions, chain, checkpoints, retention, sealing, verifying, watching
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Chain, Event, Link
from doorward.identity.events.verifying import verify
from doorward.identity.system import actions as system

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def checkpoint_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkpoints of this test's chain."""
    path = tmp_path / "event-checkpoints.jsonl"
    monkeypatch.setattr(checkpoints, "path", lambda: path)
    return path


def happened(count: int = 5) -> list[Event]:
    """Events, sealed."""
    made = [actions.record("custom_x", "tests", Actor.system(), number=n, share=n / 2) for n in range(count)]
    sealing.seal()
    return made


def test_what_nobody_touched_is_whole() -> None:
    """The usual case; events that are not sealed yet are no finding."""  # S-619
    happened()
    actions.record("login", "tests", Actor.system())

    report = verify()

    assert report.is_whole
    assert (report.checked, report.waiting) == (5, 1)


def test_nothing_is_sealed_twice() -> None:
    """Sealing goes on where it ended."""
    happened(3)
    happened(2)

    assert sealing.seal() == 0
    assert list(Link.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5]
    assert verify().is_whole


def test_a_large_batch_is_sealed_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """More events than go into one transaction."""
    monkeypatch.setattr(sealing, "AT_ONCE", 2)
    monkeypatch.setattr(verifying, "AT_ONCE", 3)
    happened(7)

    assert verify().checked == 7
    assert verify().is_whole


def test_a_changed_event_is_named() -> None:
    """Its text, its time, or who did it."""
    made = happened()
    Event.objects.filter(pk=made[2].pk).update(user={"username": "somebody else"})

    [finding] = verify().findings

    assert str(made[2].pk) in finding
    assert "was changed" in finding


def test_a_removed_event_is_named() -> None:
    """With the day until which it was to be kept."""
    made = happened()
    Event.objects.filter(pk=made[1].pk).delete()

    [finding] = verify().findings

    assert str(made[1].pk) in finding
    assert "was removed" in finding


def test_an_event_removed_with_its_link_leaves_a_gap() -> None:
    """The number is missing, also of the very first."""
    made = happened()
    for lost in (made[0], made[3]):
        Event.objects.filter(pk=lost.pk).delete()
        Link.objects.filter(event=lost.pk).delete()

    findings = verify().findings

    assert [finding.split(" was ")[0] for finding in findings] == ["Event number 1", "Event number 4"]


def test_links_that_close_the_gap_do_not_fit() -> None:
    """Numbers can be moved, MACs cannot be made."""
    made = happened()
    Event.objects.filter(pk=made[3].pk).delete()
    Link.objects.filter(event=made[3].pk).delete()
    Link.objects.filter(number=5).update(number=4)

    assert any("Link 4" in finding for finding in verify().findings)


def test_an_invented_event_is_named_and_never_sealed() -> None:
    """Neither one without a proof nor one with another event's."""
    made = happened()
    Chain.objects.update(
        begun=(long_ago := timezone.now() - timedelta(days=1)), proof=chain.chain_proof(0, "", long_ago)
    )
    without = Event(action="login", app="tests", proof="")
    with_other = Event(action="login", app="tests", proof=made[0].proof)
    for event in (without, with_other):
        event.save()

    assert sealing.seal() == 0
    findings = verify().findings
    assert len(findings) == 2
    assert all("was put in" in finding for finding in findings)
    assert {finding.split()[1] for finding in findings} == {str(without.pk), str(with_other.pk)}


def test_an_event_cannot_become_another() -> None:
    """Its key is part of what is proved."""
    made = happened()
    Event.objects.filter(pk=made[4].pk).update(id=uuid.uuid4())

    assert len(verify().findings) == 2


def test_a_cut_end_is_seen_by_the_checkpoint() -> None:
    """The chain that is left fits; only outside the database it is known that there was more."""
    made = happened()
    Event.objects.filter(pk=made[4].pk).delete()
    Link.objects.filter(number=5).delete()

    [finding] = verify().findings

    assert "ends at number 4, but was known to reach 5" in finding


def test_a_cut_end_stays_visible_when_the_chain_grows_again() -> None:
    """Another link takes the number; the checkpoint knows which it was."""
    made = happened()
    Event.objects.filter(pk=made[4].pk).delete()
    Link.objects.filter(number=5).delete()
    happened(2)

    [finding] = verify().findings

    assert "At number 5 the chain is not the one that was known" in finding


def test_everything_written_anew_is_seen() -> None:
    """All rows gone: the program begins a new chain, and the checkpoint does not fit."""
    happened()
    for model in (Event, Link, Chain):
        model.objects.all().delete()
    happened(9)

    assert any("written anew" in finding for finding in verify().findings)


def test_a_checkpoint_from_elsewhere_counts_as_well(checkpoint_file: Path) -> None:
    """The log of last month, where the folder is gone too."""
    made = happened()
    place = chain.head(chain.beginning())
    checkpoint_file.unlink()
    Event.objects.filter(pk=made[4].pk).delete()
    Link.objects.filter(number=5).delete()

    assert verify().is_whole
    assert not verify([place]).is_whole


def test_the_beginning_cannot_be_moved() -> None:
    """Deleting the oldest and saying that their time was over needs the key."""
    happened()
    second = Link.objects.get(number=2)
    Link.objects.filter(number__lte=2).delete()
    Event.objects.filter(number__lte=2).delete()
    Chain.objects.update(number=2, mac=second.mac)

    assert verify().findings == ["The row that says where the chain begins was changed."]


def test_what_ends_in_time_leaves_a_chain_that_verifies() -> None:
    """Deleted events are no finding; the oldest links go with them, others wait for their turn."""
    two_days_ago = timezone.now() - timedelta(days=2)
    for action in ("login", "login", "custom_x", "login"):
        if action == "login":
            ends = two_days_ago + timedelta(days=1)
            Event.objects.create(action=action, app="tests", created=two_days_ago, expires=ends)
        else:
            actions.record(action, "tests", Actor.system())
        sealing.seal()

    assert retention.retire() == 3

    assert [event.action for event in Event.objects.all()] == ["custom_x"]
    report = verify()
    assert report.findings == []
    assert report.expired == 1
    assert chain.beginning().number == 2
    happened(1)
    assert verify().is_whole


def test_each_action_is_kept_as_long_as_the_settings_say() -> None:
    """A time for all, and others for some; what happens from now on has it."""
    system.update(Actor.system(), event_retention="days=30", event_retention_by_action={"login": "days=1"})

    login, other = (actions.record(action, "tests", Actor.system()) for action in ("login", "logout"))

    assert (login.expires - login.created, other.expires - other.created) == (timedelta(days=1), timedelta(days=30))


def test_retention_does_not_wash_what_was_tampered_with() -> None:
    """A forged beginning is not signed again by the chore."""
    happened()
    Chain.objects.update(number=1)
    Event.objects.update(expires=timezone.now())
    Link.objects.update(expires=timezone.now())

    retention.retire()

    assert not verify().is_whole


def test_what_was_written_before_there_was_a_chain_is_adopted() -> None:
    """Events of a former version have no proof; they are sealed when the chain begins."""
    actions.record("login", "tests", Actor.system())
    Event.objects.update(proof=None)

    assert sealing.seal() == 1
    assert verify().is_whole


def test_a_broken_chain_becomes_an_event_once() -> None:
    """The chore tells it, so that rules notify; not every day again."""
    made = happened()
    assert watching.look().is_whole
    Event.objects.filter(pk=made[1].pk).update(action="logout")

    watching.look()
    watching.look()

    [told] = Event.objects.filter(action="suspicious_request")
    assert str(made[1].pk) in told.context["findings"][0]
    assert chain.beginning().findings


def test_checkpoints_are_thinned_out(checkpoint_file: Path) -> None:
    """The newest ones stay, and one of each day before."""
    for number in range(200):
        checkpoints.publish((number, "0" * 64))

    kept = checkpoints.read()

    assert kept[-1].number == 199
    assert len(kept) <= checkpoints.NEWEST_KEPT + 2
    assert checkpoint_file.stat().st_mode & 0o077 == 0


def test_an_unreadable_file_of_checkpoints_is_a_finding(checkpoint_file: Path) -> None:
    """Overwriting it hides nothing."""
    happened()
    checkpoint_file.write_text("nonsense\n")

    assert "cannot be read" in verify().findings[0]
