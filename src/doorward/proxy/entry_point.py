"""One entry point in one worker: its listening sockets, its client connections and what they may take."""

from __future__ import annotations

import socket
from math import inf
from typing import Protocol

from doorward.messages.entry_points import EntryPoint
from doorward.net.arrival import Arrival
from doorward.net.client_hello import ClientHello
from doorward.net.door import Door
from doorward.net.opening import Opening
from doorward.net.server_tls import Handshake, Refusal, ServerTls
from doorward.proxy.client_connection import ClientConnection
from doorward.proxy.connection_age import ConnectionAge
from doorward.proxy.express.desk import Desk
from doorward.proxy.express.lane import Lane
from doorward.proxy.forwarding import Admission
from doorward.proxy.headcount import Capacity, Headcount
from doorward.proxy.middlewares.complaints import Complaints
from doorward.proxy.surroundings import Surroundings
from doorward.proxy.trust import Trust, parse_address
from doorward.wire.http1.limits import Limits


class Served(Protocol):
    """A client connection, whatever it speaks."""

    @property
    def peer(self) -> str: ...

    def sweep(self, now: float) -> None:
        """Called about once a second with the monotonic time."""

    def leave(self) -> None:
        """The worker stops: say so, if there are words for it. Whatever still comes is the last."""

    def stop(self) -> None:
        """End as soon as nothing is under way."""

    def cut(self) -> None:
        """End now."""


class EntryPointServer:
    """Accepts connections and keeps account of them. A ``Reception``."""

    def __init__(
        self, entry_point: EntryPoint, surroundings: Surroundings, handshakes: ServerTls, capacity: Capacity
    ) -> None:
        self.entry_point = entry_point
        self.surroundings = surroundings
        self.admission = Admission(entry_point)
        self.limits = Limits(header=entry_point.max_header_bytes)
        self.lane = Lane(entry_point.name, surroundings, self.admission, self.limits)
        self.desk = Desk(surroundings, self.admission)
        self.port = entry_point.port
        self.request_timeout = entry_point.request_timeout or inf
        self.draining = False
        self.tls = entry_point.tls
        """Some router answers TLS here."""
        self.plain = not entry_point.tls
        """Some router answers without TLS here, or none answers at all."""
        self._handshakes = handshakes
        self._trust = Trust(entry_point.trusted_ips)
        self._load_balancers = Trust(entry_point.proxy_protocol_ips, entry_point.proxy_protocol_insecure)
        self._may_have_headers = bool(entry_point.proxy_protocol_ips) or entry_point.proxy_protocol_insecure
        self._connections: set[Served] = set()
        self._openings: set[Opening] = set()
        self._headcount = Headcount(capacity, self._speaks_for_many)
        self._doors: list[Door] = []
        self._complaints = Complaints()

    async def listen(self, listener: socket.socket) -> None:
        """Accept connections from ``listener``, which becomes ours."""
        self.port = listener.getsockname()[1]
        door = Door(listener, self._connect, self._came)
        self._doors.append(door)
        await door.open(self._looks)

    def speak(self, *, plain: bool, tls: bool) -> None:
        """New routes are in force: whether there are routers without TLS and with it. Connections that exist go on as
        they began."""
        self.lane.forget()
        self.desk.forget()
        self.tls = tls or self.entry_point.tls
        self.plain = not self.entry_point.tls and (plain or not tls)
        for door in self._doors:
            door.look(self._looks)

    def shut(self, shut: bool) -> None:
        """Accept nothing for now."""
        for door in self._doors:
            door.shut(shut)

    @property
    def _looks(self) -> bool:
        return self.tls or self._may_have_headers

    # --- connections that come in ----------------------------------------------------------------------------------

    def _came(self, connection: socket.socket, peer: str) -> None:
        if not self._headcount.enter(peer):
            self._too_many(peer)
            connection.close()
            return
        opening = Opening(connection, peer, self)
        self._openings.add(opening)
        opening.start()

    def may_speak_for_others(self, peer: str) -> bool:
        return self._may_have_headers and self._load_balancers.includes(peer)

    def handshake(self, hello: ClientHello, address: str) -> Handshake | Refusal:
        return self._handshakes.choose(hello, self.entry_point.name, address)

    def serve(self, arrival: Arrival) -> ClientConnection:
        return ClientConnection(self, arrival)

    def refused(self, peer: str, why: str) -> None:
        self._complaints.say("tls.refused", self.entry_point.name, f"{why}; last from {peer}")

    def over(self, opening: Opening) -> None:
        self._openings.discard(opening)
        self._headcount.leave(opening.peer)

    def _connect(self) -> ClientConnection:
        return ClientConnection(self)

    # --- connections that are served -------------------------------------------------------------------------------

    def connection_age(self) -> ConnectionAge | None:
        """What says of a new connection when it is too old; None where connections may become as old as they like."""
        requests, seconds = self.entry_point.keep_alive_max_requests, self.entry_point.keep_alive_max_time
        return ConnectionAge(requests, seconds) if requests or seconds else None

    def take_in(self, connection: Served) -> bool:
        """Count ``connection``. False when there are too many: of all, or of its peer."""
        if not self._headcount.enter(connection.peer):
            self._too_many(connection.peer)
            return False
        self._connections.add(connection)
        return True

    def let_go(self, connection: Served) -> None:
        """``connection`` is closed."""
        if connection in self._connections:
            self._connections.remove(connection)
            self._headcount.leave(connection.peer)

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    def sweep(self, now: float) -> None:
        """Let every connection look at the clock."""
        for connection in list(self._connections):
            connection.sweep(now)

    @property
    def busy(self) -> bool:
        """There are connections, or some are on their way in."""
        return bool(self._connections or self._openings)

    def leave(self) -> None:
        """Accept nothing more, and have every connection end with what it is doing or with the next request."""
        self.draining = True
        for door in self._doors:
            door.close()
        for connection in list(self._connections):
            connection.leave()

    def stop(self) -> None:
        """Idle connections go now, the others after what they are doing."""
        for opening in list(self._openings):
            opening.stop()
        for connection in list(self._connections):
            connection.stop()

    def cut(self) -> None:
        """End what is left."""
        for opening in list(self._openings):
            opening.stop()
        for connection in list(self._connections):
            connection.cut()

    def _too_many(self, peer: str) -> None:
        self._complaints.say("connection.refused", self.entry_point.name, f"too many connections, last from {peer}")

    def _speaks_for_many(self, peer: str) -> bool:
        """A trusted proxy carries many people's connections, and so does one on this very machine."""
        address = parse_address(peer)
        return address is not None and (
            address.is_loopback or self._trust.includes(peer) or self.may_speak_for_others(peer)
        )
