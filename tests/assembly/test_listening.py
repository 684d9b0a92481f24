"""The listening sockets: one for each worker on each port, and a clear word when a port is taken."""

from __future__ import annotations

import contextlib
import os
import socket

import pytest
from msgspec.structs import replace

from doorward.assembly import listening
from doorward.assembly.listening import Given, Listeners
from doorward.messages.entry_points import EntryPoint


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_every_worker_has_its_own_socket_on_the_same_port() -> None:
    """The kernel spreads connections over the workers."""
    point = EntryPoint("web", "127.0.0.1", free_port())

    listeners = Listeners([point], 2, Given(()))

    sockets = [listeners.of_worker(index)["web"] for index in range(2)]
    assert [len(each) for each in sockets] == [1, 1]
    assert {each.getsockname()[1] for each in sockets[0] + sockets[1]} == {point.port}
    listeners.close()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_new_version_serves_every_socket(workers: int) -> None:
    """Whatever its number of workers: somebody may be waiting in any of them."""
    point = EntryPoint("web", "127.0.0.1", free_port())
    former = Listeners([point], 2, Given(()))
    given = [replace(each, descriptors=tuple(map(os.dup, each.descriptors))) for each in former.inheritance()]
    waiting = [socket.create_connection(("127.0.0.1", point.port)) for _ in range(20)]
    former.close()

    listeners = Listeners([point], workers, Given(given))

    accepted = 0
    for index in range(workers):
        own = listeners.of_worker(index)["web"]
        assert own
        for listener in own:
            with contextlib.suppress(BlockingIOError):
                while True:
                    listener.accept()[0].close()
                    accepted += 1
    assert accepted == len(waiting)
    for each in waiting:
        each.close()
    listeners.close()


def test_an_address_that_nobody_wants_any_more_is_free() -> None:
    """A new configuration without an entry point of the old one."""
    point = EntryPoint("web", "127.0.0.1", free_port())
    former = Listeners([point], 1, Given(()))
    Given(former.inheritance()).close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", point.port))
    (listener,) = former.of_worker(0)["web"]
    listener.detach()


def test_a_port_in_use_names_the_entry_point_and_the_way_out() -> None:
    """A taken port is an error before anything starts, also when its owner would share it."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        point = EntryPoint("web", "127.0.0.1", taken.getsockname()[1])

        with pytest.raises(listening.PortUnusable, match="entry point web: another program is listening"):
            Listeners([point], 1, Given(()))
