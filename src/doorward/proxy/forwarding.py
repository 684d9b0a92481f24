"""The first thing that happens to a request: what the client may not say is taken out, what we know is put in.

Order (``contracts/proxy.md`` section 4): aliases → fields that speak for the client, from anybody untrusted →
hop-by-hop fields and those that ``Connection`` lists → our own ``X-Forwarded-*``. Identity fields go in every
spelling and from everybody, on open routes as well (S-108). ``X-Forwarded-For`` already ends with the peer when the
middlewares see it.
"""

from __future__ import annotations

import socket
from functools import lru_cache

from doorward.messages.entry_points import EntryPoint
from doorward.messages.http import Header
from doorward.proxy.field_names import DROPPED, FORM_TOKEN, MANAGED, Kind, NameTable, kind_of
from doorward.proxy.request import ConnectionFacts, Request
from doorward.proxy.request_ids import RequestIds, acceptable
from doorward.proxy.trust import Trust, parse_address
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.request import RequestHead

_NESTED = b"/outpost.goauthentik.io/auth/envoy"
_MOST_REMEMBERED = 4 << 20
"""Bytes of header blocks whose outcome is remembered per entry point; the oldest go first."""
_Cleaned = tuple[tuple[Header, ...], str, str, bool, bytes, bytes, str]
"""Fields, peer, client, trusted, form token, request id (empty: make one), protocol."""


class Admission:
    """Turns request heads into requests at one entry point."""

    def __init__(self, entry_point: EntryPoint, server: str = "") -> None:
        """``server`` is our own name for ``X-Forwarded-Server``; the machine's host name by default."""
        self.entry_point = entry_point
        self._name = entry_point.name
        self._trust = Trust(entry_point.trusted_ips, entry_point.insecure)
        self._aliases = entry_point.alias_headers
        self._appends = entry_point.append_forwarded_for
        self._kept = (
            frozenset(name.encode("ascii", "replace") for name in entry_point.listed_fields_kept) - _NEVER_LISTED
        )
        self._never_listed = _NEVER_LISTED | self._kept
        self._names: NameTable[tuple[bytes, Kind]] = NameTable(lambda lower: (lower, kind_of(lower)))
        self._server: Header = (b"X-Forwarded-Server", (server or socket.gethostname()).encode("ascii", "replace"))
        self._remembered: dict[tuple[int, bytes, str, bool, bool], tuple[tuple[Header, ...], _Cleaned]] = {}
        self._size = 0
        self._ids = RequestIds()

    def admit(self, head: RequestHead, facts: ConnectionFacts) -> Request:
        """The request as everything behind the entry point sees it. Raises Rejected (S-044, S-109)."""
        fields, peer, client, trusted, form_token, request_id, protocol = self._cleaned(head, facts)
        if head.target.startswith(_NESTED) and not head.path.startswith(_NESTED):
            # Envoy asks for somebody else's path below a prefix; one that climbs out of it would be answered by
            # another page of ours, and any 200 lets it pass.
            raise Rejected(400, "target")
        return Request(
            method=head.method,
            path=head.path,
            target=head.target,
            query=head.query,
            headers=fields,
            host=head.host,
            authority=head.authority,
            peer=peer,
            client=client,
            entry_point=self._name,
            tls=facts.tls,
            websocket=head.websocket,
            body_length=head.body_length,
            trusted=trusted,
            connection=facts,
            hop_by_hop=head.connection & self._kept if self._kept else _NOTHING,
            form_token=form_token,
            id=request_id or self._ids.next(),
            protocol=protocol,
        )

    def new_id(self) -> bytes:
        """A name for a request that has none."""
        return self._ids.next()

    def _cleaned(self, head: RequestHead, facts: ConnectionFacts) -> _Cleaned:
        # Equal header blocks share one tuple (RequestHead says so): its identity is the cheapest key there is. An
        # entry holds its tuple, so no other one can have the same identity meanwhile.
        key = (id(head.headers), head.authority, facts.peer, facts.tls, head.websocket)
        remembered = self._remembered.get(key)
        if remembered is not None:
            return remembered[1]
        cleaned = self._clean(head, facts)
        self._size += _size(head.headers)
        self._remembered[key] = (head.headers, cleaned)
        while self._size > _MOST_REMEMBERED:
            oldest, _ = self._remembered.pop(next(iter(self._remembered)))
            self._size -= _size(oldest)
        return cleaned

    def _clean(self, head: RequestHead, facts: ConnectionFacts) -> _Cleaned:
        trusted = self._trust.includes(facts.peer)
        kept: list[Header] = []
        forwarding: dict[bytes, Header] = {}
        forwarded_for: list[bytes] = []
        singles: set[bytes] = set()
        form_token = request_id = b""
        protocol = "http"
        listed = head.connection - self._never_listed if head.connection else head.connection
        for header in head.headers:
            lower, kind = self._names[header[0]]
            if kind is Kind.DROPPED or lower in listed:
                if lower == FORM_TOKEN:
                    form_token = header[1]
                continue
            if kind is Kind.ALIAS or kind is Kind.FOLDED:
                if self._aliases == "reject":
                    raise Rejected(400, "alias_header")
                if self._aliases == "delete" or kind is Kind.FOLDED:
                    continue
            elif kind is Kind.SINGLE:
                if lower in singles:
                    raise Rejected(400, "dup_singleton")
                singles.add(lower)
            elif kind is Kind.REQUEST_ID:
                if trusted and not request_id and acceptable(header[1]):
                    request_id = header[1]
                continue
            elif kind is Kind.FORWARDED_FOR:
                if trusted and header[1]:
                    forwarded_for.append(header[1])
                continue
            elif kind is Kind.FORWARDING:
                # Of two different values one would be the client's: a proxy that adds a line instead of replacing it
                # puts its own behind it (S-120).
                if trusted and header[1]:
                    kept_value = forwarding.setdefault(lower, header)[1]
                    if kept_value != header[1] and lower in _ONE_VALUE:
                        raise Rejected(400, "dup_forwarding")
                continue
            if lower in TELLING:
                protocol = protocol_of(lower, header[1]) or protocol
            kept.append(header)
        address = parse_address(facts.peer)
        peer = str(address) if address is not None else facts.peer
        prior = b", ".join(forwarded_for)
        client = self._trust.client(peer, prior) if prior else peer
        self._fill(kept, forwarding, prior, peer, head, facts)
        return tuple(kept), peer, client, trusted, form_token, request_id, protocol

    def _fill(
        self,
        kept: list[Header],
        forwarding: dict[bytes, Header],
        prior: bytes,
        peer: str,
        head: RequestHead,
        facts: ConnectionFacts,
    ) -> None:
        """Put in what is missing, from the socket; our own name is ours alone."""
        forwarding.pop(b"x-forwarded-server", None)
        proto = (b"wss" if facts.tls else b"ws") if head.websocket else (b"https" if facts.tls else b"http")
        proto_said = forwarding.get(b"x-forwarded-proto")
        secure = facts.tls or (proto_said is not None and proto_said[1].lower() in (b"https", b"wss"))
        ours: list[Header] = [(b"X-Forwarded-Proto", proto), (b"X-Forwarded-Port", port_of(head.authority, secure))]
        if head.authority:
            ours.append((b"X-Forwarded-Host", head.authority))
        if peer:
            ours.append((b"X-Real-Ip", peer.encode("ascii", "replace")))
        kept.extend(forwarding.values())
        kept.extend(header for header in ours if header[0].lower() not in forwarding)
        last = peer.encode("ascii", "replace") if self._appends else b""
        chain = b", ".join(part for part in (prior, last) if part)
        if chain:
            kept.append((b"X-Forwarded-For", chain))
        kept.append(self._server)


