"""Facts about a request, and the one name that we answer to.

Only our own workers can reach this process (a Unix socket with mode 0600). They state the client in
``X-Forwarded-For``, ``-Proto`` and ``-Host``, having dropped whatever the client said there itself (S-508). A name that
is neither the external URL's nor loopback is answered 404 (S-117). From here on the request looks as if it had come to
the external URL, so nothing that Django derives from a host can be anything else.

Pages live at the external URL only, because their cookies do: a navigation to the plain identity port under another
name is sent there, once. A proxy in front that rewrites ``Host`` would turn that into a loop; the cookie set with the
redirect shows it, and the page is served as it is.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.http.request import split_domain_port, validate_host

MOVED = "doorward_moved"
"""Cookie: this browser was sent to the external URL a moment ago."""
MOVED_FOR = 30
"""Seconds."""

ANY_HOST = ("/-/health/",)
"""Probes ask by address."""
MACHINES = ("/api/", "/static/", "/-/", "/.well-known/", "/application/o/")
"""Served under every accepted name: their clients bring no cookies."""
PAGES_AMONG_THEM = ("/application/o/authorize/",)

UNKNOWN_HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Unknown host</title>
<h1>Unknown host</h1><p>Nothing is served under this name. Open the address that your administrator gave you.</p>"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:=+/-]{0,127}", re.ASCII)

COMPRESSED = "Request bodies are read as they are: send it without Content-Encoding."


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a request, whatever its header fields claim."""

    client_ip: str | None
    request_id: str
    """What the worker calls the request, in its log as well; also in the answer's ``X-authentik-id`` and in events. 32
    hexadecimal digits, unless a trusted proxy in front has named it."""
    host: str
    """The name and port that the client used."""
    scheme: str


class RequestFacts:
    """Sets ``request.facts``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        host = meta.get("HTTP_X_FORWARDED_HOST") or meta.get("HTTP_HOST", meta.get("SERVER_NAME", ""))
        scheme = meta.get("HTTP_X_FORWARDED_PROTO", settings.EXTERNAL.scheme)
        facts = Facts(_address(meta.get("HTTP_X_FORWARDED_FOR", "")), _request_id(meta), host, scheme)
        request.facts = facts  # type: ignore[attr-defined]
        if not _known(host) and not request.path.startswith(ANY_HOST):
            return _stamped(HttpResponse(UNKNOWN_HOST, status=404), facts)
        if meta.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
            return _stamped(HttpResponse(COMPRESSED, content_type="text/plain", status=415), facts)  # S-913
        if _elsewhere(host) and _is_page(request) and MOVED not in request.COOKIES:
            return _stamped(_to_external(request), facts)
        if scheme != "https":
            _drop_prefixed_cookies(meta)
        meta["HTTP_HOST"] = settings.EXTERNAL.netloc
        meta["HTTP_X_FORWARDED_PROTO"] = settings.EXTERNAL.scheme
        meta.pop("HTTP_X_FORWARDED_HOST", None)
        return _stamped(self._get_response(request), facts)


def facts_of(request: HttpRequest) -> Facts:
    """The facts that the middleware has established."""
    facts: Facts = request.facts  # type: ignore[attr-defined]
    return facts


def _drop_prefixed_cookies(meta: dict[str, str]) -> None:
    """No browser sends ``__Host-`` and ``__Secure-`` cookies without TLS, so whoever does made them up (S-315)."""
    sent = meta.get("HTTP_COOKIE", "")
    if "__" not in sent:
        return
    kept = [pair for pair in sent.split(";") if not _as_django_reads(pair).startswith(("__host-", "__secure-"))]
    meta["HTTP_COOKIE"] = ";".join(kept).strip()


def _as_django_reads(pair: str) -> str:
    return pair.encode("latin-1", "replace").decode("utf-8", "replace").strip().lower()


def _request_id(meta: Mapping[str, str]) -> str:
    named = meta.get("HTTP_X_REQUEST_ID", "")
    return named if _NAME.fullmatch(named) else secrets.token_hex(16)


def _address(stated: str) -> str | None:
    """The client's address; None for what is none."""
    try:
        return str(ipaddress.ip_address(stated.rpartition(",")[2].strip().strip("[]")))
    except ValueError:
        return None


def _known(host: str) -> bool:
    name, _ = split_domain_port(host)
    return bool(name) and validate_host(name, settings.ALLOWED_HOSTS)


def _elsewhere(host: str) -> bool:
    """Whether a browser that says ``host`` is surely not at the external URL."""
    name, port = split_domain_port(host)
    if name in {"localhost", "127.0.0.1", "[::1]"} and name != settings.EXTERNAL.hostname:
        return True
    external_port = settings.EXTERNAL.port or {"https": 443, "http": 80}.get(settings.EXTERNAL.scheme)
    return bool(port) and port != str(external_port)


def _is_page(request: HttpRequest) -> bool:
    if request.method not in {"GET", "HEAD"}:
        return False
    path = request.path
    return path.startswith(PAGES_AMONG_THEM) or path.endswith("/end-session/") or not path.startswith(MACHINES)


def _to_external(request: HttpRequest) -> HttpResponse:
    path = request.get_full_path()
    # Never let a path become an authority: the configured origin stands before it whatever it is.
    response = HttpResponseRedirect(f"{settings.EXTERNAL_URL}/{path.lstrip('/')}")
    assert urlsplit(response.url).netloc == settings.EXTERNAL.netloc
    response.set_cookie(MOVED, "1", max_age=MOVED_FOR, httponly=True, samesite="Lax")
    return response


def _stamped(response: HttpResponseBase, facts: Facts) -> HttpResponseBase:
    response.headers["X-authentik-id"] = facts.request_id
    return response
