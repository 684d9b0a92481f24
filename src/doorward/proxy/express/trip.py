"""What becomes of the requests of one pattern at one route: worked out once, by the same code that every request meets,
and used again for as long as everything that it rests on still holds.

What is left to ask for each request is its path and the time: the rule has been matched anew before a trip is found,
and ``may_begin`` asks every authority on the way whether its yes still stands. A new routing table empties the lane.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from doorward.messages.http import Header
from doorward.proxy.account import Account
from doorward.proxy.express.pattern import blank_names
from doorward.proxy.middlewares.inquiry import Toll
from doorward.proxy.request import Check, ConnectionFacts, Request
from doorward.proxy.routing import Route
from doorward.proxy.service import Series
from doorward.proxy.services.load_balancer import LoadBalancer
from doorward.proxy.services.server import Server
from doorward.proxy.upstream_head import OURS, host_for, plain_fields
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.http1.write import field_block

_MOST_ANSWERS = 32


class Trip:
    """See the module."""

    __slots__ = (
        "_answers",
        "_blanks_at",
        "_checks",
        "_fields",
        "_request",
        "account",
        "balancer",
        "books",
        "head",
        "route",
        "toll",
    )

    def __init__(
        self,
        pattern: bytes,
        blanks: tuple[bytes, ...],
        head: RequestHead,
        route: Route,
        checks: tuple[Check, ...],
        request: Request,
        toll: Toll | None = None,
    ) -> None:
        """``request`` has passed the middlewares of ``route``, which leads to a plain load balancer; ``blanks`` are
        what stood in those of the ``pattern`` of its ``head``. Raises UnsafeField, and NoTrip when they did not come
        through."""
        assert isinstance(route.service, LoadBalancer)
        self.head = head
        self.route = route
        self.balancer = route.service
        self.toll = toll
        """What is to be paid for each request; None: nothing."""
        self._checks = checks
        self._request = request
        self._blanks_at = _places(blank_names(pattern), blanks, request.headers)
        self._fields: dict[Server, bytes] = {}
        self._answers: dict[int, tuple[ReceivedHead, bytes]] = {}
        self.account = Account(
            request.entry_point,
            request.method,
            b"",
            head.version,
            0.0,
            0.0,
            request.client,
            request.peer,
            request.authority,
            request.tls,
            protocol=request.protocol,
            user=request.user,
            router=route.name,
            service=route.service_name,
        )
        """What the accounts of its requests have in common; the rest is filled in for each."""
        self.books: dict[Server, dict[int, list[Series]]] = {server: {} for server in self.balancer.servers}
        """Where such a request is entered when a server has answered it with a status, once one has been."""
        for server in self.balancer.servers:
            self._fields[server] = self._template(server)

    def may_begin(self, path: bytes, query: bytes | None) -> bool:
        """Whether a request for ``path`` would be let pass as the first one was."""
        for check in self._checks:  # noqa: SIM110 - a generator would cost more than most checks
            if not check(path, query):
                return False
        return True

    def fields(self, server: Server, blanks: tuple[bytes, ...]) -> bytes:
        """What follows the request line on the way to ``server``."""
        template = self._fields[server]
        return template % blanks if blanks else template

    def request(
        self, name: bytes, connection: ConnectionFacts, line: tuple[bytes, bytes, bytes | None], blanks: Sequence[bytes]
    ) -> Request:
        """A request of this pattern, ``name`` and ``line`` (target, path, query), as it is behind the middlewares."""
        request = copy.copy(self._request)
        request.id = name
        request.connection = connection
        request.target, request.path, request.query = line
        request.headers = self._filled(blanks)
        if self.toll is not None:
            request.recheck = self.toll.recheck(line[0], name)
        return request

    @property
    def trusted(self) -> bool:
        """The client may speak for others."""
        return self._request.trusted

    @property
    def session(self) -> bytes:
        """The id_hash of the proxy session that lets its requests pass; empty: none does."""
        return self._request.session

    def answer_to(self, head: ReceivedHead) -> bytes | None:
        """How a client was told ``head`` before; None: it has to be worked out."""
        known = self._answers.get(id(head))
        return None if known is None else known[1]

    def keep_answer(self, head: ReceivedHead, block: bytes) -> None:
        """A client was told ``head`` by ``block``."""
        if len(self._answers) >= _MOST_ANSWERS:
            self._answers.clear()
        self._answers[id(head)] = (head, block)

    @property
    def size(self) -> int:
        """Bytes that it holds, about."""
        return 2048 + sum(map(len, self._fields.values()))

    def _filled(self, blanks: Sequence[bytes]) -> tuple[Header, ...]:
        headers = list(self._request.headers)
        for place, value in zip(self._blanks_at, blanks, strict=True):
            headers[place] = (headers[place][0], value)
        return tuple(headers)

    def _template(self, server: Server) -> bytes:
        """The fields for ``server`` with a ``%b`` for each blank. Raises UnsafeField, NoTrip."""
        host, headers, blanks = host_for(self._request, server), self._request.headers, frozenset(self._blanks_at)
        lines = [b"", b"Host: " + _literal(host)]
        for place, (name, value) in enumerate(headers):
            if name.lower() not in OURS:
                lines.append(_literal(name) + b": " + (b"%b" if place in blanks else _literal(value)))
        template = b"\r\n".join((*lines, b"", b""))
        values = tuple(headers[place][1] for place in self._blanks_at)
        if template % values != field_block(plain_fields(headers, host)):
            raise NoTrip
        return template if values else template % ()


def _literal(text: bytes) -> bytes:
    return text.replace(b"%", b"%%")


class NoTrip(Exception):
    """Requests of this kind take the ordinary way."""


def _places(names: Sequence[bytes], values: Sequence[bytes], headers: Sequence[Header]) -> list[int]:
    """Where in ``headers`` the blanks stand."""
    places: list[int] = []
    at = 0
    for header in zip(names, values, strict=True):
        try:
            at = headers.index(header, at)
        except ValueError:
            raise NoTrip from None
        places.append(at)
        at += 1
    return places
