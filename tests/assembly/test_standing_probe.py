"""The standing probe against small servers: holes and silence are events, once; it goes nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doctor.test_faults import Server, self_signed
from doorward.assembly.children import Notifier
from doorward.assembly.control_process import Control
from doorward.assembly.standing_probe import StandingProbe, target_of
from doorward.assembly.state_folder import StateFolder
from doorward.cli.plans import plan_of
from doorward.doctor.probe import is_no_ones_server, look
from doorward.messages.decisions import ProbesFound
from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.messages.sessions import IdentityState, ReportMisconfiguration
from outpost.world import provider
from peers.processes import free_port

Answer = tuple[int, dict[str, str], str]
LOGIN = "https://auth.test/authorize?client_id={}&redirect_uri=x&response_type=code"


def _provider(port: int, **changes: object) -> ProxyProvider:
    return provider(1, "app.example.test", **{"external_host": f"http://app.localhost:{port}", **changes})


async def _outcome(answer: Answer | Callable[[str], Answer], **changes: object) -> str:
    def answers(target: str, fields: dict[str, str]) -> Answer:
        return answer(target) if callable(answer) else answer

    async with Server(answers) as server:
        return (await look(target_of(_provider(server.port, **changes)))).outcome


CLIENT = provider(1, "app.example.test").client_id


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((302, {"Location": LOGIN.format(CLIENT)}, ""), "guarded"),
        ((401, {"X-authentik-id": "1"}, ""), "guarded"),
        ((401, {}, ""), "silent"),
        ((200, {}, "secrets"), "open"),
        ((204, {}, ""), "open"),
        ((302, {"Location": LOGIN.format("another")}, ""), "silent"),
        ((302, {"Location": "http://169.254.169.254/latest"}, ""), "silent"),
        ((404, {}, ""), "silent"),
        ((502, {}, ""), "silent"),
        ((302, {"Location": "/again"}, ""), "silent"),
    ],
)
async def test_what_an_answer_means(answer: Answer, expected: str) -> None:
    """Sent to log in at this provider's login, let in, or neither."""
    assert await _outcome(answer) == expected


async def test_an_applications_own_login_page_is_behind_the_hole() -> None:
    """A redirect within the host is followed: the page that comes at the end was given to a stranger."""
    assert (
        await _outcome(lambda target: (200, {}, "") if target == "/login" else (302, {"Location": "/login"}, ""))
        == "open"
    )


@pytest.mark.parametrize(
    ("answer", "expected"), [((200, {}, "secrets"), "open"), ((302, {"Location": LOGIN.format(CLIENT)}, ""), "guarded")]
)
async def test_a_bad_certificate_hides_no_hole(tmp_path: Path, answer: Answer, expected: str) -> None:
    """A stranger who does not mind it is let in or not; that browsers warn of it is said."""
    tls = self_signed(tmp_path, "other.localhost", datetime.now(UTC) + timedelta(days=30))
    async with Server(lambda target, fields: answer, tls) as server:
        found = await look(target_of(_provider(0, external_host=f"https://app.localhost:{server.port}")))
    assert found.outcome == expected
    assert "certificate" in found.detail


async def test_paths_that_are_meant_to_be_open_are_no_hole() -> None:
    """A rule that opens the start page: another path is looked at; one that opens everything: none."""
    seen: list[str] = []

    def guarded(target: str) -> Answer:
        seen.append(target)
        return (200, {}, "") if target == "/" else (302, {"Location": LOGIN.format(CLIENT)}, "")

    assert await _outcome(guarded, skip_path_regex="^/$") == "guarded"
    assert seen == ["/doorward-probe"]
    assert await _outcome(guarded, skip_path_regex="^/") == "guarded"
    assert seen == ["/doorward-probe"]


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("169.254.169.254", True),
        ("::ffff:169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("192.168.1.7", False),
        ("2001:db8::1", False),
    ],
)
def test_addresses_that_are_never_asked(address: str, refused: bool) -> None:
    """Where no application of anybody can be (S-650); an administrator's own may be private."""
    assert is_no_ones_server(address) is refused


class Installation:
    """A probe that looks all the time, and what it reports."""

    def __init__(self) -> None:
        self.reports: list[ReportMisconfiguration] = []
        self.looks = 0
        self.looked = asyncio.Event()
        self.probe = StandingProbe(0.01, self._report, self._saw)

    async def _report(self, report: ReportMisconfiguration) -> None:
        self.reports.append(report)

    def _saw(self) -> None:
        self.looks += 1
        self.looked.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self.looked.clear()
                await self.looked.wait()


async def test_a_hole_is_an_event_once_and_again_when_it_comes_back() -> None:
    """Open, closed, open: two events, and the metric follows."""
    now: list[Answer] = [(200, {}, "")]
    guarded: Answer = (302, {"Location": LOGIN.format(CLIENT)}, "")
    async with Server(lambda target, fields: now[0]) as server:
        there = Installation()
        there.probe.use(OutpostConfiguration(providers=(_provider(server.port),)))
        task = asyncio.create_task(there.probe.run())
        await there.until(lambda: there.looks >= 3)
        assert [report.provider for report in there.reports] == [1]
        assert "let through" in there.reports[0].message
        assert there.probe.gauges() == {
            'doorward_probe_guarded{application="app-example-test"}': 0.0,
            'doorward_probe_open{application="app-example-test"}': 1.0,
        }
        now[0] = guarded
        await there.until(lambda: there.probe.found().probed[0].outcome == "guarded")
        now[0] = (200, {}, "")
        await there.until(lambda: len(there.reports) == 2)
        task.cancel()


async def test_an_outpost_that_does_not_answer_is_an_event() -> None:
    """Nobody listens; an application that is gone is looked at no more."""
    there = Installation()
    there.probe.use(OutpostConfiguration(providers=(_provider(free_port()),)))
    assert there.probe.found().probed[0].outcome == "not yet"
    task = asyncio.create_task(there.probe.run())
    await there.until(lambda: bool(there.reports))
    assert "does not answer" in there.reports[0].message
    there.probe.use(OutpostConfiguration())
    assert there.probe.found().probed == ()
    task.cancel()


def test_the_control_process_hands_the_applications_on(tmp_path: Path) -> None:
    """Where the configuration switches the probe on, it hears of every application; elsewhere there is none."""

    def control(identity: str) -> Control:
        file = tmp_path / "doorward.yml"
        file.write_text(f"identity:\n  externalUrl: https://auth.example.test\n{identity}")
        made = Control(plan_of(file), StateFolder(tmp_path, tmp_path), Notifier(-1))
        made._on_identity_change(OutpostConfiguration(providers=(_provider(1),)), IdentityState(1, (), False, b""))
        return made

    assert control("  probe: {}\n")._probed().interval == 300
    [probed] = control("  probe: {interval: 1m}\n")._probed().probed
    assert probed.outcome == "not yet"
    assert control("")._probed() == ProbesFound()