def _size(headers: tuple[Header, ...]) -> int:
    """Bytes that remembering ``headers`` costs, about: Python's own objects weigh more than most values."""
    return sum(len(name) + len(value) for name, value in headers) + 160 * len(headers)


TELLING = frozenset((b"accept", b"content-type"))
"""Fields that say what a client means to speak."""


def protocol_of(name: bytes, value: bytes) -> str:
    """What the metrics call a request with this field; empty when it says nothing."""
    if name == b"accept":
        return "sse" if value.lower().startswith(b"text/event-stream") else ""
    if not value.startswith(b"application/grpc"):
        return ""
    return "grpc-web" if value.startswith(b"application/grpc-web") else "grpc"


_NOTHING: frozenset[bytes] = frozenset()
_NEVER_LISTED = MANAGED | DROPPED
"""``Connection`` cannot remove these: the managed ones stay (S-106), the others are gone or kept elsewhere (S-107)."""


_ONE_VALUE = frozenset(
    b"x-forwarded-" + name for name in (b"host", b"proto", b"uri", b"method", b"port", b"prefix", b"scheme", b"ssl")
) | {b"x-original-url", b"x-original-uri", b"x-real-ip"}
"""What decisions are made from. The others (certificates, ``Forwarded``) may be lists; the first line counts."""


def port_of(authority: bytes, secure: bool) -> bytes:
    """The port that the client believes to talk to: the one in Host, else the scheme's (S-119)."""
    tail = authority.rpartition(b":")[2]
    if tail != authority and tail.isdigit() and not authority.endswith(b"]"):
        return tail
    return b"443" if secure else b"80"


@lru_cache(maxsize=64)
def _admission(entry_point: EntryPoint) -> Admission:
    return Admission(entry_point)


def admit(head: RequestHead, facts: ConnectionFacts, entry_point: EntryPoint) -> Request:
    """``Admission.admit`` for callers that keep no ``Admission`` of their own. Raises Rejected."""
    return _admission(entry_point).admit(head, facts)
