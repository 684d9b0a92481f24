"""``headers``: set request and response fields, answer CORS preflights, add the usual protections
(``contracts/proxy.md`` section 7.1).

Response fields are set after the application answered and replace its own.
"""

from __future__ import annotations

from doorward.messages.http import Header, HttpAnswer
from doorward.messages.routing import Headers
from doorward.proxy.middlewares.cors import Cors
from doorward.proxy.request import ALWAYS, Check, Request, ResponseHead

_BAD_HOST = HttpAnswer(500, ((b"Content-Type", b"text/plain; charset=utf-8"),), b"Bad Host")


class HeadersMiddleware:
    """Runs one ``headers``."""

    def __init__(self, middleware: Headers) -> None:
        """Raises ValueError for an origin expression that may not run."""
        self._cors = Cors(middleware)
        self._request = [_encoded(pair) for pair in middleware.custom_request_headers]
        self._request_names = frozenset(name.lower() for name, _ in self._request)
        self._response = [_encoded(pair) for pair in middleware.custom_response_headers]
        self._protections = _protections(middleware)
        self._sts = _strict_transport_security(middleware)
        self._sts_always = middleware.force_sts_header
        self._replaced = frozenset(
            name.lower() for name, _ in (*self._response, *self._protections, *((self._sts,) if self._sts else ()))
        )
        self._hosts = frozenset(host.lower().encode() for host in middleware.allowed_hosts)
        if middleware.is_development:
            self._hosts = frozenset()
        self._host_fields = [name.lower().encode() for name in middleware.hosts_proxy_headers]
        self._tls_fields = [(name.lower(), value) for name, value in map(_encoded, middleware.ssl_proxy_headers)]

    # --- on the way in

    def enter(self, request: Request) -> HttpAnswer | None:
        if self._hosts and not self._host_is_allowed(request):
            return _BAD_HOST
        if self._cors.active:
            answer = self._cors.preflight(request)
            if answer is not None:
                return answer
        if self._request:
            self._change(request)
        return None

    @property
    def steady(self) -> bool:
        """What is said to another origin depends on what it asks."""
        return not self._cors.active

    def regards(self, name: bytes) -> bool:
        """See ``SteadyMiddleware``."""
        return name in self._request_names or name in self._host_fields or name in dict(self._tls_fields)

    def rehearse(self, request: Request) -> Check | None:
        """See ``SteadyMiddleware``."""
        return None if self.enter(request) is not None else ALWAYS

    def owns(self, name: bytes) -> bool:
        """The field ``name`` (lower case) is set or removed here."""
        return name in self._request_names

    def _change(self, request: Request) -> None:
        """An empty value deletes; ``Host`` changes what the application is asked for, not where it is sought."""
        headers = [header for header in request.headers if header[0].lower() not in self._request_names]
        for name, value in self._request:
            if name.lower() == b"host":
                request.authority = value or request.authority
            elif value:
                headers.append((name, value))
        request.headers = headers

    def _host_is_allowed(self, request: Request) -> bool:
        for name in self._host_fields:
            said = request.first(name)
            if said:
                return said.lower() in self._hosts
        return request.host in self._hosts or request.authority in self._hosts

    # --- on the way out

    def leave(self, request: Request, response: ResponseHead) -> None:
        if self._cors.active:
            self._cors.add(request, response)
        if not self._replaced:
            return
        sts = self._sts if self._sts and (self._sts_always or self._is_tls(request)) else None
        headers = [header for header in response.headers if header[0].lower() not in self._replaced]
        headers.extend(self._protections)
        if sts is not None:
            headers.append(sts)
        headers.extend(header for header in self._response if header[1])
        response.headers = headers

    def _is_tls(self, request: Request) -> bool:
        return request.tls or any(request.first(name) == value for name, value in self._tls_fields)


def _encoded(pair: tuple[str, str]) -> Header:
    return pair[0].encode("ascii"), pair[1].encode("utf-8")


def _protections(middleware: Headers) -> list[Header]:
    frame = middleware.custom_frame_options_value or ("DENY" if middleware.frame_deny else "")
    xss = middleware.custom_browser_xss_value or ("1; mode=block" if middleware.browser_xss_filter else "")
    development = middleware.is_development
    values = (
        ("X-Frame-Options", frame),
        ("X-Content-Type-Options", "nosniff" if middleware.content_type_nosniff else ""),
        ("X-XSS-Protection", xss),
        ("Content-Security-Policy", middleware.content_security_policy),
        ("Content-Security-Policy-Report-Only", middleware.content_security_policy_report_only),
        ("Referrer-Policy", middleware.referrer_policy),
        ("Permissions-Policy", middleware.permissions_policy),
        ("Public-Key-Pins", "" if development else middleware.public_key),
    )
    return [_encoded(pair) for pair in values if pair[1]]


def _strict_transport_security(middleware: Headers) -> Header | None:
    if not middleware.sts_seconds or middleware.is_development:
        return None
    value = f"max-age={middleware.sts_seconds}"
    if middleware.sts_include_subdomains:
        value += "; includeSubDomains"
    if middleware.sts_preload:
        value += "; preload"
    return _encoded(("Strict-Transport-Security", value))
