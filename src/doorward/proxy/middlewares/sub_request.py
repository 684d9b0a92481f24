"""The question that ``forwardAuth`` puts to an auth server (``contracts/proxy.md`` sections 5.2 and 5.3).

It is the client's request without body and framing, with what an auth server needs to know about the original in
``X-Forwarded-*``. Whether those come from this hop alone or from the chain before it is ``trustForwardHeader``;
unset is the same as false, for all names (S-718).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from doorward.messages.http import Header, HttpQuestion
from doorward.messages.routing import ForwardAuth
from doorward.net.origin import Origin
from doorward.proxy.field_names import FORWARDING, MANAGED, NameTable
from doorward.proxy.forwarding import port_of
from doorward.proxy.request import Request


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
        )

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
        uri = request.path if request.query is None else request.path + b"?" + request.query
        facts = [
            (b"X-Forwarded-Method", request.method),
            (b"X-Forwarded-Proto", b"https" if request.tls else b"http"),
            (b"X-Forwarded-Port", port_of(request.authority, request.tls)),
            (b"X-Forwarded-Uri", uri),
        ]
        if request.authority:
            facts.append((b"X-Forwarded-Host", request.authority))
        return facts
