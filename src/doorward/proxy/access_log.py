"""The access log: one line per finished exchange, gathered and written in batches (``contracts/proxy.md`` 13.2).

Nothing here waits for a disk on the way of a request: lines wait in memory until there are 64 KiB of them, or
``bufferingSize`` of them, or until the engine's next sweep, at most a second. Whatever a client can put into a line is
escaped (S-052), and query parameters that carry secrets are cut out (S-802). The usual lines are written without
asking for each field whether it is wanted; ``access_fields`` does that where something is configured.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from doorward.messages.entry_points import AccessLog
from doorward.proxy.access_fields import FieldChoice, entries, without_secrets
from doorward.proxy.account import Account

_BATCH = 65536
_unsafe = re.compile(rb"[^\x20\x21\x23-\x5b\x5d-\x7e]")


class AccessLogFile:
    """Where the accounts of exchanges become lines. A ``Ledger``."""

    def __init__(self, settings: AccessLog) -> None:
        """Raises OSError when the file cannot be opened."""
        self._path = settings.file_path
        choice = FieldChoice(settings)
        self.wants_headers = choice.wants_headers
        self._line = _line_writer(settings, choice)
        self._most = settings.buffering_size or sys.maxsize
        self._internals = frozenset[str]() if settings.add_internals else INTERNAL_SERVICES
        self._filtered = bool(settings.status_codes or settings.retry_attempts or settings.min_duration)
        self._settings = settings
        self._lines: list[bytes] = []
        self._size = 0
        self._count = 0
        self._descriptor = self._open()

    def record(self, account: Account) -> None:
        if account.service in self._internals or (self._filtered and not self._is_wanted(account)):
            return
        self.take(self._line(account, self.number()))

    def series(self, account: Account) -> LinesAlike | None:
        if self._filtered or self._line is not _common or account.service in self._internals:
            return None
        return LinesAlike(self, account)

    def number(self) -> int:
        """The next line's."""
        self._count += 1
        return self._count

    def take(self, line: bytes) -> None:
        """Write ``line`` with the others."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= _BATCH or len(self._lines) >= self._most:
            self.flush()

    def _is_wanted(self, account: Account) -> bool:
        """Any filter that fits keeps the line."""
        settings = self._settings
        return (
            any(first <= account.status <= last for first, last in settings.status_codes)
            or (settings.retry_attempts and account.retries > 0)
            or (settings.min_duration > 0 and account.seconds > settings.min_duration)
        )

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


def _target(target: bytes) -> bytes:
    return escaped(without_secrets(target) if b"?" in target else target)


_short_target = lru_cache(maxsize=1024)(_target)
"""For what is known to be short, and likely to come again."""


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


@lru_cache(maxsize=4096)
def _who(client: str, user: str) -> bytes:
    return b"%b - %b [" % (_name(client), _name(user))


@lru_cache(maxsize=4096)
def _where(router: str, server: str) -> bytes:
    return b'"%b" "%b"' % (_name(router), _name(server))


def _common(account: Account, count: int) -> bytes:
    return b'%b%b] "%b %b %b" %d %d "-" "-" %d %b %dms\n' % (
        _who(account.client, account.user),
        _clf_time(account.started_at),
        account.method,
        _target(account.target),
        account.version,
        account.status,
        account.sent,
        count,
        _where(account.router, account.server),
        account.seconds * 1000,
    )


class LinesAlike:
    """The lines of exchanges that are alike, in the common format. A ``Series``."""

    __slots__ = ("_end", "_log", "_method", "_start", "_status")

    def __init__(self, log: AccessLogFile, account: Account) -> None:
        self._log = log
        self._start = _who(account.client, account.user)
        self._method = b'] "%b ' % account.method
        self._status = b' %b" %d ' % (account.version, account.status)
        self._end = b" %b " % _where(account.router, account.server)

    def add(self, target: bytes, started_at: float, seconds: float, sent: int) -> None:
        log = self._log
        sizes = f'{sent} "-" "-" {log.number()}'.encode("ascii")
        took = f"{int(seconds * 1000)}ms\n".encode("ascii")
        parts = (
            self._start,
            _clf_time(started_at),
            self._method,
            _short_target(target),
            self._status,
            sizes,
            self._end,
            took,
        )
        log.take(b"".join(parts))


def _generic(account: Account, _count: int) -> bytes:
    return b'%b%b] "%b %b %b" %d %d "-" "-"\n' % (
        _who(account.client, account.user),
        _clf_time(account.started_at),
        account.method,
        _target(account.target),
        account.version,
        account.status,
        account.sent,
    )


def _json(account: Account, count: int, choice: FieldChoice) -> bytes:
    return json.dumps(entries(account, count, choice), separators=(",", ":")).encode("ascii") + b"\n"


def _chosen_common(account: Account, count: int, choice: FieldChoice) -> bytes:
    """``common`` without what is not wanted."""
    said = entries(account, count, choice)

    def value(name: str, missing: bytes = b"-") -> bytes:
        return _escaped_text(str(said[name])) if name in said else missing

    return b'%b %b "%b" "%b" %dms\n' % (
        _chosen_generic(account, count, choice)[:-1],
        value("RequestCount"),
        value("RouterName"),
        value("ServiceURL"),
        account.seconds * 1000 if "Duration" in said else 0,
    )


def _chosen_generic(account: Account, count: int, choice: FieldChoice) -> bytes:
    said = entries(account, count, choice)

    def value(name: str) -> bytes:
        return _escaped_text(str(said[name])) if name in said else b"-"

    if "StartUTC" in said:
        moment = _clf_time(account.started_at)
    elif "StartLocal" in said:
        local = datetime.fromtimestamp(account.started_at).astimezone()
        moment = local.strftime("%d/%b/%Y:%H:%M:%S %z").encode("ascii")
    else:
        moment = b"-"
    return b'%b - %b [%b] "%b %b %b" %b %b "%b" "%b"\n' % (
        value("ClientHost").replace(b" ", b"\\x20"),
        value("ClientUsername").replace(b" ", b"\\x20"),
        moment,
        value("RequestMethod"),
        value("RequestPath"),
        value("RequestProtocol"),
        value("DownstreamStatus"),
        value("DownstreamContentSize"),
        value("request_Referer"),
        value("request_User-Agent"),
    )


def _escaped_text(text: str) -> bytes:
    return escaped(text.encode("utf-8", "replace"))


_USUAL = {"common": _common, "genericCLF": _generic}
_CHOSEN = {"common": _chosen_common, "genericCLF": _chosen_generic, "json": _json}


def _line_writer(settings: AccessLog, choice: FieldChoice) -> Callable[[Account, int], bytes]:
    if choice.is_default and settings.format in _USUAL:
        return _USUAL[settings.format]
    write = _CHOSEN[settings.format]
    return lambda account, count: write(account, count, choice)
