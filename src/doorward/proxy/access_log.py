"""The access log: one line per finished exchange, gathered and written in batches (``contracts/proxy.md`` 13.2).

Nothing here waits for a disk on the way of a request: lines wait in memory until there are 64 KiB of them or until
the engine's next sweep, at most a second. Whatever a client can put into a line is escaped (S-052), and query
parameters that carry secrets are cut out (S-802).
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from doorward.messages.entry_points import AccessLog
from doorward.proxy.account import Account

_BATCH = 65536
_unsafe = re.compile(rb"[^\x20\x21\x23-\x5b\x5d-\x7e]")
_secret = re.compile(
    rb"(?i)([?&;])((?:code|state|token|[a-z_-]*_token|id_token_hint|client_secret|password|code_verifier|code_challenge"
    rb"|nonce|session_state|assertion)=)[^&;]*"
)


class AccessLogFile:
    """Where the accounts of exchanges become lines. A ``Ledger``."""

    def __init__(self, settings: AccessLog) -> None:
        """Raises OSError when the file cannot be opened."""
        self._path = settings.file_path
        self._line: Callable[[Account, int], bytes] = _FORMATS[settings.format]
        self._lines: list[bytes] = []
        self._size = 0
        self._count = 0
        self._descriptor = self._open()

    def record(self, account: Account) -> None:
        if account.service in INTERNAL_SERVICES:
            return
        self._count += 1
        line = self._line(account, self._count)
        self._lines.append(line)
        self._size += len(line)
        if self._size >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered; a full disk loses lines, never requests."""
        if not self._lines:
            return
        batch = b"".join(self._lines)
        self._lines.clear()
        self._size = 0
        try:
            while batch:
                batch = batch[os.write(self._descriptor, batch) :]
        except OSError:
            return

    def reopen(self) -> None:
        """The file was moved away (log rotation, SIGUSR1): go on in a new one."""
        self.flush()
        if self._path:
            old, self._descriptor = self._descriptor, self._open()
            os.close(old)

    def close(self) -> None:
        self.flush()
        if self._path:
            os.close(self._descriptor)
            self._path = ""
            self._descriptor = sys.__stdout__.fileno() if sys.__stdout__ is not None else 1

    def _open(self) -> int:
        if not self._path:
            return 1
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


INTERNAL_SERVICES = frozenset(("ping@internal", "prometheus@internal", "api@internal", "noop@internal"))
"""Neither logged nor counted (``addInternals`` is off)."""


def _target(account: Account) -> bytes:
    target = account.target
    if b"?" in target and _secret.search(target) is not None:
        target = _secret.sub(rb"\1\2REDACTED", target)
    return escaped(target)


def escaped(value: bytes) -> bytes:
    """``value`` with quotes, backslashes and everything unprintable as ``\\xNN``."""
    if _unsafe.search(value) is None:
        return value
    return _unsafe.sub(lambda match: b"\\x%02x" % match[0][0], value)


@lru_cache(maxsize=4096)
def _name(text: str) -> bytes:
    """A name or an address, of which there are few: without spaces, ``-`` for none."""
    return escaped((text or "-").encode("utf-8", "replace")).replace(b" ", b"\\x20")


_stamp = (0, b"")


def _clf_time(moment: float) -> bytes:
    global _stamp
    second = int(moment)
    if _stamp[0] != second:
        _stamp = (second, time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second)).encode("ascii"))
    return _stamp[1]


def _common(account: Account, count: int) -> bytes:
    return b'%b %d "%b" "%b" %dms\n' % (
        _generic(account, count)[:-1],
        count,
        _name(account.router),
        _name(account.server),
        account.seconds * 1000,
    )


def _generic(account: Account, _count: int) -> bytes:
    return b'%b - %b [%b] "%b %b %b" %d %d "-" "-"\n' % (
        _name(account.client),
        _name(account.user),
        _clf_time(account.started_at),
        account.method,
        _target(account),
        account.version,
        account.status,
        account.sent,
    )


def _json(account: Account, count: int) -> bytes:
    host, _, port = (
        account.host.decode("ascii").rpartition(":") if b":" in account.host else (account.host.decode("ascii"), "", "")
    )
    started = datetime.fromtimestamp(account.started_at, UTC)
    nanoseconds = int(account.seconds * 1e9)
    origin = int(account.origin_seconds * 1e9)
    fields: dict[str, object] = {
        "ClientAddr": account.peer,
        "ClientHost": account.client,
        "ClientUsername": account.user or "-",
        "DownstreamContentSize": account.sent,
        "DownstreamStatus": account.status,
        "Duration": nanoseconds,
        "OriginDuration": origin,
        "OriginStatus": account.origin_status,
        "Overhead": nanoseconds - origin,
        "RequestAddr": account.host.decode("ascii"),
        "RequestContentSize": account.received,
        "RequestCount": count,
        "RequestHost": host,
        "RequestMethod": account.method.decode("ascii"),
        "RequestPath": _target(account).decode("ascii"),
        "RequestPort": port or "-",
        "RequestProtocol": account.version.decode("ascii"),
        "RequestScheme": "https" if account.tls else "http",
        "RetryAttempts": account.retries,
        "StartLocal": started.astimezone().isoformat(),
        "StartUTC": started.isoformat().replace("+00:00", "Z"),
        "entryPointName": account.entry_point,
        "level": "info",
        "msg": "",
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    if account.router:
        fields["RouterName"] = account.router
    if account.server:
        fields |= {"ServiceName": account.service, "ServiceURL": account.server}
    return json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n"


_FORMATS = {"common": _common, "genericCLF": _generic, "json": _json}
