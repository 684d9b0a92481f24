"""systemd hears how we are, and opens sockets for us."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from doorward.assembly import activation
from doorward.assembly.listening import Given, Listeners, PortUnusable
from doorward.assembly.service_notices import ServiceNotices
from doorward.messages.entry_points import EntryPoint


def test_systemd_hears_that_we_are_ready_and_who_comes_next(tmp_path: Path) -> None:
    """``Type=notify``: READY with our process number, and that of a new version with a barrier behind it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        notices = ServiceNotices({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"})

        notices.ready("serving")
        notices.alive(10.0)
        notices.alive(10.5)
        notices.reloading()

        assert systemd.recv(1000).decode().splitlines() == ["READY=1", "STATUS=serving", f"MAINPID={os.getpid()}"]
        assert systemd.recv(1000) == b"WATCHDOG=1"
        reloading = systemd.recv(1000).decode().splitlines()
        assert reloading[0] == "RELOADING=1"
        assert reloading[1].startswith("MONOTONIC_USEC=")


def test_without_systemd_nothing_is_said() -> None:
    """Nobody listens, nothing fails."""
    notices = ServiceNotices({})

    notices.ready("serving")
    notices.successor(7)

    assert not notices.wanted


def given(*names: str) -> tuple[dict[str, str], list[socket.socket], int]:
    """What systemd would leave: sockets at consecutive numbers, and the environment that speaks of them."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    first = 500
    for place, each in enumerate(sockets):
        os.dup2(each.fileno(), first + place)
    count = str(len(names))
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": count, "LISTEN_FDNAMES": ":".join(names)}
    return environment, sockets, first


def test_sockets_are_taken_by_name_and_by_port() -> None:
    """``FileDescriptorName=`` names the entry point; else the port says whose it is. All workers share them."""
    environment, sockets, first = given("web", "doorward.socket")
    other = sockets[1].getsockname()[1]
    points = [EntryPoint("web", "127.0.0.1", 1), EntryPoint("websecure", "", other)]

    listeners = Listeners(points, 2, Given(activation.take(points, environment, first)))

    assert environment == {}
    assert [listeners.of_worker(index)["web"][0].fileno() for index in range(2)] == [first, first]
    assert listeners.of_worker(1)["websecure"][0].getsockname()[1] == other
    listeners.close()
    for each in sockets:
        each.close()


def test_a_socket_that_belongs_to_nobody_is_an_error() -> None:
    """The message names the entry points that there are."""
    environment, sockets, first = given("webb")

    with pytest.raises(PortUnusable, match=r"the socket webb .* must be one of: web"):
        activation.take([EntryPoint("web", "127.0.0.1", 1)], environment, first)
    os.close(first)
    sockets[0].close()


def test_variables_of_another_process_are_ignored() -> None:
    """They were for whoever started us."""
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}

    assert activation.take([EntryPoint("web", "127.0.0.1", 1)], environment) == []
