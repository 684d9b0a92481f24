"""What broke for the people before us: something restarts, and nobody notices.

Applications stay known and users stay logged in whatever part of the program ends, in whatever order.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from peers.api import Api
from peers.browser import chromium, cookies, expect_whoami, log_in, visitor
from peers.processes import alive, descendants, eventually
from peers.program import PASSWORD, Program
from peers.questions import ask

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = Program(tmp_path_factory.mktemp("restarts"))
    try:
        yield program.start()
        program.stop()
    finally:
        program.end()


@pytest.fixture(scope="module")
def guest(playwright: Playwright, restarted: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser that logged in once, before anything was restarted."""
    with (
        chromium(playwright, tmp_path_factory.mktemp("home"), restarted.ca.parent) as browser,
        visitor(browser) as page,
    ):
        page.goto(restarted.whoami)
        log_in(page, "akadmin", PASSWORD)
        expect_whoami(page, "akadmin")
        yield page


def owners(program: Program, socket_name: str) -> list[int]:
    """Children that hold the listening Unix socket of this name."""
    inodes = {
        line.split()[6]
        for line in Path("/proc/net/unix").read_text().splitlines()
        if line.endswith(f"/{socket_name}") and line.split()[3] == "00010000"
    }
    return [pid for pid in descendants(program.pid) if inodes & held_sockets(pid)]


def held_sockets(pid: int) -> set[str]:
    """Inodes of the sockets that a process has open."""
    held: set[str] = set()
    try:
        targets = [str(descriptor.readlink()) for descriptor in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return held  # it ended, or closed something, while we looked
    for target in targets:
        if target.startswith("socket:["):
            held.add(target[8:-1])
    return held


def workers(program: Program) -> list[int]:
    """Children that hold a socket listening on the https port."""
    port = f"{program.https_port:04X}"
    inodes = {
        line.split()[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port}") and line.split()[3] == "0A"
    }
    return [pid for pid in descendants(program.pid) if inodes & held_sockets(pid)]


def identity(program: Program) -> list[int]:
    return owners(program, "identity.sock")


def control(program: Program) -> list[int]:
    return owners(program, "control.sock")


def kill(pids: list[int], how: signal.Signals) -> None:
    assert pids, "the part to restart was not found"
    for pid in pids:
        os.kill(pid, how)
    eventually(lambda: not any(map(alive, pids)), within=15, what="the killed processes are gone")


def back(program: Program) -> bool:
    """Every part runs and the program says that it is ready."""
    if not (identity(program) and control(program) and workers(program)):
        return False
    try:
        return program.ask("/-/health/ready/", timeout=2).status == 200
    except OSError:
        return False


def check_nothing_is_lost(program: Program, page: Page) -> None:
    """The application is known, the guest is still logged in, and strangers can still log in."""
    eventually(lambda: back(program), within=20, what=f"the program is whole again: {program.last_words()}")
    page.goto(f"{program.whoami}/after")
    expect_whoami(page, "akadmin")
    assert Api(program).is_protected("https", f"whoami.localhost:{program.https_port}")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("part", [identity, control, workers])
def test_one_part_restarts(restarted: Program, guest: Page, part: object, how: signal.Signals) -> None:
    """The identity provider, the control process or all workers end, politely or not."""
    assert callable(part)
    kill(part(restarted), how)

    check_nothing_is_lost(restarted, guest)


@pytest.mark.parametrize("order", list(permutations([identity, control, workers])), ids=lambda order: "-".join(
    part.__name__ for part in order))  # fmt: skip
def test_all_parts_restart_one_after_the_other(restarted: Program, guest: Page, order: tuple[object, ...]) -> None:
    """In any order, each killed before the previous one is of use again."""
    for part in order:
        assert callable(part)
        eventually(lambda part=part: part(restarted), within=20, what=f"{part} runs")  # type: ignore[misc]
        kill(part(restarted), signal.SIGKILL)

    check_nothing_is_lost(restarted, guest)


def test_the_whole_program_restarts(restarted: Program, guest: Page) -> None:
    """Ctrl-C and a new start: the same cookie opens the same application."""
    restarted.stop()
    restarted.start()

    check_nothing_is_lost(restarted, guest)


def test_the_whole_program_is_killed(restarted: Program, guest: Page) -> None:
    """Power cut: nothing that was promised is lost, no child outlives the parent, and the next start succeeds."""
    tree = [restarted.pid, *descendants(restarted.pid)]
    os.kill(restarted.pid, signal.SIGKILL)
    assert restarted.process
    restarted.process.wait(10)
    eventually(lambda: not any(map(alive, tree)), within=15, what="the children follow their parent")
    restarted.start()

    check_nothing_is_lost(restarted, guest)


def test_while_the_identity_provider_is_down_sessions_that_are_known_work(restarted: Program, guest: Page) -> None:
    """A worker that knows the session needs nobody to let its owner in."""
    cookie = cookies(guest, restarted.whoami)
    for _ in range(40):  # every worker gets to know it
        assert ask(restarted.whoami, ca=restarted.ca, headers=[cookie]).status == 200
    stopped = identity(restarted)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert ask(restarted.whoami, ca=restarted.ca, headers=[cookie]).status == 200
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
