"""Everything that the access log can say about an exchange, under Traefik's names, and what of it is wanted.

``accessLog.fields`` chooses: fields by name, and the client's, the server's and our own header fields (``request_…``,
``origin_…``, ``downstream_…``) as ``keep``, ``drop`` or ``redact``. What proves who somebody is never gets into a log,
whatever the configuration says (S-802).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from doorward.messages.entry_points import AccessLog
from doorward.messages.http import Header
from doorward.proxy.account import Account

REDACTED = "REDACTED"
_SECRET_FIELDS = frozenset(
    (
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-authentik-jwt",
        "x-authentik-csrf",
        "x-csrftoken",
        "x-api-key",
        "x-auth-token",
        "x-forwarded-access-token",
    )
)
_WITH_ADDRESSES = frozenset(("referer", "location", "content-location"))
"""Fields whose value is a URL, which may hold what no log may."""
_LONGEST = 4096
"""Characters of one value (S-620)."""

# Also where the address stands within another one (?next=%2F…%3Fid_token_hint%3D…), however often it was escaped.
_secret = re.compile(
    rb"(?i)([?&;#]|%(?:25)*(?:3f|26|3b|23))"
    rb"((?:code|state|token|[a-z_-]*_token|id_token_hint|client_secret|password|code_verifier|code_challenge|nonce"
    rb"|session_state|assertion)(?:=|%(?:25)*3d))[^&;#]*"
)


def without_secrets(target: bytes) -> bytes:
    """``target``, a path with a query or a URL, with the values of telling parameters cut out."""
    if _secret.search(target) is None:
        return target
    return _secret.sub(rb"\1\2REDACTED", target)


class FieldChoice:
    """What ``accessLog.fields`` wants."""

    def __init__(self, settings: AccessLog) -> None:
        self._names = dict(settings.field_modes)
        self._default = settings.field_default
        self._headers = {name.lower(): mode for name, mode in settings.header_modes}
        self._header_default = settings.header_default
        self._whole_path = settings.query_default == "keep"
        self.wants_headers = self._header_default != "drop" or any(mode != "drop" for mode in self._headers.values())
        self.is_default = self._default == "keep" and not self._names and not self.wants_headers and self._whole_path
        """Nothing was configured: the usual lines can be written without asking for each field."""

    def wants(self, name: str) -> bool:
        return self._names.get(name, self._default) != "drop"

    def target(self, account: Account) -> bytes:
        """Path and query as far as they are wanted."""
        target = without_secrets(account.target)
        return target if self._whole_path else target.partition(b"?")[0]

    def header(self, prefix: str, header: Header) -> tuple[str, str] | None:
        """Key and value of a header field; None when it is not wanted."""
        name = header[0].decode("ascii", "replace").lower()
        mode = self._headers.get(name, self._header_default)
        if mode == "drop":
            return None
        if mode == "redact" or name in _SECRET_FIELDS:
            return prefix + _canonical(name), REDACTED
        value = without_secrets(header[1]) if name in _WITH_ADDRESSES else header[1]
        return prefix + _canonical(name), value.decode("utf-8", "replace")[:_LONGEST]

    def headers(self, prefix: str, headers: Sequence[Header]) -> Iterator[tuple[str, str]]:
        """All of them, several of a name joined by commas."""
        found: dict[str, str] = {}
        for header in headers:
            pair = self.header(prefix, header)
            if pair is not None:
                key, value = pair
                found[key] = f"{found[key]},{value}" if key in found and value != REDACTED else value
        yield from found.items()


@lru_cache(maxsize=1024)
def _canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


@lru_cache(maxsize=1024)
def _address(url: str) -> str:
    return urlsplit(url).netloc or url


@lru_cache(maxsize=256)
def _subject(der: bytes) -> str:
    # A log that names certificates is rare, and so is the library that reads them.
    from cryptography import x509

    return x509.load_der_x509_certificate(der).subject.rfc4514_string()[:_LONGEST]


def entries(account: Account, count: int, choice: FieldChoice) -> dict[str, object]:
    """The JSON object of an exchange, the ``count``-th of its worker; numbers of time are nanoseconds."""
    found: dict[str, object] = dict(_facts(account, count, choice))
    if not choice.is_default:
        found = {name: value for name, value in found.items() if choice.wants(name)}
        if choice.wants_headers:
            found.update(choice.headers("request_", account.request_headers))
            found.update(choice.headers("origin_", account.origin_headers))
            found.update(choice.headers("downstream_", account.response_headers))
    return dict(sorted(found.items()))


def _facts(account: Account, count: int, choice: FieldChoice) -> Iterator[tuple[str, object]]:
    connection = account.connection
    port = connection.peer_port if connection is not None else 0
    authority = account.host.decode("ascii", "replace")
    host, colon, asked_port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, asked_port = authority, ""
    started = datetime.fromtimestamp(account.started_at, UTC)
    nanoseconds, origin = int(account.seconds * 1e9), int(account.origin_seconds * 1e9)
    yield "ClientAddr", f"{account.peer}:{port}" if port else account.peer
    yield "ClientHost", account.client
    yield "ClientPort", str(port) if port else "-"
    yield "ClientUsername", account.user or "-"
    yield "DownstreamContentSize", account.sent
    yield "DownstreamStatus", account.status
    yield "Duration", nanoseconds
    yield "OriginContentSize", account.sent if account.origin_status else 0
    yield "OriginDuration", origin
    yield "OriginStatus", account.origin_status
    yield "Overhead", nanoseconds - origin
    yield "RequestAddr", authority
    yield "RequestContentSize", account.received
    yield "RequestCount", count
    yield "RequestHost", host
    yield "RequestId", account.request_id.decode("ascii")
    yield "RequestMethod", account.method.decode("ascii")
    yield "RequestPath", choice.target(account).decode("ascii", "replace")
    yield "RequestPort", asked_port or "-"
    yield "RequestProtocol", account.version.decode("ascii")
    yield "RequestScheme", "https" if account.tls else "http"
    yield "RetryAttempts", account.retries
    yield "StartLocal", started.astimezone().isoformat()
    yield "StartUTC", started.isoformat().replace("+00:00", "Z")
    yield "entryPointName", account.entry_point
    yield "level", "info"
    yield "msg", ""
    yield "time", datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if account.router:
        yield "RouterName", account.router
    if account.denial:
        yield "Denial", account.denial
    if account.server:
        yield "ServiceName", account.service
        yield "ServiceURL", account.server
        yield "ServiceAddr", _address(account.server)
    if connection is not None and connection.tls:
        yield "TLSVersion", connection.tls_version
        yield "TLSCipher", connection.tls_cipher
        if connection.client_chain:
            yield "TLSClientSubject", _subject(connection.client_chain[0])
