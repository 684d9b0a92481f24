"""One request on its way through the proxy, and what a middleware may say about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from doorward.messages.http import Header, HttpAnswer
from doorward.proxy.pending import Pending
from doorward.proxy.rechecks import Recheck
from doorward.wire.http1.response import ReceivedHead

if TYPE_CHECKING:
    from doorward.proxy.middlewares.inquiry import Toll


class BodyTooLarge(Exception):
    """The request's body is longer than whoever wanted to hold it in memory allows."""


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """What the socket itself says about a client connection; nothing here was claimed by the client."""

    peer: str
    """Address of the TCP peer, without port and IPv6 zone; behind a trusted load balancer what it says by the PROXY
    protocol."""
    port: int
    """Local port that was connected to."""
    tls: bool
    tls_options: str = ""
    """Name of the set of TLS options with which the handshake was made; empty without TLS."""
    client_chain: tuple[bytes, ...] = ()
    """The client's verified certificate (DER) and those that it sent along with it; empty when it showed none."""
    peer_port: int = 0
    """Port of the TCP peer; 0 when it is not known, as behind a load balancer that speaks for somebody else."""
    tls_version: str = ""
    """``1.2`` or ``1.3``."""
    tls_cipher: str = ""
    """By its standard name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An auth server's answer to the question of one middleware about one request."""

    by: object
    """The middleware."""
    answer: ReceivedHead | Exception
    """The head of the complete answer, or why there is none."""
    body: bytes = b""


@dataclass(slots=True)
class Request:
    """What the client asked, after the entry point cleaned it; middlewares may change it, one exchange owns it.

    The path that was routed, that the outpost judges and that the application receives is this one ``path``
    (invariant I3), unless a middleware rewrites it after the decision.
    """

    method: bytes
    path: bytes
    """Canonical (S-201): percent-escapes normalised, no dot segments, no doubled slashes; starts with ``/``."""
    query: bytes | None
    """Raw, without the question mark; None when the target had none."""
    headers: Sequence[Header]
    """End-to-end fields in the order received; identity, alias, managed and hop-by-hop fields are already gone
    and our own ``X-Forwarded-*`` are already there (``contracts/proxy.md`` section 4). ``Host`` (see
    ``authority``), ``Content-Length`` (see ``body_length``) and ``Expect`` are not among them: whoever writes the
    request onwards frames it anew.

    Never changed in place: whoever changes the fields puts another sequence here. While nobody has, it is the very
    tuple that the entry point made of the client's header block, and equal blocks of a client have the same one.
    """
    host: bytes
    """Lower case, without port and trailing dot; empty when the request named none."""
    authority: bytes
    """Host field as to be passed on: lower case, port kept, trailing dot dropped."""
    peer: str
    """Address of the TCP peer."""
    client: str
    """Address of the client: the peer, or what a trusted peer says (S-103)."""
    entry_point: str
    tls: bool
    websocket: bool = False
    """A valid WebSocket handshake (RFC 6455 section 4.2.1)."""
    body_length: int | None = 0
    """Bytes of body that follow: 0 for none, None for chunked."""
    user: str = "-"
    """For the access log: who it was, if anybody said."""
    session: bytes = b""
    """id_hash of the proxy session that let it pass: what must end when that session ends."""
    added_cookies: list[bytes] = field(default_factory=list)
    """``Set-Cookie`` values that an auth server gives to the client (``addAuthCookiesToResponse``)."""
    read_body: Callable[[int], Awaitable[bytes]] | None = None
    """Set by the engine: reads the whole body, at most that many bytes (``BodyTooLarge`` beyond), and gives it.
    A middleware that calls it must leave the bytes in ``body``."""
    body: bytes | None = None
    """The whole body when a middleware has read it: the relay sends this instead of the stream. None: not read."""
    form_token: bytes = b""
    """``X-authentik-CSRF``, which only the identity provider gets."""
    credentialed: bool = False
    """A WebSocket handshake that an auth server let pass as somebody: only the application's own pages may make it."""
    recheck: Recheck | None = field(default=None, compare=False)
    """How the auth server that let it pass is asked again while it is open; None: nobody has to be asked."""
    hop_by_hop: frozenset[bytes] = frozenset()
    """Lower-case names of fields that end here: middlewares see them (``forwardedHeaders.connection``), no application
    does."""
    connection: ConnectionFacts | None = None
    """The connection on which it came; None for a request that did not come over one."""
    trusted: bool = False
    """The peer may speak for the client: what stands in ``X-Forwarded-*`` beside our own values is its word."""
    target: bytes = b""
    """As it stood on the request line: the path as it was spelled. Never routed, never sent on."""
    id: bytes = b""
    """Its name (``request_ids``). Not among ``headers``, which are the same for many requests: whoever writes the
    request onwards adds it."""
    protocol: str = "http"
    """What the client means to speak, for the metrics: ``http``, ``sse``, ``grpc`` or ``grpc-web``."""
    denial: str = ""
    """For the metrics: how an auth server ended it (``middlewares.denial``), or ``failed``; empty when none did."""

    asked: Asked | None = field(default=None, compare=False)
    """What an auth server has said to the middleware that the request has reached, and that has yet to look at it."""

    def first(self, name: bytes) -> bytes | None:
        """The first value of the field ``name`` (lower case), or None."""
        for field_name, value in self.headers:
            if field_name.lower() == name:
                return value
        return None

    def remove(self, name: bytes) -> None:
        """Drop every field called ``name`` (lower case)."""
        self.headers = [header for header in self.headers if header[0].lower() != name]

    def replace(self, name: bytes, *values: bytes) -> None:
        """Let the field ``name`` (any case) have exactly ``values``."""
        self.remove(name.lower())
        self.headers = [*self.headers, *((name, value) for value in values)]


@dataclass(slots=True)
class ResponseHead:
    """The application's answer before it goes to the client: middlewares may change it."""

    status: int
    reason: bytes
    headers: list[Header]


class Middleware(Protocol):
    """Sees the request on its way in and the response head on its way out.

    ``enter`` returns None to let the request go on, or an answer that ends it. It may return an awaitable of
    either, or ``Pending``, and is then called again when that has arrived; most do not, and then the request never
    leaves the event loop's current turn.
    """

    def enter(self, request: Request) -> HttpAnswer | Pending | Awaitable[HttpAnswer | None] | None: ...

    def leave(self, request: Request, response: ResponseHead) -> None: ...


Check = Callable[[bytes, bytes | None], bool]
"""(path, query) → would a request for it, the same as another one otherwise, be let in in the same way?"""


def ALWAYS(path: bytes, query: bytes | None) -> bool:  # noqa: N802 - a constant that can be called
    """Path and query make no difference."""
    return True


@runtime_checkable
class SteadyMiddleware(Protocol):
    """A ``Middleware`` for which a request's fields decide, so that what it did once can be done again unasked. What
    it does with a response depends on the response and on those fields alone."""

    @property
    def steady(self) -> bool:
        """Whether that is so as it is configured: otherwise ``rehearse`` need not be asked."""
        ...

    def regards(self, name: bytes) -> bool:
        """Whether the field ``name`` (lower case) of a request makes any difference to it, or is changed by it."""
        ...

    def rehearse(self, request: Request) -> Check | Toll | None:
        """Do to ``request`` what ``enter`` does when it lets it in, asking nobody. Returns what to ask before the next
        such request is let in unseen, by a call or elsewhere; None: it cannot be."""
        ...
