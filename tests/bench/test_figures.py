"""What the benchmark makes of what it measured: nothing that was thrown away is ever shown as a figure."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from checks import load_is_good
from figures import CPU, RATE, Effort, Goal, Result, Scenario, Values, Worthless
from house import House
from load.wrk import Load
from page import with_run
from report import plot, stored
from report.table import table
from websocket import from_server


def nothing(variant: str, house: House, effort: Effort) -> Values:
    return {}


@pytest.fixture
def result() -> Result:
    """Two turns, in the second of which the machine was twice as slow."""
    scenario = Scenario(
        "requests",
        "Requests",
        ("doorward", "traefik", "nginx"),
        nothing,
        columns=(CPU, RATE),
        goals=(Goal("doorward", "cpu", 1 / 8, "traefik"), Goal("doorward", "cpu", 9.0)),
    )
    turns = {
        "doorward": [{"cpu": 10.0, "rate": 9000.0}, {"cpu": 20.0, "rate": 4500.0}],
        "traefik": [{"cpu": 100.0, "rate": 900.0}, {"cpu": 200.0, "rate": 450.0}],
    }
    return Result(scenario, turns, {"nginx": "7 of 9 answers were no success"})


def test_a_slow_moment_of_the_machine_does_not_change_a_ratio(result: Result) -> None:
    """Turns are compared with each other, and the median of their ratios is shown."""
    assert result.times_better("doorward", CPU) == pytest.approx(10)
    assert result.times_better("doorward", RATE) == pytest.approx(10)
    assert result.times_better("traefik", CPU) is None


def test_the_table_says_what_was_reached_and_what_was_thrown_away(result: Result) -> None:
    """A goal of eight times is reached with ten; a void figure leaves its reason and no number."""
    text = table(result)

    assert "| doorward | 15.0 ±5.0 (10.0×) | 6,750 (10.0×) |" in text
    assert "| nginx | thrown away: 7 of 9 answers were no success |" in text
    assert "8 times less than traefik wanted, 10.0 times found: reached" in text
    assert "at most 9 wanted, 15.00 found: not reached" in text


def test_a_variant_that_was_thrown_away_in_a_later_turn_has_no_figures(result: Result) -> None:
    """What it showed in earlier turns counts no more, for ratios neither."""
    result.worthless["traefik"] = "3 connections were lost"

    assert result.value("traefik", "cpu") is None
    assert result.times_better("doorward", CPU) is None
    assert "traefik" not in stored.document({}, [result])["scenarios"][0]["variants"]


def test_the_page_takes_the_tables_of_a_run_whole(result: Result) -> None:
    """What stood between the marks is gone, what stands around them stays."""
    about = dict.fromkeys(("at", "processors", "model", "kernel", "python", "turns", "load before"), "x")
    document = stored.document(about, [result])

    page = with_run("before <!-- run -->old<!-- /run --> after", document)

    assert page.startswith("before ")
    assert page.endswith(" after")
    assert "old" not in page
    assert table(result) in page


def test_the_picture_is_well_formed_and_has_a_bar_for_each_figure(result: Result) -> None:
    """Two variants with figures, two bars beside the ground."""
    picture = ElementTree.fromstring(plot.svg(stored.document({}, [result])))

    assert len(picture.findall("{http://www.w3.org/2000/svg}rect")) == 3


def test_a_load_with_one_failure_or_another_size_is_worthless() -> None:
    """One refused answer in thousands is enough."""
    good = Load(1000, 1.0, 0.5, 1.0, failed=0, bytes_each=200.0)
    load_is_good(good, size=(190, 210))

    with pytest.raises(Worthless, match="1 of 1000 answers were no success"):
        load_is_good(Load(1000, 1.0, 0.5, 1.0, failed=1, bytes_each=200.0), size=(190, 210))
    with pytest.raises(Worthless, match="answers had"):
        load_is_good(good, size=(300, 310))


def test_messages_have_the_frames_of_the_protocol() -> None:
    """RFC 6455 section 5.2: short and medium lengths, not masked by a server."""
    assert from_server(b"a" * 125)[:2] == b"\x82\x7d"
    assert from_server(b"a" * 126)[:4] == b"\x82\x7e\x00\x7e"
