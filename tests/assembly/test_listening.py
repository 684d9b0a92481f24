"""The listening sockets: one for each worker on each port, and a clear word when a port is taken."""

from __future__ import annotations

import socket

import pytest

from doorward.assembly import listening
from doorward.messages.entry_points import EntryPoint


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_every_worker_has_its_own_socket_on_the_same_port() -> None:
    """The kernel spreads connections over the workers."""
    point = EntryPoint("web", "127.0.0.1", free_port())

    sockets = listening.sockets_for([point], workers=2)

    assert {each["web"].getsockname()[1] for each in sockets} == {point.port}
    for each in sockets:
        each["web"].close()


def test_a_port_in_use_names_the_entry_point_and_the_way_out() -> None:
    """A taken port is an error before anything starts, also when its owner would share it."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        point = EntryPoint("web", "127.0.0.1", taken.getsockname()[1])

        with pytest.raises(listening.PortUnusable, match="entry point web: another program is listening"):
            listening.sockets_for([point], workers=1)
