"""The question that ``forwardAuth`` puts to an auth server (``contracts/proxy.md`` sections 5.2 and 5.3).

It is the client's request without body and framing, with what an auth server needs to know about the original in
``X-Forwarded-*``. Whether those come from this hop alone or from the chain before it is ``trustForwardHeader``;
unset is the same as false, for all names (S-718).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from doorward.messages.http import Header, HttpQuestion
from doorward.messages.routing import ForwardAuth
from doorward.net.origin import Origin
from doorward.proxy.field_names import FORWARDING, MANAGED, NameTable
from doorward.proxy.forwarding import port_of
from doorward.proxy.request import Request
from doorward.proxy.upstream_head import OURS
from doorward.wire.http1.write import checked_line, field_block, message_head

_PAGE = b"X-Forwarded-Uri"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question as it is sent, but for the page that it is about and the name of the request."""

    before: bytes
    after: bytes | None
    """What follows the page; None where the question names another page than the request's, or none."""

    def about(self, page: bytes, name: bytes) -> bytes:
        """The question, whole; ``page`` is path and query. Raises UnsafeField."""
        if self.after is None:
            return b"".join((self.before, name, b"\r\n\r\n"))
        return b"".join((self.before, checked_line(page), self.after, name, b"\r\n\r\n"))


class SubRequest:
    """Builds questions for one middleware."""

    def __init__(self, middleware: ForwardAuth) -> None:
        """Raises ValueError when the address is no http(s) URL."""
        origin = Origin.parse(middleware.address)
        if origin.scheme == "unix":
            raise ValueError(f"not an http or https URL: {middleware.address!r}")
        parts = urlsplit(middleware.address)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        self.path = parts.path or "/"
        self.server = f"{origin.scheme}://{origin.authority.decode()}"
        self._target = target.encode("ascii")
        self._host: Header = (b"Host", origin.authority)
        self._trusts = middleware.trust_forward_header is True
        self._keeps_method = middleware.preserve_request_method
        allowed = frozenset(name.lower().encode() for name in middleware.auth_request_headers)
        if allowed and self._trusts:
            allowed |= MANAGED
        refused = frozenset() if self._trusts else FORWARDING
        self._sends_all = self._trusts and not allowed
        self._sent = NameTable(lambda name: name not in refused and (not allowed or name in allowed))
        self._forwarding = NameTable(lambda name: name if name in FORWARDING else b"")

    def question(self, request: Request, body: bytes) -> HttpQuestion:
        """The sub-request for ``request``; ``body`` is empty unless the middleware forwards bodies."""
        return HttpQuestion(
            method=request.method if self._keeps_method else b"GET",
            target=self._target,
            headers=tuple(self._headers(request)),
            body=body,
            trusted=True,
            request_id=request.id,
            client=request.client,
        )

    def prepared(self, request: Request) -> Prepared | None:
        """The same without a body, for all requests that differ in page and name alone. None where that cannot be said.
        Raises UnsafeField."""
        headers = self._headers(request)
        hosts = sum(header[0].lower() == b"host" for header in headers)
        if hosts != 1 or b" " in self._target or (self._keeps_method and request.method not in _BODILESS):
            return None
        # Our own name of the page is written once, after all that the client sent.
        page = page_of(request)
        at = next((at for at, header in enumerate(headers) if header[0] is _PAGE and header[1] == page), -1)
        line = b"%b %b HTTP/1.1" % (request.method if self._keeps_method else b"GET", self._target)
        last = b"X-Request-Id: "
        if at < 0:
            return Prepared(message_head(line, _own(headers))[:-2] + last, None)
        before = message_head(line, _own(headers[:at]))[:-2] + _PAGE + b": "
        return Prepared(before, field_block(_own(headers[at + 1 :]))[:-2] + last)

    def sends(self, name: bytes) -> bool:
        """Whether the client's field ``name`` (lower case) goes to the auth server."""
        return self._sends_all or self._sent[name]

    @property
    def method_matters(self) -> bool:
        """The auth server is asked by the client's method."""
        return self._keeps_method

    def _headers(self, request: Request) -> list[Header]:
        if self._sends_all:
            headers = [self._host, *request.headers]
        else:
            sent = self._sent
            headers = [self._host, *[header for header in request.headers if sent[header[0]]]]
        if self._trusts:
            forwarding = self._forwarding
            present = {forwarding[header[0]] for header in headers}
            headers += [fact for fact in self._facts(request) if forwarding[fact[0]] not in present]
            return headers
        headers += self._facts(request)
        if request.peer:
            headers.append((b"X-Forwarded-For", request.peer.encode("ascii", "replace")))
        return headers

    @staticmethod
    def _facts(request: Request) -> list[Header]:
        facts = [
            (b"X-Forwarded-Method", request.method),
            (b"X-Forwarded-Proto", b"https" if request.tls else b"http"),
            (b"X-Forwarded-Port", port_of(request.authority, request.tls)),
            (_PAGE, page_of(request)),
        ]
        if request.authority:
            facts.append((b"X-Forwarded-Host", request.authority))
        return facts


_BODILESS = frozenset((b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"TRACE"))
"""Methods whose requests say nothing about a body that they do not have."""


def page_of(request: Request) -> bytes:
    """Path and query."""
    return request.path if request.query is None else request.path + b"?" + request.query


def _own(headers: list[Header]) -> list[Header]:
    """Without what concerns a connection, or is written by us."""
    return [header for header in headers if (lower := header[0].lower()) not in OURS or lower == b"host"]
